/** The chains and rules that kube-proxy programs whatever the services are (pkg/proxy/iptables/proxier.go: syncProxyRules). */
import type { Family } from '../../net/address.ts';
import type { TableName } from '../../topology/netfilter.ts';
import type { Origin } from '../../topology/origin.ts';
import {
  accept, comment, drop, inState, jump, marked, masqueradeRandomFully, notMarked, orMark, place, returns, xorMark,
} from '../iptables-rule.ts';
import type { Part, Placed } from '../iptables-rule.ts';
import { firewallJumps, kubeletRules, localnetRule } from '../kubelet.ts';
import type { NodePlan, Plan } from '../plan.ts';
import { answersOnLocalhost } from './node-ports.ts';
import { CANARY, EXTERNAL_SERVICES, FORWARD, KUBELET_FIREWALL, MARK_MASQ, MASQUERADE_MARK, NODE_PORTS, POSTROUTING, PROXY_FIREWALL, SERVICES } from './names.ts';

/** The user chains that always exist, empty or not. */
export const FIXED_CHAINS: readonly (readonly [TableName, readonly string[]])[] = [
  ['mangle', [CANARY]],
  ['filter', [EXTERNAL_SERVICES, KUBELET_FIREWALL, FORWARD, NODE_PORTS, CANARY, PROXY_FIREWALL, SERVICES]],
  ['nat', [MARK_MASQ, NODE_PORTS, POSTROUTING, CANARY, SERVICES]],
];

interface JumpRule {
  readonly table: TableName;
  readonly from: string;
  readonly to: string;
  readonly parts: readonly Part[];
}

const FIREWALL = [inState('NEW'), comment('kubernetes load balancer firewall')];
const PORTALS = [inState('NEW'), comment('kubernetes service portals')];
const EXTERNAL_PORTALS = [inState('NEW'), comment('kubernetes externally-visible service portals')];

/** Each is prepended to its chain when kube-proxy starts, so the table below is in the reverse of the program's order. */
const JUMPS: readonly JumpRule[] = [
  { table: 'filter', from: 'INPUT', to: PROXY_FIREWALL, parts: FIREWALL },
  { table: 'filter', from: 'INPUT', to: NODE_PORTS, parts: [comment('kubernetes health check service ports')] },
  { table: 'filter', from: 'INPUT', to: EXTERNAL_SERVICES, parts: EXTERNAL_PORTALS },
  { table: 'filter', from: 'FORWARD', to: PROXY_FIREWALL, parts: FIREWALL },
  { table: 'filter', from: 'FORWARD', to: FORWARD, parts: [comment('kubernetes forwarding rules')] },
  { table: 'filter', from: 'FORWARD', to: SERVICES, parts: PORTALS },
  { table: 'filter', from: 'FORWARD', to: EXTERNAL_SERVICES, parts: EXTERNAL_PORTALS },
  { table: 'filter', from: 'OUTPUT', to: PROXY_FIREWALL, parts: FIREWALL },
  { table: 'filter', from: 'OUTPUT', to: SERVICES, parts: PORTALS },
  { table: 'nat', from: 'PREROUTING', to: SERVICES, parts: [comment('kubernetes service portals')] },
  { table: 'nat', from: 'OUTPUT', to: SERVICES, parts: [comment('kubernetes service portals')] },
  { table: 'nat', from: 'POSTROUTING', to: POSTROUTING, parts: [comment('kubernetes postrouting rules')] },
];

/** Jumps, marks, forwarding and postrouting: everything that stands before the services' own rules. */
export function fixedRules(plan: Plan, node: NodePlan, family: Family, origin: Origin): readonly Placed[] {
  const settings = plan.settings.kubeProxy;
  // kubelet was there before, and what it wrote stays where it is; else these jumps are ensured last, and stand in front.
  const byKubelet = kubeletRules(plan, node, family);
  return [
    ...(byKubelet.length > 0 ? [] : firewallJumps(origin)),
    ...JUMPS.map((j) => place(j.table, j.from, j.parts, jump(j.to), origin)),
    ...(byKubelet.length === 0 && family === 4 && answersOnLocalhost(settings, node) ? [localnetRule(origin)] : []),
    ...(settings.tcpBeLiberal ? [] : [place('filter', FORWARD, [inState('INVALID')], drop, origin)]),
    place('filter', FORWARD, [comment('kubernetes forwarding rules'), marked(MASQUERADE_MARK)], accept, origin),
    place('filter', FORWARD, [comment('kubernetes forwarding conntrack rule'), inState('RELATED', 'ESTABLISHED')], accept, origin),
    place('nat', MARK_MASQ, [], orMark(MASQUERADE_MARK), origin),
    place('nat', POSTROUTING, [notMarked(MASQUERADE_MARK)], returns, origin),
    place('nat', POSTROUTING, [], xorMark(MASQUERADE_MARK), origin),
    place('nat', POSTROUTING, [comment('kubernetes service traffic requiring SNAT')], masqueradeRandomFully, origin),
  ];
}
