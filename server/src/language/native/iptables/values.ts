/** Values of options: each reader reports what it cannot read at the word itself and gives `undefined`. */
import type { Address, Family, Prefix } from '../../../../../engine/src/net/address.ts';
import { bitsOf, networkOf, parseAddress } from '../../../../../engine/src/net/address.ts';
import type { PortRange } from '../../../../../engine/src/topology/netfilter.ts';
import type { Span } from '../dump.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { Word } from '../words.ts';
import type { RuleContext } from './module.ts';
import { SERVICE_PORTS, parseNumber } from './names.ts';

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
  const side = (text: string, left: number): number | undefined => (text === '' && open && at >= 0 && word.text.length > 1 ? left : parseNumber(text));
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

function portNumber(text: string): number | undefined {
  const n = parseNumber(text);
  if (n !== undefined) return n <= 65535 ? n : undefined;
  return SERVICE_PORTS.get(text);
}

/** `53`, `domain`, `1024:65535`, `:1023`; with the separator `-` in targets. */
export function readPorts(context: RuleContext, word: Word, separator: ':' | '-' = ':'): PortRange | undefined {
  return portsOf(context, word, word.text, separator);
}

export function portsOf(context: RuleContext, word: Word, text: string, separator: ':' | '-'): PortRange | undefined {
  const named = SERVICE_PORTS.get(text);
  if (named !== undefined) return { from: named, to: named };
  const at = text.indexOf(separator);
  const left = at < 0 ? text : text.slice(0, at);
  const right = at < 0 ? text : text.slice(at + 1);
  const open = separator === ':' && at >= 0;
  const from = left === '' && open ? 0 : portNumber(left);
  const to = right === '' && open ? 65535 : portNumber(right);
  if (from === undefined || to === undefined) return badValue(context, word, `a port from 0 to 65535, or a range such as 1024${separator}65535`, closest(text, SERVICE_PORTS.keys()) ?? null);
  if (from > to) return badValue(context, word, 'the lower port of the range first', `${to}${separator}${from}`);
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
  const address = readAddress(context, word, padded(slash < 0 ? text : text.slice(0, slash)));
  if (address === undefined) return undefined;
  const bits = bitsOf(context.family);
  if (slash < 0) return { address, length: bits };
  const mask = text.slice(slash + 1);
  const length = /^\d+$/.test(mask) ? Number(mask) : maskLength(mask, context.family);
  if (length === 'holes') return 'holes';
  if (length === undefined || length > bits) return badValue(context, word, `a prefix length from 0 to ${bits} after the \`/\``);
  return networkOf({ address, length });
}

/** `10/8`, `10.1/16`: the octets that are left out are 0 (libxtables numeric_to_ipaddr()). */
const padded = (text: string): string => (/^\d{1,3}(\.\d{1,3}){0,2}$/.test(text) ? `${text}${'.0'.repeat(4 - text.split('.').length)}` : text);

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

/** The name of a device: at most 15 characters, no `/` or blank; `eth+` is every device whose name begins so. */
export function readInterface(context: RuleContext, word: Word): string | undefined {
  if (word.text === '' || word.text.length > 15 || /[/\s]/.test(word.text)) return badValue(context, word, 'the name of a device, at most 15 characters, without `/`');
  return word.text;
}
