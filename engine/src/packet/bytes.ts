/** Reading and writing big-endian fields: network byte order, as every header here has it but SCTP's checksum. */
import { formatAddress, formatMac, parseAddress, parseMac } from '../net/address.ts';
import type { Address, Family, Mac } from '../net/address.ts';

/** A byte behind the end reads as 0: decoders check lengths before they read. */
export const u8 = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

export const u16 = (bytes: Uint8Array, at: number): number => (u8(bytes, at) << 8) | u8(bytes, at + 1);

export const u32 = (bytes: Uint8Array, at: number): number => ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;

export const be16 = (n: number): readonly number[] => [(n >>> 8) & 255, n & 255];

export const be32 = (n: number): readonly number[] => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

export function put16(bytes: Uint8Array, at: number, n: number): void {
  bytes[at] = (n >>> 8) & 255;
  bytes[at + 1] = n & 255;
}

export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** 4 or 16 bytes. A text that is no address of the family is a bug of whoever made the header. */
export function addressBytes(text: string, family: Family): readonly number[] {
  const address = parseAddress(text);
  if (address?.family !== family) throw new Error(`"${text}" is no IPv${family} address`);
  return family === 4 ? be32(address.words[3]) : address.words.flatMap(be32);
}

export function readAddress(bytes: Uint8Array, at: number, family: Family): string {
  const word = (i: number): number => u32(bytes, at + 4 * i);
  const address: Address =
    family === 4 ? { family, words: [0, 0, 0, word(0)] } : { family, words: [word(0), word(1), word(2), word(3)] };
  return formatAddress(address);
}

export function macBytes(text: string): readonly number[] {
  const mac = parseMac(text);
  if (mac === undefined) throw new Error(`"${text}" is no MAC address`);
  return [...be16(Math.floor(mac / 0x1_0000_0000)), ...be32(mac % 0x1_0000_0000)];
}

export const readMac = (bytes: Uint8Array, at: number): string =>
  formatMac((u16(bytes, at) * 0x1_0000_0000 + u32(bytes, at + 2)) as Mac);

export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

/** Two digits a byte, no blanks. */
export function fromHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new Error(`"${hex}" are no bytes in hexadecimal`);
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The engine has no TextEncoder: it runs where there is neither DOM nor node. */
export function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >>> 6), 0x80 | (code & 63));
    // A lone surrogate has no UTF-8: U+FFFD stands for it, as in TextEncoder.
    else if (code >= 0xd800 && code <= 0xdfff) bytes.push(0xef, 0xbf, 0xbd);
    else if (code < 0x10000) bytes.push(0xe0 | (code >>> 12), 0x80 | ((code >>> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >>> 18), 0x80 | ((code >>> 12) & 63), 0x80 | ((code >>> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}
