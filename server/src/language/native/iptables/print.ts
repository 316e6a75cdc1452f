/** Rule records as iptables-save prints them (iptables.c print_rule4() and each extension's save function). */
import { savedTable } from '../../../../../engine/src/topology/iptables-save.ts';
import { assertNever } from '../../../../../engine/src/assert-never.ts';
import type { Family, Prefix } from '../../../../../engine/src/net/address.ts';
import { bitsOf, formatAddress, formatMac, formatPrefix, sameAddress } from '../../../../../engine/src/net/address.ts';
import type { Match, NatRange, PortRange, Rule, Table, Target } from '../../../../../engine/src/topology/netfilter.ts';
import { TCP_FLAGS, isUnprinted } from './match-transport.ts';
import { protocolName } from './names.ts';
import { quoteValue } from './words.ts';

/** One match: its module (`null` for the rule's own options), its place among the module's options, and its text. */
interface Part {
  readonly module: string | null;
  readonly order: number;
  readonly text: string;
  /** Printed once, at the end of the module's options. */
  readonly tail?: string;
}

/** Modules of which some options are kept as text: those stand beside the others under one `-m`. */
const PARTLY_MODELLED: ReadonlySet<string> = new Set(['tcp', 'sctp', 'dccp', 'conntrack']);

const NONE: ReadonlySet<Match> = new Set();

/** `-A CHAIN …`, without counters. `first`: those with which an `-m` of their own begins. */
export function printRule(chain: string, rule: Pick<Rule, 'matches' | 'target'>, family: Family, first: ReadonlySet<Match> = NONE): string {
  const words = [`-A ${chain}`];
  let open: Part | null = null;
  for (const match of rule.matches) {
    const part: Part = partOf(match, family, open);
    const joins = part.module !== null && match.kind !== 'transport-header' && open?.module === part.module && part.order > open.order && !first.has(match);
    if (!joins && open?.tail !== undefined) words.push(open.tail);
    if (!joins && part.module !== null) words.push(`-m ${part.module}`);
    if (part.text !== '') words.push(part.text);
    open = part;
  }
  if (open?.tail !== undefined) words.push(open.tail);
  if (rule.target !== null) words.push(printTarget(rule.target, family));
  return words.join(' ');
}

/** The whole dump of one family, as `iptables-save` prints it: its tables, chains with policies, rules. */
export const printTables = (tables: readonly Table[]): string[] =>
  tables.flatMap((table) => savedTable(table, (rule, chain) => printRule(chain.name, rule, table.family)));

const hex = (n: number): string => `0x${n.toString(16)}`;
const masked = (value: number, mask: number): string => (mask === 0xffff_ffff ? hex(value) : `${hex(value)}/${hex(mask)}`);
const range = (ports: PortRange, separator: ':' | '-' = ':'): string => (ports.from === ports.to ? String(ports.from) : `${ports.from}${separator}${ports.to}`);
const hostOrPrefix = (prefix: Prefix): string => (prefix.length === bitsOf(prefix.address.family) ? formatAddress(prefix.address) : formatPrefix(prefix));

/** `! -i +`, which no packet passes, is not printed: iptables-save looks at the name alone. */
const EVERY_DEVICE: Part = { module: null, order: 2, text: '' };

function partOf(match: Match, family: Family, before: Part | null): Part {
  const bang = 'inverted' in match && match.inverted && match.kind !== 'rpfilter' ? '! ' : '';
  const part = (module: string | null, order: number, text: string): Part => ({ module, order, text: `${bang}${text}` });
  switch (match.kind) {
    case 'source':
      return part(null, 0, `-s ${formatPrefix(match.prefix)}`);
    case 'destination':
      return part(null, 1, `-d ${formatPrefix(match.prefix)}`);
    case 'in-interface':
      return match.name === '+' ? EVERY_DEVICE : part(null, 2, `-i ${match.name}`);
    case 'out-interface':
      return match.name === '+' ? EVERY_DEVICE : part(null, 3, `-o ${match.name}`);
    case 'protocol':
      return part(null, 4, `-p ${protocolName(match.protocol)}`);
    case 'fragment':
      return part(null, 5, '-f');
    case 'unknown':
      return unknown(match, before);
    case 'comment':
      return part('comment', 0, `--comment ${quoteValue(match.text)}`);
    case 'source-port':
    case 'destination-port':
      return portPart(match, bang);
    case 'transport-header':
      return { module: match.protocol, order: 9, text: '' };
    case 'tcp-flags':
      // tcp_save() prints them where a flag is looked at, or `!` is given.
      return match.mask === 0 && !match.inverted ? { module: 'tcp', order: 3, text: '' } : part('tcp', 3, `--tcp-flags ${flagNames(match.mask)} ${flagNames(match.compare)}`);
    case 'multiport':
      return part('multiport', 0, `--${{ source: 'sports', destination: 'dports', either: 'ports' }[match.which]} ${match.ports.map((p) => range(p)).join(',')}`);
    case 'icmp-type':
      return part(match.family === 4 ? 'icmp' : 'icmp6', 0, `${match.family === 4 ? '--icmp-type' : '--icmpv6-type'} ${icmpType(match)}`);
    case 'mark':
    case 'connmark':
      return part(match.kind, 0, `--mark ${masked(match.value, match.mask)}`);
    case 'conntrack-state':
      return part(match.spelling, 0, `--${match.spelling === 'state' ? 'state' : 'ctstate'} ${match.states.join(',')}`);
    case 'conntrack-tuple':
      return part('conntrack', 2 + ['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst'].indexOf(match.field), `--${match.field} ${hostOrPrefix(match.prefix)}`);
    case 'conntrack-port':
      return part('conntrack', 6 + ['ctorigsrcport', 'ctorigdstport', 'ctreplsrcport', 'ctrepldstport'].indexOf(match.field), `--${match.field} ${range(match.ports)}`);
    case 'conntrack-status':
      return part('conntrack', 10, `--ctstatus ${(match.statuses.length > 1 ? match.statuses.filter((status) => status !== 'NONE') : match.statuses).join(',')}`);
    case 'conntrack-direction':
      return part('conntrack', 12, `--ctdir ${match.direction}`);
    case 'address-type':
      return addressType(match, bang);
    case 'address-range':
      return part('iprange', match.which === 'source' ? 0 : 1, `--${match.which === 'source' ? 'src' : 'dst'}-range ${formatAddress(match.from)}-${formatAddress(match.to)}`);
    case 'mac-source':
      return part('mac', 0, `--mac-source ${formatMac(match.mac)}`);
    case 'physdev':
      return part('physdev', match.test === 'in' ? 1 : 3, `--physdev-${match.test} ${match.name}`);
    case 'physdev-is':
      return part('physdev', { in: 0, out: 2, bridged: 4 }[match.test], `--physdev-is-${match.test}`);
    case 'set':
      return part('set', 0, `--match-set ${match.name} ${match.directions.join(',')}${match.returnNomatch === true ? ' --return-nomatch' : ''}`);
    case 'statistic-random':
      return { module: 'statistic', order: 0, text: `--mode random ${bang}--probability ${match.probability.toFixed(11)}` };
    case 'statistic-nth':
      return { module: 'statistic', order: 0, text: `--mode nth ${bang}--every ${match.every} --packet ${match.packet}` };
    case 'recent':
      return part('recent', 0, recent(match, family));
    case 'limit':
    case 'hashlimit':
      return { module: match.kind, order: 0, text: match.text };
    case 'length':
      return part('length', 0, `--length ${range(match.lengths)}`);
    case 'ttl':
      return ttl(match, family);
    case 'dscp':
      return part('dscp', 0, `--dscp 0x${match.value.toString(16).padStart(2, '0')}`);
    case 'packet-type':
      return part('pkttype', 0, `--pkt-type ${match.type}`);
    case 'owner':
      return part('owner', ['--socket-exists', '--uid-owner', '--gid-owner', '--suppl-groups'].indexOf(match.text.split(' ')[0] ?? ''), match.text);
    case 'tcpmss':
      return part('tcpmss', 0, `--mss ${range(match.values)}`);
    case 'rpfilter':
      return { module: 'rpfilter', order: 0, text: [match.text, match.inverted ? '--invert' : ''].filter((t) => t !== '').join(' ') };
    default:
      return assertNever(match);
  }
}

function portPart(match: Match & { kind: 'source-port' | 'destination-port' }, bang: string): Part {
  const source = match.kind === 'source-port';
  return { module: match.protocol, order: source ? 1 : 2, text: isUnprinted(match) ? '' : `${bang}--${source ? 's' : 'd'}port ${range(match.ports)}` };
}

function unknown(match: Match & { kind: 'unknown' }, before: Part | null): Part {
  const joins = before !== null && before.module === match.name && PARTLY_MODELLED.has(match.name);
  return { module: match.name === '' ? null : match.name, order: joins ? before.order + 0.01 : 0, text: match.text };
}

function flagNames(bits: number): string {
  const names = Object.entries(TCP_FLAGS).filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
  return names.length === 0 ? 'NONE' : names.join(',');
}

function icmpType(match: Match & { kind: 'icmp-type' }): string {
  if (match.type === 'any') return 'any';
  return match.codes.from === 0 && match.codes.to === 255 ? String(match.type) : `${match.type}/${match.codes.from}`;
}

function addressType(match: Match & { kind: 'address-type' }, bang: string): Part {
  const part = { module: 'addrtype', order: match.which === 'source' ? 0 : 1, text: `${bang}--${match.which === 'source' ? 'src' : 'dst'}-type ${match.types.join(',')}` };
  return match.limit === null ? part : { ...part, tail: `--limit-iface-${match.limit}` };
}

function ttl(match: Match & { kind: 'ttl' }, family: Family): Part {
  const module = family === 4 ? 'ttl' : 'hl';
  return { module, order: 0, text: `${match.compare === 'ne' ? '! ' : ''}--${module}-${match.compare === 'ne' ? 'eq' : match.compare} ${match.value}` };
}

function recent(match: Match & { kind: 'recent' }, family: Family): string {
  const words = [
    `--${match.action}`,
    match.seconds === null ? '' : `--seconds ${match.seconds}`,
    match.reap ? '--reap' : '',
    match.hitcount === null ? '' : `--hitcount ${match.hitcount}`,
    match.sameTtl === true ? '--rttl' : '',
    `--name ${quoteValue(match.name)}`,
    match.mask !== undefined ? `--mask ${formatAddress(match.mask)}` : family === 4 ? '--mask 255.255.255.255' : '--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    match.side === 'source' ? '--rsource' : '--rdest',
  ];
  return words.filter((word) => word !== '').join(' ');
}

function natRange(value: NatRange): string {
  const bracket = value.from?.family === 6 && value.ports !== null;
  const from = value.from === null ? '' : formatAddress(value.from);
  const to = value.to === null || value.from === null || sameAddress(value.to, value.from) ? '' : `-${formatAddress(value.to)}`;
  return `${bracket ? `[${from}${to}]` : `${from}${to}`}${value.ports === null ? '' : `:${range(value.ports, '-')}`}`;
}

const joined = (...words: (string | false)[]): string => words.filter((word) => word !== '' && word !== false).join(' ');

function printTarget(target: Target, family: Family): string {
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return `-j ${target.kind.toUpperCase()}`;
    case 'jump':
      return `${target.via === 'goto' ? '-g' : '-j'} ${target.chain}`;
    case 'reject':
      return `-j REJECT --reject-with ${target.with}`;
    case 'dnat':
      return joined('-j DNAT --to-destination', natRange(target.range), target.range.random && '--random', target.range.persistent && '--persistent');
    case 'snat':
      return joined('-j SNAT --to-source', natRange(target.range), target.range.random && '--random', target.range.randomFully && '--random-fully', target.range.persistent && '--persistent');
    case 'masquerade':
    case 'redirect':
      return joined(`-j ${target.kind.toUpperCase()}`, target.ports !== null && `--to-ports ${range(target.ports, '-')}`, target.random && '--random', target.randomFully && '--random-fully');
    case 'netmap':
      return `-j NETMAP --to ${formatPrefix(target.prefix)}`;
    case 'mark':
      return `-j MARK --set-xmark ${hex(target.value)}/${hex(target.mask)}`;
    case 'connmark':
      return target.action === 'set'
        ? `-j CONNMARK --set-xmark ${hex(target.value)}/${hex(target.mask)}`
        : `-j CONNMARK --${target.action}-mark --nfmask ${hex(target.nfmask)} --ctmask ${hex(target.ctmask)}`;
    case 'ct':
      return target.notrack && target.text === '' ? '-j NOTRACK' : joined('-j CT', target.text);
    case 'log':
      return joined(`-j ${target.spelling}`, target.text);
    case 'tcpmss':
      return target.value === 'clamp' ? '-j TCPMSS --clamp-mss-to-pmtu' : `-j TCPMSS --set-mss ${target.value}`;
    case 'ttl':
      return family === 6 ? `-j HL --hl-${target.action} ${target.value}` : `-j TTL --ttl-${target.action} ${target.value}`;
    case 'dscp':
      return `-j DSCP --set-dscp 0x${target.value.toString(16).padStart(2, '0')}`;
    case 'unknown':
      return joined(`-j ${target.name}`, target.text);
    default:
      return assertNever(target);
  }
}
