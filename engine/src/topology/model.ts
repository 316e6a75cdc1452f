/**
 * What exists: the state that is in force on every host, declared, derived or captured. Plain JSON throughout, so
 * that it crosses to the panel unchanged. `build.ts` is the only maker.
 */
import type { Address, Family, Mac, Port, Prefix } from '../net/address.ts';
import type { IpSet } from './ipset.ts';
import type { ConntrackRecord, Table } from './netfilter.ts';
import type { NetworkPolicy } from './network-policy.ts';
import type { Origin } from './origin.ts';

export interface Topology {
  readonly cluster: Cluster;
  readonly networks: readonly Network[];
  readonly hosts: readonly Host[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly policies: readonly NetworkPolicy[];
  /** Of the Kubernetes namespaces of which something was said, `kubernetes.io/metadata.name` among them. */
  readonly namespaceLabels: Readonly<Record<string, Labels>>;
}

export interface Cluster {
  readonly name: string;
  /** `cluster.local` */
  readonly domain: string;
  readonly podCidrs: readonly Prefix[];
  readonly serviceCidrs: readonly Prefix[];
}

/** The network that the gateways and the externals are plugged into, made by `build.ts`. */
export const INTERNET = 'internet';

/** A layer-2 segment that hosts are plugged into: a switch that floods and learns, nothing more. */
export interface Network {
  readonly name: string;
  readonly prefixes: readonly Prefix[];
  readonly mtu: number;
  readonly origin: Origin;
}

/** `router` is a network's gateway; `external` something beyond it. Names are unique over all kinds. */
export interface Host {
  readonly name: string;
  readonly kind: 'node' | 'router' | 'external';
  /** The first is the root network namespace. */
  readonly namespaces: readonly Namespace[];
  readonly origin: Origin;
}

/** The name of every host's own namespace; a pod's is `namespace/name`. */
export const ROOT_NAMESPACE = 'root';

export interface Namespace {
  readonly name: string;
  readonly interfaces: readonly Interface[];
  readonly rules: readonly PolicyRule[];
  /** Of every table, the local table (255) included. */
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
  readonly tables: readonly Table[];
  /** kube-proxy programs services here in a mode that is not simulated; or another program does, all or those with the label service-proxy-name. */
  readonly serviceProxy?: 'nftables' | 'ipvs' | 'other' | 'of-labelled-services';
  /** Connects the pods, and is not simulated: of a node's own namespace, and of its pods. */
  readonly networkPlugin?: string;
  readonly sets: readonly IpSet[];
  /** Flows that are known before a trace begins. */
  readonly conntrack: readonly ConntrackRecord[];
  readonly sysctls: readonly Sysctl[];
  readonly listeners: Listeners;
  readonly origin: Origin;
}

export interface InterfaceAddress {
  readonly address: Address;
  readonly length: number;
  readonly scope: Scope;
  readonly origin: Origin;
}

export type Scope = 'global' | 'site' | 'link' | 'host' | 'nowhere';

export interface InterfaceRef {
  readonly host: string;
  readonly namespace: string;
  readonly name: string;
}

export interface BridgePort {
  /** The bridge, in the same namespace. */
  readonly master: string;
  readonly hairpin: boolean;
  readonly isolated: boolean;
  readonly learning: boolean;
  readonly flood: boolean;
}

export interface Interface {
  readonly name: string;
  /** `null` on a device without one (lo, tun). */
  readonly mac: Mac | null;
  readonly mtu: number;
  readonly up: boolean;
  /** The primary first, in the order in which they were added. */
  readonly addresses: readonly InterfaceAddress[];
  readonly port: BridgePort | null;
  readonly device: Device;
  readonly origin: Origin;
}

export type Device =
  | { readonly kind: 'loopback' }
  /** Plugged into a network, or into nothing (`null`). */
  | { readonly kind: 'physical'; readonly network: string | null }
  | { readonly kind: 'veth'; readonly peer: InterfaceRef | null }
  | { readonly kind: 'bridge' }
  | { readonly kind: 'dummy' }
  | Vxlan
  | Tun
  /** Only its name is known (a route names it): what it does with a packet cannot be told. */
  | { readonly kind: 'unknown' };

export interface Vxlan {
  readonly kind: 'vxlan';
  readonly vni: number;
  readonly port: Port;
  readonly local: Address | null;
  /** The underlay device, `null` where the route of the outer packet decides. */
  readonly underlay: string | null;
  readonly learning: boolean;
  readonly df: 'unset' | 'set' | 'inherit';
  readonly checksum: boolean;
  /** Of the outer packet; absent: the kernel's default (ttl), 0 (tos), the ephemeral ports. */
  readonly ttl?: number | 'inherit';
  readonly tos?: number | 'inherit';
  readonly sourcePorts?: { readonly from: Port; readonly to: Port };
  /**
   * flannel's older generation (l2miss, l3miss): a missing neighbour or FDB entry is asked of flanneld, which answers
   * from its watch of the leases. `null`: nobody answers.
   */
  readonly misses: readonly Lease[] | null;
}

/** flannel's udp backend: the device is read by flanneld, which sends the bare IP packet to the lease's host. */
export interface Tun {
  readonly kind: 'tun';
  readonly port: Port;
  readonly local: Address | null;
  readonly leases: readonly Lease[];
}

/** One flannel subnet lease. */
export interface Lease {
  readonly node: string;
  readonly subnet: Prefix;
  readonly publicAddress: Address;
  /** `null` in backends without a VTEP. */
  readonly vtepMac: Mac | null;
  readonly origin: Origin;
}

export type RouteType =
  | 'unicast' | 'local' | 'broadcast' | 'multicast' | 'anycast' | 'unreachable' | 'blackhole' | 'prohibit' | 'throw' | 'nat';

export interface Nexthop {
  readonly via: Address | null;
  readonly device: string | null;
  readonly weight: number;
  readonly onlink: boolean;
}

export const MAIN_TABLE = 254;
export const LOCAL_TABLE = 255;
export const DEFAULT_TABLE = 253;

export interface Route {
  readonly destination: Prefix;
  readonly type: RouteType;
  readonly table: number;
  /** Empty for unreachable, blackhole, prohibit and throw. */
  readonly nexthops: readonly Nexthop[];
  readonly source: Address | null;
  readonly metric: number;
  readonly scope: Scope;
  readonly protocol: string;
  readonly mtu: number | null;
  readonly tos: number;
  /** What the route does beyond what the simulator knows: a packet that it is for ends undecided. */
  readonly unmodelled?: 'encapsulation' | 'source';
  /** As `ip route` prints it. */
  readonly text: string;
  readonly origin: Origin;
}

export interface PolicyRule {
  readonly family: Family;
  readonly priority: number;
  readonly inverted: boolean;
  readonly from: Prefix | null;
  readonly to: Prefix | null;
  readonly inInterface: string | null;
  readonly outInterface: string | null;
  readonly mark: { readonly value: number; readonly mask: number } | null;
  readonly protocol: number | null;
  readonly action:
    | { readonly kind: 'lookup'; readonly table: number; readonly suppressPrefixLength: number | null }
    | { readonly kind: 'unreachable' | 'blackhole' | 'prohibit' }
    | { readonly kind: 'goto'; readonly priority: number }
    | { readonly kind: 'nop' }
    | { readonly kind: 'unknown'; readonly text: string };
  readonly text: string;
  readonly origin: Origin;
}

/** `proxy` is none of the kernel's states: on this device the namespace answers for the address, which is another's. */
export type NeighbourState = 'permanent' | 'noarp' | 'reachable' | 'stale' | 'delay' | 'probe' | 'incomplete' | 'failed' | 'proxy';

export interface Neighbour {
  readonly device: string;
  readonly address: Address;
  /** `null` where the state is incomplete, failed or proxy. */
  readonly mac: Mac | null;
  readonly state: NeighbourState;
  readonly text: string;
  readonly origin: Origin;
}

export interface FdbEntry {
  readonly device: string;
  /** All zero on a vxlan device is its default destination. */
  readonly mac: Mac;
  /** The bridge, on a bridge's own table. */
  readonly master: string | null;
  /** The remote VTEP, on a vxlan device. */
  readonly destination: Address | null;
  readonly port: Port | null;
  readonly vni: number | null;
  readonly via: string | null;
  readonly permanent: boolean;
  /** What says where the frame goes, and the simulator does not know: a frame that the entry is for ends undecided. */
  readonly unmodelled?: 'nexthop group' | 'VLAN';
  readonly text: string;
  readonly origin: Origin;
}

export interface Sysctl {
  /** Dotted, with `/` for a dot inside an interface's name, as sysctl(8) prints it: `net.ipv4.conf.flannel/1.forwarding`. */
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
}

export interface Listener {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: Port;
}

/**
 * `any`: nothing was said of what listens here, so everything is taken to answer, and the trace says so; of the ports that are
 * `kept` for something else only those that are listed.
 */
export type Listeners = { readonly kind: 'any'; readonly kept?: KeptPorts } | { readonly kind: 'only'; readonly listeners: readonly Listener[]; readonly origin: Origin };

export interface KeptPorts {
  readonly from: number;
  /** The last one. */
  readonly to: number;
  readonly listeners: readonly Listener[];
}

/** Labels as a record: `k8s-app` -> `kube-dns`. */
export type Labels = Readonly<Record<string, string>>;

export interface NamedPort extends Listener {
  readonly name: string;
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly addresses: readonly Address[];
  readonly hostNetwork: boolean;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly hostname: string | null;
  readonly subdomain: string | null;
  /** Container ports with a name, which services and policies ask for. */
  readonly ports: readonly NamedPort[];
  readonly labels: Labels;
  /** resolv.conf's search list, in order. */
  readonly search: readonly string[];
  readonly ndots: number;
  /** Its name server is CoreDNS, which answers for the cluster's domain. */
  readonly clusterDns: boolean;
  readonly origin: Origin;
}

export interface Endpoint {
  readonly address: Address;
  readonly port: Port;
  /** `namespace/name`, where a pod has the address. */
  readonly pod: string | null;
  readonly node: string | null;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Its name under a headless service; `null`: its address with dashes. */
  readonly hostname: string | null;
  readonly hints: EndpointHints | null;
}

/** EndpointHints of discovery.k8s.io/v1: whom an endpoint is meant for. */
export interface EndpointHints {
  readonly zones: readonly string[];
  readonly nodes: readonly string[];
}

export interface ServicePort {
  /** Empty for an unnamed port. */
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: Port;
  readonly nodePort: Port | null;
  readonly endpoints: readonly Endpoint[];
}

export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  /** Empty for a headless service. */
  readonly clusterAddresses: readonly Address[];
  readonly externalAddresses: readonly Address[];
  readonly loadBalancerAddresses: readonly Address[];
  readonly externalName: string | null;
  readonly ports: readonly ServicePort[];
  /** Of a service without an address: the ready endpoints, whatever its ports. */
  readonly members: readonly { readonly address: Address; readonly hostname: string | null }[];
  /** kube-proxy leaves it alone: another program translates it, or nobody does. */
  readonly unproxied?: 'another-proxy' | 'nobody';
  readonly origin: Origin;
}
