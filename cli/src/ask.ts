/** A question as people write it, put to the simulator. */
import type { Trace } from '../../engine/src/trace/model.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';

export interface Unanswered {
  readonly error: string;
  readonly suggestions: readonly string[];
}

export function ask(snapshot: Snapshot, question: { readonly from: string; readonly to: string }): Trace | Unanswered {
  const resolved = resolveQuestion(snapshot.topology(), { from: question.from, to: question.to });
  return 'error' in resolved ? resolved : runTrace(snapshot.compiled(), resolved.flow);
}

/** The error, with what may have been meant. */
export function unanswered({ error, suggestions }: Unanswered): string {
  const [first, ...others] = suggestions;
  if (first === undefined) return error;
  const list = others.length === 0 ? first : `${[first, ...others.slice(0, -1)].join(', ')} or ${others.at(-1) ?? ''}`;
  return `${error.replace(/[.?!]$/, '')}; did you mean ${list}?`;
}
