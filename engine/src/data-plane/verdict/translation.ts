/**
 * NAT over numbers, as netfilter/nat.ts: which tuple a flow gets, and putting it into packets.
 * net/netfilter/nf_nat_core.c: nf_nat_setup_info, get_unique_tuple, nf_nat_packet.
 */
import type { NatRange, Target } from '../../topology/netfilter.ts';
import { sameAddress } from '../../net/address.ts';
import { drawnFrom } from '../netfilter/nat.ts';
import { interfaceAddress } from '../source-address.ts';
import { addressId, addressOf } from './address-book.ts';
import { isTaken } from './flow-table.ts';
import { pairGet, pairSet } from './pair-table.ts';
import { INPUT, POSTROUTING } from './program.ts';
import { flowOf, hasPorts } from './rule-match.ts';
import { giveUp } from './scratch.ts';
import type { FlowRecord, Scratch } from './scratch.ts';

type NatTarget = Extract<Target, { kind: 'dnat' | 'snat' | 'masquerade' | 'redirect' }>;

/** The half that nat works on at the packet's hook. */
export const isSourceHalf = (s: Scratch): boolean => s.hook === POSTROUTING || s.hook === INPUT;

export const isSettled = (s: Scratch, flow: FlowRecord): boolean => (isSourceHalf(s) ? flow.sourceSettled : flow.destinationSettled);

/** False where the exact engine must go on. */
export function translateByRule(s: Scratch, target: NatTarget): boolean {
  if ((target.kind === 'dnat') === isSourceHalf(s)) return failed(s);
  if (s.tracked < 0) return true;
  if ('range' in target) {
    const { range } = target;
    if (range.from !== null && range.to !== null && !sameAddress(range.from, range.to)) return failed(s);
    return settle(s, rangeAddress(s, range), range.ports, range.random || range.randomFully);
  }
  const address = target.kind === 'redirect' ? -1 : masqueradeAddress(s);
  return address < 0 ? failed(s) : settle(s, address, target.ports, target.random || target.randomFully);
}

/** -1: the address stays. Kept by the range, for a large word of an address may be put on the heap by the look-up. */
function rangeAddress(s: Scratch, range: NatRange): number {
  const known = s.memo.ranges.get(range);
  if (known !== undefined) return known;
  const made = range.from === null ? -1 : addressId(s.book, range.from);
  s.memo.ranges.set(range, made);
  return made;
}

function failed(s: Scratch): boolean {
  giveUp(s);
  return false;
}

/** nf_nat_masquerade.c: the outgoing device's address for the next hop. */
function masqueradeAddress(s: Scratch): number {
  const { output, packet } = s;
  if (output === null) return -1;
  const towards = s.nextHop < 0 ? packet.destination : s.nextHop;
  const known = pairGet(s.memo.masquerade, output.id, towards);
  if (known >= 0) return known - 1;
  const address = interfaceAddress(s.namespace.compiled, output.name, packet.family === 0 ? 4 : 6, addressOf(s.book, towards));
  const id = address === null ? -1 : addressId(s.book, address);
  pairSet(s.memo.masquerade, output.id, towards, id + 1);
  return id;
}

/** Settles one half of the packet's flow, to this address (-1: its own) and these ports. */
export function settle(s: Scratch, address: number, range: NatRange['ports'], random: boolean): boolean {
  const flow = flowOf(s);
  const source = isSourceHalf(s);
  // The tuple that the flow has now is its replies' turned round.
  const oldSource = flow.replyDestination;
  const oldDestination = flow.replySource;
  const own = source ? flow.replyDestinationPort : flow.replySourcePort;
  const newSource = source && address >= 0 ? address : oldSource;
  const newDestination = !source && address >= 0 ? address : oldDestination;
  const port = choosePort(s, flow, newSource, newDestination, own, range, random);
  if (port < 0) return failed(s);
  const icmp = flow.icmpType >= 0;
  const sourcePort = icmp || source ? port : flow.replyDestinationPort;
  const destinationPort = icmp || !source ? port : flow.replySourcePort;
  const changed = newSource !== oldSource || newDestination !== oldDestination || port !== own;
  flow.replySource = newDestination;
  flow.replySourcePort = destinationPort;
  flow.replyDestination = newSource;
  flow.replyDestinationPort = sourcePort;
  if (source) {
    flow.sourceNat ||= changed;
    flow.sourceSettled = true;
  } else {
    flow.destinationNat ||= changed;
    flow.destinationSettled = true;
  }
  return true;
}

/** get_unique_tuple; -1: none, or one that only the exact engine knows. */
function choosePort(s: Scratch, flow: FlowRecord, source: number, destination: number, own: number, range: NatRange['ports'], random: boolean): number {
  const sourceHalf = isSourceHalf(s);
  if (flow.icmpType >= 0 || (sourceHalf && (random || range !== null))) s.portAsked = true;
  if (!random) {
    if (range === null ? !sourceHalf || isFree(s, flow, source, destination, own) : own >= range.from && own <= range.to && isFree(s, flow, source, destination, own)) return own;
    if (range !== null && range.from === range.to) return range.from;
  } else if (!sourceHalf && range === null && flow.icmpType < 0) return own;
  s.portAsked = true;
  // The outer source port of a tunnel is only known to be one of its range.
  if (s.packet.vni >= 0) return -1;
  const icmp = flow.icmpType >= 0;
  const from = range !== null ? range.from : icmp ? 0 : own < 512 ? 1 : own < 1024 ? 600 : 1024;
  const to = range !== null ? range.to : icmp ? 65535 : own < 512 ? 511 : own < 1024 ? 1023 : 65535;
  const size = to - from + 1;
  const start = random ? drawnFrom(tupleHash(s, flow, source, destination), size) : 0;
  for (let i = 0; i < size; i++) {
    const port = from + ((start + i) % size);
    if (isFree(s, flow, source, destination, port)) return port;
  }
  return -1;
}

/** Whether no other flow's replies look like this one's would. */
function isFree(s: Scratch, flow: FlowRecord, source: number, destination: number, port: number): boolean {
  const sourceHalf = isSourceHalf(s);
  const icmp = flow.icmpType >= 0;
  const sourcePort = icmp || sourceHalf ? port : flow.replyDestinationPort;
  const destinationPort = icmp || !sourceHalf ? port : flow.replySourcePort;
  return !isTaken(s, flow, destination, destinationPort, source, sourcePort, flow.replyIcmpType);
}

/** `hashOf(tupleKey(…))` of run-state.ts and tuple.ts, without the text. */
function tupleHash(s: Scratch, flow: FlowRecord, source: number, destination: number): number {
  const { texts } = s.book;
  let hash = feedSpace(feedNumber(0x811c9dc5, 0));
  hash = feedSpace(feedNumber(hash, flow.protocol));
  hash = feedSpace(feedText(hash, texts[source] as string));
  hash = feedSpace(feedNumber(hash, flow.replyDestinationPort));
  hash = feedSpace(feedText(hash, texts[destination] as string));
  hash = feedSpace(feedNumber(hash, flow.replySourcePort));
  return (flow.icmpType >= 0 ? feedNumber(hash, flow.icmpType) : hash) >>> 0;
}

const SPACE = 32;
const ZERO = 48;

const feedSpace = (hash: number): number => Math.imul(hash ^ SPACE, 0x01000193);

function feedText(hash: number, text: string): number {
  let now = hash;
  for (let i = 0; i < text.length; i++) now = Math.imul(now ^ text.charCodeAt(i), 0x01000193);
  return now;
}

function feedNumber(hash: number, n: number): number {
  let now = hash;
  let power = 1;
  while (power * 10 <= n) power *= 10;
  for (; power >= 1; power = Math.floor(power / 10)) now = Math.imul(now ^ (ZERO + (Math.floor(n / power) % 10)), 0x01000193);
  return now;
}

/** Puts one half of the flow's translation into the packet; a reply is translated back in the other half's place. */
export function translate(s: Scratch): void {
  if (s.tracked < 0) return;
  const flow = flowOf(s);
  const source = isSourceHalf(s);
  if (!(source === !s.isReply ? flow.sourceNat : flow.destinationNat)) return;
  const p = s.packet;
  // The tuple of the other direction, turned round.
  const toSource = s.isReply ? flow.destination : flow.replyDestination;
  const toSourcePort = s.isReply ? flow.destinationPort : flow.replyDestinationPort;
  const toDestination = s.isReply ? flow.source : flow.replySource;
  const toDestinationPort = s.isReply ? flow.sourcePort : flow.replySourcePort;
  if (source) p.source = toSource;
  else p.destination = toDestination;
  if (!hasPorts(p)) {
    p.sourcePort = toSourcePort;
    p.destinationPort = toSourcePort;
  } else if (source) p.sourcePort = toSourcePort;
  else p.destinationPort = toDestinationPort;
}
