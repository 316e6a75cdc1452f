/** `ip -j route`, `ip -j rule`: the fields that iproute.c print_route() and iprule.c print_rule() give in JSON. */
import type { JsonNode } from './json-text.ts';
import type { Draft, Field, Fields, Strange, Transcript } from './transcript.ts';
import { draftLine, flags, ignored, memberOf, named, plainValue, write, writeMembers } from './transcript.ts';

const METRICS: Fields = new Map(named('mtu', 'advmss', 'window', 'rtt', 'rttvar', 'ssthresh', 'cwnd', 'initcwnd', 'initrwnd', 'hoplimit', 'reordering', 'rto_min', 'features', 'quickack', ['congestion', 'congctl'], 'fastopen_no_cookie').concat(ignored('ecn')));

const metrics: Field = {
  kind: 'own',
  write: (draft, value, path, strange) => {
    for (const [i, item] of (value.kind === 'array' ? value.items : [value]).entries()) writeMembers(draft, item, `${path}[${i}]`, METRICS, [], strange);
  },
};

/** A gateway of the other family: `{"family": "inet6", "host": "fe80::1"}`. */
const via: Field = {
  kind: 'own',
  write: (draft, value, path, strange) => {
    const family = plainValue(memberOf(value, 'family')?.value);
    const host = memberOf(value, 'host')?.value;
    const address = plainValue(host);
    if (family === undefined || address === undefined || host === undefined) strange.push({ start: value.start, end: value.end, path, severity: 'error', message: 'The `family` and `host` of a gateway are expected here.' });
    else write(draft, `via ${family} ${address}`, host, path);
  },
};

/** What `encap` says more of itself (iproute2's iproute_lwtunnel.c). */
const ENCAPSULATION = ignored('mode', 'segs', 'hmac', 'ttl', 'id', 'src', 'hoplimit', 'tc', 'tun_src', 'opts', 'action', 'tundst', 'lwtdst', 'headroom');

const NEXTHOP: [string, Field][] = [...named(['gateway', 'via'], 'dev', 'weight'), ['via', via], ['flags', { kind: 'bare' }], ...named('encap'), ...ENCAPSULATION];

const ROUTE: Fields = new Map<string, Field>([
  ...NEXTHOP,
  ['type', { kind: 'bare' }],
  ['dst', { kind: 'bare' }],
  ['metrics', metrics],
  ...named('from', 'tos', 'table', ['protocol', 'proto'], 'scope', ['prefsrc', 'src'], 'metric', 'pref', 'expires', 'error', 'nhid', 'uid', ['ttl_propagate', 'ttl-propagate']),
  ['nexthops', { kind: 'ignored' }],
  ...ignored('cache', 'used', 'age', 'users', 'fib_result', 'nh_info', 'flow'),
]);

const HOP: Fields = new Map(NEXTHOP);

export function routeLines(record: JsonNode, path: string, strange: Strange[]): Transcript[] {
  const line = draftLine(record, path);
  writeMembers(line, record, path, ROUTE, ['type', 'dst'], strange);
  const hops = memberOf(record, 'nexthops')?.value;
  return [line, ...(hops?.kind === 'array' ? hops.items : []).map((hop, i): Draft => {
    const hopLine = draftLine(hop, `${path}.nexthops[${i}]`);
    write(hopLine, 'nexthop', hop, hopLine.path);
    writeMembers(hopLine, hop, hopLine.path, HOP, [], strange);
    return hopLine;
  })];
}

/** An address whose length stands under a name of its own: `src` and `srclen`. */
const prefix = (word: string, length: string): Field => ({
  kind: 'own',
  write: (draft, value, path) => {
    const bits = plainValue(lengths.get(value)?.get(length));
    write(draft, `${word} ${plainValue(value) ?? ''}${bits === undefined ? '' : `/${bits}`}`, value, path);
  },
});

/** The record around a value, for fields that belong together. */
const lengths = new WeakMap<JsonNode, ReadonlyMap<string, JsonNode>>();

/** `dport_start` and `dport_end`. */
const range = (word: string, end: string): Field => ({
  kind: 'own',
  write: (draft, value, path) => { write(draft, `${word} ${plainValue(value) ?? ''}-${plainValue(lengths.get(value)?.get(end)) ?? ''}`, value, path); },
});

const mark: Field = {
  kind: 'own',
  write: (draft, value, path) => {
    const mask = plainValue(lengths.get(value)?.get('fwmask'));
    write(draft, `fwmark ${plainValue(value) ?? ''}${mask === undefined ? '' : `/${mask}`}`, value, path);
  },
};

const RULE: Fields = new Map<string, Field>([
  ['priority', { kind: 'own', write: (draft, value, path) => { write(draft, `${plainValue(value) ?? ''}:`, value, path); } }],
  ['src', prefix('from', 'srclen')],
  ['dst', prefix('to', 'dstlen')],
  ['fwmark', mark],
  ['sport_start', range('sport', 'sport_end')],
  ['dport_start', range('dport', 'dport_end')],
  ['uid_start', range('uidrange', 'uid_end')],
  ...flags('not', 'nop', 'l3mdev'),
  ['unresolved', { kind: 'flag', word: '[unresolved]' }],
  ...named('iif', 'oif', 'ipproto', 'sport', 'dport', 'tos', 'dscp', 'tun_id', 'goto', ['table', 'lookup'], ['suppress_prefixlen', 'suppress_prefixlength'], 'suppress_ifgroup', ['protocol', 'proto']),
  ['action', { kind: 'bare' }],
  ...ignored('srclen', 'dstlen', 'fwmask', 'sport_end', 'dport_end', 'uid_end', 'iif_detached', 'oif_detached', 'flow_from', 'flow_to', 'masquerade', 'nat_gateway'),
]);

export function ruleLines(record: JsonNode, path: string, strange: Strange[]): Transcript[] {
  const line = draftLine(record, path);
  if (record.kind === 'object') {
    const around = new Map(record.members.map((m) => [m.key.value, m.value]));
    for (const value of around.values()) lengths.set(value, around);
  }
  writeMembers(line, record, path, RULE, ['priority', 'not'], strange);
  return [line];
}
