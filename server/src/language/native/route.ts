/** `ip route`, `ip -6 route`, `ip route show table all`: iproute2's iproute.c print_route(), line by line. */
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { Address, Family, Prefix } from '../../../../engine/src/net/address.ts';
import { ipv4, parseAddress, parsePrefix } from '../../../../engine/src/net/address.ts';
import type { Nexthop, Route, RouteType, Scope } from '../../../../engine/src/topology/model.ts';
import { DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE } from '../../../../engine/src/topology/model.ts';
import type { DumpLine, DumpProblem, LineProblem, Report } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import { closest } from '../../../../engine/src/closest.ts';
import type { Cursor, Word } from './words.ts';
import { cursorOver, wordsOf } from './words.ts';

export type RouteBody = Omit<Route, 'origin'>;

/** What one line says, wherever it stands: nothing in it depends on the lines around it. */
export type RouteLine =
  /** `family` is null on a `default` whose line does not tell; the nexthop lines under it do. */
  | { readonly kind: 'route'; readonly route: RouteBody; readonly family: Family | null; readonly problems: readonly LineProblem[] }
  | { readonly kind: 'nexthop'; readonly nexthop: Nexthop | null; readonly unmodelled: Draft['unmodelled']; readonly text: string; readonly problems: readonly LineProblem[] }
  /** A route that cannot be used, for a reason that is among the problems. */
  | { readonly kind: 'left-out'; readonly problems: readonly LineProblem[] }
  /** A comment, an empty line or the kernel's notes on a cached route. */
  | { readonly kind: 'nothing'; readonly problems: readonly LineProblem[] };

const TYPES: ReadonlySet<string> = new Set<RouteType>([
  'unicast', 'local', 'broadcast', 'multicast', 'anycast', 'unreachable', 'blackhole', 'prohibit', 'throw', 'nat',
]);
/** As `ip -N` prints them (linux/rtnetlink.h). */
const TYPE_NUMBERS: ReadonlyMap<string, RouteType> = new Map([
  ['1', 'unicast'], ['2', 'local'], ['3', 'broadcast'], ['4', 'anycast'], ['5', 'multicast'], ['6', 'blackhole'], ['7', 'unreachable'], ['8', 'prohibit'], ['9', 'throw'], ['10', 'nat'],
]);
/** Those of iproute2's etc/iproute2/rt_protos that some component of a cluster uses. */
const PROTOCOL_NUMBERS: ReadonlyMap<string, string> = new Map([['0', 'unspec'], ['1', 'redirect'], ['2', 'kernel'], ['3', 'boot'], ['4', 'static'], ['9', 'ra'], ['11', 'zebra'], ['12', 'bird'], ['16', 'dhcp'], ['18', 'keepalived'], ['186', 'bgp'], ['188', 'ospf']]);
const WITHOUT_NEXTHOP: ReadonlySet<RouteType> = new Set(['unreachable', 'blackhole', 'prohibit', 'throw']);
export const SCOPES: ReadonlyMap<string, Scope> = new Map(Object.entries({
  global: 'global', universe: 'global', site: 'site', link: 'link', host: 'host', nowhere: 'nowhere', 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere',
}));
const TABLE_NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries({ main: MAIN_TABLE, local: LOCAL_TABLE, default: DEFAULT_TABLE, unspec: 0 }));

/** Printed, and without bearing on where a packet goes. A lock may stand before the value. */
const IGNORED_WITH_VALUE: ReadonlySet<string> = new Set([
  'advmss', 'window', 'rtt', 'rttvar', 'ssthresh', 'cwnd', 'initcwnd', 'initrwnd', 'hoplimit', 'reordering', 'rto_min', 'features', 'quickack', 'congctl',
  'fastopen_no_cookie', 'realm', 'realms', 'expires', 'error', 'users', 'used', 'age', 'nhid', 'uid', 'ttl-propagate',
]);
const IGNORED: ReadonlySet<string> = new Set([
  'linkdown', 'pervasive', 'offload', 'rt_offload', 'trap', 'rt_trap', 'offload_failed', 'rt_offload_failed', 'notify', 'unresolved', 'cache',
]);
const READ = ['via', 'dev', 'table', 'proto', 'protocol', 'scope', 'src', 'metric', 'preference', 'mtu', 'onlink', 'dead', 'tos', 'dsfield', 'pref', 'weight', 'nexthop', 'from', 'encap', 'inet6', 'lock'];
const KEYWORDS: ReadonlySet<string> = new Set([...READ, ...IGNORED, ...IGNORED_WITH_VALUE]);

const BEHIND_ENCAPSULATION: ReadonlySet<string | undefined> = new Set(['via', 'dev', 'nexthop', undefined]);

interface Draft {
  via: Address | null;
  device: string | null;
  weight: number;
  onlink: boolean;
  dead: boolean;
  table: number | null;
  protocol: string;
  scope: Scope | null;
  source: Address | null;
  metric: number | null;
  mtu: number | null;
  tos: number;
  family: Family | null;
  /** Says something that cannot be left out and cannot be read. */
  unusable: boolean;
  unmodelled: NonNullable<RouteBody['unmodelled']> | null;
  readonly nexthops: Nexthop[];
}

const emptyDraft = (): Draft => ({
  via: null, device: null, weight: 1, onlink: false, dead: false, table: null, protocol: 'boot', scope: null, source: null, metric: null, mtu: null, tos: 0,
  family: null, unusable: false, unmodelled: null, nexthops: [],
});

/** Reads one line. Addresses without a length are host prefixes; what is not printed has the value at which iproute2 leaves it out. */
export function readRouteLine(text: string): RouteLine {
  const { problems, report } = reporter();
  // `ip -o` has a backslash for each line end.
  const words = wordsOf(text.replaceAll('\\', ' '));
  const first = words[0];
  if (first === undefined || first.text.startsWith('#') || first.text === 'cache') return { kind: 'nothing', problems };
  if (first.text === 'nh_info') return { kind: 'nothing', problems: explained(words, report, problems) };
  const cursor = cursorOver(words);
  const draft = emptyDraft();
  if (first.text === 'nexthop') {
    cursor.take();
    readAttributes(cursor, draft, report);
    return { kind: 'nexthop', nexthop: draft.unusable ? null : nexthopOf(draft, first, report), unmodelled: draft.unmodelled, text: text.trim(), problems };
  }
  const named = TYPES.has(first.text) ? (first.text as RouteType) : words.length > 1 ? TYPE_NUMBERS.get(first.text) : undefined;
  const type = named ?? 'unicast';
  const destination = readDestination(cursor, named !== undefined, report);
  readAttributes(cursor, draft, report);
  readInlineNexthops(cursor, draft, report);
  if (destination === null || draft.unusable) return { kind: 'left-out', problems };
  return { kind: 'route', ...routeOf(text, type, destination, draft, first, report), problems };
}

/** `ip -d` explains a `nhid` on a line of its own; the nexthops are printed beside it, with `-o` as well on that very line. */
function explained(words: readonly Word[], report: Report, problems: readonly LineProblem[]): readonly LineProblem[] {
  const hop = words.find((word) => word.text === 'nexthop');
  if (hop !== undefined) report(hop, 'not-modelled', 'These nexthops are left out: with both `-d` and `-o`, `ip` tears a route of a nexthop group apart. Paste what it prints without `-o`.', { severity: 'warning' });
  return problems;
}

function readDestination(cursor: Cursor, typed: boolean, report: Report): Prefix | 'default' | null {
  const type = typed ? cursor.take() : undefined;
  const word = cursor.take();
  if (word === undefined) {
    if (type !== undefined) report(type, 'missing-value', `A destination is missing after \`${type.text}\`: write \`default\` or a prefix such as 10.0.0.0/16.`);
    return null;
  }
  if (word.text === 'default' || word.text === 'all') return 'default';
  const prefix = parsePrefix(word.text);
  if (prefix === undefined) {
    report(word, 'bad-value', `\`${word.text}\` is no destination of a route: write \`default\` or a prefix such as 10.0.0.0/16.`, {
      suggestion: closest(word.text, ['default', ...TYPES]) ?? null,
    });
    return null;
  }
  return prefix;
}

function routeOf(text: string, type: RouteType, destination: Prefix | 'default', draft: Draft, first: Word, report: Report): { route: RouteBody; family: Family | null } {
  const family = destination === 'default' ? draft.family : destination.address.family;
  const own = draft.via !== null || draft.device !== null ? nexthopOf(draft, first, report) : null;
  return {
    family,
    route: {
      destination: destination === 'default' ? defaultOf(family ?? 4) : destination,
      type,
      table: draft.table ?? (type === 'local' || type === 'broadcast' || type === 'anycast' ? LOCAL_TABLE : MAIN_TABLE),
      nexthops: WITHOUT_NEXTHOP.has(type) ? [] : own === null ? draft.nexthops : [own, ...draft.nexthops],
      source: draft.source,
      metric: draft.metric ?? (family === 6 ? 1024 : 0),
      // Left out by print_route() where it is global, whether or not there is a gateway.
      scope: draft.scope ?? 'global',
      protocol: draft.protocol,
      mtu: draft.mtu,
      tos: draft.tos,
      ...(draft.unmodelled === null ? {} : { unmodelled: draft.unmodelled }),
      text: text.trim(),
    },
  };
}

const defaultOf = (family: Family): Prefix => ({ address: family === 4 ? ipv4(0) : { family: 6, words: [0, 0, 0, 0] }, length: 0 });

function nexthopOf(draft: Draft, word: Word, report: Report): Nexthop | null {
  if (draft.dead) {
    report(word, 'not-modelled', 'This nexthop is dead: the kernel does not use it, and neither does a trace.', { severity: 'warning' });
    return null;
  }
  return { via: draft.via, device: draft.device, weight: draft.weight, onlink: draft.onlink };
}

/** `ip -o` prints the nexthops on the route's own line. */
function readInlineNexthops(cursor: Cursor, draft: Draft, report: Report): void {
  for (let word = cursor.take(); word !== undefined; word = cursor.take()) {
    const hop = emptyDraft();
    readAttributes(cursor, hop, report);
    const nexthop = nexthopOf(hop, word, report);
    draft.family ??= hop.family;
    if (hop.unusable) draft.unusable = true;
    draft.unmodelled ??= hop.unmodelled;
    if (nexthop !== null) draft.nexthops.push(nexthop);
  }
}

/** Up to the end of the line or the word `nexthop`. */
function readAttributes(cursor: Cursor, draft: Draft, report: Report): void {
  while (cursor.peek()?.text !== 'nexthop') {
    const word = cursor.take();
    if (word === undefined) return;
    if (IGNORED.has(word.text)) continue;
    if (word.text === 'nh_info') {
      while (cursor.peek() !== undefined && cursor.peek()?.text !== 'nexthop') cursor.take();
      continue;
    }
    if (IGNORED_WITH_VALUE.has(word.text)) {
      cursor.takeIf('lock');
      if (cursor.take() === undefined) missing(word, report);
    } else if (!readAttribute(word, cursor, draft, report)) {
      report(word, 'unknown-word', `\`ip route\` prints no \`${word.text}\` here; the rest of the route is read.`, { suggestion: closest(word.text, KEYWORDS) ?? null });
      // What follows an unknown word is most likely its value.
      while (cursor.peek() !== undefined && !KEYWORDS.has(cursor.peek()?.text ?? '')) cursor.take();
    }
  }
}

const missing = (word: Word, report: Report): void =>
  report(word, 'missing-value', `The value of \`${word.text}\` is missing.`);

/** False where the word is no attribute of a route. */
function readAttribute(word: Word, cursor: Cursor, draft: Draft, report: Report): boolean {
  const value = <T>(read: (text: string) => T | undefined, expected: string): T | null => {
    const given = cursor.take();
    if (given === undefined) {
      missing(word, report);
      return null;
    }
    const result = read(given.text);
    if (result === undefined) report(given, 'bad-value', `\`${given.text}\` is no value of \`${word.text}\`: write ${expected}.`);
    return result ?? null;
  };
  switch (word.text) {
    case 'via': {
      const named = cursor.takeIf('inet6') || cursor.takeIf('inet');
      draft.via = value(parseAddress, 'an address');
      if (draft.via === null) draft.unusable = true;
      else if (!named) draft.family ??= draft.via.family;
      return true;
    }
    case 'dev':
      draft.device = value((t) => t, 'the name of a device');
      return true;
    case 'table':
      draft.table = value(tableNumber, 'a number, `main`, `local` or `default` (`ip -N route` prints numbers)');
      if (draft.table === null) draft.unusable = true;
      return true;
    case 'proto':
    case 'protocol':
      draft.protocol = value((t) => PROTOCOL_NUMBERS.get(t) ?? t, 'a protocol') ?? 'boot';
      return true;
    case 'scope':
      draft.scope = value((t) => SCOPES.get(t), '`global`, `site`, `link`, `host` or `nowhere`');
      return true;
    case 'src':
      draft.source = value(parseAddress, 'an address');
      if (draft.source !== null) draft.family ??= draft.source.family;
      return true;
    case 'metric':
    case 'preference':
      draft.metric = value(number, 'a number');
      return true;
    case 'mtu':
      cursor.takeIf('lock');
      draft.mtu = value(number, 'a number');
      return true;
    case 'tos':
    case 'dsfield':
      draft.tos = value(number, 'a number such as 0x10') ?? 0;
      return true;
    case 'pref':
      // Router preference (RFC 4191) exists in IPv6 only.
      value((t) => (/^(low|medium|high|\d+)$/.test(t) ? t : undefined), '`low`, `medium` or `high`');
      draft.family ??= 6;
      return true;
    case 'weight':
      draft.weight = value(number, 'a number') ?? 1;
      return true;
    case 'onlink':
      draft.onlink = true;
      return true;
    case 'dead':
      draft.dead = true;
      return true;
    case 'from': {
      const source = value((t) => (t === 'all' || t === 'default' ? 'any' : parsePrefix(t)), '`default` or a prefix');
      if (source !== null && source !== 'any') {
        report(word, 'not-modelled', 'k8snet does not model routes by source: a trace that comes to this one ends undecided.', { severity: 'warning' });
        draft.unmodelled = 'source';
        draft.family ??= source.address.family;
      }
      if (source === null) draft.unusable = true;
      return true;
    }
    case 'encap':
      report(word, 'not-modelled', 'k8snet does not model routes with an encapsulation of their own: a trace that comes to this one ends undecided.', { severity: 'warning' });
      draft.unmodelled = 'encapsulation';
      // The words of the encapsulation, which has a `src` and a `ttl` of its own; print_route() has the device behind them.
      while (!BEHIND_ENCAPSULATION.has(cursor.peek()?.text)) cursor.take();
      return true;
    default:
      return false;
  }
}

const number = (text: string): number | undefined => (/^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined);

/** The number of a routing table as `ip` prints it: main, local, default, or a number. */
export function tableNumber(text: string): number | undefined {
  return TABLE_NUMBERS.get(text) ?? number(text);
}

/** Reads a whole dump. A nexthop line belongs to the route above it. */
export function readRoutes(lines: readonly DumpLine[]): { readonly routes: readonly Route[]; readonly problems: readonly DumpProblem[] } {
  return assembleRoutes(lines.map((line) => ({ reading: readRouteLine(line.text), at: line.at })));
}

/** The same from lines that were read before, one by one. */
export function assembleRoutes(lines: readonly { readonly reading: RouteLine; readonly at: DumpLine['at'] }[]): { readonly routes: readonly Route[]; readonly problems: readonly DumpProblem[] } {
  const routes: Route[] = [];
  const problems: DumpProblem[] = [];
  /** The route that nexthop lines belong to; `route` is null where it was left out. */
  let open: { family: Family | null; route: Route | null } | null = null;
  for (const [index, { reading, at }] of lines.entries()) {
    problems.push(...onLine(reading.problems, index));
    if (reading.kind === 'route') {
      open = { family: reading.family, route: { ...reading.route, origin: captured(at) } };
      routes.push(open.route as Route);
    } else if (reading.kind === 'left-out') open = { family: null, route: null };
    else if (reading.kind === 'nexthop' && open === null) {
      problems.push({ line: index, offset: 0, length: reading.text.length, code: 'not-a-dump-line', severity: 'error', message: 'A `nexthop` line belongs under the line of its route.', suggestion: null });
    } else if (reading.kind === 'nexthop' && open !== null && open.route !== null && reading.nexthop !== null) {
      open.family ??= reading.nexthop.via?.family ?? null;
      open.route = withNexthop(open.route, reading.nexthop, reading.text, open.family);
      if (reading.unmodelled !== null) open.route = { ...open.route, unmodelled: reading.unmodelled };
      routes[routes.length - 1] = open.route;
    }
  }
  return { routes, problems };
}

function withNexthop(route: Route, nexthop: Nexthop, text: string, family: Family | null): Route {
  const becomesV6 = family === 6 && route.destination.address.family === 4 && route.destination.length === 0 && route.nexthops.length === 0;
  return {
    ...route,
    ...(becomesV6 ? { destination: defaultOf(6), metric: route.metric === 0 ? 1024 : route.metric } : {}),
    nexthops: [...route.nexthops, nexthop],
    text: `${route.text}\n\t${text}`,
  };
}
