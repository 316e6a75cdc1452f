/** The bridge CNI plugin as flannel's configuration delegates to it: cni0, and a veth pair for every pod. */
import { contains, formatAddress, formatPrefix, networkOf } from '../net/address.ts';
import type { Address, Family, Prefix } from '../net/address.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { BridgePort, Interface, Listeners, Namespace, Route } from '../topology/model.ts';
import { declared, derived } from '../topology/origin.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { Listener } from '../topology/model.ts';
import type { PodSpec } from '../topology/spec.ts';
import { flannelMtu } from './flannel/device.ts';
import { stableHash } from './hash.ts';
import { defaultRules, gatewayOf, interfaceAddress, loopback } from './kernel.ts';
import { inventedMac, podMac } from './mac.ts';
import { podKey } from './plan.ts';
import type { NodePlan, Plan } from './plan.ts';
import { makeRoute } from './route.ts';
import { podSysctls } from './sysctls.ts';

export const BRIDGE = 'cni0';

/** Where the plugin makes the names up at random, we take the pod's name. */
export const vethName = (pod: string): string => `veth${stableHash(pod).toString(16).padStart(8, '0')}`;

/** flannel's conflist sets hairpinMode; the rest are the kernel's defaults of a bridge port. */
const PORT: BridgePort = { master: BRIDGE, hairpin: true, isolated: false, learning: true, flood: true };

/** FLANNEL_MTU in subnet.env is the IPv4 device's, where there is one. */
function podMtu(plan: Plan, node: NodePlan): number {
  const onlyV6 = node.leases.length > 0 && node.leases.every((l) => l.subnet.address.family === 6);
  return flannelMtu(plan, node, onlyV6 ? 6 : 4);
}

/** cni0 and the pods' ports; nothing on a node without pods and without a lease, or where another plugin connects pods. */
export function bridgeDevices(plan: Plan, node: NodePlan): readonly Interface[] {
  const { spec, leases, pods } = node;
  if ((leases.length === 0 && pods.length === 0) || plan.settings.networkPlugin !== undefined) return [];
  const mtu = podMtu(plan, node);
  const subnets = subnetsOf(node);
  const origin = derived('cni', `the pods of ${spec.name}`, spec.at);
  const bridge: Interface = {
    name: BRIDGE,
    mac: inventedMac(`bridge ${spec.name}`),
    mtu,
    up: true,
    addresses: subnets.map((s) => interfaceAddress(gatewayOf(s), s.length, derived('cni', `the gateway of ${formatPrefix(s)}`, spec.at))),
    port: null,
    device: { kind: 'bridge' },
    origin,
  };
  const ports = pods.map((pod): Interface => {
    const key = podKey(pod);
    return {
      name: vethName(key),
      mac: inventedMac(`veth ${key}`),
      mtu,
      up: true,
      addresses: [],
      port: PORT,
      device: { kind: 'veth', peer: { host: spec.name, namespace: key, name: 'eth0' } },
      origin: derived('cni', `the pod ${key}`, pod.at),
    };
  });
  return [bridge, ...ports];
}

/** The pod subnets that cni0 is the gateway of: the leases, else what was declared for a node without an uplink. */
const subnetsOf = (node: NodePlan): readonly Prefix[] => {
  const leased = node.leases.map((l) => l.subnet);
  const alone = node.spec.podCidrs.map(networkOf).filter((p) => !leased.some((l) => l.address.family === p.address.family));
  return [...leased, ...alone];
};

export function listenersOf(listeners: readonly Listener[] | null, at: SourceRef): Listeners {
  return listeners === null ? { kind: 'any' } : { kind: 'only', listeners, origin: declared(at) };
}

/** The subnet that IPAM gives the address from. */
export const podSubnet = (node: NodePlan, address: Address): Prefix => networkOf({ address, length: lengthOf(node, address) });

/** The prefix length that IPAM gives with the address. */
function lengthOf(node: NodePlan, address: Address): number {
  return subnetsOf(node).find((s) => contains(s, address))?.length ?? (address.family === 4 ? 24 : 64);
}

/** A pod's own namespace, before the kernel's routes and before captured state. */
export function podNamespace(plan: Plan, node: NodePlan, pod: PodSpec): Namespace {
  const key = podKey(pod);
  const said = declared(pod.at);
  const { networkPlugin } = plan.settings;
  const learned = pod.addresses.map((a) => plan.learnedMacs.get(formatAddress(a))).find((m) => m !== undefined);
  const eth0: Interface = {
    name: 'eth0',
    mac: pod.mac ?? learned ?? podMac(pod.addresses, `pod ${key}`),
    mtu: podMtu(plan, node),
    up: true,
    addresses: pod.addresses.map((a) => interfaceAddress(a, lengthOf(node, a), said)),
    port: null,
    device: networkPlugin !== undefined ? { kind: 'unknown' } : { kind: 'veth', peer: { host: node.spec.name, namespace: ROOT_NAMESPACE, name: vethName(key) } },
    origin: derived('cni', `the pod ${key}`, pod.at),
  };
  return {
    name: key,
    interfaces: [loopback(), eth0],
    rules: defaultRules(),
    routes: podRoutes(plan, node, pod),
    ...(networkPlugin === undefined ? {} : { networkPlugin }),
    neighbours: [],
    fdb: [],
    tables: [],
    sets: [],
    conntrack: [],
    sysctls: podSysctls(node, plan.settings.kubeProxy),
    listeners: listenersOf(pod.listeners, pod.at),
    origin: said,
  };
}

/**
 * The default route and the one to the pod network (flannel's CNI plugin adds the latter), both by cni0's address. Another
 * plugin's pods send everything to their one device, where a trace ends.
 */
function podRoutes(plan: Plan, node: NodePlan, pod: PodSpec): readonly Route[] {
  const { networkPlugin } = plan.settings;
  if (networkPlugin !== undefined) {
    const families = [...new Set(pod.addresses.map((a) => a.family))];
    return families.map((family) => makeRoute({ destination: everything(family), device: 'eth0', origin: derived('cni', `whatever ${networkPlugin} gives a pod`, pod.at) }));
  }
  return subnetsOf(node).flatMap((subnet) => {
    const { family } = subnet.address;
    if (!pod.addresses.some((a) => contains(subnet, a))) return [];
    const via = gatewayOf(subnet);
    const destinations = plan.settings.podCidrs.filter((c) => c.address.family === family).map(networkOf);
    return [
      makeRoute({ destination: everything(family), via, device: 'eth0', origin: derived('cni', `the gateway of ${formatPrefix(subnet)}`, pod.at) }),
      ...destinations.map((destination) => makeRoute({ destination, via, device: 'eth0', origin: derived('cni', `the pod network ${formatPrefix(destination)}`, pod.at) })),
    ];
  });
}

const everything = (family: Family): Prefix => ({ address: { family, words: [0, 0, 0, 0] }, length: 0 });
