import { addressPlus, bitsOf, firstAddress, formatAddress, lastAddress, networkOf, sameAddress } from '../../../../engine/src/net/address.ts';
import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import type { NodeDeclaration, PodDeclaration } from '../bind/declarations.ts';
import { rangeIn } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import type { Subnets } from '../bind/subnets.ts';
import { subnetsOf } from '../bind/subnets.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';
import { ALONE, suspecting } from './suspects.ts';

export const reservedAddress = defineDiagnostic<{ readonly address: string; readonly holder: string; readonly owner: string; readonly of: string }>({
  code: 'K8N2007',
  slug: 'reserved-address',
  severity: 'error',
  message: (p) => `${p.holder} cannot have ${p.address}: it is ${p.owner}; give it another of ${p.of}`,
});

/** A lease's first address is flannel.1's, the next cni0's, the last the IPv4 broadcast: host-local hands out none of them. */
function ownerIn(lease: Prefix, address: Address, node: string): string | null {
  if (lease.address.family !== address.family || bitsOf(address.family) - lease.length < 2) return null;
  const first = firstAddress(lease);
  if (sameAddress(address, first)) return `the subnet's own address, which ${node}'s flannel.1 has`;
  if (sameAddress(address, addressPlus(first, 1))) return `the address of ${node}'s bridge cni0`;
  return address.family === 4 && sameAddress(address, lastAddress(lease)) ? "the subnet's broadcast address" : null;
}

const suspectPods = suspecting<PodDeclaration, Subnets>((pod, { leases }) =>
  pod.addresses.some((a) => (leases.get(pod.host?.value ?? '') ?? []).some((lease) => ownerIn(lease, a.value, '') !== null)));

const suspectNodes = suspecting<NodeDeclaration, object>((node) => node.interfaces.some((i) => i.addresses.some((a) => reservedOf(a.value) !== null)));

export const checkReservedAddresses: Check = function* ({ model }) {
  const subnets = subnetsOf(model);
  for (const p of suspectPods(model.pods, subnets)) {
    const { name, host, hostNetwork, addresses } = p.declaration;
    if (name === null || host === null || hostNetwork) continue;
    for (const a of addresses) {
      for (const lease of subnets.leases.get(host.value) ?? []) {
        const owner = ownerIn(lease, a.value, host.value);
        if (owner !== null) yield report(reservedAddress, { address: formatAddress(a.value), holder: `pod ${fullName(name.value)}`, owner, of: "the node's pod-cidr" }, rangeIn(p, a));
      }
    }
  }
  for (const p of suspectNodes(model.nodes, ALONE)) {
    for (const i of p.declaration.interfaces) {
      for (const a of i.addresses) {
        const owner = reservedOf(a.value);
        if (owner !== null) yield report(reservedAddress, { address: formatAddress(a.value.address), holder: `${p.declaration.name?.value ?? 'this node'}'s ${i.name.value}`, owner, of: 'the subnet' }, rangeIn(p, a));
      }
    }
  }
};

/** IPv4 only: the network's own and the broadcast address are no host's (RFC 1122, 3.2.1.3), but in a /31 (RFC 3021). */
function reservedOf(subnet: Prefix): string | null {
  if (subnet.address.family !== 4 || subnet.length > 30) return null;
  const network = networkOf(subnet);
  if (sameAddress(subnet.address, network.address)) return "the subnet's own address";
  return sameAddress(subnet.address, lastAddress(network)) ? "the subnet's broadcast address" : null;
}
