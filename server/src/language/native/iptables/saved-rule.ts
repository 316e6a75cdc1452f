/**
 * The short way to a rule that stands exactly as iptables-save prints it, of which a node has tens of thousands. Its parts
 * follow each other in a fixed order and say the same wherever they stand, so most are read once, by the general reader,
 * and remembered; addresses, comments, jumps and DNAT, which differ from rule to rule, are read here. Whatever is not sure
 * to be in the normal form is left to the general reader (`rule.ts`), with which a test compares this one.
 */
import type { Family } from '../../../../../engine/src/net/address.ts';
import type { Match, Target } from '../../../../../engine/src/topology/netfilter.ts';
import type { LineProblem, Span } from '../dump.ts';
import type { RuleBody, RuleReading } from './rule.ts';
import { MAX_CHAIN_NAME, readRule } from './rule.ts';
import { endOfLast, readAddressMatch, readDecimal, readSavedAddress } from './saved-address.ts';

const BLANK = 0x20;
const BANG = 0x21;
const QUOTE = 0x22;
const DASH = 0x2d;
const COLON = 0x3a;

export const NO_PROBLEMS: readonly LineProblem[] = [];

/** A rule of which nothing more has to be kept than what it says: where its words stand, `placesOf` finds again. */
export interface SavedRule extends RuleBody {
  readonly kind: 'saved';
  readonly chain: string;
  readonly problems: readonly LineProblem[];
}

/** The order in which iptables-save prints the parts of a rule, by the letter of their option. */
const RANKS: readonly number[] = Array.from({ length: 128 }, (_, letter) => ({ s: 1, d: 2, i: 3, o: 4, p: 5, m: 6, j: 7, g: 7 } as Readonly<Record<string, number>>)[String.fromCharCode(letter)] ?? 0);
const SOURCE = 1;
const DESTINATION = 2;
const OUT_INTERFACE = 4;
const PROTOCOL = 5;
const MATCH = 6;
const TARGET = 7;

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

/** A place in the rules read so far: what stood there the last time, for rules resemble those before them. */
interface Place {
  part: Remembered | null;
  /** Behind that part. */
  behindPart: Place | null;
  /** Behind an address or a comment, whichever it is. */
  behindHole: Place | null;
}

const newPlace = (): Place => ({ part: null, behindPart: null, behindHole: null });

const START = newPlace();

/** The rule that is being read: one at a time. */
const draft = { family: 4 as Family, protocol: '', module: '', count: 0, target: null as Target | null, place: START };
/** Its matches: a list for each rule would be grown and then copied. */
const found: Match[] = [];

/** `null` where the general reader has to say what the line is. */
export function readSavedRule(text: string, family: Family): SavedRule | null {
  if (!text.startsWith('-A ')) return null;
  const chain = chainOf(text);
  if (chain === null) return null;
  draft.family = family;
  draft.protocol = '';
  draft.module = '';
  draft.count = 0;
  draft.target = null;
  draft.place = START;
  let rank = 0;
  for (let at = 3 + chain.length; at < text.length; ) {
    const dash = text.charCodeAt(at + 1) === BANG ? at + 3 : at + 1;
    if (!beginsPart(text, at, dash)) return null;
    const own = RANKS[text.charCodeAt(dash + 1)] ?? 0;
    if (own <= rank && (own !== MATCH || rank !== MATCH)) return null;
    rank = own;
    at = readPart(text, at + 1, dash, own, chain);
    if (at < 0) return null;
  }
  return rank === 0 ? null : { kind: 'saved', chain, matches: found.slice(0, draft.count), target: draft.target, text, problems: NO_PROBLEMS };
}

/** Where the name of the rule's chain stands, and the one behind -j or -g. */
export function placesOf(reading: RuleReading | SavedRule): { readonly chainAt: Span; readonly targetAt: Span | null } {
  if (reading.kind === 'rule') return reading;
  const { text, chain, target } = reading;
  const chainAt = { offset: 3, length: chain.length };
  if (target === null) return { chainAt, targetAt: null };
  // No part but a comment, which stands before it, may hold such an option.
  const offset = Math.max(text.lastIndexOf(' -j '), text.lastIndexOf(' -g ')) + 4;
  const blank = text.indexOf(' ', offset);
  return { chainAt, targetAt: { offset, length: (blank < 0 ? text.length : blank) - offset } };
}

export const targetOf = (reading: RuleReading | SavedRule): Target | null => (reading.kind === 'saved' ? reading.target : (reading.rules[0]?.target ?? null));

/** A chain's rules follow each other. */
let lastChain = 'INPUT';

function chainOf(text: string): string | null {
  if (text.charCodeAt(3 + lastChain.length) === BLANK && text.startsWith(lastChain, 3)) return lastChain;
  const end = text.indexOf(' ', 3);
  const name = end < 0 ? '' : text.slice(3, end);
  if (name.length > MAX_CHAIN_NAME || !/^[^\s"\\!-][^\s"\\]*$/.test(name)) return null;
  lastChain = name;
  return name;
}

/** Whether ` -x ` or ` ! -x ` stands at the blank `at`, where `x` is one letter. */
const beginsPart = (text: string, at: number, dash: number): boolean =>
  text.charCodeAt(dash) === DASH && text.charCodeAt(dash + 2) === BLANK && text.charCodeAt(dash + 1) !== DASH && text.charCodeAt(at) === BLANK && (dash === at + 1 || text.charCodeAt(at + 2) === BLANK);

const COMMENT = '-m comment --comment ';

/** Where the part ends; -1 where it is not sure to be in the normal form. */
function readPart(text: string, from: number, dash: number, rank: number, chain: string): number {
  if (rank <= DESTINATION) return readAddress(text, dash, rank, dash > from);
  if (rank === TARGET) return readTarget(text, from);
  if (rank === MATCH && text.startsWith(COMMENT, from)) return readComment(text, from + COMMENT.length);
  const { part, known } = rememberedAt(text, from);
  if (known === null) return -1;
  if (rank === PROTOCOL) draft.protocol = dash > from ? '' : part;
  else if (rank === MATCH) {
    // Two `-m` of one module may be printed as one.
    if (known.module === draft.module) return -1;
    draft.module = known.module;
    // In a built-in chain the kernel may refuse it (rule.ts: checkLimit).
    if (part.includes(' --limit-iface-')) return -1;
  } else if (rank <= OUT_INTERFACE && (chain === 'INPUT' || chain === 'PREROUTING' || chain === 'OUTPUT' || chain === 'POSTROUTING')) return -1; // There a device is refused, whichever they are.
  for (let i = 0; i < known.matches.length; i++) found[draft.count++] = known.matches[i] as Match;
  return from + part.length;
}

/** `-s 10.0.0.1/32`, `! -d 10.0.0.0/16`. */
function readAddress(text: string, dash: number, rank: number, inverted: boolean): number {
  const match = readAddressMatch(text, dash + 3, draft.family, rank === SOURCE ? 'source' : 'destination', inverted);
  if (match === null) return -1;
  found[draft.count++] = match;
  draft.place = draft.place.behindHole ??= newPlace();
  return endOfLast();
}

/** Neighbouring rules often have the same comment. */
let lastQuoted: Match = { kind: 'comment', text: '' };
let lastText = '';

/** A comment in the normal form: quoted where it has to be, and nothing escaped. */
function readComment(text: string, from: number): number {
  if (draft.module === 'comment') return -1;
  const quoted = text.charCodeAt(from) === QUOTE;
  const begin = quoted ? from + 1 : from;
  const likely = begin + lastText.length;
  const same = quoted && text.charCodeAt(likely) === QUOTE && text.startsWith(lastText, begin);
  const next = same ? likely : text.indexOf(quoted ? '"' : ' ', begin);
  const end = next < 0 && !quoted ? text.length : next;
  if (end < 0 || end - begin > 255) return -1;
  const comment = same ? lastText : text.slice(begin, end);
  if (!same && (comment.includes("'") || comment.includes('\\') || needsQuotes(comment) !== quoted)) return -1;
  const match: Match = same ? lastQuoted : { kind: 'comment', text: comment };
  if (quoted) [lastQuoted, lastText] = [match, comment];
  found[draft.count++] = match;
  draft.module = 'comment';
  draft.place = draft.place.behindHole ??= newPlace();
  return quoted ? end + 1 : end;
}

const needsQuotes = (comment: string): boolean => comment.includes(' ') || comment.includes(':') || !/^[\w-]+$/.test(comment);

function readTarget(text: string, from: number): number {
  const target = jumpOf(text, from) ?? dnatOf(text, from);
  if (target !== null) {
    draft.target = target;
    return text.length;
  }
  const { part, known } = rememberedAt(text, from);
  if (known === null || known.target === null || from + part.length !== text.length) return -1;
  draft.target = known.target;
  return text.length;
}

/** Half of the jumps of kube-proxy's rules are to one chain. */
let masquerade: Target & { kind: 'jump' } = { kind: 'jump', chain: '', via: 'jump' };

/** A jump to a chain of one's own. */
function jumpOf(text: string, from: number): Target | null {
  if (text.length - from - 3 > MAX_CHAIN_NAME || text.charCodeAt(from) !== DASH) return null;
  const via = text.charCodeAt(from + 1) === 0x67 ? 'goto' : 'jump';
  if (masquerade.chain.length === text.length - from - 3 && masquerade.via === via && text.startsWith(masquerade.chain, from + 3)) return masquerade;
  const name = text.slice(from + 3);
  // No target of iptables has a dash in its name, and no chain name needs more than these letters.
  if (!name.includes('-') || !/^[A-Z][\w-]*$/.test(name)) return null;
  const jump: Target & { kind: 'jump' } = { kind: 'jump', chain: name, via };
  if (name === 'KUBE-MARK-MASQ') masquerade = jump;
  return jump;
}

const DNAT = '-j DNAT --to-destination ';

/** `10.0.0.46:53`, `[fd00::46]:53`, of TCP or UDP. */
function dnatOf(text: string, from: number): Target | null {
  if (!text.startsWith(DNAT, from) || (draft.protocol !== '-p tcp' && draft.protocol !== '-p udp')) return null;
  const bracket = draft.family === 6 ? 1 : 0;
  if (bracket === 1 && text.charAt(from + DNAT.length) !== '[') return null;
  const address = readSavedAddress(text, from + DNAT.length + bracket, draft.family);
  if (address === null || (bracket === 1 && text.charAt(endOfLast()) !== ']') || text.charCodeAt(endOfLast() + bracket) !== COLON) return null;
  const port = readDecimal(text, endOfLast() + bracket + 1);
  if (port < 0 || port > 65535 || endOfLast() !== text.length) return null;
  return { kind: 'dnat', range: { from: address, to: address, ports: { from: port, to: port }, random: false, randomFully: false, persistent: false } };
}

const memory = new Map<string, Remembered>();
const MOST_REMEMBERED = 20_000;

/** The part that begins at `from`: mostly the one that stood there in an earlier rule. */
function rememberedAt(text: string, from: number): Remembered {
  const { family, protocol, place } = draft;
  let { part } = place;
  if (part === null || part.family !== family || part.protocol !== protocol || !text.startsWith(part.part, from) || !isPartsEnd(text, from + part.part.length)) {
    part = entryOf(family, protocol, text.slice(from, endOfPart(text, from)));
    place.part = part;
    place.behindPart = null;
  }
  draft.place = place.behindPart ??= newPlace();
  return part;
}

const isPartsEnd = (text: string, at: number): boolean => at === text.length || beginsPart(text, at, text.charCodeAt(at + 1) === BANG ? at + 3 : at + 1);

/** Before ` -x ` or ` ! -x `. */
function endOfPart(text: string, from: number): number {
  let at = text.indexOf(' ', text.charCodeAt(from) === BANG ? from + 2 : from);
  while (at >= 0 && !isPartsEnd(text, at)) at = text.indexOf(' ', at + 1);
  return at < 0 ? text.length : at;
}

function entryOf(family: Family, protocol: string, part: string): Remembered {
  const key = `${family}${protocol} ${part}`;
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (memory.size > MOST_REMEMBERED) memory.clear();
  const entry: Remembered = { family, protocol, part: ` ${part}`.slice(1), known: knownOf(family, protocol, part) };
  memory.set(` ${key}`.slice(1), entry);
  return entry;
}

function knownOf(family: Family, protocol: string, part: string): Known | null {
  const line = `-A X${protocol === '' ? '' : ` ${protocol}`} ${part}`;
  const { rules, problems } = readRule(line, family);
  const [rule] = rules;
  const plain = rule !== undefined && rules.length === 1 && problems.length === 0 && rule.text === line;
  return plain ? { module: /^-m (\S+)/.exec(part)?.[1] ?? '', matches: protocol === '' ? rule.matches : rule.matches.slice(1), target: rule.target } : null;
}
