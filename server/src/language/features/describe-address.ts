/** Who has an address, and which networks it lies in. */
import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import { addressPlus, contains, firstAddress, formatAddress, formatPrefix, sameAddress } from '../../../../engine/src/net/address.ts';
import { kindOfAddress } from '../bind/address-kind.ts';
import { holdersOf } from '../bind/addresses.ts';
import { clusterCidrs } from '../bind/names.ts';
import type { Snapshot } from '../snapshot.ts';

/** As Markdown. */
export function describeAddress(snapshot: Snapshot, address: Address): string {
  const { model } = snapshot;
  const holder = holdersOf(model).get(formatAddress(address));
  const owner = holder?.what ?? reservedOwner(snapshot, address) ?? 'nobody in this file has it';
  const places = placesOf(snapshot, address);
  const kind = kindOfAddress(address);
  return [`**${formatAddress(address)}**: ${owner}${kind === undefined ? '' : ` (${kind})`}`, ...places.map((p) => `- in ${p}`)].join('\n');
}

/** Addresses that programs take: cni0's, flannel.1's, a device's on no network. */
function reservedOwner({ model }: Snapshot, address: Address): string | undefined {
  for (const { declaration: d } of model.nodes) {
    const name = d.name?.value ?? 'a node';
    for (const { value } of d.podCidrs) {
      if (value.address.family !== address.family) continue;
      if (sameAddress(address, firstAddress(value))) return `the flannel device of ${name}`;
      if (sameAddress(address, addressPlus(firstAddress(value), 1))) return `the bridge cni0 of ${name}`;
    }
    for (const i of d.interfaces) if (i.addresses.some((a) => sameAddress(a.value.address, address))) return `${name}'s ${i.name.value}`;
  }
  return undefined;
}

function placesOf({ model }: Snapshot, address: Address): string[] {
  const cluster = clusterCidrs(model);
  const within = (prefixes: readonly Prefix[], what: string): string[] => prefixes.filter((p) => contains(p, address)).map((p) => `${what} ${formatPrefix(p)}`);
  return [
    ...model.networks.flatMap(({ declaration: d }) => within(d.prefixes.map((c) => c.value), `network ${d.name?.value ?? ''}`)),
    ...model.nodes.flatMap(({ declaration: d }) => within(d.podCidrs.map((c) => c.value), `${d.name?.value ?? 'a node'}'s pod-cidr`)),
    ...within(cluster.podCidrs, "the cluster's pod-cidr"),
    ...within(cluster.serviceCidrs, 'the service-cidr'),
  ];
}
