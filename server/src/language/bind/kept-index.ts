/** Who has which key among many declarations: kept from one version to the next where an edit leaves all keys as they were. */
import { keptOf } from '../../../../engine/src/kept.ts';

/** A key's place: its declaration's in the list, and its own among that one's keys. */
export interface Spot {
  readonly declaration: number;
  readonly key: number;
}

interface KeptIndex {
  readonly first: ReadonlyMap<string, Spot>;
  /** Where a key stands that another has, listed before. */
  readonly later: readonly { readonly key: string; readonly spot: Spot }[];
}

export function keptIndex<D extends object>(keysOf: (declaration: D) => readonly string[]): (declarations: readonly D[]) => KeptIndex {
  const hasSameKeys = (a: D, b: D): boolean => {
    const [before, after] = [keysOf(a), keysOf(b)];
    return before.length === after.length && before.every((key, i) => key === after[i]);
  };
  const kept = keptOf<D, KeptIndex>(hasSameKeys);
  return (declarations) => kept(declarations, () => {
    const first = new Map<string, Spot>();
    const later: { key: string; spot: Spot }[] = [];
    for (const [declaration, d] of declarations.entries()) {
      for (const [i, key] of keysOf(d).entries()) {
        const spot = { declaration, key: i };
        if (first.has(key)) later.push({ key, spot });
        else first.set(key, spot);
      }
    }
    return { first, later };
  });
}
