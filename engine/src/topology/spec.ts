/**
 * What people say: the declared objects and the captured state, before anything is derived. The language lowers a file
 * to this record; `build.ts` makes the topology from it.
 */
import type { Address, Family, Mac, Port, Prefix } from '../net/address.ts';
import type { BridgePort, EndpointHints, FdbEntry, Interface, InterfaceAddress, Labels, Listener, Neighbour, PolicyRule, Route, Sysctl } from './model.ts';
import type { IpSet } from './ipset.ts';
import type { ConntrackRecord, Table } from './netfilter.ts';
import type { NetworkPolicy } from './network-policy.ts';
import type { SourceRef } from './origin.ts';

export interface ClusterSpec {
  /** `null` where the file has no `cluster` statement: every default holds. */
  readonly cluster: ClusterSettings | null;
  readonly networks: readonly NetworkSpec[];
  readonly externals: readonly ExternalSpec[];
  readonly nodes: readonly NodeSpec[];
  readonly pods: readonly PodSpec[];
  readonly services: readonly ServiceSpec[];
  /** Kubernetes namespaces of which something was said; the others have only the label `kubernetes.io/metadata.name`. */
  readonly namespaces: readonly NamespaceSpec[];
  readonly networkPolicies: readonly NetworkPolicy[];
}

export interface NamespaceSpec {
  readonly name: string;
  readonly labels: Labels;
  readonly at: SourceRef;
}

export interface ClusterSettings {
  readonly name: string;
  /** Default `cluster.local`. */
  readonly domain: string;
  readonly podCidrs: readonly Prefix[];
  readonly serviceCidrs: readonly Prefix[];
  readonly flannel: FlannelSettings;
  readonly kubeProxy: KubeProxySettings;
  /** Connects pods instead of flannel and the bridge plugin; none of what it does is simulated. */
  readonly networkPlugin?: string;
  /** kubelet's empty chains stand beside kube-proxy's; default false. */
  readonly kubeletChains?: boolean;
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
  /** Who hands out leases: Kubernetes with `podCIDR`, or flannel's own rules in etcd. */
  readonly subnets: FlannelSubnets;
}

export type FlannelSubnets =
  | { readonly manager: 'kube' }
  /** Default length 24 and 64; `null`: the first subnet but one, and the last, of the pod network. */
  | { readonly manager: 'etcd'; readonly lengths: Readonly<Record<Family, number>>; readonly minimums: readonly Address[]; readonly maximums: readonly Address[] };

export interface KubeProxySettings {
  /** nftables and ipvs are named, and not simulated; `other`: some other program translates services. */
  readonly mode: 'iptables' | 'nftables' | 'ipvs' | 'other' | 'none';
  readonly masqueradeAll: boolean;
  readonly detectLocal: LocalDetection;
  /** Which of a node's addresses answer node ports; empty: all. `primary`: the node's own of each family. */
  readonly nodePortAddresses: readonly Prefix[] | 'primary';
  /** Default true. */
  readonly localhostNodePorts: boolean;
  /** conntrack.tcpBeLiberal; default false. */
  readonly tcpBeLiberal: boolean;
}

/** detectLocalMode: how kube-proxy tells traffic of its own node's pods. */
export type LocalDetection =
  /** `null`: the cluster's pod CIDRs. Empty: kube-proxy was given none, and tells nothing. */
  | { readonly mode: 'ClusterCIDR'; readonly cidrs: readonly Prefix[] | null }
  | { readonly mode: 'NodeCIDR' }
  | { readonly mode: 'BridgeInterface'; readonly name: string }
  | { readonly mode: 'InterfaceNamePrefix'; readonly prefix: string };

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
  /** By family. */
  readonly rules?: readonly CapturedRule[];
  readonly interfaces?: readonly CapturedInterface[];
  readonly neighbours?: readonly Neighbour[];
  readonly fdb?: readonly FdbEntry[];
  /** By family and name: a captured nat table leaves filter derived. */
  readonly tables?: readonly Table[];
  readonly sets?: readonly IpSet[];
  readonly conntrack?: readonly ConntrackRecord[];
  /** Single values over the defaults, never the whole. */
  readonly sysctls?: readonly Sysctl[];
  /** A pod's resolv.conf; it replaces what the DNS policy gives. */
  readonly resolver?: CapturedResolver;
}

/** `null`: neither the line nor those around it tell the family. Then it is one that no other rule is of; of both where there is none. */
export type CapturedRule = Omit<PolicyRule, 'family'> & { readonly family: Family | null };

/** resolv.conf(5) */
export interface CapturedResolver {
  readonly nameservers: readonly Address[];
  readonly search: readonly string[];
  readonly ndots: number;
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
  /** InternalIP of the Node object; absent: the addresses of the device with the default route. */
  readonly internalAddresses?: readonly Address[];
  readonly listeners: readonly Listener[] | null;
  /** `null`: Docker does not run here. */
  readonly docker: DockerSpec | null;
  readonly captured: CapturedState;
  readonly at: SourceRef;
}

export interface DockerSpec {
  /** docker0's address; default 172.17.0.1/16. */
  readonly bridge: Prefix;
  readonly at: SourceRef;
}

/** A container's port. */
export interface PodPortSpec {
  /** Empty for an unnamed port. */
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: Port;
  readonly hostPort: Port | null;
  /** `null`: every address of the node. */
  readonly hostAddress: Address | null;
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
  /** Its Ready condition, which a pod that is terminating keeps: its endpoints are then serving, not ready. */
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly ports: readonly PodPortSpec[];
  readonly listeners: readonly Listener[] | null;
  readonly dnsPolicy: DnsPolicy;
  /** dnsConfig's; `null`: what the policy gives. */
  readonly nameservers: readonly Address[] | null;
  /** `null`: what the policy gives. */
  readonly search: readonly string[] | null;
  readonly ndots: number | null;
  readonly hostname: string | null;
  readonly subdomain: string | null;
  readonly captured: CapturedState;
  readonly at: SourceRef;
}

export type DnsPolicy = 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';

export interface ServicePortSpec {
  /** Empty for an unnamed port. */
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: Port;
  /** Default the port itself. */
  readonly targetPort: Port;
  /** Each pod's container port of this name, instead of `targetPort`; a pod without one is no endpoint. */
  readonly targetPortName: string | null;
  readonly nodePort: Port | null;
  readonly at: SourceRef;
}

/** One endpoint as an EndpointSlice has it. */
export interface EndpointSpec {
  readonly address: Address;
  /** The service port of this name only; `null`: every port. */
  readonly portName: string | null;
  /** `null`: the service port's target. */
  readonly port: Port | null;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** `null`: the node that has the address, or whose pod has it. */
  readonly node: string | null;
  readonly hostname: string | null;
  readonly hints: EndpointHints | null;
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
  /** Hand-written endpoints. */
  readonly endpoints: readonly EndpointSpec[];
  /** `instead`: `endpoints` are all there are, whatever the selector selects, as a captured EndpointSlice says. */
  readonly endpointsAre: 'besides-selector' | 'instead';
  readonly externalAddresses: readonly Address[];
  readonly loadBalancerAddresses: readonly Address[];
  /** Those of ipMode Proxy, which are not among `loadBalancerAddresses`: kube-proxy leaves them alone. */
  readonly loadBalancerProxies: readonly Address[];
  readonly loadBalancerSourceRanges: readonly Prefix[];
  readonly externalName: string | null;
  readonly sessionAffinitySeconds: number | null;
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  readonly internalTrafficPolicy: 'Cluster' | 'Local';
  readonly trafficDistribution: 'PreferClose' | 'PreferSameZone' | 'PreferSameNode' | null;
  readonly publishNotReady: boolean;
  /** By the labels service.kubernetes.io/service-proxy-name and …/headless, which kube-proxy's informers leave out (cmd/kube-proxy/app/server.go). */
  readonly unproxied?: 'another-proxy' | 'nobody';
  readonly allocateNodePorts: boolean;
  readonly healthCheckNodePort: Port | null;
  readonly at: SourceRef;
}
