/**
 * A chain as numbers: four a match, the rules of a long chain indexed by what tells them apart. A chain's code depends
 * on nothing but its record, so one edited rule costs one chain.
 *
 * The kernel asks the rules one after the other (net/ipv4/netfilter/ip_tables.c: ipt_do_table); here the index leaves
 * out those that cannot match, in the same order, so that exactly the same rules are hit.
 */
import { firstAddress, lastAddress } from '../../net/address.ts';
import type { Prefix } from '../../net/address.ts';
import type { Chain, ConnectionState, Match, Target } from '../../topology/netfilter.ts';
import { exactProbability } from '../netfilter/matches/chance.ts';
import { isAnswered } from '../netfilter/matches/absent.ts';
import { isIpPart } from '../netfilter/matches/evaluate.ts';
import { chainIndex } from '../netfilter/chain-index.ts';
import type { ChainIndex } from '../netfilter/chain-index.ts';

/** What a match asks, with up to three operands. */
export const OP_PROTOCOL = 0;
export const OP_SOURCE4 = 1;
export const OP_DESTINATION4 = 2;
export const OP_SOURCE6 = 3;
export const OP_DESTINATION6 = 4;
export const OP_IN_INTERFACE = 5;
export const OP_OUT_INTERFACE = 6;
export const OP_NEVER = 7;
export const OP_HEADER = 8;
export const OP_SOURCE_PORT = 9;
export const OP_DESTINATION_PORT = 10;
export const OP_TCP_FLAGS = 11;
export const OP_ICMP_TYPE = 12;
export const OP_MARK = 13;
export const OP_CONNMARK = 14;
export const OP_STATE = 15;
export const OP_CHANCE = 16;
export const OP_RECORD = 17;
export const OP_OPEN = 18;

export const INVERTED = 0x100;

/** The states of `-m conntrack` as bits. */
export const STATE_NEW = 1;
export const STATE_ESTABLISHED = 2;
export const STATE_INVALID = 4;
export const STATE_SNAT = 8;
export const STATE_DNAT = 16;

/** What a rule does once it matches. */
export const DO_COUNT = 0;
export const DO_ACCEPT = 1;
export const DO_DROP = 2;
export const DO_RETURN = 3;
export const DO_JUMP = 4;
export const DO_GOTO = 5;
export const DO_MARK = 6;
export const DO_ACT = 7;

export interface ChainCode {
  readonly chain: Chain;
  readonly code: Int32Array;
  /** Where the matches of each rule begin; one more for the end. */
  readonly starts: Int32Array;
  readonly actions: Uint8Array;
  readonly targets: readonly (Target | null)[];
  /** Operands that are no numbers. */
  readonly names: readonly string[];
  readonly records: readonly Match[];
  readonly chances: Float64Array;
  /** `null` in a short chain. */
  readonly index: ChainIndex | null;
}

const compiled = new WeakMap<Chain, ChainCode>();

export function chainCode(chain: Chain): ChainCode {
  const known = compiled.get(chain);
  if (known !== undefined) return known;
  const made = compileChain(chain);
  compiled.set(chain, made);
  return made;
}

interface Draft {
  readonly code: number[];
  readonly names: string[];
  readonly records: Match[];
  readonly chances: number[];
}

function compileChain(chain: Chain): ChainCode {
  const draft: Draft = { code: [], names: [], records: [], chances: [] };
  const starts = new Int32Array(chain.rules.length + 1);
  for (const [i, rule] of chain.rules.entries()) {
    compileMatches(draft, rule.matches);
    starts[i + 1] = draft.code.length;
  }
  return {
    chain,
    code: Int32Array.from(draft.code),
    starts,
    actions: Uint8Array.from(chain.rules, (rule) => actionOf(rule.target)),
    targets: chain.rules.map((rule) => rule.target),
    names: draft.names,
    records: draft.records,
    chances: Float64Array.from(draft.chances),
    index: chainIndex(chain),
  };
}

/**
 * The IP part first, then the rest in order, as in matches/evaluate.ts. What the file cannot answer comes last: it
 * decides only where nothing else fails.
 */
function compileMatches(draft: Draft, matches: readonly Match[]): void {
  const isOpenRule = matches.some(isOpen);
  for (const match of matches) if (isIpPart(match)) emit(draft, match);
  for (const match of matches) if (!isIpPart(match) && !isOpen(match) && !(isOpenRule && isChance(match))) emit(draft, match);
  if (isOpenRule) draft.code.push(OP_OPEN, 0, 0, 0);
}

/** What evaluate.ts cannot answer either; matches that it can and `rule-match.ts` cannot are no part of it. */
const isOpen = (match: Match): boolean => match.kind === 'unknown' && !isAnswered(match);

const isChance = (match: Match): boolean => match.kind === 'statistic-random' || match.kind === 'statistic-nth';

const flag = (match: { readonly inverted: boolean }): number => (match.inverted ? INVERTED : 0);

const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132, dccp: 33 } as const;

function emit(draft: Draft, match: Match): void {
  const put = (op: number, a = 0, b = 0, c = 0): void => {
    draft.code.push(op, a, b, c);
  };
  switch (match.kind) {
    case 'comment':
      return;
    case 'protocol':
      return put(OP_PROTOCOL | flag(match), match.protocol);
    case 'source':
    case 'destination':
      return emitPrefix(draft, match.kind, match.prefix, flag(match));
    case 'in-interface':
      return put(OP_IN_INTERFACE | flag(match), draft.names.push(match.name) - 1);
    case 'out-interface':
      return put(OP_OUT_INTERFACE | flag(match), draft.names.push(match.name) - 1);
    case 'fragment':
      return match.inverted ? undefined : put(OP_NEVER);
    case 'transport-header':
      return put(OP_HEADER, PROTOCOLS[match.protocol]);
    case 'source-port':
    case 'destination-port':
      return put((match.kind === 'source-port' ? OP_SOURCE_PORT : OP_DESTINATION_PORT) | flag(match), PROTOCOLS[match.protocol], match.ports.from, match.ports.to);
    case 'tcp-flags':
      return put(OP_TCP_FLAGS | flag(match), match.mask, match.compare);
    case 'icmp-type':
      return put(OP_ICMP_TYPE | flag(match), match.family === 4 ? 0 : 1, match.type === 'any' ? -1 : match.type, match.codes.from === 0 ? 1 : 0);
    case 'mark':
    case 'connmark':
      return put((match.kind === 'mark' ? OP_MARK : OP_CONNMARK) | flag(match), match.mask | 0, match.value | 0);
    case 'conntrack-state':
      return put(OP_STATE | flag(match), match.states.reduce((bits, state) => bits | stateBit(state, match.spelling), 0));
    case 'statistic-random':
    case 'statistic-nth': {
      const chance = match.kind === 'statistic-random' ? exactProbability(match.probability) : 1 / Math.max(match.every, 1);
      return put(OP_CHANCE, draft.chances.push(match.inverted ? 1 - chance : chance) - 1);
    }
    default:
      return put(OP_RECORD, draft.records.push(match) - 1);
  }
}

/** 0 for what is not followed here: no packet has it. */
function stateBit(state: ConnectionState, spelling: 'conntrack' | 'state'): number {
  switch (state) {
    case 'NEW':
      return STATE_NEW;
    case 'ESTABLISHED':
      return STATE_ESTABLISHED;
    case 'INVALID':
      return STATE_INVALID;
    case 'SNAT':
      return spelling === 'conntrack' ? STATE_SNAT : 0;
    case 'DNAT':
      return spelling === 'conntrack' ? STATE_DNAT : 0;
    case 'RELATED':
    case 'UNTRACKED':
      return 0;
  }
}

function emitPrefix(draft: Draft, kind: 'source' | 'destination', prefix: Prefix, inverted: number): void {
  const first = firstAddress(prefix);
  const last = lastAddress(prefix);
  const mask = (i: 0 | 1 | 2 | 3): number => ~(first.words[i] ^ last.words[i]);
  if (first.family === 4) {
    draft.code.push((kind === 'source' ? OP_SOURCE4 : OP_DESTINATION4) | inverted, mask(3), first.words[3] | 0, 0);
    return;
  }
  // Two more entries hold the masks and the words of the prefix.
  draft.code.push((kind === 'source' ? OP_SOURCE6 : OP_DESTINATION6) | inverted, 0, 0, 0);
  draft.code.push(mask(0), mask(1), mask(2), mask(3), ...first.words.map((w) => w | 0));
}

function actionOf(target: Target | null): number {
  if (target === null) return DO_COUNT;
  switch (target.kind) {
    case 'log':
      return DO_COUNT;
    case 'accept':
      return DO_ACCEPT;
    case 'drop':
      return DO_DROP;
    case 'return':
      return DO_RETURN;
    case 'jump':
      return target.via === 'goto' ? DO_GOTO : DO_JUMP;
    case 'mark':
      return DO_MARK;
    default:
      return DO_ACT;
  }
}
