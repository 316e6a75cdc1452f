/** The declarations that a check has something to tell of: after an edit only the changed ones are asked again. */
import { keptMap } from '../../../../engine/src/kept.ts';
import { declarationsOf } from '../bind/declarations-of.ts';
import type { Placed } from '../bind/file-model.ts';

/** `around` is all that the answer depends on beside the declaration: the same record as long as that has not changed. */
export function suspecting<D extends object, A extends object>(isSuspect: (declaration: D, around: A) => boolean): (placed: readonly Placed<D>[], around: A) => readonly Placed<D>[] {
  const known = new WeakMap<A, ReturnType<typeof keptMap<D, boolean>>>();
  return (placed, around) => {
    const kept = known.get(around) ?? keptMap<D, boolean>();
    known.set(around, kept);
    const suspects = kept(declarationsOf(placed), (declaration, before) => before ?? isSuspect(declaration, around));
    return suspects.includes(true) ? placed.filter((_, i) => suspects[i] === true) : [];
  };
}

/** Of a check that looks at the declaration alone. */
export const ALONE = {};
