/** All that kube-proxy in iptables mode programs on a node, in one family. */
import { groupBy } from '../../group-by.ts';
import { keptFlatMap, keptMap, keptOf } from '../../kept.ts';
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
  /** In KUBE-SERVICES of the nat table. */
  readonly services: readonly Rule[];
  readonly elsewhere: readonly Placed[];
}

export interface ProxyRules {
  readonly placed: readonly Placed[];
  /** The first rules of KUBE-SERVICES in the nat table. */
  readonly services: readonly Rule[];
  /** Chains of the nat table that nothing else has rules in. */
  readonly natChains: readonly Chain[];
}

const order = keptOf<Service, readonly number[]>((a, b) => a.namespace === b.namespace && a.name === b.name);
const viewLists = { 4: keptFlatMap<Service, PortView>(), 6: keptFlatMap<Service, PortView>() };

/** kube-proxy walks a map; we take the names' order. `services` are those of the plan, one for one. */
export function servicePortsOf(plan: Plan, services: readonly Service[]): ServicePorts {
  const places = order(services, () => placesByName(services));
  const sorted = places.flatMap((place) => services[place] ?? []);
  const ofFamily = (family: Family) =>
    once(() =>
      viewLists[family](sorted, (service, i) => {
        const spec = plan.services[places[i] ?? -1];
        return spec === undefined ? [] : portViews(service, spec, family);
      }),
    );
  const [v4, v6] = [ofFamily(4), ofFamily(6)];
  return { views: { get 4() { return v4(); }, get 6() { return v6(); } } };
}

function placesByName(services: readonly Service[]): readonly number[] {
  const named = services.map((service, place) => ({ place, name: podKey(service) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1)).map((n) => n.place);
}

export function kubeProxyRules(plan: Plan, node: NodePlan, family: Family, ports: ServicePorts): ProxyRules {
  const views = ports.views[family];
  const context: ProxyContext = {
    node: { name: node.spec.name, zone: node.spec.labels[ZONE_LABEL] },
    // Without an address of the family kube-proxy takes localhost's (cmd/kube-proxy/app/server.go: detectNodeIPs).
    nodeIp: nodeAddressOf(node, family) ?? LOCALHOST[family],
    localTraffic: localTrafficOf(plan, node, family),
    masqueradeAll: plan.settings.kubeProxy.masqueradeAll,
    endpointComments: !hasMoreEndpoints(views, LARGE_CLUSTER_ENDPOINTS),
  };
  const origin = derived('kube-proxy', 'services in general', plan.settings.at ?? node.spec.at);
  const key = `${context.masqueradeAll ? 'all' : ''} ${context.endpointComments ? '' : 'bare'} ${context.localTraffic?.is.text ?? ''}`;
  const everywhere = shared(views, (view, before) => (before === undefined ? (isNodeIndependent(view) ? portRules(view, context) : null) : before), key);
  const rules = everywhere.map((port, i) => port ?? portRules(views[i] as PortView, context));
  return {
    placed: [...fixedRules(plan, node, family, origin), ...otherRules(rules, (r) => r.elsewhere), ...nodePortsRules(plan, node, family, origin)],
    services: serviceRules(rules, (r) => r.services),
    natChains: ownChains(rules, (r) => r.chains),
  };
}

/** What is the same on several nodes, and in the next version of the file, is made once: by what the rules depend on. */
const shared = keptMap<PortView, PortRules | null>();

const serviceRules = keptFlatMap<PortRules, Rule>();
const ownChains = keptFlatMap<PortRules, Chain>();
const otherRules = keptFlatMap<PortRules, Placed>();

function hasMoreEndpoints(views: readonly PortView[], than: number): boolean {
  let count = 0;
  return views.some((view) => (count += view.endpoints.length) > than);
}

/** The chains that every service has rules in. */
const COMMON: readonly string[] = [SERVICES, NODE_PORTS, EXTERNAL_SERVICES, PROXY_FIREWALL];

function portRules(view: PortView, context: ProxyContext): PortRules {
  const placed = servicePortRules(view, context);
  const chains: Chain[] = [];
  const services: Rule[] = [];
  const elsewhere: Placed[] = [];
  for (let from = 0; from < placed.length; ) {
    const { table, chain } = placed[from] as Placed;
    let to = from + 1;
    while (placed[to]?.chain === chain && placed[to]?.table === table) to++;
    const run = placed.slice(from, to);
    if (!COMMON.includes(chain)) chains.push({ name: chain, policy: null, rules: run.map((p) => p.rule), origin: view.origin });
    else if (chain === SERVICES && table === 'nat') services.push(...run.map((p) => p.rule));
    else elsewhere.push(...run);
    from = to;
  }
  return { chains: merged(chains), services, elsewhere };
}

/** The rules of a chain stand together, but for those of the port's own. */
function merged(chains: readonly Chain[]): readonly Chain[] {
  if (new Set(chains.map((c) => c.name)).size === chains.length) return chains;
  return Array.from(groupBy(chains, (c) => c.name).values(), ([first, ...more]) => ({ ...first, rules: [...first.rules, ...more.flatMap((c) => c.rules)] }));
}
