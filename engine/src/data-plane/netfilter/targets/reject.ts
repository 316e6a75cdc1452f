/** REJECT: an ICMP error or a TCP reset goes back, the packet ends (ipt_REJECT.c, nf_reject_ipv4.c, nf_reject_ipv6.c). */
import { isMulticast } from '../../../net/address.ts';
import type { Target } from '../../../topology/netfilter.ts';
import { icmpError } from '../../icmp-error.ts';
import { RST, withFrame } from '../../packet.ts';
import type { TcpSegment } from '../../packet.ts';
import { end, sourceOf } from '../../run-state.ts';
import type { PendingAnswer, Run, Skb } from '../../run-state.ts';
import type { StepSource } from '../../../trace/model.ts';
import type { CompiledNamespace } from '../../compile.ts';
import { resetFor } from '../../answers.ts';
import { lookup } from '../../route.ts';
import { attachedTo } from '../conntrack.ts';
import type { MatchInput } from '../matches/match.ts';
import { ended } from './target.ts';
import type { TargetResult } from './target.ts';

export const REJECT_CODES: Readonly<Record<string, readonly [type: number, code: number]>> = {
  'icmp-net-unreachable': [3, 0],
  'icmp-host-unreachable': [3, 1],
  'icmp-proto-unreachable': [3, 2],
  'icmp-port-unreachable': [3, 3],
  'icmp-net-prohibited': [3, 9],
  'icmp-host-prohibited': [3, 10],
  'icmp-admin-prohibited': [3, 13],
  'icmp6-no-route': [1, 0],
  'icmp6-adm-prohibited': [1, 1],
  'icmp6-addr-unreachable': [1, 3],
  'icmp6-port-unreachable': [1, 4],
  'icmp6-policy-fail': [1, 5],
  'icmp6-reject-route': [1, 6],
};

export function applyReject(target: Extract<Target, { kind: 'reject' }>, input: MatchInput): TargetResult {
  const { run, ns, skb, at, rule } = input;
  const source = sourceOf(rule.origin);
  if (target.with === 'tcp-reset') {
    const { transport } = skb.packet;
    if (transport.kind === 'tcp' && !isReset(transport)) {
      const answer = reset(run, ns, skb, transport, source);
      if (answer !== null) run.answers.push(answer);
    }
  } else if (REJECT_CODES[target.with] === undefined) {
    return ended(end(run, ns, skb, 'target-unknown', { rule: rule.text, what: `REJECT --reject-with ${target.with}` }, source));
  } else if (!isMulticast(skb.packet.ip.destination)) {
    const [type, code] = REJECT_CODES[target.with] ?? [3, 3];
    icmpError(run, ns, skb, { type, code, mtu: null, destinationLocal: at.destinationLocal }, source);
  }
  return ended(end(run, ns, skb, 'rule-reject', { rule: rule.text }, source));
}

/**
 * What a bridge port brought is answered by that port at once, from the MAC that was asked: the reset passes no chain, so
 * nothing translates it back (nf_reject_ipv4.c, nf_reject_ipv6.c: nf_send_reset, where nf_bridge_info_exists).
 */
function reset(run: Run, ns: CompiledNamespace, skb: Skb, segment: TcpSegment, source: StepSource): PendingAnswer | null {
  const { frame } = skb.packet;
  const packet = resetFor(run, ns, skb.packet, segment);
  const answer = { kind: 'reset', ns, tracked: attachedTo(skb.tracked), source } as const;
  if (skb.physIn === null || frame === null) return { ...answer, packet, device: null, sentence: `${ns.label} sends a TCP reset back.` };
  // It needs a route back all the same (ip_route_me_harder).
  const { family } = packet.ip;
  const route = lookup(run, ns, { family, destination: packet.ip.destination, source: packet.ip.source, mark: 0, protocol: packet.ip.protocol, tos: 0, input: 'lo', output: null });
  if (route.kind !== 'found') return null;
  const back = withFrame(packet, { ...frame, source: frame.destination, destination: frame.source });
  return { ...answer, packet: back, device: skb.physIn, sentence: `${ns.label} sends a TCP reset straight out of ${skb.physIn}, past every chain.` };
}

const isReset = (segment: TcpSegment): boolean => (segment.flags & RST) !== 0;
