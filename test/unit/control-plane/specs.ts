/** Small makers of declared objects, for tests. */
import { parseAddress, parsePrefix } from '../../../engine/src/net/address.ts';
import type { Address, Prefix } from '../../../engine/src/net/address.ts';
import type { ClusterSettings, ClusterSpec, EndpointSpec, ExternalSpec, FlannelSettings, KubeProxySettings, NetworkSpec, NodeSpec, PodSpec, ServicePortSpec, ServiceSpec } from '../../../engine/src/topology/spec.ts';

export const at = (line: number) => ({ file: 'test.k8snet', line });

export function address(text: string): Address {
  const found = parseAddress(text);
  if (found === undefined) throw new Error(`not an address: ${text}`);
  return found;
}

export function prefix(text: string): Prefix {
  const found = parsePrefix(text);
  if (found === undefined) throw new Error(`not a prefix: ${text}`);
  return found;
}

export const flannel = (parts: Partial<FlannelSettings> = {}): FlannelSettings => ({
  backend: 'vxlan', vni: 1, port: 8472, mtu: null, routesPer: 'lease', directRouting: false, masquerade: true, subnets: { manager: 'kube' }, ...parts,
});

export const kubeProxy = (parts: Partial<KubeProxySettings> = {}): KubeProxySettings => ({
  mode: 'iptables', masqueradeAll: false, detectLocal: { mode: 'ClusterCIDR', cidrs: null }, nodePortAddresses: [], localhostNodePorts: true, tcpBeLiberal: false, ...parts,
});

export const cluster = (parts: Partial<ClusterSettings> = {}): ClusterSettings => ({
  name: 'demo',
  domain: 'cluster.local',
  podCidrs: [prefix('10.0.0.0/16')],
  serviceCidrs: [prefix('10.16.0.0/16')],
  flannel: flannel(),
  kubeProxy: kubeProxy(),
  at: at(1),
  ...parts,
});

export const network = (name: string, prefixes: string, gateways: string, parts: Partial<NetworkSpec> = {}): NetworkSpec => ({
  name, prefixes: list(prefixes).map(prefix), gateways: list(gateways).map(address), mtu: 1500, routes: [], at: at(2), ...parts,
});

export const external = (name: string, addresses: string): ExternalSpec => ({ name, addresses: list(addresses).map(address), listeners: null, at: at(3) });

export const node = (name: string, addresses: string, podCidrs: string, parts: Partial<NodeSpec> = {}): NodeSpec => ({
  name,
  interfaces: [{ name: 'eth0', addresses: list(addresses).map(prefix), network: 'lan', mac: null, mtu: null, at: at(10) }],
  podCidrs: list(podCidrs).map(prefix),
  labels: {},
  publicAddress: null,
  vtepMac: null,
  listeners: null,
  docker: null,
  captured: {},
  at: at(10),
  ...parts,
});

/** `name` as `namespace/name`, or in the default namespace. */
export const pod = (name: string, on: string, addresses: string, parts: Partial<PodSpec> = {}): PodSpec => ({
  ...named(name), node: on, addresses: list(addresses).map(address), mac: null, labels: {}, hostNetwork: false, ready: true, terminating: false, ports: [], listeners: null,
  dnsPolicy: 'ClusterFirst', nameservers: null, search: null, ndots: null, hostname: null, subdomain: null, captured: {}, at: at(20), ...parts,
});

export const port = (name: string, number: number, protocol: 'TCP' | 'UDP' | 'SCTP', parts: Partial<ServicePortSpec> = {}): ServicePortSpec => ({
  name, protocol, port: number, targetPort: number, targetPortName: null, nodePort: null, at: at(31), ...parts,
});

export const endpoint = (ip: string, parts: Partial<EndpointSpec> = {}): EndpointSpec => ({
  address: address(ip), portName: null, port: null, ready: true, serving: true, terminating: false, node: null, hostname: null, hints: null, at: at(32), ...parts,
});

export const service = (name: string, clusterAddresses: string, ports: readonly ServicePortSpec[], parts: Partial<ServiceSpec> = {}): ServiceSpec => ({
  ...named(name),
  type: 'ClusterIP',
  clusterAddresses: list(clusterAddresses).map(address),
  headless: clusterAddresses === '',
  ports,
  selector: null,
  endpoints: [],
  endpointsAre: 'besides-selector',
  externalAddresses: [],
  loadBalancerAddresses: [],
  loadBalancerProxies: [],
  loadBalancerSourceRanges: [],
  externalName: null,
  sessionAffinitySeconds: null,
  externalTrafficPolicy: 'Cluster',
  internalTrafficPolicy: 'Cluster',
  trafficDistribution: null,
  publishNotReady: false,
  allocateNodePorts: true,
  healthCheckNodePort: null,
  at: at(30),
  ...parts,
});

export const spec = (parts: Partial<ClusterSpec>): ClusterSpec => ({ cluster: cluster(), networks: [], externals: [], nodes: [], pods: [], services: [], namespaces: [], networkPolicies: [], ...parts });

const list = (text: string): readonly string[] => (text === '' ? [] : text.split(',').map((t) => t.trim()));

function named(name: string): { readonly namespace: string; readonly name: string } {
  const slash = name.indexOf('/');
  return slash < 0 ? { namespace: 'default', name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

/** The article's three hosts, without what it captured. */
export const article = (parts: Partial<ClusterSpec> = {}): ClusterSpec =>
  spec({
    networks: [network('lan', '192.168.93.0/24', '192.168.93.254')],
    externals: [external('qq.com', '203.0.113.7')],
    nodes: [node('host1', '192.168.93.212/24', '10.0.14.0/24'), node('host2', '192.168.93.213/24', '10.0.5.0/24'), node('host3', '192.168.93.214/24', '10.0.0.0/24')],
    pods: [pod('pod1', 'host1', '10.0.14.15'), pod('pod2', 'host2', '10.0.5.150'), pod('kube-system/kube-dns-1', 'host3', '10.0.0.46', { labels: { 'k8s-app': 'kube-dns' } })],
    services: [service('kube-system/kube-dns', '10.16.0.10', [port('dns', 53, 'UDP')], { selector: { 'k8s-app': 'kube-dns' } })],
    ...parts,
  });
