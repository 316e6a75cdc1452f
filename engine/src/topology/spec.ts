/**
 * What people say: the declared objects and the captured state, before anything is derived. The language lowers a file
 * to this record; `build.ts` makes the topology from it.
 */
import type { Address, Mac, Port, Prefix } from '../net/address.ts';
import type { BridgePort, FdbEntry, Interface, InterfaceAddress, Labels, Listener, Neighbour, PolicyRule, Route, Sysctl } from './model.ts';
import type { ConntrackRecord, Table } from './netfilter.ts';
import type { SourceRef } from './origin.ts';

export interface ClusterSpec {
  /** `null` where the file has no `cluster` statement: every default holds. */
  readonly cluster: ClusterSettings | null;
  readonly networks: readonly NetworkSpec[];
  readonly externals: readonly ExternalSpec[];
  readonly nodes: readonly NodeSpec[];
  readonly pods: readonly PodSpec[];
  readonly services: readonly ServiceSpec[];
}

export interface ClusterSettings {
  readonly name: string;
  /** Default `cluster.local`. */
  readonly domain: string;
  readonly podCidrs: readonly Prefix[];
  readonly serviceCidrs: readonly Prefix[];
  readonly flannel: FlannelSettings;
  readonly kubeProxy: KubeProxySettings;
  readonly at: SourceRef;
}

export interface FlannelSettings {
  readonly backend: 'vxlan' | 'udp' | 'host-gw' | 'none';
  /** vxlan only; default 1. */
  readonly vni: number;
  /** Default 8472 for vxlan, 8285 for udp. */
  readonly port: Port;
  /** `null`: the underlay's less the backend's overhead. */
  readonly mtu: number | null;
  /** `network`: the older generation, one route to the whole network and answered misses. Default `lease`. */
  readonly routesPer: 'lease' | 'network';
  readonly directRouting: boolean;
  /** Default true: FLANNEL-POSTRTG is programmed. */
  readonly masquerade: boolean;
}

export interface KubeProxySettings {
  readonly mode: 'iptables' | 'none';
  readonly masqueradeAll: boolean;
}

export interface NetworkSpec {
  readonly name: string;
  readonly prefixes: readonly Prefix[];
  /** The gateway router's addresses; empty: the segment has none. */
  readonly gateways: readonly Address[];
  readonly mtu: number;
  /** Captured or declared routes of the gateway router, on top of its connected ones. */
  readonly routes: readonly Route[];
  readonly at: SourceRef;
}

export interface ExternalSpec {
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly listeners: readonly Listener[] | null;
  readonly at: SourceRef;
}

export interface InterfaceSpec {
  readonly name: string;
  /** Address with the prefix length of its subnet. */
  readonly addresses: readonly Prefix[];
  readonly network: string | null;
  readonly mac: Mac | null;
  readonly mtu: number | null;
  readonly at: SourceRef;
}

/** State that was pasted; an absent part is derived. A captured part replaces the derived one as a whole. */
export interface CapturedState {
  /** By routing table: a captured main table leaves the local table derived. */
  readonly routes?: readonly Route[];
  readonly rules?: readonly PolicyRule[];
  readonly interfaces?: readonly CapturedInterface[];
  readonly neighbours?: readonly Neighbour[];
  readonly fdb?: readonly FdbEntry[];
  /** By family and name: a captured nat table leaves filter derived. */
  readonly tables?: readonly Table[];
  readonly conntrack?: readonly ConntrackRecord[];
  /** Single values over the defaults, never the whole. */
  readonly sysctls?: readonly Sysctl[];
}

/** What `ip addr` or `ip link` said of a device; `null` and absent parts were not printed. */
export interface CapturedInterface extends Omit<Interface, 'device' | 'port' | 'addresses'> {
  readonly addresses: readonly InterfaceAddress[] | null;
  readonly device: Interface['device'] | null;
  readonly port: BridgePort | null;
  /** The bridge, which `ip addr` prints without the port's flags (`port` is then null). */
  readonly master?: string | null;
  /** The number before the name, and behind `@if`. */
  readonly index: number;
  readonly peerIndex: number | null;
  /** `link-netns NAME`: the namespace that the other end of a veth pair is in. */
  readonly linkNamespace?: string;
}

export interface NodeSpec {
  readonly name: string;
  readonly interfaces: readonly InterfaceSpec[];
  readonly podCidrs: readonly Prefix[];
  readonly labels: Labels;
  /** flannel's public address; `null`: the address of the interface that has the default route, or the first on a network. */
  readonly publicAddress: Address | null;
  readonly vtepMac: Mac | null;
  readonly listeners: readonly Listener[] | null;
  readonly captured: CapturedState;
  readonly at: SourceRef;
}

export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly addresses: readonly Address[];
  readonly mac: Mac | null;
  readonly labels: Labels;
  readonly hostNetwork: boolean;
  readonly ready: boolean;
  readonly listeners: readonly Listener[] | null;
  /** `null`: the cluster's default list. */
  readonly search: readonly string[] | null;
  readonly ndots: number | null;
  readonly captured: CapturedState;
  readonly at: SourceRef;
}

export interface ServicePortSpec {
  /** Empty for an unnamed port. */
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: Port;
  /** Default the port itself. */
  readonly targetPort: Port;
  readonly nodePort: Port | null;
  readonly at: SourceRef;
}

export interface ServiceSpec {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  /** Empty for a headless service. */
  readonly clusterAddresses: readonly Address[];
  readonly headless: boolean;
  readonly ports: readonly ServicePortSpec[];
  /** `null`: no selector; endpoints are given by hand. */
  readonly selector: Labels | null;
  /** Hand-written endpoints; a `null` port is the service port's target. */
  readonly endpoints: readonly { readonly address: Address; readonly port: Port | null; readonly at: SourceRef }[];
  readonly externalAddresses: readonly Address[];
  readonly loadBalancerAddresses: readonly Address[];
  readonly loadBalancerSourceRanges: readonly Prefix[];
  readonly externalName: string | null;
  readonly sessionAffinitySeconds: number | null;
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  readonly internalTrafficPolicy: 'Cluster' | 'Local';
  readonly allocateNodePorts: boolean;
  readonly healthCheckNodePort: Port | null;
  readonly at: SourceRef;
}
