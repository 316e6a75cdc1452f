/** All that kube-proxy in iptables mode programs on a node, in one family. */
import type { Family } from '../../net/address.ts';
import type { Service } from '../../topology/model.ts';
import type { Chain, Rule } from '../../topology/netfilter.ts';
import { derived } from '../../topology/origin.ts';
import { ZONE_LABEL } from '../endpoints.ts';
import type { Placed } from '../iptables-rule.ts';
import { once } from '../../once.ts';
import { nodeAddressOf, podKey } from '../plan.ts';
import type { NodePlan, Plan } from '../plan.ts';
import { fixedRules } from './fixed.ts';
import { localTrafficOf } from './local-traffic.ts';
import { EXTERNAL_SERVICES, NODE_PORTS, PROXY_FIREWALL, SERVICES } from './names.ts';
import { nodePortsRules } from './node-port-rules.ts';
import { LOCALHOST } from './node-ports.ts';
import { isNodeIndependent, portViews } from './service-port.ts';
import type { PortView } from './service-port.ts';
import { servicePortRules } from './service-rules.ts';
import type { ProxyContext } from './service-rules.ts';

const LARGE_CLUSTER_ENDPOINTS = 1000;

/** The service ports of both families. */
export interface ServicePorts {
  readonly views: Readonly<Record<Family, readonly PortView[]>>;
}

/** A service port's own chains of the nat table (KUBE-SVC-…, KUBE-SEP-…), and its rules in the chains of all services. */
interface PortRules {
  readonly chains: readonly Chain[];
  readonly listed: readonly Placed[];
}

export interface ProxyRules {
  readonly placed: readonly Placed[];
  /** Chains of the nat table that nothing else has rules in. */
  readonly natChains: readonly Chain[];
}

/** kube-proxy walks a map; we take the names' order. `services` are those of the plan, one for one. */
export function servicePortsOf(plan: Plan, services: readonly Service[]): ServicePorts {
  const named = new Map(services.map((service, i) => [podKey(service), { service, spec: plan.services[i] }]));
  const sorted = [...named.keys()].sort().flatMap((name) => named.get(name) ?? []);
  const ofFamily = (family: Family) => once(() => sorted.flatMap(({ service, spec }) => (spec === undefined ? [] : portViews(service, spec, family))));
  const [v4, v6] = [ofFamily(4), ofFamily(6)];
  return { views: { get 4() { return v4(); }, get 6() { return v6(); } } };
}

export function kubeProxyRules(plan: Plan, node: NodePlan, family: Family, ports: ServicePorts): ProxyRules {
  const views = ports.views[family];
  const context: ProxyContext = {
    node: { name: node.spec.name, zone: node.spec.labels[ZONE_LABEL] },
    // Without an address of the family kube-proxy takes localhost's (cmd/kube-proxy/app/server.go: detectNodeIPs).
    nodeIp: nodeAddressOf(node, family) ?? LOCALHOST[family],
    localTraffic: localTrafficOf(plan, node, family),
    masqueradeAll: plan.settings.kubeProxy.masqueradeAll,
    endpointComments: views.reduce((n, v) => n + v.endpoints.length, 0) <= LARGE_CLUSTER_ENDPOINTS,
  };
  const origin = derived('kube-proxy', 'services in general', plan.settings.at ?? node.spec.at);
  const key = `${context.masqueradeAll ? 'all' : ''} ${context.endpointComments ? '' : 'bare'} ${context.localTraffic?.is.text ?? ''}`;
  const rules = views.map((view) => rulesOf(view, context, key));
  return {
    placed: [...fixedRules(plan, node, family, origin), ...rules.flatMap((r) => r.listed), ...nodePortsRules(plan, node, family, origin)],
    natChains: rules.flatMap((r) => r.chains),
  };
}

/** What is the same on several nodes, and in the next version of the file, is made once: by what the rules depend on. */
const shared = new WeakMap<PortView, Map<string, PortRules>>();

function rulesOf(view: PortView, context: ProxyContext, key: string): PortRules {
  if (!isNodeIndependent(view)) return portRules(view, context);
  const known = shared.get(view) ?? new Map<string, PortRules>();
  const before = known.get(key);
  if (before !== undefined) return before;
  const rules = portRules(view, context);
  shared.set(view, known.set(key, rules));
  return rules;
}

/** The chains that every service has rules in. */
const COMMON: readonly string[] = [SERVICES, NODE_PORTS, EXTERNAL_SERVICES, PROXY_FIREWALL];

function portRules(view: PortView, context: ProxyContext): PortRules {
  const own: { readonly name: string; readonly rules: Rule[] }[] = [];
  const listed: Placed[] = [];
  for (const placed of servicePortRules(view, context)) {
    const { chain, rule } = placed;
    // The rules of a chain stand together, but for those of the service's own.
    const rules = COMMON.includes(chain) ? null : (own.at(-1)?.name === chain ? own.at(-1) : own.find((o) => o.name === chain))?.rules;
    if (rules === null) listed.push(placed);
    else if (rules === undefined) own.push({ name: chain, rules: [rule] });
    else rules.push(rule);
  }
  return { chains: own.map(({ name, rules }): Chain => ({ name, policy: null, rules, origin: view.origin })), listed };
}
