/** `conntrack -L`, with or without `-o extended` or `-o id`, and /proc/net/nf_conntrack: libnetfilter_conntrack's snprintf_default.c. */
import type { Address, Family } from '../../../../engine/src/net/address.ts';
import { parseAddress } from '../../../../engine/src/net/address.ts';
import type { ConntrackRecord, ConntrackTuple } from '../../../../engine/src/topology/netfilter.ts';
import { closest } from '../../../../engine/src/closest.ts';
import type { LineProblem, Report } from './dump.ts';
import { reporter } from './dump.ts';
import { DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, parseNumber } from './iptables/names.ts';
import type { Cursor, Word } from './words.ts';
import { cursorOver, wordsOf } from './words.ts';

export type ConntrackBody = Omit<ConntrackRecord, 'origin'>;

export interface ConntrackLine {
  /** `null` on an empty line and where the flow cannot be used. */
  readonly record: ConntrackBody | null;
  readonly problems: readonly LineProblem[];
}

const STATES = [
  'NONE', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'LISTEN', 'SYN_SENT2', 'CLOSED', 'COOKIE_WAIT', 'COOKIE_ECHOED', 'SHUTDOWN_SENT', 'SHUTDOWN_RECD', 'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT', 'HEARTBEAT_ACKED', 'REQUEST', 'RESPOND', 'PARTOPEN', 'OPEN', 'CLOSEREQ', 'CLOSING', 'TIMEWAIT', 'IGNORE', 'INVALID',
];
const FLAGS = ['[UNREPLIED]', '[ASSURED]'];
/** Of a flow that hardware forwards; the packets that a trace follows are the same. */
const IGNORED_FLAGS = ['[OFFLOAD]', '[HW_OFFLOAD]'];
const TUPLE_KEYS = ['src', 'dst', 'sport', 'dport', 'type', 'code', 'id'];
const OTHER_KEYS = ['mark', 'zone', 'zone-orig', 'zone-reply'];
const IGNORED_KEYS = ['packets', 'bytes', 'use', 'secctx', 'secmark', 'delta-time', 'helper', 'labels', 'srckey', 'dstkey', 'start', 'stop', 'timeout', 'stream_timeout'];
const KEYS = [...TUPLE_KEYS, ...OTHER_KEYS, ...IGNORED_KEYS];

/** The values of one direction as they stand in the line. */
type DraftTuple = Map<string, Word>;

interface Draft {
  readonly tuples: DraftTuple[];
  readonly others: Map<string, Word>;
  readonly flags: Set<string>;
  state: string | null;
}

export function readConntrackLine(text: string): ConntrackLine {
  const { problems, report } = reporter();
  const cursor = cursorOver(wordsOf(text));
  const first = cursor.peek();
  // What `conntrack` says of itself goes to its error output, and often into the file beside the flows.
  if (first === undefined || first.text.startsWith('#') || /^conntrack v\S+ \(conntrack-tools\)/.test(text)) return { record: null, problems };
  const network = /^ipv[46]$/.test(first.text) ? cursor.take() : undefined;
  if (network !== undefined) cursor.take();
  const protocol = readProtocol(cursor, report);
  if (protocol === null) return { record: null, problems };
  const draft: Draft = { tuples: [], others: new Map(), flags: new Set(), state: null };
  for (let word = cursor.take(); word !== undefined; word = cursor.take()) readWord(word, cursor, draft, report);
  const record = problems.some((p) => p.severity === 'error') ? null : recordOf(text, first, protocol, draft, report);
  return { record, problems };
}

/** `tcp      6 431999`: a name, the number, and the seconds that are left. */
function readProtocol(cursor: Cursor, report: Report): number | null {
  const name = cursor.take();
  const number = cursor.take();
  const protocol = number === undefined ? undefined : parseNumber(number.text);
  if (name === undefined || protocol === undefined || protocol > 255) {
    if (name !== undefined) report(number ?? name, 'not-a-dump-line', 'A line of `conntrack -L` begins with a protocol and its number, such as `tcp 6`.');
    return null;
  }
  if (/^\d+$/.test(cursor.peek()?.text ?? '')) cursor.take();
  return protocol;
}

function readWord(word: Word, cursor: Cursor, draft: Draft, report: Report): void {
  const equals = word.text.indexOf('=');
  if (word.text.startsWith('[')) {
    if (/^\[(start|stop)=/.test(word.text)) {
      // `[start=Sun Nov 22 12:00:00 2026]`
      for (let part: Word | undefined = word; part !== undefined && !part.text.endsWith(']'); part = cursor.take());
    } else if (FLAGS.includes(word.text)) draft.flags.add(word.text);
    else if (!IGNORED_FLAGS.includes(word.text)) unknown(word, word.text, [...FLAGS, ...IGNORED_FLAGS], report);
    return;
  }
  if (equals < 0) {
    if (STATES.includes(word.text)) draft.state = word.text;
    else unknown(word, word.text, [...STATES, ...FLAGS], report);
    return;
  }
  const key = word.text.slice(0, equals);
  const value: Word = { text: word.text.slice(equals + 1), offset: word.offset + equals + 1, length: word.length - equals - 1 };
  if (!KEYS.includes(key)) unknown({ ...word, length: equals }, key, KEYS, report);
  else if (value.text === '') report(word, 'missing-value', `The value of \`${key}=\` is missing.`);
  // `-o id` prints the entry's own number last, after `use=`.
  else if (TUPLE_KEYS.includes(key) && !(key === 'id' && draft.others.has('use'))) addToTuple(key, value, draft);
  else draft.others.set(key, value);
}

const unknown = (at: { readonly offset: number; readonly length: number }, text: string, known: readonly string[], report: Report): void =>
  report(at, 'unknown-word', `\`conntrack -L\` prints no \`${text}\` here.`, { suggestion: closest(text, known) ?? null });

/** `src=` begins a direction. */
function addToTuple(key: string, value: Word, draft: Draft): void {
  const open = draft.tuples.at(-1);
  if (key === 'src' || open === undefined) draft.tuples.push(new Map([[key, value]]));
  else open.set(key, value);
}

function recordOf(text: string, first: Word, protocol: number, draft: Draft, report: Report): ConntrackBody | null {
  const [a, b, more] = draft.tuples;
  if (a === undefined || b === undefined || more !== undefined) {
    report(first, 'missing-value', 'A flow has two directions, each with `src=` and `dst=`: one is missing or there is one too many.');
    return null;
  }
  const original = readTuple(a, protocol, first, report);
  const reply = readTuple(b, protocol, first, report);
  const mark = readNumber(draft.others.get('mark'), 0xffff_ffff, report);
  const zone = readNumber(draft.others.get('zone'), 65535, report);
  const zones = { original: readNumber(draft.others.get('zone-orig'), 65535, report), reply: readNumber(draft.others.get('zone-reply'), 65535, report) };
  if (original === null || reply === null || mark === null || zone === null || zones.original === null || zones.reply === null) return null;
  const family: Family = original.source.family;
  const stranger = [...a.values(), ...b.values()].find((word) => (parseAddress(word.text)?.family ?? family) !== family);
  if (stranger !== undefined) {
    report(stranger, 'bad-value', `\`${stranger.text}\` is of another address family than the flow's first address.`);
    return null;
  }
  return {
    family, protocol, original, reply, state: draft.state,
    seenReply: !draft.flags.has('[UNREPLIED]'),
    assured: draft.flags.has('[ASSURED]'),
    mark,
    zones: { original: zones.original || zone, reply: zones.reply || zone },
    text: text.trim(),
  };
}

const WITH_PORTS = [TCP, UDP, SCTP, DCCP, UDPLITE];

function readTuple(words: DraftTuple, protocol: number, line: Word, report: Report): ConntrackTuple | null {
  const needed = WITH_PORTS.includes(protocol) ? ['src', 'dst', 'sport', 'dport'] : protocol === ICMP || protocol === ICMPV6 ? ['src', 'dst', 'type', 'code', 'id'] : ['src', 'dst'];
  const missing = needed.find((key) => !words.has(key));
  if (missing !== undefined) {
    report([...words.values()][0] ?? line, 'missing-value', `\`${missing}=\` is missing in this direction of the flow.`);
    return null;
  }
  const source = readAddress(words.get('src'), report);
  const destination = readAddress(words.get('dst'), report);
  const numbers = ['sport', 'dport', 'id', 'type', 'code'].map((key) => readNumber(words.get(key), key === 'type' || key === 'code' ? 255 : 65535, report));
  if (source === null || destination === null || numbers.includes(null)) return null;
  const [sport, dport, id, type, code] = numbers.map((n) => n ?? 0) as [number, number, number, number, number];
  return {
    source,
    destination,
    ports: needed.includes('sport') ? { source: sport, destination: dport } : null,
    icmp: needed.includes('type') ? { type, code, id } : null,
  };
}

function readAddress(word: Word | undefined, report: Report): Address | null {
  const address = word === undefined ? undefined : parseAddress(word.text);
  if (word !== undefined && address === undefined) report(word, 'bad-value', `\`${word.text}\` is no address.`);
  return address ?? null;
}

/** 0 where it is not printed; `null` where it is no number. */
function readNumber(word: Word | undefined, max: number, report: Report): number | null {
  if (word === undefined) return 0;
  const n = /^\d+$/.test(word.text) ? Number(word.text) : -1;
  if (n >= 0 && n <= max) return n;
  report(word, 'bad-value', `\`${word.text}\` cannot stand here: write a number from 0 to ${max}.`);
  return null;
}
