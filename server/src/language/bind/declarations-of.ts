/** What stands in a list of placed declarations, without the places: from one version to the next the same records, but for what was edited. */
import type { Placed } from './file-model.ts';

const known = new WeakMap<readonly Placed<object>[], readonly object[]>();

export function declarationsOf<D extends object>(placed: readonly Placed<D>[]): readonly D[] {
  const declarations = (known.get(placed) as readonly D[] | undefined) ?? placed.map((p) => p.declaration);
  known.set(placed, declarations);
  return declarations;
}
