/** What is taken over from the version before is what would have been made of the new one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byName } from '../../../engine/src/control-plane/chain-order.ts';
import { difference, keptFlatMap, keptMap, keptOf, placesIn } from '../../../engine/src/kept.ts';
import type { Chain } from '../../../engine/src/topology/netfilter.ts';

interface Item {
  readonly n: number;
}

/** Versions of one list, as edits leave it: the same records, but for some that were put in, taken away, exchanged or moved. */
const versions = fc.array(fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 40 }), { minLength: 2, maxLength: 6 }).map((lists) => {
  const items = Array.from({ length: 41 }, (_, n): Item => ({ n }));
  return lists.map((list) => list.flatMap((n) => items[n] ?? []));
});
const twice = (item: Item): number[] => Array.from({ length: item.n % 3 }, () => item.n);

describe('what is kept of a list', () => {
  it('maps every version as map does, and makes nothing anew of a record that stayed in its place', () => {
    fc.assert(fc.property(versions, (lists) => {
      const map = keptMap<Item, { readonly of: number }>();
      for (const list of lists) expect(map(list, (item, before) => before ?? { of: item.n })).toEqual(list.map((item) => ({ of: item.n })));
    }));
  });

  it('flattens every version as flatMap does', () => {
    fc.assert(fc.property(versions, (lists) => {
      const map = keptFlatMap<Item, number>();
      for (const list of lists) expect(map(list, twice)).toEqual(list.flatMap(twice));
    }));
  });

  it('asks nothing of the records around one that was exchanged, put in or taken away', () => {
    const items = Array.from({ length: 1000 }, (_, n): Item => ({ n }));
    const other: Item = { n: 5000 };
    for (const changed of [items.with(500, other), items.toSpliced(500, 0, other), items.toSpliced(500, 1)]) {
      const map = keptMap<Item, { readonly of: number }>();
      const flat = keptFlatMap<Item, number>();
      map(items, (item) => ({ of: item.n }));
      flat(items, twice);
      const asked: number[] = [];
      map(changed, (item, before) => (before === undefined && asked.push(item.n), before ?? { of: item.n }));
      flat(changed, (item) => (asked.push(item.n), twice(item)));
      expect(asked.filter((n) => n !== other.n)).toEqual([]);
    }
  });

  it('gives the very list of before where nothing has changed', () => {
    const items = Array.from({ length: 20 }, (_, n): Item => ({ n }));
    const map = keptMap<Item, number>();
    const flat = keptFlatMap<Item, number>();
    expect(map([...items], (item) => item.n)).toBe(map([...items], (item) => item.n));
    expect(flat([...items], twice)).toBe(flat([...items], twice));
  });

  it('keeps what is made under one key apart from what is made under another', () => {
    const items = [{ n: 1 }, { n: 2 }];
    const map = keptMap<Item, string>();
    const under = (key: string): readonly string[] => map(items, (item, before) => before ?? `${key}${item.n}`, key);
    expect([under('a'), under('b'), under('a')]).toEqual([['a1', 'a2'], ['b1', 'b2'], ['a1', 'a2']]);
  });

  it('finds what is gone and what has come, and places that lead to the same record', () => {
    fc.assert(fc.property(versions, ([before = [], after = []]) => {
      const { gone, come } = difference(before, after);
      expect(new Set([...before.filter((item) => !gone.includes(item)), ...come])).toEqual(new Set(after));
      for (const [i, place] of placesIn(before, after).entries()) if (place >= 0) expect(before[place]).toBe(after[i]);
    }));
  });

  it('is made again as soon as an item stands for something else', () => {
    let made = 0;
    const parity = keptOf<Item, number>((a, b) => a.n % 2 === b.n % 2);
    const last: Item = { n: 7 };
    const of = (...numbers: number[]): number => parity([...numbers.map((n) => ({ n })), last], () => ++made);
    expect([of(1, 2), of(3, 4), of(3, 5), of(3)]).toEqual([1, 1, 2, 3]);
  });
});

describe('chains by name', () => {
  const chain = (name: string): Chain => ({ name, policy: null, rules: [], origin: { kind: 'derived', by: 'kube-proxy', because: 'a test' } });

  it('are in order after every change, and of two with one name the later one counts', () => {
    fc.assert(fc.property(versions, (lists) => {
      const known = new Map<Item, Chain>();
      const chainOf = (item: Item): Chain => known.get(item) ?? known.set(item, chain(`C${String(item.n % 30).padStart(2, '0')}`)).get(item) as Chain;
      for (const list of lists) {
        const chains = list.map(chainOf);
        const last = new Map(chains.map((c) => [c.name, c]));
        const wanted = [...last.keys()].sort().map((name) => last.get(name));
        const found = byName(chains);
        expect(found.map((c) => c.name)).toEqual(wanted.map((c) => c?.name));
        expect(found.every((c, i) => c === wanted[i])).toBe(true);
      }
    }));
  });
});
