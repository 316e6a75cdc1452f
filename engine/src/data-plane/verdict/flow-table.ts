/**
 * Connection tracking over numbers, as netfilter/conntrack.ts. A run has a handful of flows, so a table is the list of
 * them; without zones, and without ICMP errors, which the exact engine follows.
 *
 * net/netfilter/nf_conntrack_core.c: nf_conntrack_in, __nf_conntrack_confirm.
 */
import { reasonId } from './reason-id.ts';
import { flowOf, hasPorts } from './rule-match.ts';
import { endHere, giveUp, INFO } from './scratch.ts';
import type { FlowRecord, PacketRecord, Scratch } from './scratch.ts';

const CONNTRACK_CLASH = reasonId('conntrack-clash');

/** Gives the packet its flow; loopback's second pass changes nothing. */
export function track(s: Scratch): void {
  if (s.info !== INFO.none) return;
  // What the node knew before is rare enough to be the exact engine's.
  if (s.namespace.compiled.namespace.conntrack.length > 0) giveUp(s);
  const p = s.packet;
  const { flows, namespace } = s;
  for (let i = 0; i < s.flowCount; i++) {
    const flow = flows[i] as FlowRecord;
    if (!flow.confirmed || flow.namespace !== namespace.index || flow.protocol !== p.protocol) continue;
    if (isOriginal(s, flow, p.source, p.sourcePort, p.destination, p.destinationPort, p.icmpType)) {
      s.tracked = i;
      s.isReply = false;
      s.info = flow.seenReply ? INFO.established : INFO.new;
      return;
    }
    if (isReply(s, flow, p.source, p.sourcePort, p.destination, p.destinationPort, p.icmpType)) {
      flow.seenReply = true;
      s.tracked = i;
      s.isReply = true;
      s.info = INFO.established;
      return;
    }
  }
  s.isReply = false;
  if (!startsFlow(p)) {
    s.tracked = -1;
    s.info = INFO.invalid;
    return;
  }
  s.info = INFO.new;
  s.tracked = newFlow(s, p);
}

/** Between equal addresses the ports decide, the sender's own among them. */
function isOriginal(s: Scratch, f: FlowRecord, source: number, sourcePort: number, destination: number, destinationPort: number, icmpType: number): boolean {
  if (f.source !== source || f.destination !== destination) return false;
  s.portAsked = true;
  return f.sourcePort === sourcePort && f.destinationPort === destinationPort && f.icmpType === icmpType;
}

function isReply(s: Scratch, f: FlowRecord, source: number, sourcePort: number, destination: number, destinationPort: number, icmpType: number): boolean {
  if (f.replySource !== source || f.replyDestination !== destination) return false;
  s.portAsked = true;
  return f.replySourcePort === sourcePort && f.replyDestinationPort === destinationPort && f.replyIcmpType === icmpType;
}

const FIN_RST = 5;
const SYN_ACK = 18;
const TCP = 6;
const SCTP = 132;
const SCTP_INIT = 1;

/** tcp_new, sctp_new, icmp_pkt_to_tuple; of ICMP only pings are sent. */
function startsFlow(p: PacketRecord): boolean {
  if (p.protocol === TCP) return (p.flags & FIN_RST) === 0 && (p.flags & SYN_ACK) !== 0 && (p.flags & SYN_ACK) !== SYN_ACK;
  if (p.protocol === SCTP) return p.flags === SCTP_INIT;
  return hasPorts(p) || p.icmpType === 8 || p.icmpType === 128;
}

/** The answer's type to a ping, and back; other messages are not sent. */
const inverseType = (type: number): number => (type === 8 ? 0 : type === 0 ? 8 : type === 128 ? 129 : type === 129 ? 128 : type);

function newFlow(s: Scratch, p: PacketRecord): number {
  const i = s.flowCount;
  const flow = s.flows[i];
  if (flow === undefined) {
    giveUp(s);
    return -1;
  }
  s.flowCount = i + 1;
  flow.namespace = s.namespace.index;
  flow.protocol = p.protocol;
  flow.source = p.source;
  flow.sourcePort = p.sourcePort;
  flow.destination = p.destination;
  flow.destinationPort = p.destinationPort;
  flow.icmpType = p.icmpType;
  flow.replySource = p.destination;
  flow.replySourcePort = p.destinationPort;
  flow.replyDestination = p.source;
  flow.replyDestinationPort = p.sourcePort;
  flow.replyIcmpType = inverseType(p.icmpType);
  flow.confirmed = false;
  flow.seenReply = false;
  flow.mark = 0;
  flow.sourceNat = false;
  flow.destinationNat = false;
  flow.sourceSettled = false;
  flow.destinationSettled = false;
  return i;
}

/** Enters a new flow into the table; false where it clashes with another. */
export function confirm(s: Scratch): boolean {
  if (s.tracked < 0 || s.isReply) return true;
  const flow = flowOf(s);
  if (flow.confirmed) return true;
  const mirrored = isReply(s, flow, flow.source, flow.sourcePort, flow.destination, flow.destinationPort, flow.icmpType);
  if (mirrored) {
    // Both directions have one tuple, and which of them a packet belongs to is the table's order.
    giveUp(s);
    return false;
  }
  if (
    isTaken(s, flow, flow.source, flow.sourcePort, flow.destination, flow.destinationPort, flow.icmpType) ||
    isTaken(s, flow, flow.replySource, flow.replySourcePort, flow.replyDestination, flow.replyDestinationPort, flow.replyIcmpType)
  ) {
    endHere(s, CONNTRACK_CLASH);
    return false;
  }
  flow.confirmed = true;
  return true;
}

/** Whether another confirmed flow of this namespace has the tuple, in either direction (nf_nat_used_tuple). */
export function isTaken(s: Scratch, except: FlowRecord, source: number, sourcePort: number, destination: number, destinationPort: number, icmpType: number): boolean {
  for (let i = 0; i < s.flowCount; i++) {
    const other = s.flows[i] as FlowRecord;
    if (other === except || !other.confirmed || other.namespace !== except.namespace || other.protocol !== except.protocol) continue;
    if (isOriginal(s, other, source, sourcePort, destination, destinationPort, icmpType) || isReply(s, other, source, sourcePort, destination, destinationPort, icmpType)) return true;
  }
  return false;
}
