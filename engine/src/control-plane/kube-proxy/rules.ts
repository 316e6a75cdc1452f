/** All that kube-proxy in iptables mode programs on a node, in one family. */
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
import { nodePortsRules } from './node-port-rules.ts';
import { LOCALHOST } from './node-ports.ts';
import { isNodeIndependent, portViews } from './service-port.ts';
import type { PortView } from './service-port.ts';
import { servicePortRules } from './service-rules.ts';
import type { PortRules, ProxyContext } from './service-rules.ts';

const LARGE_CLUSTER_ENDPOINTS = 1000;

/** The service ports of both families. */
export interface ServicePorts {
  readonly views: Readonly<Record<Family, readonly PortView[]>>;
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
  const everywhere = shared(views, (view, before) => (before === undefined ? (isNodeIndependent(view) ? servicePortRules(view, context) : null) : before), key);
  const rules = everywhere.map((port, i) => port ?? servicePortRules(views[i] as PortView, context));
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
