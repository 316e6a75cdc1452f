/** Targets with options, one table entry each (libxt_DNAT.c and its neighbours). */
import type { NatRange, PortRange, Target } from '../../../../../engine/src/topology/netfilter.ts';
import type { Family } from '../../../../../engine/src/net/address.ts';
import { compareAddresses, networkOf } from '../../../../../engine/src/net/address.ts';
import type { Word } from '../words.ts';
import { DSCP_CLASSES } from './dscp.ts';
import type { Given, OptionSpec, RuleContext, TargetModule } from './module.ts';
import { protocolBefore, textOf, valueOf } from './module.ts';
import { DCCP, ICMP, SCTP, TCP, UDP, parseNumber } from './names.ts';
import { REJECT_WITH } from './reject.ts';
import { quoteValue } from './words.ts';
import type { PortReading } from './values.ts';
import { badValue, portsOf, readAddress, readMasked, readHostMask, readNumber, readPorts } from './values.ts';

const flag = (name: string): OptionSpec => ({ name, values: 0 });
const valued = (name: string, ...aliases: string[]): OptionSpec => ({ name, aliases, values: 1 });

const find = (given: readonly Given[], name: string): Given | undefined => given.find((g) => g.option.name === name);
const has = (given: readonly Given[], name: string): boolean => find(given, name) !== undefined;

const unknownTarget = (name: string, given: readonly Given[]): Target => ({ kind: 'unknown', name, text: given.map(textOf).join(' ') });

const target = (name: string, options: readonly OptionSpec[], rest: Omit<TargetModule, 'name' | 'options' | 'read'>, read: (given: readonly Given[], context: RuleContext, at: Word) => Target | undefined): TargetModule => ({
  name,
  options,
  ...rest,
  read: (given, context, at) => read(given, context, at) ?? unknownTarget(name, given),
});

/** Reports the first option that is missing or stands beside one that excludes it. */
function exactlyOne(given: readonly Given[], names: readonly string[], context: RuleContext, at: Word): Given | undefined {
  const [first, second] = given.filter((g) => names.includes(g.option.name));
  if (first === undefined) context.report(at, 'missing-option', `\`-j ${at.text}\` needs ${names.length === 1 ? '' : 'one of '}${names.map((n) => `\`${n}\``).join(', ')}.`);
  else if (second !== undefined) context.report(second.at, 'conflicting-options', `\`${second.option.name}\` and \`${first.option.name}\` exclude each other.`);
  return second === undefined ? first : undefined;
}

const NAT_PORTS: PortReading = { separator: '-', transport: null, numbers: 'any base', reversed: 'refused', open: 'neither' };

/** ICMP's identifier stands in for a port. */
const WITH_PORTS = [TCP, UDP, SCTP, DCCP, ICMP];

function portsNeedProtocol(context: RuleContext, word: Word): boolean {
  if (context.protocol !== null && WITH_PORTS.includes(context.protocol)) return protocolBefore(context, word);
  context.report(word, 'protocol-needed', 'A port needs `-p tcp`, `-p udp` or another protocol with ports before it.');
  return false;
}

const fullRange = (given: readonly Given[]): Pick<NatRange, 'random' | 'randomFully' | 'persistent'> => ({
  random: has(given, '--random'),
  randomFully: has(given, '--random-fully'),
  persistent: has(given, '--persistent'),
});

/** `10.0.0.1`, `10.0.0.1-10.0.0.9:80-90`, `:8080`, `[fd00::1]:53`. */
function readNatRange(context: RuleContext, word: Word): Pick<NatRange, 'from' | 'to' | 'ports'> | undefined {
  const split = context.family === 6 ? splitV6(word.text) : splitV4(word.text);
  if (split === undefined) return badValue(context, word, 'an address, with a port or not, such as [fd00::1]:53');
  const { addresses, ports: portText } = split;
  const ports = portText === null ? null : portsOf(context, word, portText, NAT_PORTS);
  if (ports === undefined || (ports !== null && !portsNeedProtocol(context, word))) return undefined;
  if (addresses === '') return ports === null ? badValue(context, word, `an address or a port`) : { from: null, to: null, ports };
  const [first = '', second] = unbracketed(addresses, context.family).split('-');
  const from = readAddress(context, word, first);
  const to = second === undefined ? from : from && readAddress(context, word, second);
  if (from === undefined || to === undefined) return undefined;
  if (compareAddresses(from, to) > 0) return badValue(context, word, 'the lower address of the range first');
  return { from, to, ports };
}

const unbracketed = (text: string, family: Family): string => (family === 6 ? text.replace(/^\[(.*)\]$/, '$1') : text);

function splitV4(text: string): { addresses: string; ports: string | null } {
  const colon = text.indexOf(':');
  return colon < 0 ? { addresses: text, ports: null } : { addresses: text.slice(0, colon), ports: text.slice(colon + 1) };
}

function splitV6(text: string): { addresses: string; ports: string | null } | undefined {
  if (/^:\d/.test(text) && !text.slice(1).includes(':')) return { addresses: '', ports: text.slice(1) };
  if (!text.includes('[')) return { addresses: text, ports: null };
  // iptables reads over what stands behind the bracket and is no port.
  const m = /^(\[[^\]]*\])(?::(.*)|[^:]*)$/.exec(text);
  return m === null ? undefined : { addresses: m[1] ?? '', ports: m[2] ?? null };
}

const nat = (name: 'DNAT' | 'SNAT'): TargetModule => {
  const to = name === 'DNAT' ? '--to-destination' : '--to-source';
  const options = [valued(to), flag('--random'), ...(name === 'SNAT' ? [flag('--random-fully')] : []), flag('--persistent')];
  return target(name, options, { tables: ['nat'] }, (given, context, at) => {
    const option = exactlyOne(given, [to], context, at);
    const range = option === undefined ? undefined : readNatRange(context, valueOf(option));
    return range === undefined ? undefined : { kind: name === 'DNAT' ? 'dnat' : 'snat', range: { ...range, ...fullRange(given) } };
  });
};

const toPorts = (kind: 'masquerade' | 'redirect', name: string, options: readonly OptionSpec[]): TargetModule =>
  target(name, [valued('--to-ports'), ...options], { tables: ['nat'] }, (given, context) => {
    const option = find(given, '--to-ports');
    let ports: PortRange | null = null;
    if (option !== undefined) {
      const read = readPorts(context, valueOf(option), NAT_PORTS);
      if (read === undefined || !portsNeedProtocol(context, option.at)) return undefined;
      ports = read;
    }
    return { kind, ports, random: has(given, '--random'), randomFully: has(given, '--random-fully') };
  });

const netmap = target('NETMAP', [valued('--to')], { tables: ['nat'] }, (given, context, at) => {
  const option = exactlyOne(given, ['--to'], context, at);
  const prefix = option === undefined ? undefined : readHostMask(context, valueOf(option));
  if (prefix === 'holes' && option !== undefined) return badValue(context, valueOf(option), 'a prefix such as 10.0.0.0/16');
  return prefix === undefined || prefix === 'holes' ? undefined : { kind: 'netmap', prefix: networkOf(prefix) };
});

const FULL = 0xffff_ffff;
const not = (n: number): number => (~n & FULL) >>> 0;

/** mark = (mark & ~mask) ^ value: every spelling comes down to it (libxt_MARK.c). */
function markOf(option: Given, context: RuleContext): { value: number; mask: number } | undefined {
  const word = valueOf(option);
  if (['--set-mark', '--set-xmark'].includes(option.option.name)) {
    const masked = readMasked(context, word);
    if (masked === undefined || option.option.name === '--set-xmark') return masked;
    return { value: masked.value, mask: (masked.mask | masked.value) >>> 0 };
  }
  const bits = readNumber(context, word, 0, FULL);
  if (bits === undefined) return undefined;
  switch (option.option.name) {
    case '--and-mark':
      return { value: 0, mask: not(bits) };
    case '--or-mark':
      return { value: bits, mask: bits };
    default:
      return { value: bits, mask: 0 };
  }
}

const MARK_OPTIONS = ['--set-xmark', '--set-mark', '--and-mark', '--or-mark', '--xor-mark'];

const mark = target('MARK', MARK_OPTIONS.map((name) => valued(name)), {}, (given, context, at) => {
  const option = exactlyOne(given, MARK_OPTIONS, context, at);
  const masked = option === undefined ? undefined : markOf(option, context);
  return masked === undefined ? undefined : { kind: 'mark', ...masked };
});

const connmark = target(
  'CONNMARK',
  [...MARK_OPTIONS.map((name) => valued(name)), flag('--save-mark'), flag('--restore-mark'), valued('--nfmask'), valued('--ctmask'), valued('--mask')],
  {},
  (given, context, at) => {
    const option = exactlyOne(given, [...MARK_OPTIONS, '--save-mark', '--restore-mark'], context, at);
    if (option === undefined) return undefined;
    const action = option.option.name;
    if (action !== '--save-mark' && action !== '--restore-mark') {
      const masked = markOf(option, context);
      return masked === undefined ? undefined : { kind: 'connmark', action: 'set', ...masked, nfmask: FULL, ctmask: FULL };
    }
    const bits = (name: string): number | undefined => {
      const g = find(given, name) ?? find(given, '--mask');
      return g === undefined ? FULL : readNumber(context, valueOf(g), 0, FULL);
    };
    const nfmask = bits('--nfmask');
    const ctmask = bits('--ctmask');
    if (nfmask === undefined || ctmask === undefined) return undefined;
    return { kind: 'connmark', action: action === '--save-mark' ? 'save' : 'restore', value: 0, mask: FULL, nfmask, ctmask };
  },
);

const reject = target('REJECT', [valued('--reject-with')], { tables: ['filter'] }, (given, context) => {
  const option = find(given, '--reject-with');
  const kinds = REJECT_WITH[context.family];
  if (option === undefined) return { kind: 'reject', with: context.family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable' };
  const word = valueOf(option);
  const wanted = word.text.toLowerCase();
  // A beginning is enough, and the first that fits counts.
  const found = wanted === '' ? undefined : kinds.find((names) => names.some((name) => name.startsWith(wanted)));
  if (found === undefined) return badValue(context, word, `one of ${kinds.map(([name]) => name).join(', ')}`);
  if (found[0] === 'tcp-reset' && context.protocol !== TCP) {
    context.report(word, 'protocol-needed', '`tcp-reset` needs `-p tcp` before it: only TCP has resets.');
    return undefined;
  }
  return { kind: 'reject', with: found[0] };
});

/** A zone is printed as a number, and 0 not at all (libxt_CT.c ct_print_zone()). */
function ctText(given: Given): string {
  const zone = given.option.name.startsWith('--zone') ? parseNumber(withoutPlus(valueOf(given)).text) : undefined;
  return zone === undefined ? textOf(given) : zone === 0 ? '' : `${given.option.name} ${zone}`;
}

/** A zone is read by strtoul(3), which takes a sign. */
const withoutPlus = (word: Word): Word => ({ ...word, text: word.text.replace(/^\+/, '') });

const ct = target(
  'CT',
  [flag('--notrack'), valued('--helper'), valued('--ctevents'), valued('--expevents'), valued('--zone-orig'), valued('--zone-reply'), valued('--zone'), valued('--timeout')],
  { tables: ['raw'] },
  (given, context) => {
    const notrack = has(given, '--notrack');
    // The one that stands last counts: all three write the same field.
    const [zoneAt, ...others] = given.filter((g) => g.option.name.startsWith('--zone')).sort((a, b) => b.at.offset - a.at.offset);
    const zones = [zoneAt, ...others].map((g) => (g === undefined || valueOf(g).text === 'mark' ? null : readNumber(context, withoutPlus(valueOf(g)), 0, 65535)));
    if (zones.includes(undefined)) return undefined;
    const zone = zoneAt?.option.name === '--zone' ? (zones[0] ?? null) : null;
    return { kind: 'ct', notrack, zone, text: given.filter((g) => !others.includes(g)).map(ctText).filter((text) => text !== '').join(' ') };
  },
);

const LOG_LEVELS: ReadonlyMap<string, number> = new Map(Object.entries({ emerg: 0, panic: 0, alert: 1, crit: 2, error: 3, err: 3, warning: 4, warn: 4, notice: 5, info: 6, debug: 7 }));

const quoted = (given: Given): string => `${given.option.name} ${quoteValue(valueOf(given).text)}`;

const log = target('LOG', [valued('--log-prefix'), valued('--log-level'), flag('--log-tcp-sequence'), flag('--log-tcp-options'), flag('--log-ip-options'), flag('--log-uid'), flag('--log-macdecode')], {}, (given, context) => {
  const parts: string[] = [];
  for (const g of given) {
    const word = valueOf(g);
    if (g.option.name === '--log-prefix') {
      if (word.text === '') return badValue(context, word, 'a prefix of 1 to 29 characters');
      if (word.text.length > 29) context.report(word, 'bad-value', `iptables keeps the first 29 characters of the ${word.text.length} of this prefix.`, { severity: 'warning' });
      parts.push(`--log-prefix ${quoteValue(word.text.slice(0, 29))}`);
    } else if (g.option.name === '--log-level') {
      const level = LOG_LEVELS.get(word.text) ?? readNumber(context, word, 0, 7);
      if (level === undefined) return undefined;
      if (level !== 4) parts.push(`--log-level ${level}`);
    } else parts.push(g.option.name);
  }
  return { kind: 'log', spelling: 'LOG', text: parts.join(' ') };
});

const nflog = target('NFLOG', [valued('--nflog-prefix'), valued('--nflog-group'), valued('--nflog-range'), valued('--nflog-size'), valued('--nflog-threshold')], {}, (given, context) => {
  const parts: string[] = [];
  for (const g of given) {
    const word = valueOf(g);
    if (g.option.name === '--nflog-prefix') parts.push(quoted(g));
    else {
      const n = readNumber(context, word, 0, g.option.name === '--nflog-group' || g.option.name === '--nflog-threshold' ? 65535 : FULL);
      if (n === undefined) return undefined;
      if (n !== 0 || g.option.name === '--nflog-size') parts.push(`${g.option.name} ${n}`);
    }
  }
  return { kind: 'log', spelling: 'NFLOG', text: parts.join(' ') };
});

const tcpmss = target('TCPMSS', [valued('--set-mss'), flag('--clamp-mss-to-pmtu')], { protocols: [TCP] }, (given, context, at) => {
  const [first, second] = given;
  if (first === undefined) {
    exactlyOne(given, ['--set-mss', '--clamp-mss-to-pmtu'], context, at);
    return undefined;
  }
  // Both are taken, and the last one counts.
  const option = second === undefined || first.at.offset > second.at.offset ? first : second;
  const value = option.option.values === 0 ? 'clamp' : readNumber(context, valueOf(option), 0, 65535 - 40);
  return value === undefined ? undefined : { kind: 'tcpmss', value };
});

const ttl = (name: 'TTL' | 'HL'): TargetModule => {
  const prefix = `--${name.toLowerCase()}`;
  const actions = ['set', 'dec', 'inc'] as const;
  return target(name, actions.map((a) => valued(`${prefix}-${a}`)), { family: name === 'TTL' ? 4 : 6, tables: ['mangle'] }, (given, context, at) => {
    const option = exactlyOne(given, actions.map((a) => `${prefix}-${a}`), context, at);
    const action = actions.find((a) => option?.option.name === `${prefix}-${a}`);
    if (option === undefined || action === undefined) return undefined;
    const value = readNumber(context, valueOf(option), action === 'set' ? 0 : 1, 255);
    return value === undefined ? undefined : { kind: 'ttl', action, value };
  });
};

const dscp = target('DSCP', [valued('--set-dscp'), valued('--set-dscp-class')], { tables: ['mangle'] }, (given, context, at) => {
  const option = exactlyOne(given, ['--set-dscp', '--set-dscp-class'], context, at);
  if (option === undefined) return undefined;
  const word = valueOf(option);
  const named = option.option.name === '--set-dscp-class' ? DSCP_CLASSES.get(word.text.toUpperCase()) : parseNumber(word.text);
  return named === undefined || named > 63 ? badValue(context, word, 'a number from 0 to 63, or a class such as EF') : { kind: 'dscp', value: named };
});

export const TARGETS: ReadonlyMap<string, TargetModule> = new Map(
  [
    nat('DNAT'),
    nat('SNAT'),
    toPorts('masquerade', 'MASQUERADE', [flag('--random'), flag('--random-fully')]),
    toPorts('redirect', 'REDIRECT', [flag('--random')]),
    netmap, mark, connmark, reject, ct, log, nflog, tcpmss, ttl('TTL'), ttl('HL'), dscp,
    target('NOTRACK', [], { tables: ['raw'] }, () => ({ kind: 'ct', notrack: true, zone: null, text: '' })),
    target('TRACE', [], { tables: ['raw'] }, () => ({ kind: 'log', spelling: 'TRACE', text: '' })),
  ].map((t) => [t.name, t] as const),
);
