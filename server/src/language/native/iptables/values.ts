/** Values of options: each reader reports what it cannot read at the word itself and gives `undefined`. */
import type { Address, Family, Prefix } from '../../../../../engine/src/net/address.ts';
import { bitsOf, formatAddress, ipv4, networkOf, parseAddress } from '../../../../../engine/src/net/address.ts';
import type { PortRange } from '../../../../../engine/src/topology/netfilter.ts';
import type { Span } from '../dump.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { Word } from '../words.ts';
import type { RuleContext } from './module.ts';
import { parseNumber } from './names.ts';
import { serviceNames, servicePort } from './service-names.ts';

export const badValue = (context: RuleContext, word: Span & { readonly text: string }, expected: string, suggestion: string | null = null): undefined => {
  context.report(word, 'bad-value', `\`${word.text}\` cannot stand here: write ${expected}.`, { suggestion });
  return undefined;
};

export function readNumber(context: RuleContext, word: Word, from: number, to: number): number | undefined {
  const n = parseNumber(word.text);
  return n === undefined || n < from || n > to ? badValue(context, word, `a number from ${from} to ${to}`) : n;
}

/** `value` or `value/mask`, 32 bits each. */
export function readMasked(context: RuleContext, word: Word): { value: number; mask: number } | undefined {
  const [first = '', second, more] = word.text.split('/');
  const value = parseNumber(first);
  const mask = second === undefined ? 0xffff_ffff : parseNumber(second);
  if (value === undefined || mask === undefined || more !== undefined || value > 0xffff_ffff || mask > 0xffff_ffff) {
    return badValue(context, word, 'a value of 32 bits, with or without a mask, such as 0x4000/0x4000');
  }
  return { value, mask };
}

/** `a` or `a<separator>b`, with either side left out where `open` says what it then is. */
export function readRange(context: RuleContext, word: Word, separator: ':' | '-', max: number): PortRange | undefined {
  const at = word.text.indexOf(separator);
  const open = separator === ':';
  const side = (text: string, left: number): number | undefined => (text === '' && open && at >= 0 ? left : parseNumber(text));
  const from = side(at < 0 ? word.text : word.text.slice(0, at), 0);
  const to = at < 0 ? from : side(word.text.slice(at + 1), max);
  if (from === undefined || to === undefined || from > max || to > max) return badValue(context, word, `a number from 0 to ${max}, or a range such as 1${separator}9`);
  if (from > to) warnReversed(context, word, `${to}${separator}${from}`);
  return { from, to };
}

/** iptables takes a range whose ends are exchanged; no packet is in it. */
export function warnReversed(context: RuleContext, word: Word, suggestion: string): void {
  context.report(word, 'bad-value', `Nothing is in the range \`${word.text}\`: its smaller end stands first.`, { severity: 'warning', suggestion });
}

/** How one place of iptables reads ports. */
export interface PortReading {
  readonly separator: ':' | '-';
  /** The protocol under which names are looked up; `null`: any. */
  readonly transport: string | null;
  /** The options that libxtables parses itself take no `0x50`, and 0120 is 120 there (xtoptions.c xtopt_parse_port()). */
  readonly numbers: 'any base' | 'decimal';
  /** Whether a range whose ends are exchanged is an error or holds no port. */
  readonly reversed: 'refused' | 'empty';
  /** Whether `:80` and `80:` are ranges. */
  readonly open: 'both' | 'neither';
}

function portNumber(text: string, reading: PortReading): number | undefined {
  const n = reading.numbers === 'any base' ? parseNumber(text) : /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (n === undefined) return servicePort(text, reading.transport);
  return n <= 65535 ? n : reading.numbers === 'decimal' ? n & 0xffff : undefined;
}

/** `53`, `domain`, `1024:65535`, `:1023`. */
export const readPorts = (context: RuleContext, word: Word, reading: PortReading): PortRange | undefined => portsOf(context, word, word.text, reading);

export function portsOf(context: RuleContext, word: Word, text: string, reading: PortReading): PortRange | undefined {
  const { separator } = reading;
  // A name may hold a dash.
  const named = servicePort(text, reading.transport);
  if (named !== undefined) return { from: named, to: named };
  const at = text.indexOf(separator);
  const left = at < 0 ? text : text.slice(0, at);
  const right = at < 0 ? text : text.slice(at + 1);
  const open = reading.open === 'both' && at >= 0;
  const from = left === '' && open ? 0 : portNumber(left, reading);
  const to = right === '' && open ? 65535 : portNumber(right, reading);
  if (from === undefined || to === undefined) {
    return badValue(context, word, `a port from 0 to 65535, or a range such as 1024${separator}65535`, closest(text, serviceNames(reading.transport)) ?? null);
  }
  if (reading.numbers === 'decimal' && [left, right].some((side) => Number(side) > 65535)) {
    context.report(word, 'bad-value', `iptables takes \`${text}\` for ${from === to ? from : `${from}${separator}${to}`}: a port is at most 65535.`, { severity: 'warning' });
  }
  if (from > to && reading.reversed === 'refused') return badValue(context, word, 'the lower port of the range first', `${to}${separator}${from}`);
  if (from > to) warnReversed(context, word, `${to}${separator}${from}`);
  return { from, to };
}

export function readAddress(context: RuleContext, word: Word, text = word.text): Address | undefined {
  const address = parseAddress(text);
  if (address === undefined) return badValue(context, word, `an IPv${context.family} address`);
  if (address.family !== context.family) return badValue(context, word, `an IPv${context.family} address: this is ${familyTool(context.family)}`);
  return address;
}

export const familyTool = (family: Family): string => (family === 4 ? 'an `iptables` rule, IPv6 rules belong to `ip6tables`' : 'an `ip6tables` rule, IPv4 rules belong to `iptables`');

/**
 * `10.0.0.0/16`, `10.0.0.0/255.255.0.0` or an address; host bits are cleared as iptables clears them. `'holes'` for a
 * mask that is no prefix, which iptables takes and k8snet does not model.
 */
export function readPrefix(context: RuleContext, word: Word, text = word.text): Prefix | 'holes' | undefined {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  // What is no dotted quad, iptables asks getaddrinfo(3), which reads numbers as inet_aton(3) does.
  const address = (context.family === 4 && parseAddress(padded(host)) === undefined ? inetAton(host) : undefined) ?? readAddress(context, word, padded(host));
  if (address === undefined) return undefined;
  const bits = bitsOf(context.family);
  if (slash < 0) return { address, length: bits };
  const mask = text.slice(slash + 1);
  const length = /^\+?\d+$/.test(mask) ? parseNumber(mask) : maskLength(mask, context.family);
  if (length === 'holes') return 'holes';
  if (length === undefined || length > bits) return badValue(context, word, `a prefix length from 0 to ${bits} after the \`/\``);
  return networkOf({ address, length });
}

/** `10/8`, `10.1/16`: the octets that are left out are 0 (libxtables numeric_to_ipaddr()). */
export const padded = (text: string): string => (/^\d{1,3}(\.\d{1,3}){0,2}$/.test(text) ? `${text}${'.0'.repeat(4 - text.split('.').length)}` : text);

/** As inet_aton(3) reads it, which libxtables asks where an option has `XTTYPE_HOSTMASK`: `10` is 0.0.0.10, 010 is octal, 0x hexadecimal. */
function inetAton(text: string): Address | undefined {
  const parts = text.split('.').map(parseNumber);
  const last = parts.pop();
  if (last === undefined || parts.length > 3 || parts.some((p) => p === undefined || p > 255) || last >= 256 ** (4 - parts.length)) return undefined;
  return ipv4(parts.reduce<number>((sum, p, i) => sum + (p ?? 0) * 256 ** (3 - i), last) >>> 0);
}

/** A prefix in the options that libxtables parses itself; its host bits stay. */
export function readHostMask(context: RuleContext, word: Word): Prefix | 'holes' | undefined {
  const [host = '', ...mask] = word.text.split('/');
  const address = context.family === 4 ? inetAton(host) : readAddress(context, word, host);
  if (address === undefined) return context.family === 4 ? readPrefix(context, word) : undefined;
  const prefix = readPrefix(context, word, [formatAddress(address), ...mask].join('/'));
  return prefix === undefined || prefix === 'holes' ? prefix : { address, length: prefix.length };
}

/** The length of a mask such as 255.255.0.0 or ffff::. */
function maskLength(text: string, family: Family): number | 'holes' | undefined {
  const mask = parseAddress(text);
  if (mask?.family !== family) return undefined;
  const words = family === 4 ? mask.words.slice(3) : mask.words;
  const digits = words.map((w) => w.toString(2).padStart(32, '0')).join('');
  return /^1*0*$/.test(digits) ? digits.replaceAll('0', '').length : 'holes';
}

/** A word out of a list; upper and lower case count as iptables counts them. */
export function readName<T extends string>(context: RuleContext, word: Word, text: string, names: readonly T[]): T | undefined {
  const found = names.find((name) => name === text);
  return found ?? badValue(context, word, `one of ${names.join(', ')}`, closest(text, names) ?? null);
}

/** The name of a device: at most 15 characters; iptables takes a `/` and a blank with a warning (xtables_parse_interface()); `eth+` is every device whose name begins so. */
export function readInterface(context: RuleContext, word: Word): string | undefined {
  if (word.text === '' || word.text.length > 15) return badValue(context, word, 'the name of a device, at most 15 characters');
  if (/[/\s]/.test(word.text)) context.report(word, 'bad-value', `No device can be called \`${word.text}\`: its name holds no \`/\` and no blank.`, { severity: 'warning' });
  return word.text;
}
