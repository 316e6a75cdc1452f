/**
 * Translation: which tuple a flow gets, and putting it into packets.
 *
 *   DNAT half at PREROUTING and OUTPUT (-100), SNAT half at POSTROUTING and INPUT (100); a reply's un-SNAT is at
 *   PREROUTING and its un-DNAT at POSTROUTING, so between them a packet is half translated.
 *
 * net/netfilter/nf_nat_core.c: nf_nat_inet_fn, nf_nat_setup_info, get_unique_tuple, nf_nat_packet;
 * nf_nat_proto.c: nf_nat_manip_pkt, nf_nat_icmp_reply_translation.
 */
import { addressPlus, compareAddresses, sameAddress } from '../../net/address.ts';
import type { Address } from '../../net/address.ts';
import type { NatRange, PortRange, Rule } from '../../topology/netfilter.ts';
import type { Hook } from '../../trace/model.ts';
import type { CompiledNamespace } from '../compile.ts';
import { destinationText, sourceText, withIp, withPorts, withTransport } from '../packet.ts';
import type { Packet } from '../packet.ts';
import { hashOf, kernel, sourceOf, step, withSkb } from '../run-state.ts';
import type { Run, Skb } from '../run-state.ts';
import { taken, takenUnchanged } from './conntrack.ts';
import type { ConntrackEntry, Direction } from './conntrack.ts';
import { inverse, sameTuple, tupleKey, withEnds } from './tuple.ts';
import type { Tuple } from './tuple.ts';

export type Half = 'source' | 'destination';

export const halfAt = (hook: Hook): Half => (hook === 'POSTROUTING' || hook === 'INPUT' ? 'source' : 'destination');

export const settled = (entry: ConntrackEntry, half: Half): boolean => (half === 'source' ? entry.sourceSettled : entry.destinationSettled);

/** Leaves the flow as it is, but for a source port that another flow has. */
export const NO_CHANGE: NatRange = { from: null, to: null, ports: null, random: false, randomFully: false, persistent: false };

/** Settles one half of a new flow. `false`: no free port. */
export function settle(run: Run, ns: CompiledNamespace, entry: ConntrackEntry, half: Half, range: NatRange, rule: Rule | null): boolean {
  const current = inverse(entry.reply, 0);
  const chosen = unique(run, ns, entry, current, half, range);
  if (chosen === null) return false;
  const changed = !sameTuple(chosen.tuple, current);
  if (changed) entry.reply = inverse(chosen.tuple, entry.zones.reply);
  const natRule = rule === null ? null : { origin: rule.origin, text: rule.text, open: chosen.open };
  if (half === 'source') {
    entry.sourceNat ||= changed;
    entry.sourceSettled = true;
    entry.sourceRule = natRule;
  } else {
    entry.destinationNat ||= changed;
    entry.destinationSettled = true;
    entry.destinationRule = natRule;
  }
  return true;
}

interface Chosen {
  readonly tuple: Tuple;
  readonly open: string | null;
}

function unique(run: Run, ns: CompiledNamespace, entry: ConntrackEntry, current: Tuple, half: Half, range: NatRange): Chosen | null {
  const free = (tuple: Tuple): boolean => !taken(run, ns, inverse(tuple, entry.zones.reply), entry);
  const addressed = withAddress(run, current, half, range);
  const own = half === 'source' ? current.sourcePort : current.destinationPort;
  if (!range.random && !range.randomFully) {
    const unchanged = half === 'source' && sameTuple(addressed, current) && (range.ports === null || inRange(own, range.ports));
    if (unchanged && !takenUnchanged(run, ns, inverse(current, entry.zones.reply), entry)) return { tuple: current, open: null };
    if (range.ports === null ? free(addressed) || half === 'destination' : inRange(own, range.ports) && free(addressed)) return { tuple: addressed, open: null };
    if (range.ports !== null && range.ports.from === range.ports.to) return { tuple: withPort(addressed, half, range.ports.from), open: null };
  } else if (half === 'destination' && range.ports === null && addressed.icmpType === null) return { tuple: addressed, open: null };
  const ports = range.ports ?? portClass(own, addressed.icmpType !== null);
  const size = ports.to - ports.from + 1;
  const start = range.random || range.randomFully ? drawnFrom(hashOf(tupleKey(addressed)), size) : 0;
  for (let i = 0; i < size; i++) {
    const tuple = withPort(addressed, half, ports.from + ((start + i) % size));
    if (free(tuple)) return { tuple, open: `any ${tuple.icmpType === null ? 'port' : 'identifier'} of ${ports.from}-${ports.to}` };
  }
  return null;
}

/** The place in a range of `size` ports. Any would be right: most are like those of the upper half, which rules seldom name. */
export const drawnFrom = (hash: number, size: number): number => (size >> 1) + (hash % (size - (size >> 1)));

const inRange = (port: number, range: PortRange): boolean => port >= range.from && port <= range.to;

/** nf_nat_l4proto_unique_tuple: a source port stays in its class. */
const portClass = (port: number, icmp: boolean): PortRange =>
  icmp ? { from: 0, to: 65535 } : port < 512 ? { from: 1, to: 511 } : port < 1024 ? { from: 600, to: 1023 } : { from: 1024, to: 65535 };

const withPort = (tuple: Tuple, half: Half, port: number): Tuple =>
  tuple.icmpType !== null ? withEnds(tuple, { sourcePort: port, destinationPort: port }) : half === 'source' ? withEnds(tuple, { sourcePort: port }) : withEnds(tuple, { destinationPort: port });

function withAddress(run: Run, tuple: Tuple, half: Half, range: NatRange): Tuple {
  const old = half === 'source' ? tuple.source : tuple.destination;
  const address = range.from === null ? old : pickAddress(run, tuple, range.from, range.to ?? range.from);
  return half === 'source' ? withEnds(tuple, { source: address }) : withEnds(tuple, { destination: address });
}

const MAX_ADDRESSES = 64;

/** find_best_ips_proto takes one by a hash with a secret: any of them, with the same probability. */
function pickAddress(run: Run, tuple: Tuple, from: Address, to: Address): Address {
  const addresses = [from];
  if (sameAddress(from, to)) return from;
  for (let next = addressPlus(from, 1); compareAddresses(next, to) <= 0 && addresses.length < MAX_ADDRESSES; next = addressPlus(next, 1)) addresses.push(next);
  const index = run.choose(`nat ${tupleKey(tuple)}`, addresses.map(() => ({ probability: 1 / addresses.length })));
  return addresses[index] ?? from;
}

/** Translates one half of a packet, if its flow has that half translated, and writes the step. */
export function translate(run: Run, ns: CompiledNamespace, hook: Hook, skb: Skb, isNew: boolean): Skb {
  const { tracked } = skb;
  const entry = tracked?.entry ?? null;
  if (tracked === null || entry === null) return skb;
  const half = halfAt(hook);
  if (!translates(entry, half, tracked.direction)) return skb;
  const target = inverse(tracked.direction === 'original' ? entry.reply : entry.original);
  const packet = half === 'source' ? withSource(skb.packet, target) : withDestination(skb.packet, target);
  const before = half === 'source' ? sourceText(skb.packet) : destinationText(skb.packet);
  const after = half === 'source' ? sourceText(packet) : destinationText(packet);
  if (before === after && target.icmpType === null) return withSkb(skb, { packet });
  const rule = isNew ? (half === 'source' ? entry.sourceRule : entry.destinationRule) : null;
  const words = rule === null ? `as the flow's conntrack entry says` : `by \`${rule.text}\`${rule.open === null ? '' : `, with ${rule.open}`}`;
  step(run, {
    stage: 'nat', hook, change: half, before, after, by: rule === null ? 'conntrack' : 'rule', ctdir: ctdirOf(tracked.direction),
    sentence: `${ns.label} translates the ${half} ${before} to ${after} ${words}.`,
    source: rule !== null ? sourceOf(rule.origin) : entry.record === null ? kernel('the conntrack entry of the flow') : sourceOf(entry.record.origin),
  });
  return withSkb(skb, { packet });
}

const ctdirOf = (direction: Direction): 'ORIGINAL' | 'REPLY' => (direction === 'original' ? 'ORIGINAL' : 'REPLY');

/** A reply is translated back in the other half's place (nf_nat_packet: statusbit ^= IPS_NAT_MASK). */
const translates = (entry: ConntrackEntry, half: Half, direction: Direction): boolean =>
  (half === 'source') === (direction === 'original') ? entry.sourceNat : entry.destinationNat;

const icmpId = (packet: Packet, id: number): Packet =>
  packet.transport.kind === 'icmp' && packet.transport.identifier !== null ? withTransport(packet, { ...packet.transport, identifier: id }) : packet;

function withSource(packet: Packet, target: Tuple): Packet {
  const moved = withIp(packet, { source: target.source });
  const { transport } = moved;
  return transport.kind === 'icmp' ? icmpId(moved, target.sourcePort) : withTransport(moved, withPorts(transport, target.sourcePort, transport.destinationPort));
}

function withDestination(packet: Packet, target: Tuple): Packet {
  const moved = withIp(packet, { destination: target.destination });
  const { transport } = moved;
  return transport.kind === 'icmp' ? icmpId(moved, target.sourcePort) : withTransport(moved, withPorts(transport, transport.sourcePort, target.destinationPort));
}

/** An ICMP error about a translated flow: the quoted packet and the outer address, as the other side knows them. */
export function translateError(run: Run, ns: CompiledNamespace, hook: Hook, skb: Skb): Skb {
  const { tracked, packet } = skb;
  const entry = tracked?.entry ?? null;
  if (tracked === null || entry === null || packet.transport.kind !== 'icmp' || packet.transport.quoted === null) return skb;
  const half = halfAt(hook);
  if (!translates(entry, half, tracked.direction)) return skb;
  const other = tracked.direction === 'original' ? entry.reply : entry.original;
  const { quoted } = packet.transport;
  const inside = half === 'source' ? withDestination(quoted, other) : withSource(quoted, other);
  const target = inverse(other);
  const outer = half === 'source' ? withIp(packet, { source: target.source }) : withIp(packet, { destination: target.destination });
  const before = half === 'source' ? sourceText(packet) : destinationText(packet);
  const after = half === 'source' ? sourceText(outer) : destinationText(outer);
  const changedOuter = half === 'source' ? !sameAddress(outer.ip.source, packet.ip.source) : !sameAddress(outer.ip.destination, packet.ip.destination);
  step(run, {
    stage: 'nat', hook, change: half, before, after, by: 'conntrack', ctdir: ctdirOf(tracked.direction),
    sentence: `${ns.label} translates the packet that the error quotes back${changedOuter ? `, and the error's own ${half} ${before} to ${after}` : ''}.`,
    source: kernel('the conntrack entry of the flow'),
  });
  return withSkb(skb, { packet: withTransport(outer, { ...packet.transport, quoted: inside }) });
}
