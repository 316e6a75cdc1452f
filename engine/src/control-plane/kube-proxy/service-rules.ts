/** The rules of one service port on one node (pkg/proxy/iptables/proxier.go: the loop of syncProxyRules). */
import type { Address, Prefix } from '../../net/address.ts';
import type { Chain, Rule } from '../../topology/netfilter.ts';
import {
  accept, addressType, comment, destination, destinationPort, dnat, drop, extension, inSaveOrder, jump, place, probability, protocol, recentCheck, recentSet, rejectPort,
  ruleOf, source, sourceHost,
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

/** A service port's own chains of the nat table (KUBE-SVC-…, KUBE-SEP-…), and its rules in the chains of all services. */
export interface PortRules {
  readonly chains: readonly Chain[];
  /** In KUBE-SERVICES of the nat table. */
  readonly services: readonly Rule[];
  readonly elsewhere: readonly Placed[];
}

export function servicePortRules(view: PortView, context: ProxyContext): PortRules {
  const seen = nodeView(view, context.node);
  const internal = toPort(view, view.clusterIp, `${view.name} cluster IP`);
  const { cluster, local, external, firewall } = view.chains;
  const foreign = internalMasquerade(view, seen, context, internal);
  const chains: Chain[] = [];
  const add = (name: string, rules: readonly Rule[]): void => {
    if (rules.length > 0) chains.push({ name, policy: null, rules, origin: view.origin });
  };
  add(external, externalChain(view, seen, context));
  add(firewall, firewallChain(view, seen, context));
  add(cluster, policyChain(view, cluster, view.internalLocal ? null : foreign, seen.clusterEndpoints, context));
  add(local, policyChain(view, local, view.internalLocal ? foreign : null, seen.localEndpoints, context));
  for (const endpoint of seen.reachable) add(endpoint.chain, endpointRules(view, endpoint, context));
  const common = [...clusterIpRules(view, seen, internal), ...externalIpRules(view, seen), ...loadBalancerRules(view, seen), ...nodePortRules(view, seen)];
  const isOfServices = (p: Placed): boolean => p.chain === SERVICES && p.table === 'nat';
  return { chains, services: common.filter(isOfServices).map((p) => p.rule), elsewhere: common.filter((p) => !isOfServices(p)) };
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
function internalMasquerade(view: PortView, seen: NodeView, context: ProxyContext, internal: readonly Part[]): Rule | null {
  if (!seen.hasInternal || (!context.masqueradeAll && context.localTraffic === null)) return null;
  const chain = view.internalLocal ? view.chains.local : view.chains.cluster;
  const foreign = context.masqueradeAll || context.localTraffic === null ? internal : inSaveOrder([context.localTraffic.isNot, ...internal]);
  return ruleOf(chain, foreign, TO_MARK_MASQ, view.origin);
}

function externalChain(view: PortView, seen: NodeView, context: ProxyContext): readonly Rule[] {
  if (!seen.hasEndpoints || !isExternallyAccessible(view)) return [];
  const { external, cluster, local } = view.chains;
  const rules: Rule[] = [];
  if (view.externalLocal) {
    const fromLocal = addressType('source', 'LOCAL');
    const fromPods = context.localTraffic === null ? [] : [context.localTraffic.is, comment(`pod traffic for ${view.name} external destinations`)];
    if (fromPods.length > 0) rules.push(ruleOf(external, fromPods, jump(cluster), view.origin));
    rules.push(
      ruleOf(external, [comment(`masquerade LOCAL traffic for ${view.name} external destinations`), fromLocal], TO_MARK_MASQ, view.origin),
      ruleOf(external, [comment(`route LOCAL traffic for ${view.name} external destinations`), fromLocal], jump(cluster), view.origin),
    );
  } else rules.push(ruleOf(external, [comment(`masquerade traffic for ${view.name} external destinations`)], TO_MARK_MASQ, view.origin));
  if (seen.hasExternal) rules.push(ruleOf(external, [], jump(view.externalLocal ? local : cluster), view.origin));
  return rules;
}

function firewallChain(view: PortView, seen: NodeView, context: ProxyContext): readonly Rule[] {
  if (!isFirewalled(view, seen)) return [];
  const { firewall, external } = view.chains;
  const allowed = [...view.sourceRanges, ...(allowsNode(view, context.nodeIp) ? view.loadBalancerIps : [])];
  return [
    ...allowed.map((prefix) => ruleOf(firewall, [source(prefix), comment(`${view.name} loadbalancer IP`)], jump(external), view.origin)),
    ruleOf(firewall, [comment(`other traffic to ${view.name} will be dropped by ${PROXY_FIREWALL}`)], null, view.origin),
  ];
}

/** writeServiceToEndpointRules: affinity first, then each endpoint with the same chance. */
function policyChain(view: PortView, chain: string, masquerade: Rule | null, endpoints: readonly EndpointView[], context: ProxyContext): readonly Rule[] {
  const { affinitySeconds } = view;
  const first = masquerade === null ? [] : [masquerade];
  const targets = endpoints.map((e) => jump(e.chain));
  const labels = endpoints.map((e) => (context.endpointComments ? [comment(`${view.name} -> ${e.text}`)] : []));
  const sticky =
    affinitySeconds === null
      ? []
      : endpoints.map((e, i) => ruleOf(chain, [...(labels[i] ?? []), recentCheck(e.chain, affinitySeconds, view.family)], targets[i] ?? null, view.origin));
  const balanced = endpoints.map((_, i) => {
    const left = endpoints.length - i;
    const label = labels[i] ?? [];
    return ruleOf(chain, left > 1 ? [...label, probability(left)] : label, targets[i] ?? null, view.origin);
  });
  return [...first, ...sticky, ...balanced];
}

/** A pod that reaches itself through the service is masqueraded (hairpin), then the destination is translated. */
function endpointRules(view: PortView, endpoint: EndpointView, context: ProxyContext): readonly Rule[] {
  const { address, port, text, chain } = endpoint;
  const label = context.endpointComments ? [comment(view.name)] : [];
  const remember = view.affinitySeconds === null ? [] : [recentSet(chain, view.family)];
  const ip = view.family === 4 ? text.slice(0, text.lastIndexOf(':')) : text.slice(1, text.lastIndexOf(']'));
  return [
    ruleOf(chain, [sourceHost(address, ip), ...label], TO_MARK_MASQ, view.origin),
    ruleOf(chain, [protocol(view.protocol), ...label, ...remember, extension(view.protocol)], dnat(address, port, text), view.origin),
  ];
}
