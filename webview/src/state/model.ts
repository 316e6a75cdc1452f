/** Everything that the panel shows, as one record; `reduce.ts` is the only maker of the next one. */
import type { SourceLine } from '../../../engine/src/trace/annotate.ts';
import type { Flow } from '../../../engine/src/trace/flow.ts';
import type { Trace } from '../../../engine/src/trace/model.ts';
import type { Explanation } from '../../../engine/src/verify/explanation.ts';
import type { Scene } from '../layout/model.ts';
import type { Question } from '../protocol.ts';

export type Answer =
  /** A scene for each branch. */
  | { readonly kind: 'traced'; readonly flow: Flow; readonly trace: Trace; readonly scenes: readonly Scene[] }
  /** A party has no such name; suggestions are texts for the same place. */
  | { readonly kind: 'unanswered'; readonly message: string; readonly suggestions: readonly string[] }
  /** The engine threw: our bug. */
  | { readonly kind: 'failed'; readonly message: string };

/** A text for one end of a question. */
export interface Offer {
  /** As a question takes it. */
  readonly text: string;
  /** `pod on host1, 10.0.14.15` */
  readonly detail: string;
}

/** A trace with what its picture shows, branch by branch. */
export interface Shown {
  readonly question: Question;
  readonly scenes: readonly Scene[];
  readonly flow: Flow;
  readonly trace: Trace;
}

/** What a reload of the window keeps. */
export interface View {
  readonly branch: number;
  /** Numbers of hops, from 1. */
  readonly selected: number | null;
  readonly expanded: readonly number[];
  readonly picture: 'shown' | 'hidden';
}

export interface State extends View {
  readonly file: string;
  /** Of what the file and its dumps said; a repair is for it. */
  readonly revision: number;
  readonly question: Question | null;
  /** Why the question has no trace now; `shown` then is the last one that had. */
  readonly problem: Exclude<Answer, { kind: 'traced' }> | null;
  readonly shown: Shown | null;
  /** Why the packet does not arrive; `null` where it does, and where nothing is shown. */
  readonly why: Why | null;
  readonly hovered: number | null;
  readonly cursor: SourceLine | null;
}

/** Looked for a try at a time, so that the panel stays alive; then the causes and the repairs. */
export type Why = 'searching' | Explanation;

export type Action =
  | { readonly type: 'answered'; readonly file: string; readonly revision: number; readonly question: Question; readonly answer: Answer }
  | { readonly type: 'why'; readonly why: Why | null }
  | { readonly type: 'cursor'; readonly at: SourceLine }
  | { readonly type: 'branch'; readonly index: number }
  /** Chosen, and opened. */
  | { readonly type: 'select'; readonly hop: number }
  | { readonly type: 'expand' | 'collapse'; readonly hop: number }
  | { readonly type: 'hover'; readonly hop: number | null }
  | { readonly type: 'picture'; readonly picture: View['picture'] };

export const INITIAL: State = {
  file: '', revision: 0, question: null, problem: null, shown: null, why: null,
  branch: 0, selected: null, expanded: [], picture: 'shown', hovered: null, cursor: null,
};
