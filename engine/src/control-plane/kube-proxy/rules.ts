/** All that kube-proxy in iptables mode programs on a node, in one family. */
import type { Family } from '../../net/address.ts';
import type { Service } from '../../topology/model.ts';
import { derived } from '../../topology/origin.ts';
import type { Placed } from '../iptables-rule.ts';
import { podKey, publicAddressOf } from '../plan.ts';
import type { NodePlan, Plan } from '../plan.ts';
import { podNetworkOf } from '../settings.ts';
import { fixedRules, nodePortsRule } from './fixed.ts';
import { isNodeIndependent, portViews } from './service-port.ts';
import type { PortView } from './service-port.ts';
import { servicePortRules } from './service-rules.ts';
import type { ProxyContext } from './service-rules.ts';

const LARGE_CLUSTER_ENDPOINTS = 1000;

/** The service ports of both families; rules that are the same on every node are made once. */
export interface ServicePorts {
  readonly views: Readonly<Record<Family, readonly PortView[]>>;
  readonly shared: Map<PortView, readonly Placed[]>;
}

/** kube-proxy walks a map; we take the names' order. */
export function servicePortsOf(plan: Plan, services: readonly Service[]): ServicePorts {
  const specs = new Map(plan.services.map((s) => [podKey(s), s]));
  const sorted = [...services].sort((a, b) => (podKey(a) < podKey(b) ? -1 : 1));
  const ofFamily = (family: Family): readonly PortView[] =>
    sorted.flatMap((service) => {
      const spec = specs.get(podKey(service));
      return spec === undefined ? [] : portViews(service, spec, family);
    });
  return { views: { 4: ofFamily(4), 6: ofFamily(6) }, shared: new Map() };
}

export function kubeProxyRules(plan: Plan, node: NodePlan, family: Family, ports: ServicePorts): readonly Placed[] {
  const views = ports.views[family];
  const nodeIp = publicAddressOf(node.spec, node.uplink, family);
  const context: ProxyContext = {
    node: node.spec.name,
    nodeIps: nodeIp === undefined ? [] : [nodeIp],
    podNetwork: podNetworkOf(plan.settings, family),
    masqueradeAll: plan.settings.kubeProxy.masqueradeAll,
    endpointComments: views.reduce((n, v) => n + v.endpoints.length, 0) <= LARGE_CLUSTER_ENDPOINTS,
  };
  const origin = derived('kube-proxy', 'what it programs for every cluster', plan.settings.at ?? node.spec.at);
  return [...fixedRules(family, origin), ...views.flatMap((view) => rulesOf(view, context, ports)), nodePortsRule(family, origin)];
}

function rulesOf(view: PortView, context: ProxyContext, ports: ServicePorts): readonly Placed[] {
  if (!isNodeIndependent(view)) return servicePortRules(view, context);
  const known = ports.shared.get(view);
  if (known !== undefined) return known;
  const rules = servicePortRules(view, context);
  ports.shared.set(view, rules);
  return rules;
}
