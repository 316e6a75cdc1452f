/**
 * The short way to a rule that stands exactly as iptables-save prints it, of which a node has tens of thousands. Its parts
 * follow each other in a fixed order and say the same wherever they stand, so most are read once, by the general reader,
 * and remembered; addresses, comments, jumps and DNAT, which differ from rule to rule, are read here. Whatever is not sure
 * to be in the normal form is left to the general reader (`rule.ts`), with which a test compares this one.
 */
import type { Address, Family } from '../../../../../engine/src/net/address.ts';
import { ipv4 } from '../../../../../engine/src/net/address.ts';
import type { Match, Target } from '../../../../../engine/src/topology/netfilter.ts';
import type { LineProblem, Span } from '../dump.ts';
import type { RuleReading } from './rule.ts';
import { MAX_CHAIN_NAME, readRule } from './rule.ts';

const BLANK = 0x20;
const BANG = 0x21;
const QUOTE = 0x22;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const ZERO = 0x30;

export const NO_PROBLEMS: readonly LineProblem[] = [];

/** The order in which iptables-save prints the parts of a rule. */
const RANKS: Readonly<Record<string, number>> = { s: 1, d: 2, i: 3, o: 4, p: 5, m: 6, j: 7, g: 7 };

/** What is known of a rule while its parts are read. */
interface Draft {
  readonly family: Family;
  /** How many of `found` are this rule's. */
  count: number;
  /** A device is among them. */
  hasDevice: boolean;
  protocol: string;
  /** Of the part before: two `-m` of one module may be printed as one. */
  module: string;
  target: Target | null;
  targetAt: Span | null;
}

/** The matches of the rule that is being read: a list for each rule would be grown and then copied. */
const found: Match[] = [];

function add(draft: Draft, match: Match): void {
  found[draft.count++] = match;
  if (match.kind === 'in-interface' || match.kind === 'out-interface') draft.hasDevice = true;
}

/** `null` where the general reader has to say what the line is. */
export function readSavedRule(text: string, family: Family): RuleReading | null {
  if (!text.startsWith('-A ') || text.endsWith(' ') || text.includes('\\')) return null;
  const chainEnd = text.indexOf(' ', 3);
  if (chainEnd < 0 || chainEnd === 3 || chainEnd - 3 > MAX_CHAIN_NAME || text.charCodeAt(3) === DASH || text.charCodeAt(3) === BANG || text.charCodeAt(3) === QUOTE) return null;
  const chain = chainOf(text, chainEnd);
  const draft: Draft = { family, count: 0, hasDevice: false, protocol: '', module: '', target: null, targetAt: null };
  let rank = 0;
  for (let at = chainEnd + 1; at < text.length; ) {
    const end = endOfPart(text, at);
    const dash = text.charCodeAt(at) === BANG ? at + 2 : at;
    const own = end < 0 || text.charCodeAt(dash) !== DASH || text.charCodeAt(dash + 2) !== BLANK ? undefined : RANKS[text.charAt(dash + 1)];
    if (own === undefined || own < rank || (own === rank && own !== RANKS['m'])) return null;
    rank = own;
    if (!readPart(draft, text, at, end, own)) return null;
    at = end + 1;
  }
  // In these chains a device is refused, whichever they are.
  if (draft.hasDevice && (chain === 'INPUT' || chain === 'PREROUTING' || chain === 'OUTPUT' || chain === 'POSTROUTING')) return null;
  return { kind: 'rule', chain, chainAt: spanOfChain(chainEnd - 3), place: null, rules: [{ matches: found.slice(0, draft.count), target: draft.target, text }], targetAt: draft.targetAt, problems: NO_PROBLEMS };
}

/** A chain's rules follow each other. */
let lastChain = '';

function chainOf(text: string, end: number): string {
  if (lastChain.length !== end - 3 || !text.startsWith(lastChain, 3)) lastChain = text.slice(3, end);
  return lastChain;
}

const chainSpans: Span[] = Array.from({ length: MAX_CHAIN_NAME + 1 }, (_, length) => ({ offset: 3, length }));
const spanOfChain = (length: number): Span => chainSpans[length] ?? { offset: 3, length };

const COMMENT = '-m comment --comment ';

/** Where the part that begins at `from` ends: before ` -x ` or ` ! -x `, where `x` is a short option; -1 where quotes are not plain. */
function endOfPart(text: string, from: number): number {
  const search = text.startsWith(COMMENT, from) && text.charCodeAt(from + COMMENT.length) === QUOTE ? text.indexOf('"', from + COMMENT.length + 1) : from + (text.charCodeAt(from) === BANG ? 4 : 1);
  if (search < 0) return -1;
  for (let at = text.indexOf(' -', search); at >= 0; at = text.indexOf(' -', at + 2)) {
    if (text.charCodeAt(at + 2) === DASH || text.charCodeAt(at + 3) !== BLANK) continue;
    return text.charCodeAt(at - 1) === BANG && text.charCodeAt(at - 2) === BLANK ? at - 2 : at;
  }
  return text.length;
}

/** False where this part is not sure to be in the normal form. */
function readPart(draft: Draft, text: string, at: number, end: number, rank: number): boolean {
  if (rank <= 2 && draft.family === 4) return readAddress(draft, text, at, end);
  if (rank === 6 && text.startsWith(COMMENT, at)) {
    const comment = commentOf(text, at + COMMENT.length, end);
    if (comment === null || draft.module === 'comment') return false;
    draft.module = 'comment';
    add(draft, comment);
    return true;
  }
  if (rank === 7) return readTarget(draft, text, at, end);
  const { part, known } = remembered(draft, text, at, end);
  if (known === null) return false;
  if (rank === 5) draft.protocol = text.charCodeAt(at) === BANG ? '' : part;
  if (rank === 6) {
    const module = known.module;
    if (module === draft.module) return false;
    draft.module = module;
  }
  for (const match of known.matches) add(draft, match);
  return true;
}

/** `-s 10.0.0.1/32`, `! -d 10.0.0.0/16`. */
function readAddress(draft: Draft, text: string, at: number, end: number): boolean {
  const inverted = text.charCodeAt(at) === BANG;
  const from = inverted ? at + 5 : at + 3;
  const address = dotted(text, from, end);
  if (address < 0 || text.charCodeAt(dottedEnd) !== SLASH) return false;
  const length = decimal(text, dottedEnd + 1, end);
  if (length < 1 || length > 32 || decimalEnd !== end || (length < 32 && (address & ((1 << (32 - length)) - 1)) !== 0)) return false;
  add(draft, { kind: text.charCodeAt(from - 2) === 0x73 ? 'source' : 'destination', prefix: { address: addressOf(address), length }, inverted });
  return true;
}

/** Where the number and the address that were read last end. */
let decimalEnd = 0;
let dottedEnd = 0;

/** A number without leading zeros, at most five digits; -1 where there is none. */
function decimal(text: string, from: number, end: number): number {
  let value = 0;
  let at = from;
  for (; at < end && at < from + 5; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  decimalEnd = at;
  return at === from || (at > from + 1 && text.charCodeAt(from) === ZERO) ? -1 : value;
}

/** An endpoint's address stands in its rule for hairpins and, one line below, in its DNAT. */
let lastAddress = ipv4(0);

function addressOf(value: number): Address {
  if (lastAddress.words[3] !== value) lastAddress = ipv4(value);
  return lastAddress;
}

/** An IPv4 address as a number from 0 to 2^32 - 1; -1 where there is none. */
function dotted(text: string, from: number, end: number): number {
  let value = 0;
  let at = from;
  for (let i = 0; i < 4; i++) {
    const part = decimal(text, at, end);
    if (part < 0 || part > 255 || (i < 3 && text.charCodeAt(decimalEnd) !== DOT)) return -1;
    value = value * 256 + part;
    at = decimalEnd + 1;
  }
  dottedEnd = decimalEnd;
  return value;
}

/** Neighbouring rules often have the same comment. */
let lastComment: Match & { kind: 'comment' } = { kind: 'comment', text: '' };

/** A comment in the normal form: quoted where it has to be, and nothing escaped. */
function commentOf(text: string, from: number, end: number): Match | null {
  const quoted = text.charCodeAt(from) === QUOTE;
  const begin = quoted ? from + 1 : from;
  const length = end - begin - (quoted ? 1 : 0);
  if (length === lastComment.text.length && text.startsWith(lastComment.text, begin) && quoted === needsQuotes(lastComment.text)) return lastComment;
  if (length > 255 || (quoted && text.charCodeAt(end - 1) !== QUOTE)) return null;
  const comment = text.slice(begin, begin + length);
  if (comment.includes('"') || comment.includes("'") || needsQuotes(comment) !== quoted) return null;
  lastComment = { kind: 'comment', text: comment };
  return lastComment;
}

const needsQuotes = (comment: string): boolean => comment.includes(' ') || comment.includes(':') || !/^[\w-]+$/.test(comment);

function readTarget(draft: Draft, text: string, at: number, end: number): boolean {
  if (end !== text.length) return false;
  const blank = text.indexOf(' ', at + 3);
  const nameEnd = blank < 0 ? end : blank;
  const target = blank < 0 ? jumpOf(text, at, end) : text.startsWith('DNAT --to-destination ', at + 3) ? dnatOf(draft, text, at + 25, end) : null;
  draft.target = target ?? remembered(draft, text, at, end).known?.target ?? null;
  draft.targetAt = { offset: at + 3, length: nameEnd - at - 3 };
  return draft.target !== null;
}

/** Half of the jumps of kube-proxy's rules are to one chain. */
let masquerade: Target & { kind: 'jump' } = { kind: 'jump', chain: '', via: 'jump' };

/** A jump to a chain of one's own. */
function jumpOf(text: string, at: number, end: number): Target | null {
  const via = text.charCodeAt(at + 1) === 0x67 ? 'goto' : 'jump';
  if (masquerade.chain.length === end - at - 3 && masquerade.via === via && text.startsWith(masquerade.chain, at + 3)) return masquerade;
  const name = text.slice(at + 3, end);
  // No target of iptables has a dash in its name, and no chain name needs more than these letters.
  if (name.length > MAX_CHAIN_NAME || !name.includes('-') || !/^[A-Z][\w-]*$/.test(name)) return null;
  const jump: Target & { kind: 'jump' } = { kind: 'jump', chain: name, via };
  if (name === 'KUBE-MARK-MASQ') masquerade = jump;
  return jump;
}

/** `10.0.0.46:53`, of TCP or UDP. */
function dnatOf(draft: Draft, text: string, from: number, end: number): Target | null {
  if (draft.family !== 4 || (draft.protocol !== '-p tcp' && draft.protocol !== '-p udp')) return null;
  const address = dotted(text, from, end);
  if (address < 0 || text.charCodeAt(dottedEnd) !== COLON) return null;
  const port = decimal(text, dottedEnd + 1, end);
  if (port < 0 || port > 65535 || decimalEnd !== end) return null;
  const own = addressOf(address);
  return { kind: 'dnat', range: { from: own, to: own, ports: { from: port, to: port }, random: false, randomFully: false, persistent: false } };
}

/** What the general reader said of a part. */
interface Known {
  readonly module: string;
  readonly matches: readonly Match[];
  readonly target: Target | null;
}

/** A part beside its rule's protocol; `known` is `null` where it is not in the normal form. */
interface Remembered {
  readonly family: Family;
  readonly protocol: string;
  readonly part: string;
  readonly known: Known | null;
}

const memory = new Map<string, Remembered>();
const MOST_REMEMBERED = 20_000;

/** The last part of each place: the same few parts stand in most rules, and are found here without a new text. */
const PLACES = 256;
const lastParts = new Array<Remembered | undefined>(PLACES).fill(undefined);

function remembered({ family, protocol }: Draft, text: string, at: number, end: number): Remembered {
  const place = (end - at + 31 * text.charCodeAt(at + 3) + 7 * text.charCodeAt(end - 1) + 61 * text.charCodeAt(end - 2)) & (PLACES - 1);
  const last = lastParts[place];
  if (last !== undefined && last.part.length === end - at && last.family === family && last.protocol === protocol && text.startsWith(last.part, at)) return last;
  const part = text.slice(at, end);
  const key = `${family}${protocol} ${part}`;
  let entry = memory.get(key);
  if (entry === undefined) {
    if (memory.size > MOST_REMEMBERED) memory.clear();
    entry = { family, protocol, part: ` ${part}`.slice(1), known: knownOf(family, protocol, part) };
    memory.set(` ${key}`.slice(1), entry);
  }
  lastParts[place] = entry;
  return entry;
}

function knownOf(family: Family, protocol: string, part: string): Known | null {
  const line = `-A X${protocol === '' ? '' : ` ${protocol}`} ${part}`;
  const { rules, problems } = readRule(line, family);
  const [rule] = rules;
  const plain = rule !== undefined && rules.length === 1 && problems.length === 0 && rule.text === line;
  return plain ? { module: /^-m (\S+)/.exec(part)?.[1] ?? '', matches: protocol === '' ? rule.matches : rule.matches.slice(1), target: rule.target } : null;
}
