/** A question as people write it, put to the simulator. */
import { resolveInjection, runInjected } from '../../engine/src/trace/inject.ts';
import type { InjectionText } from '../../engine/src/trace/inject.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import type { Trace } from '../../engine/src/trace/model.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { explain } from '../../engine/src/verify/explain.ts';
import type { Explanation } from '../../engine/src/verify/explanation.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';

export interface Unanswered {
  readonly error: string;
  readonly suggestions: readonly string[];
}

/** `flags`: of a TCP segment that is no SYN, `null` for what a socket sends first. */
export function ask(snapshot: Snapshot, question: { readonly from: string; readonly to: string }, flags: number | null = null): Trace | Unanswered {
  const resolved = resolveQuestion(snapshot.topology(), { from: question.from, to: question.to });
  if ('error' in resolved) return resolved;
  const { flow } = resolved;
  return isWithoutFlags(flow, flags) ? NO_FLAGS : runTrace(snapshot.compiled(), withFlags(flow, flags));
}

/** Why it does not arrive and come back, and what would mend it; `null` where it does. */
export const why = (snapshot: Snapshot, question: { readonly from: string; readonly to: string } | InjectionText): Explanation | null =>
  explain({ spec: snapshot.spec(), topology: snapshot.topology(), compiled: snapshot.compiled(), question, expectations: snapshot.expectations, goal: null, wanted: 'arrival' });

/** A packet at an interface, past everything that stands before. */
export function inject(snapshot: Snapshot, text: InjectionText, flags: number | null): Trace | Unanswered {
  const resolved = resolveInjection(snapshot.topology(), text);
  if ('error' in resolved) return resolved;
  const { flow } = resolved;
  return isWithoutFlags(flow, flags) ? NO_FLAGS : runInjected(snapshot.compiled(), { ...resolved, flow: withFlags(flow, flags) });
}

const NO_FLAGS: Unanswered = { error: 'Flags are of TCP: name a port, as in pod1:80.', suggestions: [] };

const isWithoutFlags = (flow: Flow, flags: number | null): boolean => flags !== null && flow.protocol !== 'TCP';

const withFlags = (flow: Flow, flags: number | null): Flow => (flags === null ? flow : { ...flow, tcpFlags: flags });

/** The error, with what may have been meant where it does not say so itself. */
export function unanswered({ error, suggestions }: Unanswered): string {
  if (suggestions.length === 0 || error.includes('did you mean')) return error;
  return `${error.replace(/[.?!]$/, '')}; did you mean ${suggestions.map((each) => `'${each}'`).join(' or ')}?`;
}
