import { addressPlus, bitsOf, firstAddress, formatAddress, lastAddress, networkOf, sameAddress } from '../../../../engine/src/net/address.ts';
import type { Prefix } from '../../../../engine/src/net/address.ts';
import { rangeIn } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

export const reservedAddress = defineDiagnostic<{ readonly address: string; readonly holder: string; readonly owner: string; readonly of: string }>({
  code: 'K8N2007',
  slug: 'reserved-address',
  severity: 'error',
  message: (p) => `${p.holder} cannot have ${p.address}: it is ${p.owner}; give it another of ${p.of}`,
});

/** A lease's first address is flannel.1's, the next cni0's, the last the IPv4 broadcast: host-local hands out none of them. */
export const checkReservedAddresses: Check = function* ({ model, names }) {
  for (const p of model.pods) {
    const { name, host, hostNetwork, addresses } = p.declaration;
    const node = host === null ? undefined : names.nodes.get(host.value);
    if (name === null || hostNetwork || node === undefined) continue;
    const nodeName = node.declaration.name?.value ?? '';
    for (const a of addresses) {
      for (const { value: lease } of node.declaration.podCidrs) {
        if (lease.address.family !== a.value.family || bitsOf(a.value.family) - lease.length < 2) continue;
        const first = firstAddress(lease);
        const owner = sameAddress(a.value, first) ? `the subnet's own address, which ${nodeName}'s flannel.1 has`
          : sameAddress(a.value, addressPlus(first, 1)) ? `the address of ${nodeName}'s bridge cni0`
          : a.value.family === 4 && sameAddress(a.value, lastAddress(lease)) ? "the subnet's broadcast address"
          : null;
        if (owner !== null) yield report(reservedAddress, { address: formatAddress(a.value), holder: `pod ${fullName(name.value)}`, owner, of: "the node's pod-cidr" }, rangeIn(p, a));
      }
    }
  }
  for (const p of model.nodes) {
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
