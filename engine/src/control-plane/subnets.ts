/**
 * The nodes' pod subnets. With the kube manager a node has what it declares, else what its pods' addresses show. With etcd
 * flannel hands out the rest (pkg/subnet/config.go: ParseConfig; pkg/subnet/etcd/local_manager.go: allocateSubnet): it picks
 * at random among the first hundred that are free, and we take the first.
 */
import { addressPlus, bitsOf, compareAddresses, contains, firstAddress, lastAddress, networkOf, overlaps } from '../net/address.ts';
import type { Address, Family, Prefix } from '../net/address.ts';
import type { FlannelSubnets, NodeSpec, PodSpec } from '../topology/spec.ts';
import { podNetworkOf } from './settings.ts';
import type { Settings } from './settings.ts';

const KUBE_LENGTHS: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

export function subnetsByNode(nodes: readonly NodeSpec[], podsOn: ReadonlyMap<string, readonly PodSpec[]>, settings: Settings): ReadonlyMap<string, readonly Prefix[]> {
  const found = new Map<string, readonly Prefix[]>(nodes.filter((n) => n.podCidrs.length > 0).map((n) => [n.name, n.podCidrs.map(networkOf)]));
  const declared = [...found.values()].flat();
  for (const node of nodes) if (!found.has(node.name)) found.set(node.name, shownBy(podsOn.get(node.name) ?? [], settings).filter((s) => !declared.some((d) => overlaps(d, s))));
  const { subnets } = settings.flannel;
  if (subnets.manager === 'etcd') for (const node of [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) found.set(node.name, [...(found.get(node.name) ?? []), ...handedOut(node, found, settings, subnets)]);
  return found;
}

const lengthOf = (settings: Settings, network: Prefix, family: Family): number => {
  const { subnets } = settings.flannel;
  // The network must hold four hosts' subnets at least.
  return subnets.manager === 'kube' ? KUBE_LENGTHS[family] : Math.max(subnets.lengths[family], Math.min(network.length + 2, bitsOf(family)));
};

/** Around the lowest address of each family that is one of the pod network. */
const shownBy = (pods: readonly PodSpec[], settings: Settings): readonly Prefix[] =>
  ([4, 6] as const).flatMap((family) => {
    const inside = pods.flatMap((p) => p.addresses).filter((a) => a.family === family && settings.podCidrs.some((c) => contains(c, a))).sort(compareAddresses);
    const [first] = inside;
    return first === undefined ? [] : [networkOf({ address: first, length: lengthOf(settings, podNetworkOf(settings, family) ?? { address: first, length: 0 }, family) })];
  });

/** A subnet of each family that the node has none of. */
function handedOut(node: NodeSpec, found: ReadonlyMap<string, readonly Prefix[]>, settings: Settings, rules: Extract<FlannelSubnets, { readonly manager: 'etcd' }>): readonly Prefix[] {
  const own = found.get(node.name) ?? [];
  const taken = [...found.values()].flat();
  return ([4, 6] as const).flatMap((family) => {
    const network = podNetworkOf(settings, family);
    if (network === undefined || own.some((s) => s.address.family === family)) return [];
    const length = lengthOf(settings, network, family);
    const ofFamily = (addresses: readonly Address[]): Address | undefined => addresses.find((a) => a.family === family);
    const last = ofFamily(rules.maximums) ?? networkOf({ address: lastAddress(network), length }).address;
    // The first subnet is left out: its network address is the whole network's.
    let subnet = networkOf({ address: ofFamily(rules.minimums) ?? after({ address: firstAddress(network), length }), length });
    for (; compareAddresses(subnet.address, last) <= 0 && contains(networkOf(network), subnet.address); subnet = { address: after(subnet), length }) {
      if (!taken.some((t) => overlaps(t, subnet))) return [subnet];
      if (compareAddresses(after(subnet), subnet.address) <= 0) break;
    }
    return [];
  });
}

/** Where the next subnet begins. */
const after = (subnet: Prefix): Address => addressPlus(lastAddress(subnet), 1);
