/** Go to definition, and find all references. */
import type { Occurrence } from '../bind/occurrences.ts';
import { occurrenceAt, occurrencesOf } from '../bind/occurrences.ts';
import type { Elsewhere, Range } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';

const rangeOf = ({ start, end }: Occurrence): Range => ({ start, end });

/** Where the name at `offset` is declared, in this file; several for a label. Empty where nothing declares it. */
export function definition(snapshot: Snapshot, offset: number): readonly Range[] {
  const at = occurrenceAt(snapshot, offset);
  return at === undefined ? [] : [...occurrencesOf(snapshot, at.key)].filter((o) => o.role === 'definition').map(rangeOf);
}

/** Where the object of the name at `offset` stands in a file of Kubernetes objects, where one declares it. */
export function definitionElsewhere(snapshot: Snapshot, offset: number): Elsewhere | undefined {
  const [kind = '', name = ''] = occurrenceAt(snapshot, offset)?.key.split(' ') ?? [];
  const { names } = snapshot;
  switch (kind) {
    case 'node': return names.nodes.get(name)?.elsewhere;
    case 'pod': return names.pods.get(name)?.elsewhere;
    case 'service': return names.services.get(name)?.elsewhere;
    default: return undefined;
  }
}

/** Every place of the name at `offset`, its declaration included, in the order of the file. */
export function references(snapshot: Snapshot, offset: number): readonly Range[] {
  const at = occurrenceAt(snapshot, offset);
  return at === undefined ? [] : [...occurrencesOf(snapshot, at.key)].map(rangeOf).sort((a, b) => a.start - b.start);
}
