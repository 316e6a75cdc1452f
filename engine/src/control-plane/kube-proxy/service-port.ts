/** One service port in one family as a node's kube-proxy sees it (pkg/proxy/serviceport.go, topology.go). */
import { contains, hostPrefix } from '../../net/address.ts';
import type { Address, Family, Prefix } from '../../net/address.ts';
import type { Endpoint, Service, ServicePort } from '../../topology/model.ts';
import { derived } from '../../topology/origin.ts';
import type { Origin } from '../../topology/origin.ts';
import type { ServiceSpec } from '../../topology/spec.ts';
import { endpointText } from '../endpoints.ts';
import type { L4 } from '../iptables-rule.ts';
import { endpointChain, portChains, portName } from './names.ts';
import type { PortChains } from './names.ts';

export interface EndpointView {
  readonly address: Address;
  readonly port: number;
  /** `10.0.0.46:53` */
  readonly text: string;
  readonly node: string | null;
  readonly ready: boolean;
  /** It is terminating, and still serves. */
  readonly lingering: boolean;
  readonly hints: Endpoint['hints'];
  readonly chain: string;
}

/** What does not depend on the node. */
export interface PortView {
  readonly name: string;
  readonly family: Family;
  readonly protocol: L4;
  readonly port: number;
  readonly nodePort: number | null;
  readonly chains: PortChains;
  readonly clusterIp: Prefix;
  readonly externalIps: readonly Prefix[];
  readonly loadBalancerIps: readonly Prefix[];
  readonly sourceRanges: readonly Prefix[];
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  readonly affinitySeconds: number | null;
  readonly healthCheckNodePort: number | null;
  /** Sorted by text. */
  readonly endpoints: readonly EndpointView[];
  readonly origin: Origin;
}

/** What a node makes of it. */
export interface NodeView {
  readonly clusterEndpoints: readonly EndpointView[];
  readonly localEndpoints: readonly EndpointView[];
  readonly reachable: readonly EndpointView[];
  readonly hasEndpoints: boolean;
  readonly hasInternal: boolean;
  readonly hasExternal: boolean;
}

const LOWER: Readonly<Record<ServicePort['protocol'], L4>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };

const ofFamily = (addresses: readonly Address[], family: Family): readonly Prefix[] => addresses.filter((a) => a.family === family).map(hostPrefix);

/** Every port of a service in a family; none of a headless or ExternalName service, without a cluster IP of the family, or left to others. */
export function portViews(service: Service, spec: ServiceSpec, family: Family): readonly PortView[] {
  const clusterIp = ofFamily(service.clusterAddresses, family)[0];
  if (clusterIp === undefined || service.type === 'ExternalName' || spec.unproxied !== undefined) return [];
  const accessible = service.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
  return service.ports.map((port) => {
    const name = portName(service.namespace, service.name, port.name);
    const protocol = LOWER[port.protocol];
    return {
      name,
      family,
      protocol,
      port: port.port,
      nodePort: port.nodePort,
      chains: portChains(name, protocol),
      clusterIp,
      externalIps: ofFamily(service.externalAddresses, family),
      loadBalancerIps: ofFamily(service.loadBalancerAddresses, family),
      sourceRanges: spec.loadBalancerSourceRanges.filter((r) => r.address.family === family),
      internalLocal: spec.internalTrafficPolicy === 'Local',
      externalLocal: spec.externalTrafficPolicy === 'Local',
      affinitySeconds: spec.sessionAffinitySeconds,
      healthCheckNodePort: accessible ? spec.healthCheckNodePort : null,
      endpoints: port.endpoints.filter((e) => e.address.family === family).map((e) => endpointView(e, name, protocol)),
      origin: derived('kube-proxy', `service ${service.namespace}/${service.name}${port.name === '' ? '' : ` port ${port.name}`}`, spec.at),
    };
  });
}

function endpointView(endpoint: Endpoint, name: string, protocol: L4): EndpointView {
  const { address, port, node, ready, serving, terminating, hints } = endpoint;
  const text = endpointText(endpoint);
  return { address, port, text, node, ready, lingering: !ready && serving && terminating, hints, chain: endpointChain(name, protocol, text) };
}

export const isExternallyAccessible = (view: PortView): boolean => view.nodePort !== null || view.loadBalancerIps.length > 0 || view.externalIps.length > 0;

/** The rules are the same on every node. */
export const isNodeIndependent = (view: PortView): boolean =>
  !view.internalLocal && !view.externalLocal && view.sourceRanges.length === 0 && view.endpoints.every((e) => e.hints === null);

/** A node as kube-proxy knows it. */
export interface ProxyNode {
  readonly name: string;
  /** Its label topology.kubernetes.io/zone. */
  readonly zone: string | undefined;
}

/** CategorizeEndpoints (pkg/proxy/topology.go): ready endpoints, near ones first; else those that terminate and still serve. */
export function nodeView(view: PortView, node: ProxyNode): NodeView {
  const usesCluster = !view.internalLocal || isExternallyAccessible(view);
  const usesLocal = view.internalLocal || (view.externalLocal && isExternallyAccessible(view));
  const ready = view.endpoints.filter((e) => e.ready);
  const lingering = ready.length === view.endpoints.length ? [] : view.endpoints.filter((e) => e.lingering);
  const usable = ready.length > 0 ? near(ready, node) : lingering;
  const clusterEndpoints = usesCluster ? usable : [];
  const isHere = (e: EndpointView): boolean => e.node === node.name;
  const readyHere = usesLocal ? ready.filter(isHere) : [];
  const localEndpoints = !usesLocal ? [] : readyHere.length > 0 ? readyHere : lingering.filter(isHere);
  const hasEndpoints = usable.length > 0;
  const either = new Set([...clusterEndpoints, ...localEndpoints]);
  return {
    clusterEndpoints,
    localEndpoints,
    reachable: !usesCluster ? localEndpoints : !usesLocal ? clusterEndpoints : view.endpoints.filter((e) => either.has(e)),
    hasEndpoints,
    hasInternal: view.internalLocal ? localEndpoints.length > 0 : hasEndpoints,
    hasExternal: view.externalLocal ? localEndpoints.length > 0 : hasEndpoints,
  };
}

/** topologyModeFromHints: hints count only where every ready endpoint has one, and one is for this node or its zone. */
function near(ready: readonly EndpointView[], node: ProxyNode): readonly EndpointView[] {
  const isFor = (kind: 'nodes' | 'zones', wanted: string | undefined) => (e: EndpointView): boolean => wanted !== undefined && e.hints?.[kind].includes(wanted) === true;
  for (const [kind, wanted] of [['nodes', node.name], ['zones', node.zone]] as const) {
    const here = ready.filter(isFor(kind, wanted));
    if (here.length > 0 && ready.every((e) => (e.hints?.[kind].length ?? 0) > 0)) return here;
  }
  return ready;
}

/** The node's own address may pass the firewall, so the load balancer's address may too. */
export const allowsNode = (view: PortView, nodeIp: Address): boolean => view.sourceRanges.some((range) => contains(range, nodeIp));
