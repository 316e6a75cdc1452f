/**
 * Long lists from one version of a file to the next. An edit leaves most records as they were; to see that a list holds the
 * same ones costs a hundredth of a look-up, or of a glance into the record, for each. A list is found again by its first or
 * its last record, and what is remembered of it goes with them.
 */

interface Memory<T, M> {
  readonly items: readonly T[];
  readonly made: M;
}

interface Memories<T, M> {
  /** Of the list that came last and begins or ends as this one. */
  readonly of: (items: readonly T[], key: string) => Memory<T, M> | undefined;
  readonly keep: (items: readonly T[], key: string, made: M) => void;
}

function memories<T extends object, M>(): Memories<T, M> {
  const known = new WeakMap<T, Map<string, Memory<T, M>>>();
  const at = (item: T | undefined, key: string): Memory<T, M> | undefined => (item === undefined ? undefined : known.get(item)?.get(key));
  return {
    of: (items, key) => at(items[0], key) ?? at(items.at(-1), key),
    keep: (items, key, made) => {
      for (const item of [items[0], items.at(-1)]) {
        if (item === undefined) continue;
        const byKey = known.get(item) ?? new Map<string, Memory<T, M>>();
        known.set(item, byKey.set(key, { items, made }));
      }
    },
  };
}

/** How far a list is searched for where it goes on as before: what is inserted or taken away at once is little. */
const REACH = 8;

/** For each item of `after`, where it stood `before`, or -1. What stays keeps its order. */
export function placesIn<T>(before: readonly T[], after: readonly T[]): Int32Array {
  const places = new Int32Array(after.length).fill(-1);
  let old = 0;
  for (let i = 0; i < after.length; i++) {
    if (before[old] === after[i]) {
      places[i] = old++;
      continue;
    }
    const gone = stepsTo(before, old, after[i]);
    if (gone > 0) {
      places[i] = old + gone;
      old += gone + 1;
      // Inserted, else in place of another.
    } else if (old >= before.length || stepsTo(after, i, before[old]) === 0) old++;
  }
  return places;
}

/** How many steps behind `from` the item stands; 0: not near. */
function stepsTo<T>(items: readonly T[], from: number, item: T | undefined): number {
  for (let step = 1; step <= REACH && from + step < items.length; step++) if (items[from + step] === item) return step;
  return 0;
}

export interface Difference<T> {
  readonly gone: readonly T[];
  readonly come: readonly T[];
}

/** What one list has that the other has not; what changed its place counts as gone and come. */
export function difference<T>(before: readonly T[], after: readonly T[]): Difference<T> {
  const places = placesIn(before, after);
  const stays = new Uint8Array(before.length);
  for (const place of places) if (place >= 0) stays[place] = 1;
  return { gone: before.filter((_, i) => stays[i] === 0), come: after.filter((_, i) => places[i] === -1) };
}

/** `make` is asked for each item, with what it made of the same record before: it returns that where it still holds. */
type KeptMap<T, R> = (items: readonly T[], make: (item: T, before: R | undefined, i: number) => R, key?: string) => readonly R[];

/** `items.map(make)`, and the very list of before where nothing in it has changed. What is made under a key is kept under it. */
export function keptMap<T extends object, R>(): KeptMap<T, R> {
  const known = memories<T, readonly R[]>();
  return (items, make, key = '') => {
    const before = known.of(items, key);
    const made = mapAfter(items, before, make);
    known.keep(items, key, made);
    return made;
  };
}

function mapAfter<T, R>(items: readonly T[], before: Memory<T, readonly R[]> | undefined, make: (item: T, before: R | undefined, i: number) => R): readonly R[] {
  if (before === undefined) return items.map((item, i) => make(item, undefined, i));
  const places = placesIn(before.items, items);
  let isSame = items.length === before.items.length;
  const made = items.map((item, i) => {
    const known = before.made[places[i] ?? -1];
    const result = make(item, known, i);
    if (places[i] !== i || known !== result) isSame = false;
    return result;
  });
  return isSame ? before.made : made;
}

/** `items.flatMap(make)` where what is made of an item never changes, and the very list of before where nothing in it has. */
export function keptFlatMap<T extends object, R>(): (items: readonly T[], make: (item: T, i: number) => readonly R[]) => readonly R[] {
  const known = memories<T, Flat<R>>();
  return (items, make) => {
    const before = known.of(items, '');
    const made = flatAfter(items, before, make);
    known.keep(items, '', made);
    return made.flat;
  };
}

interface Flat<R> {
  readonly flat: readonly R[];
  /** Where in `flat` what was made of each item ends. */
  readonly ends: Uint32Array;
}

function flatAfter<T, R>(items: readonly T[], before: Memory<T, Flat<R>> | undefined, make: (item: T, i: number) => readonly R[]): Flat<R> {
  const places = placesIn(before?.items ?? [], items);
  if (before !== undefined && items.length === before.items.length && places.every((place, i) => place === i)) return before.made;
  const old = before?.made ?? { flat: [], ends: new Uint32Array() };
  const flat: R[] = [];
  const ends = new Uint32Array(items.length);
  for (const [i, item] of items.entries()) {
    const place = places[i] ?? -1;
    if (place < 0) for (const result of make(item, i)) flat.push(result);
    else for (let k = old.ends[place - 1] ?? 0; k < (old.ends[place] ?? 0); k++) flat.push(old.flat[k] as R);
    ends[i] = flat.length;
  }
  return { flat, ends };
}

/** What was made of the list last time is given to `make`, together with that list. */
export function keptFrom<T extends object, M>(): (items: readonly T[], make: (before: Memory<T, M> | undefined) => M) => M {
  const known = memories<T, M>();
  return (items, make) => {
    const made = make(known.of(items, ''));
    known.keep(items, '', made);
    return made;
  };
}

/** What was made of a list last time, as long as each item stands for the same as the one at its place before. */
export function keptOf<T extends object, M>(isSame: (a: T, b: T) => boolean): (items: readonly T[], make: () => M) => M {
  const kept = keptFrom<T, M>();
  const isLike = (items: readonly T[], before: readonly T[]): boolean =>
    items.length === before.length && items.every((item, i) => item === before[i] || isSame(item, before[i] as T));
  return (items, make) => kept(items, (before) => (before !== undefined && isLike(items, before.items) ? before.made : make()));
}
