/**
 * Addresses as small numbers, so that packets, flows and memo tables hold nothing but integers, in both families
 * alike. An address gets its number when it is first seen.
 */
import { formatAddress, isLoopback, isMulticast, isUnspecified } from '../../net/address.ts';
import type { Address } from '../../net/address.ts';
import { hostHash } from '../netfilter/chain-index.ts';

export const MULTICAST = 1;
export const UNSPECIFIED = 2;
export const LOOPBACK = 4;
export const LIMITED_BROADCAST = 8;

export interface AddressBook {
  readonly addresses: Address[];
  readonly texts: string[];
  readonly byWord: Map<number, number>;
  readonly byText: Map<string, number>;
  /** Four signed words an address, most significant first. */
  words: Int32Array;
  /** The kinds above. */
  flags: Uint8Array;
  /** 0 IPv4, 1 IPv6. */
  families: Uint8Array;
  /** `hostHash` of each. */
  hashes: Int32Array;
}

export const addressBook = (): AddressBook => ({
  addresses: [],
  texts: [],
  byWord: new Map(),
  byText: new Map(),
  words: new Int32Array(4 * 256),
  flags: new Uint8Array(256),
  families: new Uint8Array(256),
  hashes: new Int32Array(256),
});

export const familyIndex = (family: 4 | 6): 0 | 1 => (family === 4 ? 0 : 1);

export function addressId(book: AddressBook, address: Address): number {
  const known = address.family === 4 ? book.byWord.get(address.words[3]) : book.byText.get(formatAddress(address));
  return known ?? enter(book, address);
}

function enter(book: AddressBook, address: Address): number {
  const id = book.addresses.length;
  if (id === book.flags.length) grow(book);
  const text = formatAddress(address);
  book.addresses.push(address);
  book.texts.push(text);
  if (address.family === 4) book.byWord.set(address.words[3], id);
  else book.byText.set(text, id);
  for (let i = 0; i < 4; i++) book.words[id * 4 + i] = address.words[i as 0 | 1 | 2 | 3];
  const limited = address.family === 4 && address.words[3] === 0xffffffff;
  book.flags[id] = (isMulticast(address) ? MULTICAST : 0) | (isUnspecified(address) ? UNSPECIFIED : 0) | (isLoopback(address) ? LOOPBACK : 0) | (limited ? LIMITED_BROADCAST : 0);
  book.families[id] = familyIndex(address.family);
  book.hashes[id] = hostHash(address);
  return id;
}

function grow(book: AddressBook): void {
  const size = book.flags.length * 2;
  const words = new Int32Array(size * 4);
  const flags = new Uint8Array(size);
  const families = new Uint8Array(size);
  const hashes = new Int32Array(size);
  words.set(book.words);
  flags.set(book.flags);
  families.set(book.families);
  hashes.set(book.hashes);
  Object.assign(book, { words, flags, families, hashes });
}

export const flagsOf = (book: AddressBook, id: number): number => book.flags[id] ?? 0;

export const addressOf = (book: AddressBook, id: number): Address => {
  const address = book.addresses[id];
  if (address === undefined) throw new Error(`no address has the number ${id}`);
  return address;
};
