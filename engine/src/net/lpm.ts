/**
 * Longest-prefix match: one hash table a prefix length, asked from the longest down. Two look-ups a length that is in
 * use are cheaper than a trie at the sizes of a cluster, and every prefix that contains an address comes out in order.
 */
import { contains, firstAddress } from './address.ts';
import type { Address, Prefix } from './address.ts';

export interface Lpm<T> {
  /** Longest first; the values of one prefix in the order in which they were given. */
  readonly levels: readonly Level<T>[];
}

interface Level<T> {
  readonly length: number;
  /** IPv4 by the masked word. */
  readonly entries: ReadonlyMap<string | number, readonly T[]>;
}

function keyOf(address: Address, length: number): string | number {
  // A shift by 32 places would be one by none.
  if (address.family === 4) return length === 0 ? 0 : address.words[3] & (-1 << (32 - length));
  return firstAddress({ address, length }).words.join(':');
}

/** All values must have a prefix of one family. */
export function makeLpm<T>(values: readonly T[], prefixOf: (value: T) => Prefix): Lpm<T> {
  const byLength = new Map<number, Map<string | number, T[]>>();
  for (const value of values) {
    const prefix = prefixOf(value);
    const entries = byLength.get(prefix.length) ?? new Map<string | number, T[]>();
    byLength.set(prefix.length, entries);
    const key = keyOf(prefix.address, prefix.length);
    const same = entries.get(key);
    if (same === undefined) entries.set(key, [value]);
    else same.push(value);
  }
  const levels = [...byLength].map(([length, entries]) => ({ length, entries })).sort((a, b) => b.length - a.length);
  return { levels };
}

/** The values of every prefix that contains the address, the longest prefix first. */
export function* matching<T>(lpm: Lpm<T>, address: Address): Generator<readonly T[]> {
  for (const { length, entries } of lpm.levels) {
    const values = entries.get(keyOf(address, length));
    if (values !== undefined) yield values;
  }
}

const NONE: readonly never[] = [];

/** The values of the longest prefix that contains the address. */
export function longestMatch<T>(lpm: Lpm<T>, address: Address): readonly T[] {
  for (const { length, entries } of lpm.levels) {
    const values = entries.get(keyOf(address, length));
    if (values !== undefined) return values;
  }
  return NONE;
}

/** The slow way, for a short list that is asked once; the first of equals. */
export function longestOf<T>(values: readonly T[], prefixOf: (value: T) => Prefix, address: Address): T | undefined {
  let best: T | undefined;
  for (const value of values) {
    if (contains(prefixOf(value), address) && (best === undefined || prefixOf(value).length > prefixOf(best).length)) best = value;
  }
  return best;
}
