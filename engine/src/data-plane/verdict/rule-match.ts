/** Whether a rule's matches hold for the packet: the numbers of `chain-code.ts`, asked in order. */
import { compareAddresses, contains } from '../../net/address.ts';
import type { AddressType, ConnectionState, Match } from '../../topology/netfilter.ts';
import { addressType } from '../netfilter/matches/address-type.ts';
import { deviceMatches } from '../netfilter/matches/ip.ts';
import { addressOf } from './address-book.ts';
import { INVERTED, OP } from './chain-code.ts';
import type { ChainCode } from './chain-code.ts';
import { choose } from './chance.ts';
import { pairGet, pairSet } from './pair-table.ts';
import { giveUp, INFO } from './scratch.ts';
import type { FlowRecord, PacketRecord, Scratch } from './scratch.ts';

/** `OPEN`: everything matches but what the file cannot answer. */
export const MISS = 0;
export const MATCH = 1;
export const OPEN = 2;

const ICMP = 1;
const TCP = 6;
const ICMPV6 = 58;

const OP_MASK = 0xff;

export const hasPorts = (p: PacketRecord): boolean => p.protocol !== ICMP && p.protocol !== ICMPV6;

export function matchRule(s: Scratch, chain: ChainCode, rule: number): number {
  const { code, starts } = chain;
  const to = starts[rule + 1] as number;
  for (let at = starts[rule] as number; at < to; at += 4) {
    const word = code[at] as number;
    const op = word & OP_MASK;
    if (op === OP.open) return OPEN;
    if (op === OP.source6 || op === OP.destination6) {
      if (within6(s, code, at, op === OP.source6 ? s.packet.source : s.packet.destination) === ((word & INVERTED) !== 0)) return MISS;
      at += 8;
    } else if (!holds(s, chain, op, (word & INVERTED) !== 0, code[at + 1] as number, code[at + 2] as number, code[at + 3] as number)) return MISS;
  }
  return MATCH;
}

function within6(s: Scratch, code: Int32Array, at: number, address: number): boolean {
  const { words, families } = s.book;
  if (families[address] !== 1) return false;
  for (let i = 0; i < 4; i++) if (((words[address * 4 + i] as number) & (code[at + 4 + i] as number)) !== (code[at + 8 + i] as number)) return false;
  return true;
}

const within4 = (s: Scratch, address: number, mask: number, value: number): boolean =>
  s.packet.family === 0 && ((s.book.words[address * 4 + 3] as number) & mask) === value;

function holds(s: Scratch, chain: ChainCode, op: number, inverted: boolean, a: number, b: number, c: number): boolean {
  const p = s.packet;
  switch (op) {
    case OP.protocol:
      return (a === 0 || a === p.protocol) !== inverted;
    case OP.source4:
      return within4(s, p.source, a, b) !== inverted;
    case OP.destination4:
      return within4(s, p.destination, a, b) !== inverted;
    case OP.inInterface:
      return deviceMatches(chain.names[a] as string, s.input === null ? '' : s.input.name) !== inverted;
    case OP.outInterface:
      return deviceMatches(chain.names[a] as string, s.output === null ? '' : s.output.name) !== inverted;
    case OP.never:
      return false;
    case OP.header:
      return p.protocol === a;
    case OP.sourcePort:
      return p.protocol === a && (knownPort(s, p) && p.sourcePort >= b && p.sourcePort <= c) !== inverted;
    case OP.destinationPort:
      return p.protocol === a && (p.destinationPort >= b && p.destinationPort <= c) !== inverted;
    case OP.tcpFlags:
      return p.protocol === TCP && ((p.flags & a) === b) !== inverted;
    case OP.icmpType:
      return !hasPorts(p) && p.family === a && (b === -1 || (p.icmpType === b && c === 1)) !== inverted;
    case OP.mark:
      return ((s.mark & a) === b) !== inverted;
    case OP.connmark:
      return s.tracked >= 0 && ((flowOf(s).mark & a) === b) !== inverted;
    case OP.chance:
      return choose(s, chain.chances[a] as number);
    default:
      return matchRecord(s, chain.records[a] as Match);
  }
}

/** The outer source port of a tunnel is only known to be one of its range. */
function knownPort(s: Scratch, p: PacketRecord): boolean {
  if (p.vni >= 0) giveUp(s);
  return true;
}

export const flowOf = (s: Scratch): FlowRecord => s.flows[s.tracked] as FlowRecord;

/** The matches that are rare enough to be read from their records. */
function matchRecord(s: Scratch, match: Match): boolean {
  const p = s.packet;
  switch (match.kind) {
    case 'conntrack-state':
      return match.states.some((state) => hasState(s, state, match.spelling)) !== match.inverted;
    case 'conntrack-direction':
      return s.tracked >= 0 && match.direction === (s.isReply ? 'REPLY' : 'ORIGINAL');
    case 'conntrack-status': {
      if (s.tracked < 0) return false;
      const flow = flowOf(s);
      return match.statuses.some((status) => (status === 'CONFIRMED' && flow.confirmed) || (status === 'SEEN_REPLY' && flow.seenReply)) !== match.inverted;
    }
    case 'conntrack-tuple': {
      if (s.tracked < 0) return false;
      const { source, destination, replySource, replyDestination } = flowOf(s);
      const id = { ctorigsrc: source, ctorigdst: destination, ctreplsrc: replySource, ctrepldst: replyDestination }[match.field];
      return contains(match.prefix, addressOf(s.book, id)) !== match.inverted;
    }
    case 'multiport': {
      if (!hasPorts(p) || (match.which !== 'destination' && !knownPort(s, p))) return false;
      const holdsFor = (port: number): boolean => match.ports.some((r) => port >= r.from && port <= r.to);
      return ((match.which !== 'destination' && holdsFor(p.sourcePort)) || (match.which !== 'source' && holdsFor(p.destinationPort))) !== match.inverted;
    }
    case 'address-type':
      return match.types.includes(typeOf(s, match.which === 'source' ? p.source : p.destination, match.limit)) !== match.inverted;
    case 'address-range': {
      const address = addressOf(s.book, match.which === 'source' ? p.source : p.destination);
      return (address.family === match.from.family && compareAddresses(address, match.from) >= 0 && compareAddresses(address, match.to) <= 0) !== match.inverted;
    }
    case 'length':
      return (p.length >= match.lengths.from && p.length <= match.lengths.to) !== match.inverted;
    case 'physdev':
      return deviceMatches(match.name, (match.test === 'in' ? s.physIn : s.physOut)?.name ?? '') !== match.inverted;
    case 'physdev-is':
      return (match.test === 'in' ? s.physIn !== null : match.test === 'out' ? s.physOut !== null : s.physIn !== null && s.physOut !== null) !== match.inverted;
    default:
      // What is left is asked of a packet so seldom that its model stays in one place, the exact engine.
      giveUp(s);
      return false;
  }
}

function hasState(s: Scratch, state: ConnectionState, spelling: 'conntrack' | 'state'): boolean {
  switch (state) {
    case 'NEW':
      return s.info === INFO.new;
    case 'ESTABLISHED':
      return s.info === INFO.established;
    case 'INVALID':
      return s.info === INFO.invalid || s.info === INFO.none;
    case 'SNAT':
      return spelling === 'conntrack' && s.tracked >= 0 && flowOf(s).sourceNat;
    case 'DNAT':
      return spelling === 'conntrack' && s.tracked >= 0 && flowOf(s).destinationNat;
    case 'RELATED':
    case 'UNTRACKED':
      return false;
  }
}

const TYPES: readonly AddressType[] = ['UNSPEC', 'UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'BLACKHOLE', 'UNREACHABLE', 'PROHIBIT', 'THROW'];

function typeOf(s: Scratch, address: number, limit: 'in' | 'out' | null): AddressType {
  const device = limit === 'in' ? s.input : limit === 'out' ? s.output : null;
  // A limit without a device asks for the device of no name: no table has it, so it goes by the number after the last.
  const at = limit === null ? -1 - s.namespace.index : device === null ? s.program.devices.length + s.namespace.index : device.id;
  const known = pairGet(s.memo.addressType, at, address);
  if (known >= 0) return TYPES[known] as AddressType;
  const type = addressType(s.namespace.compiled, addressOf(s.book, address), limit === null ? null : (device?.name ?? ''));
  pairSet(s.memo.addressType, at, address, TYPES.indexOf(type));
  return type;
}
