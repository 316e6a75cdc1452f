/** What a file declares, read but not yet bound: values with their places, relative to the declaration's own node. */
import type { Address, Mac, Port, Prefix } from '../../../../engine/src/net/address.ts';
import type { PolicyType } from '../../../../engine/src/topology/network-policy.ts';
import type { ClusterSettings, EndpointSpec, PodSpec, ServiceSpec } from '../../../../engine/src/topology/spec.ts';
import type { Listener } from '../../../../engine/src/topology/model.ts';
import type { Expectation } from '../../../../engine/src/verify/model.ts';
import type { Diagnostic, Range } from '../diagnostics/define.ts';
import type { StatementNode } from '../syntax/tree.ts';
import type { Located } from './decode.ts';
import type { SelectorDeclaration } from './selector.ts';
import type { EndpointValue, ObjectName, PolicyPortValue } from './values.ts';

export type CaptureKeyword = 'routes' | 'rules' | 'addresses' | 'links' | 'neighbours' | 'fdb' | 'iptables' | 'ip6tables' | 'ipset' | 'conntrack' | 'sysctl' | 'resolv-conf';

/** A pasted dump: `routes { … }` or `routes from "FILE"`. */
export interface Capture {
  readonly keyword: CaptureKeyword;
  readonly at: Range;
  readonly from: Located<string> | null;
  readonly node: StatementNode;
  /** Of `node`, from the start of the declaration's node. */
  readonly offset: number;
}

interface DeclarationBase extends Range {
  readonly node: StatementNode;
  readonly keyword: Range;
  /** Syntax, shape and values, of the whole declaration. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Named extends DeclarationBase {
  readonly name: Located<string> | null;
}

export interface ClusterDeclaration extends Named {
  readonly kind: 'cluster';
  readonly domain: Located<string> | null;
  readonly podCidrs: readonly Located<Prefix>[];
  readonly serviceCidrs: readonly Located<Prefix>[];
  readonly flannel: ClusterSettings['flannel'];
  /** Where `flannel.mtu` is said. */
  readonly flannelMtu?: Located<number> | null;
  readonly kubeProxy: ClusterSettings['kubeProxy'];
  readonly networkPlugin?: string;
  readonly kubeletChains?: boolean;
}

export interface NetworkDeclaration extends Named {
  readonly kind: 'network';
  readonly prefixes: readonly Located<Prefix>[];
  readonly gateways: readonly Located<Address>[];
  readonly mtu: number;
  readonly captures: readonly Capture[];
}

export interface ExternalDeclaration extends Named {
  readonly kind: 'external';
  readonly addresses: readonly Located<Address>[];
  readonly listeners: readonly Listener[] | null;
}

export interface InterfaceDeclaration extends Range {
  /** The keyword's range where the name is `address`'s own `eth0`. */
  readonly name: Located<string>;
  readonly addresses: readonly Located<Prefix>[];
  readonly network: Located<string> | null;
  readonly mac: Mac | null;
  readonly mtu: number | null;
}

export interface NodeDeclaration extends Named {
  readonly kind: 'node';
  readonly interfaces: readonly InterfaceDeclaration[];
  readonly podCidrs: readonly Located<Prefix>[];
  readonly labels: readonly Located<readonly [string, string]>[];
  readonly publicAddress: Located<Address> | null;
  readonly vtepMac: Mac | null;
  /** Of a Node object; the file itself does not say. */
  readonly internalAddresses?: readonly Address[];
  readonly listeners: readonly Listener[] | null;
  /** docker0's address, or `default`; `null`: Docker does not run here. */
  readonly docker: Located<Prefix | 'default'> | null;
  readonly captures: readonly Capture[];
}

/** A container's port. */
export interface ContainerPortDeclaration extends Range {
  readonly name: Located<string> | null;
  readonly listener: Located<Listener>;
  readonly hostPort: Located<Port> | null;
  readonly hostAddress: Located<Address> | null;
}

export interface PodDeclaration extends DeclarationBase {
  readonly kind: 'pod';
  readonly name: Located<ObjectName> | null;
  readonly host: Located<string> | null;
  readonly addresses: readonly Located<Address>[];
  readonly mac: Mac | null;
  readonly labels: readonly Located<readonly [string, string]>[];
  readonly hostNetwork: boolean;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly ports: readonly ContainerPortDeclaration[];
  readonly listeners: readonly Listener[] | null;
  readonly dnsPolicy: PodSpec['dnsPolicy'];
  readonly nameservers: readonly Address[] | null;
  readonly search: readonly string[] | null;
  readonly ndots: number | null;
  readonly hostname: string | null;
  readonly subdomain: string | null;
  readonly captures: readonly Capture[];
}

export interface PortDeclaration extends Range {
  readonly name: Located<string> | null;
  readonly listener: Located<Listener>;
  /** A port, or the name of the pods' port. */
  readonly target: Located<Port | string> | null;
  readonly nodePort: Located<Port> | null;
}

/** `address` and `port` are its value; the rest as in EndpointSpec. */
export type EndpointDeclaration = Located<EndpointValue> & Omit<EndpointSpec, 'address' | 'port' | 'at'>;

export interface ServiceDeclaration extends DeclarationBase {
  readonly kind: 'service';
  readonly name: Located<ObjectName> | null;
  readonly type: ServiceSpec['type'];
  readonly clusterAddresses: readonly Located<Address>[];
  readonly headless: boolean;
  readonly ports: readonly PortDeclaration[];
  /** `null`: it has no selector. */
  readonly selector: readonly Located<readonly [string, string]>[] | null;
  readonly endpoints: readonly EndpointDeclaration[];
  readonly endpointsAre: ServiceSpec['endpointsAre'];
  readonly externalAddresses: readonly Located<Address>[];
  readonly loadBalancerAddresses: readonly Located<Address>[];
  readonly loadBalancerProxies: readonly Located<Address>[];
  readonly loadBalancerSourceRanges: readonly Located<Prefix>[];
  readonly externalName: string | null;
  readonly sessionAffinitySeconds: number | null;
  readonly externalTrafficPolicy: ServiceSpec['externalTrafficPolicy'];
  readonly internalTrafficPolicy: ServiceSpec['internalTrafficPolicy'];
  readonly trafficDistribution: ServiceSpec['trafficDistribution'];
  readonly publishNotReady: boolean;
  /** Of a Service object's labels; the file itself does not say. */
  readonly unproxied?: 'another-proxy' | 'nobody';
  readonly allocateNodePorts: boolean;
  readonly healthCheckNodePort: Port | null;
}

export interface NamespaceDeclaration extends Named {
  readonly kind: 'namespace';
  readonly labels: readonly Located<readonly [string, string]>[];
}

export type PeerDeclaration = Range &
  (
    | { readonly kind: 'pods'; readonly namespaces: SelectorDeclaration | null; readonly pods: SelectorDeclaration | null }
    | { readonly kind: 'block'; readonly prefix: Located<Prefix>; readonly except: readonly Located<Prefix>[] }
  );

/** One `ingress` or `egress` of a policy. */
export interface TrafficDeclaration extends Range {
  readonly peers: readonly PeerDeclaration[];
  readonly ports: readonly Located<PolicyPortValue>[];
}

export interface NetworkPolicyDeclaration extends DeclarationBase {
  readonly kind: 'network-policy';
  readonly name: Located<ObjectName> | null;
  /** `null`: every pod of the namespace. */
  readonly pods: SelectorDeclaration | null;
  readonly ingress: readonly TrafficDeclaration[];
  readonly egress: readonly TrafficDeclaration[];
  readonly types: readonly PolicyType[] | null;
}

/** Kubernetes objects in files beside this one. */
export interface ObjectsDeclaration extends DeclarationBase {
  readonly kind: 'objects';
  readonly patterns: readonly Located<string>[];
}

export interface ExpectDeclaration extends DeclarationBase {
  readonly kind: 'expect';
  readonly from: Located<string> | null;
  /** The party without port and protocol. */
  readonly to: Located<string> | null;
  readonly receiver: Located<string> | null;
  readonly hops: readonly Located<{ readonly host: string; readonly interface: string }>[];
  /** `null` where the statement is broken. */
  readonly expectation: Omit<Expectation, 'at'> | null;
}

export type Declaration =
  | ClusterDeclaration | NetworkDeclaration | ExternalDeclaration | NodeDeclaration | PodDeclaration | ServiceDeclaration | NamespaceDeclaration
  | NetworkPolicyDeclaration | ObjectsDeclaration | ExpectDeclaration;
