/** flannel's own chains: FLANNEL-FWD and FLANNEL-POSTRTG (pkg/trafficmngr/iptables/iptables.go). */
import { networkOf, parsePrefix } from '../../net/address.ts';
import type { Family, Prefix } from '../../net/address.ts';
import { derived } from '../../topology/origin.ts';
import { accept, comment, destination, jump, marked, masqueradeRandomFully, notDestination, notSource, place, returns, source } from '../iptables-rule.ts';
import type { Part, Placed, TargetPart } from '../iptables-rule.ts';
import { MASQUERADE_MARK } from '../kube-proxy/names.ts';
import type { NodePlan, Plan } from '../plan.ts';
import { podNetworkOf } from '../settings.ts';

export const FORWARD_CHAIN = 'FLANNEL-FWD';
export const POSTROUTING_CHAIN = 'FLANNEL-POSTRTG';

const MULTICAST: Readonly<Record<Family, Prefix>> = { 4: parsePrefix('224.0.0.0/4') as Prefix, 6: parsePrefix('ff00::/8') as Prefix };

export function flannelRules(plan: Plan, node: NodePlan, family: Family): readonly Placed[] {
  const { flannel } = plan.settings;
  const network = podNetworkOf(plan.settings, family);
  const lease = node.leases.find((l) => l.subnet.address.family === family);
  if (flannel.backend === 'none' || network === undefined || lease === undefined) return [];
  const net = networkOf(network);
  return [...forwardRules(plan, node, net), ...(flannel.masquerade ? masqueradeRules(plan, node, net, lease.subnet) : [])];
}

function forwardRules(plan: Plan, node: NodePlan, net: Prefix): readonly Placed[] {
  const origin = derived('flannel', 'the forwarding of the pod network', plan.settings.at ?? node.spec.at);
  const label = comment('flanneld forward');
  return [
    place('filter', 'FORWARD', [label], jump(FORWARD_CHAIN), origin),
    place('filter', FORWARD_CHAIN, [source(net), label], accept, origin),
    place('filter', FORWARD_CHAIN, [destination(net), label], accept, origin),
  ];
}

/** What leaves the pod network is masqueraded; what stays in it, or was marked by kube-proxy, is not. */
function masqueradeRules(plan: Plan, node: NodePlan, net: Prefix, subnet: Prefix): readonly Placed[] {
  const origin = derived('flannel', `the masquerading of ${node.spec.name}'s pods`, plan.settings.at ?? node.spec.at);
  const label = comment('flanneld masq');
  const rule = (parts: readonly Part[], target: TargetPart): Placed => place('nat', POSTROUTING_CHAIN, [...parts, label], target, origin);
  return [
    place('nat', 'POSTROUTING', [label], jump(POSTROUTING_CHAIN), origin),
    place('nat', POSTROUTING_CHAIN, [marked(MASQUERADE_MARK), label], returns, origin),
    rule([source(subnet), destination(net)], returns),
    rule([source(net), destination(subnet)], returns),
    rule([notSource(net), destination(subnet)], returns),
    rule([source(net), notDestination(MULTICAST[net.address.family])], masqueradeRandomFully),
    rule([notSource(net), destination(net)], masqueradeRandomFully),
  ];
}
