/** Whether a rule's matches hold for the packet: the numbers of `chain-code.ts`, asked in order. */
import { compareAddresses, contains } from '../../net/address.ts';
import type { AddressType, Match } from '../../topology/netfilter.ts';
import { addressType } from '../netfilter/matches/address-type.ts';
import { deviceMatches } from '../netfilter/matches/ip.ts';
import { addressOf } from './address-book.ts';
import { routeTo } from './asked.ts';
import {
  INVERTED, OP_CHANCE, OP_CONNMARK, OP_DESTINATION4, OP_DESTINATION6, OP_DESTINATION_PORT, OP_HEADER, OP_ICMP_TYPE, OP_IN_INTERFACE, OP_MARK, OP_NEVER, OP_OPEN,
  OP_OUT_INTERFACE, OP_PROTOCOL, OP_SOURCE4, OP_SOURCE6, OP_SOURCE_PORT, OP_STATE, OP_TCP_FLAGS, STATE_DNAT, STATE_ESTABLISHED, STATE_INVALID, STATE_NEW, STATE_SNAT,
} from './chain-code.ts';
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
  const p = s.packet;
  for (let at = starts[rule] as number; at < to; at += 4) {
    const word = code[at] as number;
    const a = code[at + 1] as number;
    const b = code[at + 2] as number;
    let holds: boolean;
    switch (word & OP_MASK) {
      case OP_PROTOCOL:
        holds = a === p.protocol || a === 0;
        break;
      case OP_SOURCE4:
        holds = p.family === 0 && ((s.book.words[p.source * 4 + 3] as number) & a) === b;
        break;
      case OP_DESTINATION4:
        holds = p.family === 0 && ((s.book.words[p.destination * 4 + 3] as number) & a) === b;
        break;
      case OP_MARK:
        holds = (s.mark & a) === b;
        break;
      case OP_STATE:
        holds = (statesOf(s) & a) !== 0;
        break;
      case OP_SOURCE6:
        holds = within6(s, code, at, p.source);
        at += 8;
        break;
      case OP_DESTINATION6:
        holds = within6(s, code, at, p.destination);
        at += 8;
        break;
      case OP_OPEN:
        return OPEN;
      default:
        if (!holdsFurther(s, chain, word & OP_MASK, (word & INVERTED) !== 0, a, b, code[at + 3] as number)) return MISS;
        continue;
    }
    if (holds === ((word & INVERTED) !== 0)) return MISS;
  }
  return MATCH;
}

function within6(s: Scratch, code: Int32Array, at: number, address: number): boolean {
  const { words, families } = s.book;
  if (families[address] !== 1) return false;
  for (let i = 0; i < 4; i++) if (((words[address * 4 + i] as number) & (code[at + 4 + i] as number)) !== (code[at + 8 + i] as number)) return false;
  return true;
}

/** Those whose header or flow may not be there, which fails them, inverted or not. */
function holdsFurther(s: Scratch, chain: ChainCode, op: number, inverted: boolean, a: number, b: number, c: number): boolean {
  const p = s.packet;
  switch (op) {
    case OP_DESTINATION_PORT:
      return p.protocol === a && (p.destinationPort >= b && p.destinationPort <= c) !== inverted;
    case OP_SOURCE_PORT:
      return p.protocol === a && (knownPort(s, p) && p.sourcePort >= b && p.sourcePort <= c) !== inverted;
    case OP_HEADER:
      return p.protocol === a;
    case OP_CHANCE:
      return choose(s, chain.chances, a);
    case OP_IN_INTERFACE:
      return deviceMatches(chain.names[a] as string, s.input === null ? '' : s.input.name) !== inverted;
    case OP_OUT_INTERFACE:
      return deviceMatches(chain.names[a] as string, s.output === null ? '' : s.output.name) !== inverted;
    case OP_NEVER:
      return false;
    case OP_TCP_FLAGS:
      return p.protocol === TCP && ((p.flags & a) === b) !== inverted;
    case OP_ICMP_TYPE:
      return !hasPorts(p) && p.family === a && (b === -1 || (p.icmpType === b && c === 1)) !== inverted;
    case OP_CONNMARK:
      return s.tracked >= 0 && ((flowOf(s).mark & a) === b) !== inverted;
    default:
      return matchRecord(s, chain.records[a] as Match);
  }
}

/** STATE_… bits of the packet. */
function statesOf(s: Scratch): number {
  const state = s.info === INFO.new ? STATE_NEW : s.info === INFO.established ? STATE_ESTABLISHED : STATE_INVALID;
  if (s.tracked < 0) return state;
  const flow = flowOf(s);
  return state | (flow.sourceNat ? STATE_SNAT : 0) | (flow.destinationNat ? STATE_DNAT : 0);
}

/** The outer source port of a tunnel is only known to be one of its range. */
function knownPort(s: Scratch, p: PacketRecord): boolean {
  s.portAsked = true;
  if (p.vni >= 0) giveUp(s);
  return true;
}

export const flowOf = (s: Scratch): FlowRecord => s.flows[s.tracked] as FlowRecord;

/** The matches that are rare enough to be read from their records. */
function matchRecord(s: Scratch, match: Match): boolean {
  const p = s.packet;
  switch (match.kind) {
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
      if (p.family === 1) return isLocal6(s, match) !== match.inverted;
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

/** addrtype_mt6, for the question that kube-proxy asks. */
function isLocal6(s: Scratch, match: Extract<Match, { kind: 'address-type' }>): boolean {
  const address = match.which === 'source' ? s.packet.source : s.packet.destination;
  if (match.limit !== null || match.types.length !== 1 || match.types[0] !== 'LOCAL') {
    giveUp(s);
    return false;
  }
  const route = routeTo(s, address);
  if (route.kind === 'unmodelled') giveUp(s);
  return route.kind === 'found' && typeOf(s, address, null) === 'LOCAL';
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
