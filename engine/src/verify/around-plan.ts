/** Changes of the addresses that the file plans: leases and pods outside of one another, addresses that flannel was told, MACs that two have. */
import { groupBy } from '../group-by.ts';
import { contains, formatAddress, formatPrefix, networkOf, sameAddress } from '../net/address.ts';
import type { Address, Prefix } from '../net/address.ts';
import type { ClusterSettings, NodeSpec, PodSpec } from '../topology/spec.ts';
import { podName } from '../topology/lookup.ts';
import { shortName } from '../trace/party-names.ts';
import { inPlace, nodeOwner, podOwner, withNode, withPod } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { candidate, statement } from './declared-change.ts';
import type { Situation } from './situation.ts';

export function aroundThePlan(situation: Situation): readonly Candidate[] {
  const { nodes, cluster } = situation.spec;
  const podsOf = groupBy(situation.spec.pods.filter((p) => !p.hostNetwork), (p) => p.node);
  return [
    ...nodes.flatMap((node) => [...toldToFlannel(situation, node), ...leases(situation, node, podsOf.get(node.name) ?? [])]),
    ...(cluster === null ? [] : [...podNetwork(situation, cluster), ...hostGateway(situation, cluster)]),
  ];
}

/** `public-ip` and `vtep-mac` are for what flannel cannot see; a wrong one leads its tunnel astray. */
function toldToFlannel(situation: Situation, node: NodeSpec): readonly Candidate[] {
  const { publicAddress, vtepMac, at } = node;
  const nobodys = publicAddress !== null && !situation.spec.nodes.some((n) => n.interfaces.some((i) => i.addresses.some((a) => sameAddress(a.address, publicAddress))));
  const twin = vtepMac === null ? undefined : situation.spec.nodes.find((n) => n !== node && n.vtepMac === vtepMac);
  return [
    ...(!nobodys ? [] : [candidate(situation, {
      wrong: `flannel on ${node.name}${inPlace(at)} tells the others the public-ip ${formatAddress(publicAddress)}, which no node has.`,
      at, title: `let flannel on ${node.name} use its own address: remove 'public-ip'`,
      edits: [statement(nodeOwner(node.name), 'public-ip', null)],
      applied: (spec) => withNode(spec, node.name, (n) => ({ ...n, publicAddress: null })),
    })]),
    ...(twin === undefined ? [] : [candidate(situation, {
      wrong: `${node.name}${inPlace(at)} and ${twin.name}${inPlace(twin.at)} have the same vtep-mac.`,
      at, title: `give flannel.1 on ${node.name} a MAC of its own: remove 'vtep-mac'`,
      edits: [statement(nodeOwner(node.name), 'vtep-mac', null)],
      applied: (spec) => withNode(spec, node.name, (n) => ({ ...n, vtepMac: null })),
    })]),
  ];
}

/** The lease of a node does not hold the address of its own pod: one of the two is wrong, the pod's where it is alone with that. */
function leases(situation: Situation, node: NodeSpec, pods: readonly PodSpec[]): readonly Candidate[] {
  const isInside = (address: Address): boolean => node.podCidrs.some((c) => contains(c, address));
  for (const pod of node.podCidrs.length === 0 ? [] : pods) {
    const address = pod.addresses.find((a) => !isInside(a));
    const lease = node.podCidrs.find((c) => c.address.family === address?.family);
    if (address === undefined || lease === undefined) continue;
    const wrong = `${shortName(pod)}${inPlace(pod.at)} has the address ${formatAddress(address)}, which is outside of the lease of ${node.name}, ${formatPrefix(lease)}${inPlace(node.at)}.`;
    const others = pods.some((p) => p !== pod && p.addresses.some((a) => contains(lease, a)));
    const [moved, changed] = [addressedPod(situation, pod, address, lease, wrong), changedLease(situation, node, address, lease, wrong)];
    return others ? [...moved, ...changed] : [...changed, ...moved];
  }
  return [];
}

function changedLease(situation: Situation, node: NodeSpec, address: Address, lease: Prefix, wrong: string): readonly Candidate[] {
  const network = networkOf({ address, length: lease.length });
  const isTaken = situation.spec.nodes.some((n) => n !== node && n.podCidrs.some((c) => contains(c, network.address) || contains(network, c.address)));
  const cidrs = node.podCidrs.map((c) => (c === lease ? network : c));
  return isTaken ? [] : [candidate(situation, {
    wrong, at: node.at, title: `give ${node.name} the pod-cidr ${formatPrefix(network)}`,
    edits: [statement(nodeOwner(node.name), 'pod-cidr', `pod-cidr ${cidrs.map(formatPrefix).join(', ')}`)],
    applied: (spec) => withNode(spec, node.name, (n) => ({ ...n, podCidrs: cidrs })),
  })];
}

/** `old`: which address the new one replaces; `null`: it comes to those that the pod has. */
export function addressedPod(situation: Situation, pod: PodSpec, old: Address | null, lease: Prefix, wrong: string): readonly Candidate[] {
  const taken = new Set(situation.spec.pods.flatMap((p) => p.addresses.map(formatAddress)));
  // Behind the network's own address and the bridge's; host-local counts up.
  const free = Array.from({ length: 250 }, (_, i) => behind(lease.address, i + 2)).find((a) => contains(lease, a) && !taken.has(formatAddress(a)));
  if (free === undefined) return [];
  const addresses = old === null ? [...pod.addresses, free] : pod.addresses.map((a) => (a === old ? free : a));
  return [candidate(situation, {
    wrong, at: pod.at, title: `give ${shortName(pod)} the address ${formatAddress(free)}`,
    edits: [statement(podOwner(podName(pod)), 'ip', `ip ${addresses.map(formatAddress).join(', ')}`)],
    applied: (spec) => withPod(spec, podName(pod), (p) => ({ ...p, addresses })),
  })];
}

const behind = ({ family, words: [a, b, c, d] }: Address, n: number): Address => ({ family, words: [a, b, c, d + n] });

/** flannel masquerades and accepts what is of the cluster's pod network; a lease outside of it is neither. */
function podNetwork(situation: Situation, cluster: ClusterSettings): readonly Candidate[] {
  const { nodes } = situation.spec;
  const outside = nodes.find((n) => n.podCidrs.some((c) => !cluster.podCidrs.some((p) => contains(p, c.address))));
  const lease = outside?.podCidrs.find((c) => !cluster.podCidrs.some((p) => contains(p, c.address)));
  const old = cluster.podCidrs.find((p) => p.address.family === lease?.address.family);
  if (outside === undefined || lease === undefined || old === undefined) return [];
  const network: Prefix = networkOf({ address: lease.address, length: old.length });
  const cidrs = cluster.podCidrs.map((p) => (p === old ? network : p));
  return [candidate(situation, {
    wrong: `The lease of ${outside.name}, ${formatPrefix(lease)}${inPlace(outside.at)}, is outside of the pod network ${formatPrefix(old)} of the cluster${inPlace(cluster.at)}, which flannel masquerades and accepts.`,
    at: cluster.at, title: `give the cluster the pod-cidr ${formatPrefix(network)}`,
    edits: [statement({ kind: 'cluster', name: '' }, 'pod-cidr', `pod-cidr ${cidrs.map(formatPrefix).join(', ')}`)],
    applied: (spec) => ({ ...spec, cluster: spec.cluster === null ? null : { ...spec.cluster, podCidrs: cidrs } }),
  })];
}

/** host-gw needs every host on one network (backend/hostgw). */
function hostGateway(situation: Situation, cluster: ClusterSettings): readonly Candidate[] {
  if (cluster.flannel.backend !== 'host-gw') return [];
  const networks = new Set(situation.spec.nodes.flatMap((n) => n.interfaces.flatMap((i) => i.network ?? [])));
  if (networks.size < 2) return [];
  return [candidate(situation, {
    wrong: `flannel's host-gw${inPlace(cluster.at)} reaches only hosts of the same network, and the nodes are on ${[...networks].join(' and ')}.`,
    at: cluster.at, title: 'let flannel carry packets between the networks by vxlan',
    edits: [statement({ kind: 'cluster', name: '' }, 'flannel', 'flannel vxlan')],
    applied: (spec) => ({ ...spec, cluster: { ...cluster, flannel: { ...cluster.flannel, backend: 'vxlan', port: 8472 } } }),
  })];
}

