/** The rules of one service port on one node (pkg/proxy/iptables/proxier.go: the loop of syncProxyRules). */
import { hostPrefix } from '../../net/address.ts';
import type { Address, Prefix } from '../../net/address.ts';
import {
  accept, addressType, comment, destination, destinationPort, dnat, drop, extension, inSaveOrder, jump, place, probability, protocol, recentCheck, recentSet, rejectPort,
  source,
} from '../iptables-rule.ts';
import type { Part, Placed, TargetPart } from '../iptables-rule.ts';
import { EXTERNAL_SERVICES, MARK_MASQ, NODE_PORTS, PROXY_FIREWALL, SERVICES } from './names.ts';
import { allowsNode, isExternallyAccessible, nodeView } from './service-port.ts';
import type { LocalTraffic } from './local-traffic.ts';
import type { EndpointView, NodeView, PortView, ProxyNode } from './service-port.ts';

export interface ProxyContext {
  readonly node: ProxyNode;
  readonly nodeIp: Address;
  /** `null`: kube-proxy cannot tell the pods' traffic in this family. */
  readonly localTraffic: LocalTraffic | null;
  readonly masqueradeAll: boolean;
  /** Above 1,000 endpoints kube-proxy leaves out the endpoints' comments. */
  readonly endpointComments: boolean;
}

const TO_MARK_MASQ = jump(MARK_MASQ);

export function servicePortRules(view: PortView, context: ProxyContext): readonly Placed[] {
  const seen = nodeView(view, context.node);
  const internal = toPort(view, view.clusterIp, `${view.name} cluster IP`);
  return [
    ...clusterIpRules(view, seen, internal),
    ...externalIpRules(view, seen),
    ...loadBalancerRules(view, seen),
    ...nodePortRules(view, seen),
    ...internalMasquerade(view, seen, context, internal),
    ...externalChain(view, seen, context),
    ...firewallChain(view, seen, context),
    ...policyChain(view, view.chains.cluster, seen.clusterEndpoints, context),
    ...policyChain(view, view.chains.local, seen.localEndpoints, context),
    ...seen.reachable.flatMap((endpoint) => endpointRules(view, endpoint, context)),
  ];
}

/** `-d IP/32 -p tcp -m comment --comment "…" -m tcp --dport 53`, in iptables-save's order. */
const toPort = (view: PortView, ip: Prefix, text: string): readonly Part[] => [
  destination(ip), protocol(view.protocol), comment(text), destinationPort(view.protocol, view.port),
];

const isFirewalled = (view: PortView, seen: NodeView): boolean => seen.hasEndpoints && view.loadBalancerIps.length > 0 && view.sourceRanges.length > 0;

/** What the filter table says of traffic that no endpoint takes. */
function refusal(view: PortView, seen: NodeView): { readonly text: string; readonly target: TargetPart } {
  if (seen.hasEndpoints) return { text: `${view.name} has no local endpoints`, target: drop };
  return { text: `${view.name} has no endpoints`, target: rejectPort(view.family) };
}

/** `internal`: what matches traffic to the cluster IP. */
function clusterIpRules(view: PortView, seen: NodeView, internal: readonly Part[]): readonly Placed[] {
  if (seen.hasInternal) {
    const chain = view.internalLocal ? view.chains.local : view.chains.cluster;
    return [place('nat', SERVICES, internal, jump(chain), view.origin)];
  }
  const { text, target } = refusal(view, seen);
  return [place('filter', SERVICES, toPort(view, view.clusterIp, text), target, view.origin)];
}

function externalIpRules(view: PortView, seen: NodeView): readonly Placed[] {
  if (view.externalIps.length === 0) return [];
  const { text, target } = refusal(view, seen);
  return view.externalIps.flatMap((ip) => [
    ...(seen.hasEndpoints ? [place('nat', SERVICES, toPort(view, ip, `${view.name} external IP`), jump(view.chains.external), view.origin)] : []),
    ...(seen.hasExternal ? [] : [place('filter', EXTERNAL_SERVICES, toPort(view, ip, text), target, view.origin)]),
  ]);
}

function loadBalancerRules(view: PortView, seen: NodeView): readonly Placed[] {
  if (view.loadBalancerIps.length === 0) return [];
  const { text, target } = refusal(view, seen);
  const firewalled = isFirewalled(view, seen);
  const chain = firewalled ? view.chains.firewall : view.chains.external;
  return view.loadBalancerIps.flatMap((ip) => [
    ...(seen.hasEndpoints ? [place('nat', SERVICES, toPort(view, ip, `${view.name} loadbalancer IP`), jump(chain), view.origin)] : []),
    ...(firewalled ? [place('filter', PROXY_FIREWALL, toPort(view, ip, `${view.name} traffic not accepted by ${view.chains.firewall}`), drop, view.origin)] : []),
    ...(seen.hasExternal ? [] : [place('filter', EXTERNAL_SERVICES, toPort(view, ip, text), target, view.origin)]),
  ]);
}

/** Node ports are never subject to loadBalancerSourceRanges. */
function nodePortRules(view: PortView, seen: NodeView): readonly Placed[] {
  const rules: Placed[] = [];
  if (view.nodePort !== null) {
    const port = destinationPort(view.protocol, view.nodePort);
    const { text, target } = refusal(view, seen);
    if (seen.hasEndpoints) rules.push(place('nat', NODE_PORTS, [protocol(view.protocol), comment(view.name), port], jump(view.chains.external), view.origin));
    const refused = [protocol(view.protocol), comment(text), addressType('destination', 'LOCAL'), port];
    if (!seen.hasExternal) rules.push(place('filter', EXTERNAL_SERVICES, refused, target, view.origin));
  }
  if (view.healthCheckNodePort !== null) {
    const check = [protocol('tcp'), comment(`${view.name} health check node port`), destinationPort('tcp', view.healthCheckNodePort)];
    rules.push(place('filter', NODE_PORTS, check, accept, view.origin));
  }
  return rules;
}

/** Traffic to the cluster IP that comes from no pod is masqueraded: its way back must pass this node. */
function internalMasquerade(view: PortView, seen: NodeView, context: ProxyContext, internal: readonly Part[]): readonly Placed[] {
  if (!seen.hasInternal || (!context.masqueradeAll && context.localTraffic === null)) return [];
  const chain = view.internalLocal ? view.chains.local : view.chains.cluster;
  const foreign = context.masqueradeAll || context.localTraffic === null ? [] : [context.localTraffic.isNot];
  return [place('nat', chain, inSaveOrder([...foreign, ...internal]), TO_MARK_MASQ, view.origin)];
}

function externalChain(view: PortView, seen: NodeView, context: ProxyContext): readonly Placed[] {
  if (!seen.hasEndpoints || !isExternallyAccessible(view)) return [];
  const { external, cluster, local } = view.chains;
  const rules: Placed[] = [];
  if (view.externalLocal) {
    const fromLocal = addressType('source', 'LOCAL');
    const fromPods = context.localTraffic === null ? [] : [context.localTraffic.is, comment(`pod traffic for ${view.name} external destinations`)];
    if (fromPods.length > 0) rules.push(place('nat', external, fromPods, jump(cluster), view.origin));
    rules.push(
      place('nat', external, [comment(`masquerade LOCAL traffic for ${view.name} external destinations`), fromLocal], TO_MARK_MASQ, view.origin),
      place('nat', external, [comment(`route LOCAL traffic for ${view.name} external destinations`), fromLocal], jump(cluster), view.origin),
    );
  } else rules.push(place('nat', external, [comment(`masquerade traffic for ${view.name} external destinations`)], TO_MARK_MASQ, view.origin));
  if (seen.hasExternal) rules.push(place('nat', external, [], jump(view.externalLocal ? local : cluster), view.origin));
  return rules;
}

function firewallChain(view: PortView, seen: NodeView, context: ProxyContext): readonly Placed[] {
  if (!isFirewalled(view, seen)) return [];
  const { firewall, external } = view.chains;
  const allowed = [...view.sourceRanges, ...(allowsNode(view, context.nodeIp) ? view.loadBalancerIps : [])];
  return [
    ...allowed.map((prefix) => place('nat', firewall, [source(prefix), comment(`${view.name} loadbalancer IP`)], jump(external), view.origin)),
    place('nat', firewall, [comment(`other traffic to ${view.name} will be dropped by ${PROXY_FIREWALL}`)], null, view.origin),
  ];
}

/** writeServiceToEndpointRules: affinity first, then each endpoint with the same chance. */
function policyChain(view: PortView, chain: string, endpoints: readonly EndpointView[], context: ProxyContext): readonly Placed[] {
  const { affinitySeconds } = view;
  const label = (endpoint: EndpointView): readonly Part[] => (context.endpointComments ? [comment(`${view.name} -> ${endpoint.text}`)] : []);
  const sticky =
    affinitySeconds === null
      ? []
      : endpoints.map((e) => place('nat', chain, [...label(e), recentCheck(e.chain, affinitySeconds, view.family)], jump(e.chain), view.origin));
  const balanced = endpoints.map((e, i) => {
    const left = endpoints.length - i;
    return place('nat', chain, [...label(e), ...(left > 1 ? [probability(left)] : [])], jump(e.chain), view.origin);
  });
  return [...sticky, ...balanced];
}

/** A pod that reaches itself through the service is masqueraded (hairpin), then the destination is translated. */
function endpointRules(view: PortView, endpoint: EndpointView, context: ProxyContext): readonly Placed[] {
  const label = context.endpointComments ? [comment(view.name)] : [];
  const remember = view.affinitySeconds === null ? [] : [recentSet(endpoint.chain, view.family)];
  const target = dnat(endpoint.address, endpoint.port, endpoint.text);
  return [
    place('nat', endpoint.chain, [source(hostPrefix(endpoint.address)), ...label], TO_MARK_MASQ, view.origin),
    place('nat', endpoint.chain, [protocol(view.protocol), ...label, ...remember, extension(view.protocol)], target, view.origin),
  ];
}
