/**
 * A chain as numbers: four a match, the rules of a long chain indexed by what tells them apart. A chain's code depends
 * on nothing but its record, so one edited rule costs one chain.
 *
 * The kernel asks the rules one after the other (net/ipv4/netfilter/ip_tables.c: ipt_do_table); here the index leaves
 * out those that cannot match, in the same order, so that exactly the same rules are hit.
 */
import { bitsOf, firstAddress, lastAddress } from '../../net/address.ts';
import type { Prefix } from '../../net/address.ts';
import type { Chain, Match, Rule, Target } from '../../topology/netfilter.ts';
import { exactProbability } from '../netfilter/matches/chance.ts';
import { isIpPart } from '../netfilter/matches/evaluate.ts';
import { hostHash } from './address-book.ts';

/** What a match asks; `a`, `b`, `c` are its operands. */
export const OP = {
  protocol: 0, source4: 1, destination4: 2, source6: 3, destination6: 4, inInterface: 5, outInterface: 6, never: 7,
  header: 8, sourcePort: 9, destinationPort: 10, tcpFlags: 11, icmpType: 12, mark: 13, connmark: 14, state: 15, chance: 16, record: 17, open: 18,
} as const;

export const INVERTED = 0x100;

/** What a rule does once it matches. */
export const ACTION = {
  count: 0, accept: 1, drop: 2, return: 3, jump: 4, goto: 5, reject: 6, mark: 7, nat: 8, connmark: 9, ttl: 10, unmodelled: 11,
} as const;

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
  readonly chances: readonly number[];
  readonly index: ChainIndex;
}

/** Numbers of rules in order, each list with `NO_RULE` at its end. */
export interface ChainIndex {
  readonly byDestination: ReadonlyMap<number, Int32Array>;
  readonly byPort: ReadonlyMap<number, Int32Array>;
  readonly bySource: ReadonlyMap<number, Int32Array>;
  readonly rest: Int32Array;
}

export const NO_RULE = 0x7fffffff;
export const NO_RULES = Int32Array.of(NO_RULE);

/** Shorter chains are asked rule by rule. */
const LONG = 6;

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
    chances: draft.chances,
    index: indexOf(chain.rules),
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
  if (isOpenRule) draft.code.push(OP.open, 0, 0, 0);
}

const OPEN: readonly Match['kind'][] = ['limit', 'hashlimit', 'rpfilter', 'set', 'unknown', 'recent', 'owner', 'tcpmss'];

const isOpen = (match: Match): boolean => OPEN.includes(match.kind);

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
      return put(OP.protocol | flag(match), match.protocol);
    case 'source':
    case 'destination':
      return emitPrefix(draft, match.kind, match.prefix, flag(match));
    case 'in-interface':
      return put(OP.inInterface | flag(match), draft.names.push(match.name) - 1);
    case 'out-interface':
      return put(OP.outInterface | flag(match), draft.names.push(match.name) - 1);
    case 'fragment':
      return match.inverted ? undefined : put(OP.never);
    case 'transport-header':
      return put(OP.header, PROTOCOLS[match.protocol]);
    case 'source-port':
    case 'destination-port':
      return put((match.kind === 'source-port' ? OP.sourcePort : OP.destinationPort) | flag(match), PROTOCOLS[match.protocol], match.ports.from, match.ports.to);
    case 'tcp-flags':
      return put(OP.tcpFlags | flag(match), match.mask, match.compare);
    case 'icmp-type':
      return put(OP.icmpType | flag(match), match.family === 4 ? 0 : 1, match.type === 'any' ? -1 : match.type, match.codes.from === 0 ? 1 : 0);
    case 'mark':
    case 'connmark':
      return put((match.kind === 'mark' ? OP.mark : OP.connmark) | flag(match), match.mask | 0, match.value | 0);
    case 'statistic-random':
    case 'statistic-nth': {
      const chance = match.kind === 'statistic-random' ? exactProbability(match.probability) : 1 / Math.max(match.every, 1);
      return put(OP.chance, draft.chances.push(match.inverted ? 1 - chance : chance) - 1);
    }
    default:
      return put(OP.record, draft.records.push(match) - 1);
  }
}

function emitPrefix(draft: Draft, kind: 'source' | 'destination', prefix: Prefix, inverted: number): void {
  const first = firstAddress(prefix);
  const last = lastAddress(prefix);
  const mask = (i: 0 | 1 | 2 | 3): number => ~(first.words[i] ^ last.words[i]);
  if (first.family === 4) {
    draft.code.push((kind === 'source' ? OP.source4 : OP.destination4) | inverted, mask(3), first.words[3] | 0, 0);
    return;
  }
  // Two more entries hold the masks and the words of the prefix.
  draft.code.push((kind === 'source' ? OP.source6 : OP.destination6) | inverted, 0, 0, 0);
  draft.code.push(mask(0), mask(1), mask(2), mask(3), ...first.words.map((w) => w | 0));
}

function actionOf(target: Target | null): number {
  switch (target?.kind) {
    case undefined:
    case 'log':
      return ACTION.count;
    case 'tcpmss':
      // The MSS changes no decision that is modelled here.
      return ACTION.count;
    case 'accept':
      return ACTION.accept;
    case 'drop':
      return ACTION.drop;
    case 'return':
      return ACTION.return;
    case 'jump':
      return target?.kind === 'jump' && target.via === 'goto' ? ACTION.goto : ACTION.jump;
    case 'reject':
      return ACTION.reject;
    case 'mark':
      return ACTION.mark;
    case 'dnat':
    case 'snat':
    case 'masquerade':
      return ACTION.nat;
    case 'connmark':
      return ACTION.connmark;
    case 'ttl':
      return ACTION.ttl;
    case 'redirect':
    case 'netmap':
    case 'ct':
    case 'dscp':
    case 'unknown':
      return ACTION.unmodelled;
  }
}

function indexOf(rules: readonly Rule[]): ChainIndex {
  const byDestination = new Map<number, number[]>();
  const byPort = new Map<number, number[]>();
  const bySource = new Map<number, number[]>();
  const rest: number[] = [];
  const add = (map: Map<number, number[]>, key: number, i: number): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [i]);
    else list.push(i);
  };
  for (const [i, { matches }] of rules.entries()) {
    const destination = rules.length < LONG ? undefined : matches.find((m) => m.kind === 'destination' && isHost(m));
    const port = rules.length < LONG ? undefined : matches.find((m) => m.kind === 'destination-port' && !m.inverted && m.ports.from === m.ports.to);
    const source = rules.length < LONG ? undefined : matches.find((m) => m.kind === 'source' && isHost(m));
    if (destination?.kind === 'destination') add(byDestination, hostHash(destination.prefix.address), i);
    else if (port?.kind === 'destination-port') add(byPort, port.ports.from, i);
    else if (source?.kind === 'source') add(bySource, hostHash(source.prefix.address), i);
    else rest.push(i);
  }
  return { byDestination: closed(byDestination), byPort: closed(byPort), bySource: closed(bySource), rest: ended(rest) };
}

const isHost = (m: { readonly prefix: Prefix; readonly inverted: boolean }): boolean => !m.inverted && m.prefix.length === bitsOf(m.prefix.address.family);

const ended = (list: readonly number[]): Int32Array => Int32Array.from([...list, NO_RULE]);

const closed = (map: ReadonlyMap<number, readonly number[]>): ReadonlyMap<number, Int32Array> => new Map([...map].map(([key, list]) => [key, ended(list)]));
