/** How kube-proxy tells the traffic of its node's own pods (pkg/proxy/util/localdetector.go; cmd/kube-proxy: getLocalDetectors). */
import type { Family } from '../../net/address.ts';
import { inInterface, notInInterface, notSource, source } from '../iptables-rule.ts';
import type { Part } from '../iptables-rule.ts';
import type { NodePlan, Plan } from '../plan.ts';

export interface LocalTraffic {
  readonly is: Part;
  readonly isNot: Part;
}

/** `null`: there is no CIDR of the family to tell it by. */
export function localTrafficOf(plan: Plan, node: NodePlan, family: Family): LocalTraffic | null {
  const { detectLocal } = plan.settings.kubeProxy;
  switch (detectLocal.mode) {
    case 'ClusterCIDR':
      return bySource(detectLocal.cidrs ?? plan.settings.podCidrs, family);
    case 'NodeCIDR':
      return bySource(node.spec.podCidrs.length > 0 ? node.spec.podCidrs : node.leases.map((l) => l.subnet), family);
    case 'BridgeInterface':
      return byInterface(detectLocal.name);
    case 'InterfaceNamePrefix':
      return byInterface(`${detectLocal.prefix}+`);
  }
}

function bySource(cidrs: NodePlan['spec']['podCidrs'], family: Family): LocalTraffic | null {
  const cidr = cidrs.find((c) => c.address.family === family);
  return cidr === undefined ? null : { is: source(cidr), isNot: notSource(cidr) };
}

const byInterface = (name: string): LocalTraffic => ({ is: inInterface(name), isNot: notInInterface(name) });
