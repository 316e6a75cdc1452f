/** "Trace to…" above everything that can send or receive. */
import { rangeIn } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import type { Range } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';

export interface CodeLens extends Range {
  readonly title: 'Trace to…';
  /** What stands below the lens, as a trace's party is named. */
  readonly party: string;
  readonly kind: 'pod' | 'node' | 'service' | 'external';
}

export function codeLenses(snapshot: Snapshot): readonly CodeLens[] {
  return snapshot.model.declarations.flatMap((placed): CodeLens[] => {
    const { declaration: d } = placed;
    if ((d.kind !== 'pod' && d.kind !== 'node' && d.kind !== 'service' && d.kind !== 'external') || d.name === null) return [];
    const party = d.kind === 'pod' || d.kind === 'service' ? fullName(d.name.value) : d.name.value;
    return [{ ...rangeIn(placed, { start: d.keyword.start, end: d.name.end }), title: 'Trace to…', party, kind: d.kind }];
  });
}
