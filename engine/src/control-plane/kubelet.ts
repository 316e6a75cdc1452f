/**
 * What kubelet writes by itself (pkg/kubelet/kubelet_network_linux.go: syncIPTablesRules): its canaries, the hint at the
 * iptables in use, and in IPv4 KUBE-FIREWALL, which kube-proxy writes likewise. It starts first.
 */
import type { Family } from '../net/address.ts';
import type { TableName } from '../topology/netfilter.ts';
import { derived } from '../topology/origin.ts';
import type { Origin } from '../topology/origin.ts';
import { comment, destination, drop, jump, notInState, notSource, place } from './iptables-rule.ts';
import type { Placed } from './iptables-rule.ts';
import { KUBELET_FIREWALL } from './kube-proxy/names.ts';
import { LOOPBACK } from './kube-proxy/node-ports.ts';
import type { NodePlan, Plan } from './plan.ts';

const CANARY = 'KUBE-KUBELET-CANARY';

export const KUBELET_CHAINS: readonly { readonly table: TableName; readonly chain: string }[] = [
  { table: 'mangle', chain: 'KUBE-IPTABLES-HINT' },
  { table: 'mangle', chain: CANARY },
  { table: 'nat', chain: CANARY },
  { table: 'filter', chain: CANARY },
];

export const firewallJumps = (origin: Origin): readonly Placed[] => (['INPUT', 'OUTPUT'] as const).map((from) => place('filter', from, [], jump(KUBELET_FIREWALL), origin));

/** route_localnet lets packets to 127.0.0.0/8 in from outside; this closes that hole. */
export function localnetRule(origin: Origin): Placed {
  const known = notInState('RELATED', 'ESTABLISHED', 'DNAT');
  return place('filter', KUBELET_FIREWALL, [notSource(LOOPBACK[4]), destination(LOOPBACK[4]), comment('block incoming localnet connections'), known], drop, origin);
}

/** Where kubelet runs. It does not ask whether node ports answer on localhost. */
export function kubeletRules(plan: Plan, node: NodePlan, family: Family): readonly Placed[] {
  if (family === 6 || plan.settings.kubeletChains !== true) return [];
  const origin = derived('kubelet', 'what pretends to come from localhost', plan.settings.at ?? node.spec.at);
  return [...firewallJumps(origin), localnetRule(origin)];
}
