/** Addresses of rules that stand as iptables-save prints them; -1 or `null` where the general reader has to say what stands there. */
import type { Address, Family } from '../../../../../engine/src/net/address.ts';
import { bitsOf, ipv4, networkOf, sameAddress } from '../../../../../engine/src/net/address.ts';
import type { Match } from '../../../../../engine/src/topology/netfilter.ts';

const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const ZERO = 0x30;
const LETTER_A = 0x61;

/** Where the number or the address that was read last ends. */
let ended = 0;

export const endOfLast = (): number => ended;

/** A number without leading zeros, at most five digits; -1 where there is none. */
export function readDecimal(text: string, from: number): number {
  let value = 0;
  let at = from;
  for (; at < from + 5; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    // Behind the end of the text it is not a number.
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
  }
  ended = at;
  return at === from || (at > from + 1 && text.charCodeAt(from) === ZERO) ? -1 : value;
}

/** An IPv4 address as a number from 0 to 2^32 - 1. */
function readDotted(text: string, from: number): number {
  let value = 0;
  let at = from;
  for (let i = 0; i < 4; i++) {
    const part = readDecimal(text, at);
    if (part < 0 || part > 255 || (i < 3 && text.charCodeAt(ended) !== DOT)) return -1;
    value = value * 256 + part;
    at = ended + 1;
  }
  return value;
}

/** Up to four hexadecimal digits in lower case, without leading zeros. */
function readGroup(text: string, from: number): number {
  let value = 0;
  let at = from;
  for (; at < from + 4; at++) {
    const code = text.charCodeAt(at);
    const digit = code >= LETTER_A ? code - LETTER_A + 10 : code - ZERO;
    if (!(digit >= 0 && digit <= 15) || (code < LETTER_A && digit > 9)) break;
    value = value * 16 + digit;
  }
  ended = at;
  return at === from || (at > from + 1 && text.charCodeAt(from) === ZERO) ? -1 : value;
}

const groups: number[] = [0, 0, 0, 0, 0, 0, 0, 0];

/** The eight groups of an IPv6 address as inet_ntop(3) writes it (RFC 5952, 4.2); false for every other spelling, and where it writes an IPv4 address in it. */
function readGroups(text: string, from: number): boolean {
  let count = 0;
  let gap = -1;
  let at = from;
  if (text.charCodeAt(at) === COLON) {
    if (text.charCodeAt(at + 1) !== COLON) return false;
    gap = 0;
    at += 2;
  }
  for (ended = at; count < 8; at = ended + 1) {
    const group = readGroup(text, at);
    if (group < 0) {
      // Nothing has to stand behind `::`.
      if (gap !== count || at !== ended) return false;
      break;
    }
    groups[count++] = group;
    if (text.charCodeAt(ended) !== COLON) break;
    if (text.charCodeAt(ended + 1) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      ended++;
    } else if (count === 8) return false;
  }
  if (gap < 0 ? count !== 8 : count > 6) return false;
  if (gap >= 0) {
    const missing = 8 - count;
    for (let i = count - 1; i >= gap; i--) groups[i + missing] = groups[i] ?? 0;
    for (let i = gap; i < gap + missing; i++) groups[i] = 0;
    if (gap === 0 && (missing === 6 || (missing === 5 && groups[5] === 0xffff))) return false;
    return longestGap(gap, missing);
  }
  return longestGap(-1, 1);
}

/** Whether `::` stands for the longest run of zeros, the first of equals, and a run of two is written so. */
function longestGap(gap: number, length: number): boolean {
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    const run = end - i;
    if (i === gap ? run !== length : run > length || (run === length && run > 1 && i < gap)) return false;
    if (run > 0) i = end;
  }
  return true;
}

/** An endpoint's address stands in its rule for hairpins and, one line below, in its DNAT. */
let lastAddress: Address = ipv4(0);

export function readSavedAddress(text: string, from: number, family: Family): Address | null {
  if (family === 4) {
    const value = readDotted(text, from);
    if (value < 0) return null;
    if (lastAddress.family !== 4 || lastAddress.words[3] !== value) lastAddress = ipv4(value);
    return lastAddress;
  }
  if (!readGroups(text, from)) return null;
  const [a, b, c, d] = [word(0), word(2), word(4), word(6)];
  const { words } = lastAddress;
  if (words[3] !== d || words[2] !== c || words[1] !== b || words[0] !== a || lastAddress.family !== 6) lastAddress = { family: 6, words: [a, b, c, d] };
  return lastAddress;
}

const word = (i: number): number => (((groups[i] ?? 0) << 16) | (groups[i + 1] ?? 0)) >>> 0;

type AddressMatch = Match & { readonly kind: 'source' | 'destination' };

/** A service's address stands in two rules on every node: the last match of each place. */
const PLACES = 8_192;
const lastMatches = new Array<AddressMatch | undefined>(PLACES).fill(undefined);

/** `10.0.0.1/32`, a network without host bits, and not of length 0, which iptables-save does not print. */
export function readAddressMatch(text: string, from: number, family: Family, kind: 'source' | 'destination', inverted: boolean): AddressMatch | null {
  const address = readSavedAddress(text, from, family);
  if (address === null || text.charCodeAt(ended) !== SLASH) return null;
  const length = readDecimal(text, ended + 1);
  if (length < 1 || length > bitsOf(family)) return null;
  const { words } = address;
  const mixed = words[3] ^ words[2] ^ words[1];
  const place = (mixed ^ (mixed >>> 13) ^ (kind === 'source' ? 1 : 0)) & (PLACES - 1);
  const last = lastMatches[place];
  if (last !== undefined && last.kind === kind && last.inverted === inverted && last.prefix.length === length && sameAddress(last.prefix.address, address)) return last;
  const prefix = { address, length };
  if (length < bitsOf(family) && !sameAddress(networkOf(prefix).address, address)) return null;
  const match: AddressMatch = { kind, prefix, inverted };
  lastMatches[place] = match;
  return match;
}
