import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import { contains, formatAddress, formatPrefix } from '../../../../engine/src/net/address.ts';
import { firstFree } from '../bind/addresses.ts';
import type { NodeDeclaration, PodDeclaration, ServiceDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { Placed } from '../bind/file-model.ts';
import { rangeIn } from '../bind/file-model.ts';
import { clusterCidrs, fullName } from '../bind/names.ts';
import type { Subnets } from '../bind/subnets.ts';
import { subnetsOf } from '../bind/subnets.ts';
import type { Check, CheckInput } from './check.ts';
import type { Diagnostic, Range, Related } from './define.ts';
import { defineDiagnostic, replacement, report } from './define.ts';
import { suspecting } from './suspects.ts';

/** `what` has `address`, outside `subnet`, "host2's pod-cidr 10.0.5.0/24". */
export const addressOutsideSubnet = defineDiagnostic<{ readonly what: string; readonly address: string; readonly subnet: string; readonly instead: string | undefined }>({
  code: 'K8N2005',
  slug: 'address-outside-subnet',
  severity: 'error',
  message: (p) => `${p.what} ${p.address} is outside ${p.subnet}: take one inside it${p.instead === undefined ? '' : `, such as ${p.instead}`}`,
  fix: (p, at) => replacement(p.instead, at),
});

interface Within {
  /** "host2's pod-cidr" */
  readonly what: string;
  readonly prefixes: readonly Prefix[];
  readonly related: readonly Related[];
}

/** Judged by the subnets of the address's own family; where there are none, by all. */
const isOutside = (address: Address, prefixes: readonly Prefix[]): boolean => prefixes.length > 0 && !prefixes.some((p) => contains(p, address));

const sameFamily = (prefixes: readonly Prefix[], address: Address): readonly Prefix[] => {
  const own = prefixes.filter((p) => p.address.family === address.family);
  return own.length > 0 ? own : prefixes;
};

/** An address of the subnet that nobody has, in the family of the wrong one. */
function freeAddress(input: CheckInput, prefix: Prefix | undefined, like: Address): string | undefined {
  const free = prefix?.address.family === like.family ? firstFree(input.model, prefix) : undefined;
  return free === undefined ? undefined : formatAddress(free);
}

function outside(input: CheckInput, placed: Placed<unknown>, what: string, value: Located<Address>, subnets: Within): Diagnostic[] {
  const prefixes = sameFamily(subnets.prefixes, value.value);
  if (!isOutside(value.value, prefixes)) return [];
  const instead = freeAddress(input, prefixes[0], value.value);
  const subnet = `${subnets.what} ${prefixes.map(formatPrefix).join(', ')}`;
  return [report(addressOutsideSubnet, { what, address: formatAddress(value.value), subnet, instead }, rangeIn(placed, value), subnets.related)];
}

const relatedTo = (placed: Placed<unknown>, ranges: readonly Range[], message: string): Related[] => ranges.map((r) => ({ ...rangeIn(placed, r), message }));

const areOutside = (addresses: readonly Located<Address>[], prefixes: readonly Prefix[]): boolean => addresses.some(({ value }) => isOutside(value, sameFamily(prefixes, value)));

const suspectPods = suspecting<PodDeclaration, Subnets>((pod, { leases, podCidrs }) => {
  const own = leases.get(pod.host?.value ?? '') ?? [];
  return areOutside(pod.addresses, own.length === 0 ? podCidrs : own);
});

const suspectServices = suspecting<ServiceDeclaration, Subnets>((service, { serviceCidrs }) => areOutside(service.clusterAddresses, serviceCidrs));

export const checkAddressesInSubnets: Check = function* (input) {
  const { model } = input;
  const cluster = clusterCidrs(model);
  for (const p of model.networks) {
    const { name, prefixes, gateways } = p.declaration;
    const what = `network ${name?.value ?? ''}`;
    const subnets = { what, prefixes: prefixes.map((c) => c.value), related: relatedTo(p, prefixes, what) };
    for (const g of gateways) yield* outside(input, p, 'the gateway', g, subnets);
  }
  for (const node of model.nodes) yield* checkNode(input, node, cluster.podCidrs);
  for (const p of suspectPods(model.pods, subnetsOf(model))) {
    const { name, host, hostNetwork, addresses } = p.declaration;
    if (name === null || hostNetwork) continue;
    const node = host === null ? undefined : input.names.nodes.get(host.value);
    const own = node?.declaration.podCidrs ?? [];
    const subnets: Within = node === undefined || own.length === 0
      ? { what: "the cluster's pod-cidr", prefixes: cluster.podCidrs, related: [] }
      : { what: `${host?.value ?? ''}'s pod-cidr`, prefixes: own.map((c) => c.value), related: relatedTo(node, own, `the pod-cidr of ${host?.value ?? ''}`) };
    for (const a of addresses) yield* outside(input, p, `pod ${fullName(name.value)}'s address`, a, subnets);
  }
  for (const p of suspectServices(model.services, subnetsOf(model))) {
    const { name, clusterAddresses } = p.declaration;
    if (name === null) continue;
    const subnets = { what: 'the service-cidr', prefixes: cluster.serviceCidrs, related: [] };
    for (const a of clusterAddresses) yield* outside(input, p, `service ${fullName(name.value)}'s cluster-ip`, a, subnets);
  }
};

function* checkNode(input: CheckInput, node: Placed<NodeDeclaration>, podCidrs: readonly Prefix[]): Iterable<Diagnostic> {
  const { name, interfaces, podCidrs: leases } = node.declaration;
  for (const i of interfaces) {
    const network = i.network === null ? undefined : input.names.networks.get(i.network.value);
    if (network === undefined) continue;
    const what = `network ${i.network?.value ?? ''}`;
    const { prefixes } = network.declaration;
    const subnets = { what, prefixes: prefixes.map((c) => c.value), related: relatedTo(network, prefixes, what) };
    for (const a of i.addresses) {
      const end = a.end - `/${a.value.length}`.length;
      yield* outside(input, node, `${name?.value ?? 'the node'}'s address`, { ...a, value: a.value.address, end }, subnets);
    }
  }
  for (const lease of leases) {
    const of = sameFamily(podCidrs, lease.value.address);
    if (of.some((p) => contains(p, lease.value.address) && p.length <= lease.value.length)) continue;
    const subnet = `the cluster's pod-cidr ${of.map(formatPrefix).join(', ')}`;
    yield report(addressOutsideSubnet, { what: `${name?.value ?? 'the node'}'s pod-cidr`, address: formatPrefix(lease.value), subnet, instead: undefined }, rangeIn(node, lease));
  }
}
