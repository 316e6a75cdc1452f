/**
 * Connection tracking: PREROUTING and OUTPUT at -200, confirmed at the end of POSTROUTING and INPUT.
 *
 *   raw -300 -> [conntrack -200] -> mangle -> nat … filter … nat 100 -> [confirm]
 *
 * net/netfilter/nf_conntrack_core.c: nf_conntrack_in, resolve_normal_ct, __nf_conntrack_confirm;
 * nf_conntrack_proto_icmp.c: nf_conntrack_inet_error.
 */
import { sameAddress } from '../../net/address.ts';
import type { Hook } from '../../trace/model.ts';
import type { ConntrackRecord } from '../../topology/netfilter.ts';
import type { Origin } from '../../topology/origin.ts';
import type { CompiledNamespace } from '../compile.ts';
import { ACK, endpointText, FIN, isIcmpError, RST, SYN } from '../packet.ts';
import type { Packet } from '../packet.ts';
import { end, kernel, sourceOf, step, withSkb } from '../run-state.ts';
import type { Fate, Run, Skb } from '../run-state.ts';
import { fromOtherPorts, tupleOfRecord } from './captured-flows.ts';
import type { CapturedTuple } from './captured-flows.ts';
import { inverse, sameInZone, startsIcmpFlow, tupleHash, tupleOf, tupleText } from './tuple.ts';
import type { Tuple } from './tuple.ts';

export type Direction = 'original' | 'reply';

/** One flow; mutable, as the kernel's nf_conn, and owned by one run. */
export interface ConntrackEntry {
  readonly original: Tuple;
  reply: Tuple;
  readonly zones: Readonly<Record<Direction, number>>;
  /** What the node printed of it; `null`: it begins in this run. */
  readonly record: ConntrackRecord | null;
  confirmed: boolean;
  seenReply: boolean;
  readonly assured: boolean;
  mark: number;
  sourceNat: boolean;
  destinationNat: boolean;
  /** Which half is settled: nat rules are asked once for each. */
  sourceSettled: boolean;
  destinationSettled: boolean;
  /** The rule that decided the translation, and what it leaves open. */
  sourceRule: NatRule | null;
  destinationRule: NatRule | null;
}

export interface NatRule {
  readonly origin: Origin;
  readonly text: string;
  /** "any port of 1024-65535" where the kernel picks at random. */
  readonly open: string | null;
}

export interface Tracked {
  /** `null`: invalid, untracked, or only a zone so far. */
  readonly entry: ConntrackEntry | null;
  readonly direction: Direction;
  readonly info: 'new' | 'established' | 'related' | 'invalid' | 'untracked' | 'template';
  readonly zones: Readonly<Record<Direction, number>>;
}

export interface ConntrackTable {
  /** Flows by the hash of either of their tuples. */
  readonly byHash: Map<number, Entered[]>;
  /** What the node knew before, until a packet belongs to it. */
  readonly captured: ReadonlyMap<number, readonly CapturedTuple[]>;
  /** Of these, what is entered above, or was deleted since. */
  readonly gone: Set<ConntrackRecord>;
}

interface Entered {
  readonly tuple: Tuple;
  readonly entry: ConntrackEntry;
  readonly direction: Direction;
}

const NO_ZONES = { original: 0, reply: 0 };

export const UNTRACKED: Tracked = { entry: null, direction: 'original', info: 'untracked', zones: NO_ZONES };

export const template = (zones: Readonly<Record<Direction, number>>): Tracked => ({ entry: null, direction: 'original', info: 'template', zones });

export function conntrackTable(run: Run, ns: CompiledNamespace): ConntrackTable {
  const known = run.conntrack.get(ns.index);
  if (known !== undefined) return known;
  const table: ConntrackTable = { byHash: new Map(), captured: ns.flows(), gone: new Set() };
  run.conntrack.set(ns.index, table);
  return table;
}

type Zones = Readonly<Record<Direction, number>>;

/**
 * What the table has under a tuple in a zone, for who has these zones: of an entry's tuple the zone is compared that is
 * the asker's for that tuple's direction (nf_ct_key_equal: nf_ct_zone_equal).
 */
function inTable(table: ConntrackTable, tuple: Tuple, zone: number, zones: Zones): Entered | undefined {
  const hash = tupleHash(tuple);
  const isIt = (each: { readonly tuple: Tuple }): boolean => each.tuple.zone === zone && sameInZone(each.tuple, tuple);
  const isEntered = (each: Entered): boolean => isIt(each) && zones[each.direction] === zone;
  const entered = table.byHash.get(hash)?.find(isEntered);
  if (entered !== undefined || table.captured.size === 0) return entered;
  const record = table.captured.get(hash)?.find((each) => isIt(each) && !table.gone.has(each.record))?.record;
  if (record === undefined) return undefined;
  const entry = entryOf(record);
  table.gone.add(record);
  enter(table, entry.original, entry, 'original');
  enter(table, entry.reply, entry, 'reply');
  return table.byHash.get(hash)?.find(isEntered);
}

function leave(table: ConntrackTable, entry: ConntrackEntry): void {
  for (const [hash, entered] of table.byHash) table.byHash.set(hash, entered.filter((each) => each.entry !== entry));
}

/** The newest comes first (__nf_conntrack_hash_insert: hlist_nulls_add_head_rcu). */
function enter(table: ConntrackTable, tuple: Tuple, entry: ConntrackEntry, direction: Direction): void {
  const hash = tupleHash(tuple);
  const same = table.byHash.get(hash);
  if (same === undefined) table.byHash.set(hash, [{ tuple, entry, direction }]);
  else same.unshift({ tuple, entry, direction });
}

/** The tuple as the table has it for a packet of this direction; a zone may hold for one direction only. */
function find(table: ConntrackTable, packet: Packet, zones: Zones, tuple = tupleOf(packet, 0)): Entered | undefined {
  if (table.byHash.size === 0 && table.captured.size === 0) return undefined;
  return inTable(table, tuple, zones.original, zones) ?? inTable(table, tuple, zones.reply, zones);
}

/** Gives the packet its flow, and writes the step. Loopback's second pass and NOTRACK change nothing. */
export function track(run: Run, ns: CompiledNamespace, hook: Hook, skb: Skb): Skb {
  const before = skb.tracked;
  if (before !== null && before.info !== 'template') return skb;
  const zones = before?.zones ?? NO_ZONES;
  const tracked = resolve(conntrackTable(run, ns), skb.packet, zones);
  report(run, ns, hook, tracked);
  if (tracked.info === 'new' && tracked.entry !== null && tracked.entry.record === null) tellOtherPorts(run, ns, tracked.entry.original);
  return withSkb(skb, { tracked });
}

function resolve(table: ConntrackTable, packet: Packet, zones: Readonly<Record<Direction, number>>): Tracked {
  const invalid: Tracked = { entry: null, direction: 'original', info: 'invalid', zones };
  if (isIcmpError(packet)) return relatedTo(table, packet, zones) ?? invalid;
  const hit = find(table, packet, zones);
  if (hit !== undefined && isReopened(hit, packet)) leave(table, hit.entry);
  else if (hit !== undefined) {
    if (hit.direction === 'reply') hit.entry.seenReply = true;
    return { entry: hit.entry, direction: hit.direction, info: hit.entry.seenReply ? 'established' : 'new', zones };
  }
  if (!startsFlow(packet)) return invalid;
  return { entry: newEntry(packet, zones), direction: 'original', info: 'new', zones };
}

/** nf_conntrack_tcp_packet: a SYN on a connection that is over begins another with the same ports. */
const isReopened = ({ entry, direction }: Entered, { transport }: Packet): boolean =>
  transport.kind === 'tcp' && direction === 'original' && (transport.flags & (SYN | ACK | RST)) === SYN && ['TIME_WAIT', 'CLOSE'].includes(entry.record?.state ?? '');

/** A flow that the node printed: settled, and translated where its two tuples are not each other's inverse. */
function entryOf(record: ConntrackRecord): ConntrackEntry {
  const original = tupleOfRecord(record, 'original');
  const reply = tupleOfRecord(record, 'reply');
  const plain = inverse(original, reply.zone);
  const icmp = plain.icmpType !== null;
  return {
    original, reply, zones: record.zones, record, confirmed: true, seenReply: record.seenReply, assured: record.assured, mark: record.mark,
    // The identifier of a ping, which stands for both ports, is translated with the source.
    sourceNat: !sameAddress(plain.destination, reply.destination) || plain.destinationPort !== reply.destinationPort,
    destinationNat: !sameAddress(plain.source, reply.source) || (!icmp && plain.sourcePort !== reply.sourcePort),
    sourceSettled: true, destinationSettled: true, sourceRule: null, destinationRule: null,
  };
}

function newEntry(packet: Packet, zones: Readonly<Record<Direction, number>>): ConntrackEntry {
  return {
    original: tupleOf(packet, zones.original),
    reply: inverse(tupleOf(packet, 0), zones.reply),
    zones,
    record: null,
    confirmed: false,
    seenReply: false,
    assured: false,
    mark: 0,
    sourceNat: false,
    destinationNat: false,
    sourceSettled: false,
    destinationSettled: false,
    sourceRule: null,
    destinationRule: null,
  };
}

/** The flow whose packet an error quotes; the error goes against that packet's direction. */
function relatedTo(table: ConntrackTable, packet: Packet, zones: Readonly<Record<Direction, number>>): Tracked | undefined {
  const quoted = packet.transport.kind === 'icmp' ? packet.transport.quoted : null;
  if (quoted === null) return undefined;
  const hit = find(table, quoted, zones, inverse(tupleOf(quoted, 0)));
  if (hit === undefined) return undefined;
  // nf_conntrack_inet_error: an error for somebody else than the flow's sender is invalid.
  const tuple = hit.direction === 'original' ? hit.entry.original : hit.entry.reply;
  if (!sameAddress(tuple.destination, packet.ip.destination)) return undefined;
  return { entry: hit.entry, direction: hit.direction, info: 'related', zones };
}

/** tcp_new (loose: a bare ACK is picked up), sctp_new, icmp_pkt_to_tuple. */
function startsFlow(packet: Packet): boolean {
  const { transport, ip } = packet;
  switch (transport.kind) {
    case 'tcp':
      return (transport.flags & (RST | FIN)) === 0 && (transport.flags & (SYN | ACK)) !== 0 && (transport.flags & (SYN | ACK)) !== (SYN | ACK);
    case 'sctp':
      return transport.chunk === 'INIT';
    case 'icmp':
      return startsIcmpFlow(ip.family, transport.type);
    case 'udp':
      return true;
  }
}

/** What a locally made error or reset carries: the flow of the packet that it is about (nf_conntrack_attach). */
export const attachedTo = (tracked: Tracked | null): Tracked | null =>
  tracked === null || tracked.entry === null ? null : { ...tracked, info: 'related', direction: tracked.direction === 'original' ? 'reply' : 'original' };

export const stateName = (tracked: Tracked | null): 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED' => {
  switch (tracked?.info) {
    case 'new':
      return 'NEW';
    case 'established':
      return 'ESTABLISHED';
    case 'related':
      return 'RELATED';
    case 'untracked':
      return 'UNTRACKED';
    case 'invalid':
    case 'template':
    case undefined:
      return 'INVALID';
  }
};

function report(run: Run, ns: CompiledNamespace, hook: Hook, tracked: Tracked): void {
  const state = stateName(tracked);
  const { entry } = tracked;
  const original = entry === null ? '' : tupleText(entry.original);
  const reply = entry === null ? '' : tupleText(entry.reply);
  const sentence =
    entry === null
      ? `conntrack on ${ns.label} knows no flow that this packet could belong to: ${state}.`
      : entry.record !== null
        ? `${ns.label} knows the flow ${original} already, and its answers as ${reply}: ${state}. No nat rule is asked.`
        : `conntrack on ${ns.label}: ${state}, ${tracked.direction === 'reply' ? 'an answer to' : 'of'} ${original}.`;
  const record = entry?.record ?? null;
  step(run, { stage: 'conntrack', hook, state, original, reply, sentence, source: record === null ? kernel('connection tracking') : sourceOf(record.origin) });
}

/** A client that keeps its port goes where its earlier packets went; the trace takes it to have a new one. */
function tellOtherPorts(run: Run, ns: CompiledNamespace, tuple: Tuple): void {
  const known = fromOtherPorts(ns.namespace.conntrack, tuple);
  const [first] = known;
  if (first === undefined) return;
  const to = [...new Set(known.map(({ reply }) => endpointText(reply.source, reply.ports?.source ?? null)))];
  const ports = known.map(({ original }) => original.ports?.source ?? 0);
  const sentence = `The client's port ${tuple.sourcePort} is taken to be a new one; from ${named(ports.map(String))} ${ns.label} knows the same flow already, to ${named(to)}.`;
  step(run, { stage: 'assumption', sentence, source: sourceOf(first.origin) });
}

const FEW = 3;

const named = (texts: readonly string[]): string => (texts.length <= FEW ? texts.join(', ') : `${texts.slice(0, FEW).join(', ')} and ${texts.length - FEW} others`);

/** Enters a new flow into the table; `null` where all is well. */
export function confirm(run: Run, ns: CompiledNamespace, skb: Skb): Fate | null {
  const entry = skb.tracked?.entry ?? null;
  if (entry === null || entry.confirmed || skb.tracked?.direction !== 'original') return null;
  const table = conntrackTable(run, ns);
  for (const tuple of [entry.original, entry.reply]) {
    if (inTable(table, tuple, tuple.zone, entry.zones) !== undefined) return end(run, ns, skb, 'conntrack-clash', { what: tupleText(tuple) });
  }
  entry.confirmed = true;
  enter(table, entry.original, entry, 'original');
  enter(table, entry.reply, entry, 'reply');
  return null;
}

/** The other flow that has the tuple which this one's replies would have (nf_nat_used_tuple). */
function takenBy(run: Run, ns: CompiledNamespace, reply: Tuple, except: ConntrackEntry): ConntrackEntry | null {
  const hit = inTable(conntrackTable(run, ns), reply, reply.zone, except.zones);
  return hit === undefined || hit.entry === except ? null : hit.entry;
}

export const taken = (run: Run, ns: CompiledNamespace, reply: Tuple, except: ConntrackEntry): boolean => takenBy(run, ns, reply, except) !== null;

/**
 * Whether the tuple is taken for a flow that nothing has translated: the same datagrams the other way round, in another
 * zone, are let be, and the clash is found when the flow is confirmed (nf_nat_core.c: nf_nat_used_tuple_new).
 */
export function takenUnchanged(run: Run, ns: CompiledNamespace, reply: Tuple, entry: ConntrackEntry): boolean {
  const other = takenBy(run, ns, reply, entry);
  if (other === null) return false;
  const isPlain = ![entry, other].some((each) => each.sourceNat || each.destinationNat);
  return !(entry.original.protocol === UDP && isPlain && sameInZone(other.original, reply));
}

const UDP = 17;
