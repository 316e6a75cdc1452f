/** Completion: keywords by context, names by what is expected, chains and devices in dumps. */
import type { StatementGrammar } from '../bind/grammar.ts';
import { GRAMMAR, usageOf } from '../bind/grammar.ts';
import type { Range } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';
import { argumentCompletions } from './complete-argument.ts';
import { dumpCompletions } from './complete-dump.ts';
import { fileCompletions } from './complete-file.ts';
import { atCursor } from './cursor-context.ts';

export interface Candidate {
  readonly label: string;
  readonly kind: 'keyword' | 'node' | 'network' | 'pod' | 'service' | 'external' | 'value' | 'chain' | 'target' | 'device' | 'option' | 'label';
  readonly detail: string;
  /** What is typed, where it is not the label. */
  readonly insert?: string;
}

/** `start` to `end` is replaced. */
export interface CompletionItem extends Candidate, Range {}

export function completions(snapshot: Snapshot, offset: number): readonly CompletionItem[] {
  const files = fileCompletions(snapshot, offset);
  if (files !== undefined) return files;
  const { context, start, end } = atCursor(snapshot, offset);
  const place = (candidates: readonly Candidate[]): CompletionItem[] => candidates.map((c) => ({ ...c, start, end }));
  switch (context.kind) {
    case 'none': return [];
    case 'keyword': return place(GRAMMAR[context.context].map(keyword));
    case 'argument': return place(argumentCompletions(snapshot, context, offset));
    case 'dump': return place(dumpCompletions(snapshot, context, offset));
  }
}

const keyword = (s: StatementGrammar): Candidate => ({ label: s.keyword, kind: 'keyword', detail: `${usageOf(s)}: ${s.doc}` });
