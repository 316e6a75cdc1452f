/** A question as people write it, put to the simulator. */
import { resolveInjection, runInjected } from '../../engine/src/trace/inject.ts';
import type { InjectionText } from '../../engine/src/trace/inject.ts';
import type { Trace } from '../../engine/src/trace/model.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import type { Question } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { explain } from '../../engine/src/verify/explain.ts';
import type { Explanation } from '../../engine/src/verify/explanation.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';

export interface Unanswered {
  readonly error: string;
  readonly suggestions: readonly string[];
}

export function ask(snapshot: Snapshot, question: Question): Trace | Unanswered {
  const resolved = resolveQuestion(snapshot.topology(), question);
  return 'error' in resolved ? resolved : runTrace(snapshot.compiled(), resolved.flow);
}

/** Why it does not arrive and come back, and what would mend it; `null` where it does. */
export const why = (snapshot: Snapshot, question: Question | InjectionText): Explanation | null =>
  explain({ spec: snapshot.spec(), topology: snapshot.topology(), compiled: snapshot.compiled(), question, expectations: snapshot.expectations, goal: null, wanted: 'arrival' });

/** A packet at an interface, past everything that stands before. */
export function inject(snapshot: Snapshot, text: InjectionText): Trace | Unanswered {
  const resolved = resolveInjection(snapshot.topology(), text);
  return 'error' in resolved ? resolved : runInjected(snapshot.compiled(), resolved);
}

/** The error, with what may have been meant where it does not say so itself. */
export function unanswered({ error, suggestions }: Unanswered): string {
  if (suggestions.length === 0 || error.includes('did you mean')) return error;
  return `${error.replace(/[.?!]$/, '')}; did you mean ${suggestions.map((each) => `'${each}'`).join(' or ')}?`;
}
