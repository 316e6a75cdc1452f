/**
 * IPv4 and IPv6 addresses, prefixes and MACs as plain JSON records.
 *
 * An address is four unsigned 32-bit words, most significant first; an IPv4 address is `[0, 0, 0, n]`. One shape
 * for both families keeps every table and every stage dual stack: what works on words works on both.
 */

export type Family = 4 | 6;

type Words = readonly [number, number, number, number];

export interface Address {
  readonly family: Family;
  readonly words: Words;
}

export interface Prefix {
  readonly address: Address;
  /** In bits of the family: 0-32 or 0-128. */
  readonly length: number;
}

/** A 48-bit MAC as one number, 0 to 2^48 - 1. */
export type Mac = number & { readonly __mac: unique symbol };

/** A transport port or an ICMP identifier, 0 to 65535. */
export type Port = number;

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

export const ipv4 = (n: number): Address => ({ family: 4, words: [0, 0, 0, n >>> 0] });

/** `undefined` where the text is no address. Strict as inet_pton(3): no leading zeros, no short forms, no zone. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

function parseV4Number(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let n = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    n = n * 256 + octet;
  }
  return n;
}

function parseV4(text: string): Address | undefined {
  const n = parseV4Number(text);
  return n === undefined ? undefined : ipv4(n);
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const word = (i: number): number => (((groups[i] ?? 0) << 16) | (groups[i + 1] ?? 0)) >>> 0;
  return { family: 6, words: [word(0), word(2), word(4), word(6)] };
}

/** The 16-bit groups of one side of `::`; only the last may be a dotted IPv4 address. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes('.')) {
      const n = parseV4Number(part);
      if (n === undefined) return undefined;
      groups.push(n >>> 16, n & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** The text of an address; asked of the same few addresses over and over, it remembers the last of each place. */
export function formatAddress(address: Address): string {
  const { family, words } = address;
  const place = textPlace(words[0] ^ words[1] ^ words[2] ^ words[3]);
  const known = recent[place];
  if (known !== undefined && known.family === family && sameWords(known.words, words)) return known.text;
  const text = family === 4 ? formatV4(words[3]) : formatV6(words);
  recent[place] = { family, words, text };
  return text;
}

const PLACES = 4096;
const recent: ({ readonly family: Family; readonly words: Words; readonly text: string } | undefined)[] = new Array<undefined>(PLACES).fill(undefined);

const textPlace = (mixed: number): number => (mixed ^ (mixed >>> 12)) & (PLACES - 1);

const sameWords = (a: Words, b: Words): boolean => a[3] === b[3] && a[2] === b[2] && a[1] === b[1] && a[0] === b[0];

const formatV4 = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

function formatV6(words: Words): string {
  const groups = words.flatMap((w) => [w >>> 16, w & 0xffff]);
  // RFC 5952: the longest run of two or more zero groups, the first of equals, becomes `::`.
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    if (end > i) i = end;
  }
  const hex = (from: number, to: number): string => groups.slice(from, to).map((g) => g.toString(16)).join(':');
  // As inet_ntop(3) of glibc writes what has an IPv4 address in it.
  if (start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff))) return `${length === 6 ? '::' : '::ffff:'}${formatV4(words[3])}`;
  return start < 0 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`;
}

/** `10.0.0.0/16`; a bare address is a host prefix. `undefined` where the text is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  if (slash < 0) return hostPrefix(address);
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > bitsOf(address.family)) return undefined;
  return { address, length: Number(digits) };
}

export const formatPrefix = (prefix: Prefix): string => `${formatAddress(prefix.address)}/${prefix.length}`;

export const hostPrefix = (address: Address): Prefix => ({ address, length: bitsOf(address.family) });

export const sameAddress = (a: Address, b: Address): boolean =>
  a.words[3] === b.words[3] && a.words[2] === b.words[2] && a.words[1] === b.words[1] && a.words[0] === b.words[0] && a.family === b.family;

export const samePrefix = (a: Prefix, b: Prefix): boolean => a.length === b.length && sameAddress(a.address, b.address);

/** The netmask of word `i` for a prefix of `length` bits of `family`. */
function maskWord(family: Family, length: number, i: number): number {
  const bits = (family === 4 ? length + 96 : length) - 32 * i;
  return bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

const mapWords = (address: Address, f: (word: number, i: number) => number): Address => ({
  family: address.family,
  words: [f(address.words[0], 0) >>> 0, f(address.words[1], 1) >>> 0, f(address.words[2], 2) >>> 0, f(address.words[3], 3) >>> 0],
});

/** The prefix with its host bits cleared. */
export const networkOf = (prefix: Prefix): Prefix => ({ address: firstAddress(prefix), length: prefix.length });

export const firstAddress = (prefix: Prefix): Address =>
  mapWords(prefix.address, (w, i) => w & maskWord(prefix.address.family, prefix.length, i));

export const lastAddress = (prefix: Prefix): Address =>
  mapWords(prefix.address, (w, i) => (prefix.address.family === 4 && i < 3 ? 0 : w | ~maskWord(prefix.address.family, prefix.length, i)));

export function contains(prefix: Prefix, address: Address): boolean {
  if (prefix.address.family !== address.family) return false;
  if (address.family === 4) return ((prefix.address.words[3] ^ address.words[3]) & maskWord(4, prefix.length, 3)) === 0;
  for (let i = 3; i >= 0; i--) {
    const k = i as 0 | 1 | 2 | 3;
    if (((prefix.address.words[k] ^ address.words[k]) & maskWord(address.family, prefix.length, k)) !== 0) return false;
  }
  return true;
}

export const overlaps = (a: Prefix, b: Prefix): boolean =>
  a.length <= b.length ? contains(a, b.address) : contains(b, a.address);

/** The address `n` places further on; wraps at the family's end. `n` may be negative and is at most 2^31 in size. */
export function addressPlus(address: Address, n: number): Address {
  const words: [number, number, number, number] = [...address.words];
  let carry = n;
  for (const i of [3, 2, 1, 0] as const) {
    if (address.family === 4 && i < 3) break;
    const sum = words[i] + carry;
    words[i] = sum >>> 0;
    carry = Math.floor(sum / 0x1_0000_0000);
  }
  return { family: address.family, words };
}

/** Negative, zero or positive: by family, then numerically. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family - b.family;
  for (const i of [0, 1, 2, 3] as const) if (a.words[i] !== b.words[i]) return a.words[i] - b.words[i];
  return 0;
}

export const isLoopback = (address: Address): boolean =>
  address.family === 4 ? address.words[3] >>> 24 === 127 : address.words[3] === 1 && (address.words[0] | address.words[1] | address.words[2]) === 0;

export const isMulticast = (address: Address): boolean =>
  address.family === 4 ? address.words[3] >>> 28 === 0xe : address.words[0] >>> 24 === 0xff;

export const isUnspecified = ({ words }: Address): boolean => (words[0] | words[1] | words[2] | words[3]) === 0;

/** 169.254.0.0/16 and fe80::/10. */
export const isLinkLocal = (address: Address): boolean =>
  address.family === 4 ? address.words[3] >>> 16 === 0xa9fe : address.words[0] >>> 22 === 0x3fa;

const MAC = /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i;

export function parseMac(text: string): Mac | undefined {
  return MAC.test(text) ? (Number.parseInt(text.split(':').map((p) => p.padStart(2, '0')).join(''), 16) as Mac) : undefined;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

/** As `formatAddress`, the last MAC of each place is remembered. */
export function formatMac(mac: Mac): string {
  const place = textPlace(mac % 0x1000000);
  const known = recentMacs[place];
  if (known?.mac === mac) return known.text;
  const high = Math.floor(mac / 0x1000000);
  const low = mac % 0x1000000;
  const text = [high >>> 16, (high >>> 8) & 255, high & 255, low >>> 16, (low >>> 8) & 255, low & 255].map((n) => HEX[n] ?? '').join(':');
  recentMacs[place] = { mac, text };
  return text;
}

const recentMacs: ({ readonly mac: Mac; readonly text: string } | undefined)[] = new Array<undefined>(PLACES).fill(undefined);

export const BROADCAST_MAC = 0xffff_ffff_ffff as Mac;

export const isGroupMac = (mac: Mac): boolean => (Math.floor(mac / 0x100_0000_0000) & 1) === 1;
