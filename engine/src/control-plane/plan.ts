/**
 * What every part of the derivation asks for: the declared objects without duplicates, each node's uplink and lease,
 * and the MACs that captured tables tell of devices that nobody captured. Made once for a topology.
 */
import { groupBy } from '../group-by.ts';
import { compareAddresses, contains, firstAddress, formatAddress, formatPrefix } from '../net/address.ts';
import type { Address, Family, Mac, Prefix } from '../net/address.ts';
import type { Lease, Route, Topology } from '../topology/model.ts';
import { METADATA_NAME } from '../topology/network-policy.ts';
import type { NetworkPolicy } from '../topology/network-policy.ts';
import { derived } from '../topology/origin.ts';
import type { ClusterSpec, ExternalSpec, InterfaceSpec, NetworkSpec, NodeSpec, PodSpec, ServiceSpec } from '../topology/spec.ts';
import { inventedMac } from './mac.ts';
import { settingsOf } from './settings.ts';
import { subnetsByNode } from './subnets.ts';
import type { Settings } from './settings.ts';

export interface Plan {
  readonly settings: Settings;
  readonly networks: ReadonlyMap<string, NetworkSpec>;
  readonly nodes: ReadonlyMap<string, NodePlan>;
  readonly externals: readonly ExternalSpec[];
  /** A pod whose node is not declared is among them. */
  readonly pods: readonly PodSpec[];
  readonly services: readonly ServiceSpec[];
  readonly policies: readonly NetworkPolicy[];
  readonly namespaceLabels: Topology['namespaceLabels'];
  /** Of every node, IPv4 before IPv6, nodes by name. */
  readonly leases: readonly Lease[];
  /** The MAC that captured neighbour tables agree on, by address. */
  readonly learnedMacs: ReadonlyMap<string, Mac>;
}

export interface NodePlan {
  readonly spec: NodeSpec;
  /** The declared interfaces, and captured ones whose address lies on a network. */
  readonly interfaces: readonly InterfaceSpec[];
  /** The interface that flannel sends by. */
  readonly uplink: InterfaceSpec | undefined;
  /** The one with the default route, else the first on a network. */
  readonly routed: InterfaceSpec | undefined;
  readonly leases: readonly Lease[];
  /** This node's own pods, without those on the host's network. */
  readonly pods: readonly PodSpec[];
  /** Its pods on the host's network. */
  readonly hostPods: readonly PodSpec[];
  /** flannel's older generation runs here. */
  readonly routesPerNetwork: boolean;
}

export const podKey = (pod: { readonly namespace: string; readonly name: string }): string => `${pod.namespace}/${pod.name}`;

/** The first of two with the same name wins: the second is a diagnostic elsewhere. */
function unique<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T> {
  const byKey = new Map<string, T>();
  for (const item of items) if (!byKey.has(keyOf(item))) byKey.set(keyOf(item), item);
  return byKey;
}

export function planOf(spec: ClusterSpec): Plan {
  const settings = settingsOf(spec);
  const networks = unique(spec.networks, (n) => n.name);
  const specs = unique(spec.nodes, (n) => n.name);
  const pods = [...unique(spec.pods, podKey).values()];
  const learnedMacs = learnedMacsOf(specs.values());
  const podsOn = podsByNode(pods);
  const hostPods = groupBy(pods.filter((p) => p.hostNetwork), (p) => p.node);
  const nodes = new Map<string, NodePlan>();
  const subnets = subnetsByNode([...specs.values()], podsOn, settings);
  for (const node of specs.values()) {
    const own = podsOn.get(node.name) ?? [];
    const interfaces = interfacesOf(node, networks);
    const routed = routedOf(node, interfaces, networks);
    const uplink = namedOf(node, interfaces) ?? routed;
    const leases = (subnets.get(node.name) ?? []).flatMap((subnet) => leaseOf(node, uplink, subnet, learnedMacs));
    nodes.set(node.name, { spec: node, interfaces, uplink, routed, leases, pods: own, hostPods: hostPods.get(node.name) ?? [], routesPerNetwork: isOlderGeneration(node, settings) });
  }
  return {
    settings,
    networks,
    nodes,
    externals: [...unique(spec.externals, (e) => e.name).values()].filter((e) => !specs.has(e.name)),
    pods,
    services: [...unique(spec.services, podKey).values()],
    policies: [...unique(spec.networkPolicies, podKey).values()],
    namespaceLabels: Object.fromEntries([...unique(spec.namespaces, (n) => n.name)].map(([name, n]) => [name, { ...n.labels, [METADATA_NAME]: name }])),
    leases: [...nodes.values()].flatMap((n) => n.leases).sort((a, b) => compareAddresses(a.subnet.address, b.subnet.address)),
    learnedMacs,
  };
}

function podsByNode(pods: Iterable<PodSpec>): ReadonlyMap<string, readonly PodSpec[]> {
  const byNode = new Map<string, PodSpec[]>();
  for (const pod of pods) {
    if (pod.hostNetwork) continue;
    const list = byNode.get(pod.node);
    if (list === undefined) byNode.set(pod.node, [pod]);
    else list.push(pod);
  }
  for (const list of byNode.values()) list.sort((a, b) => (podKey(a) < podKey(b) ? -1 : 1));
  return byNode;
}

/** What neighbour tables say of an address, where all that say something agree. */
function learnedMacsOf(nodes: Iterable<NodeSpec>): ReadonlyMap<string, Mac> {
  const macs = new Map<string, Mac | null>();
  for (const node of nodes) {
    for (const entry of node.captured.neighbours ?? []) {
      if (entry.mac === null) continue;
      const key = formatAddress(entry.address);
      const known = macs.get(key);
      macs.set(key, known === undefined || known === entry.mac ? entry.mac : null);
    }
  }
  return new Map([...macs].filter((pair): pair is [string, Mac] => pair[1] !== null));
}

const DERIVED_DEVICE = /^(lo|cni0|docker0|br-.*|flannel.*|veth.*)$/;

function interfacesOf(node: NodeSpec, networks: ReadonlyMap<string, NetworkSpec>): readonly InterfaceSpec[] {
  const captured = new Map((node.captured.interfaces ?? []).filter((c) => c.addresses !== null).map((c) => [c.name, c]));
  const prefixesOf = (name: string): readonly Prefix[] | undefined => captured.get(name)?.addresses?.map((a) => ({ address: a.address, length: a.length }));
  const interfaces = [...unique(node.interfaces, (i) => i.name).values()].map((i) => ({ ...i, addresses: prefixesOf(i.name) ?? i.addresses }));
  for (const device of captured.values()) {
    if (DERIVED_DEVICE.test(device.name) || interfaces.some((i) => i.name === device.name)) continue;
    const addresses = prefixesOf(device.name) ?? [];
    const network = [...networks.values()].find((n) => n.prefixes.some((p) => addresses.some((a) => contains(p, a.address))));
    if (network === undefined || device.origin.at === undefined) continue;
    interfaces.push({ name: device.name, addresses, network: network.name, mac: device.mac, mtu: device.mtu, at: device.origin.at });
  }
  return interfaces;
}

const mainDefault = (routes: readonly Route[] | undefined): string | null =>
  routes?.find((r) => r.destination.length === 0 && r.type === 'unicast')?.nexthops[0]?.device ?? null;

/** flannel's pkg/ipmatch: the interface with the given address, else the one with the default route. */
function namedOf({ publicAddress }: NodeSpec, interfaces: readonly InterfaceSpec[]): InterfaceSpec | undefined {
  return publicAddress === null ? undefined : interfaces.find((i) => i.addresses.some((a) => compareAddresses(a.address, publicAddress) === 0));
}

function routedOf(node: NodeSpec, interfaces: readonly InterfaceSpec[], networks: ReadonlyMap<string, NetworkSpec>): InterfaceSpec | undefined {
  const plugged = interfaces.filter((i) => i.network !== null && networks.has(i.network));
  const leading = plugged.filter((i) => networks.get(i.network ?? '')?.gateways.length !== 0);
  return interfaces.find((i) => i.name === mainDefault(node.captured.routes)) ?? leading[0] ?? plugged[0];
}

/** What kubelet reports as the node's InternalIP, and kube-proxy takes for its own address. One that the file gives to no device does not count. */
export function nodeAddressOf({ spec, interfaces, routed }: NodePlan, family: Family): Address | undefined {
  const internal = spec.internalAddresses?.filter((a) => interfaces.some((i) => i.addresses.some((own) => compareAddresses(own.address, a) === 0))) ?? [];
  const addresses = internal.length > 0 ? internal : (routed?.addresses.map((a) => a.address) ?? []);
  return addresses.find((a) => a.family === family);
}

/** The address of `family` that flannel of this node is reached at. */
export function publicAddressOf(node: NodeSpec, uplink: InterfaceSpec | undefined, family: Family): Address | undefined {
  if (node.publicAddress?.family === family) return node.publicAddress;
  return uplink?.addresses.find((a) => a.address.family === family)?.address;
}

function leaseOf(node: NodeSpec, uplink: InterfaceSpec | undefined, subnet: Prefix, learned: ReadonlyMap<string, Mac>): readonly Lease[] {
  const { family } = subnet.address;
  const publicAddress = publicAddressOf(node, uplink, family);
  if (publicAddress === undefined) return [];
  const device = (node.captured.interfaces ?? []).find((c) => (family === 4 ? /^flannel\.\d+$/ : /^flannel-v6\.\d+$/).test(c.name));
  const said = family === 4 ? (node.vtepMac ?? device?.mac) : device?.mac;
  const vtepMac = said ?? learned.get(formatAddress(firstAddress(subnet))) ?? inventedMac(`vtep ${node.name} ${family}`);
  const origin = derived('flannel', `the lease of ${node.name}, ${formatPrefix(subnet)}`, node.at);
  return [{ node: node.name, subnet, publicAddress, vtepMac, origin }];
}

/** The article's generation: one route for the whole pod network on the vxlan device, without a gateway. */
function isOlderGeneration(node: NodeSpec, settings: Settings): boolean {
  if (settings.flannel.routesPer === 'network') return true;
  return (node.captured.routes ?? []).some(
    (r) =>
      r.nexthops.some((h) => h.via === null && h.device !== null && /^flannel(-v6)?\.\d+$/.test(h.device)) &&
      r.type === 'unicast' &&
      settings.podCidrs.some((c) => compareAddresses(firstAddress(c), r.destination.address) === 0 && c.length === r.destination.length),
  );
}
