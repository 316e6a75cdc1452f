/** Holds the state, and does what follows from a change of it: notes for the editor, the question, the view to keep. */
import { annotate } from '../../../engine/src/trace/annotate.ts';
import { isQuestion, isToPanel, type FromPanel, type Question } from '../protocol.ts';
import type { Simulator } from '../simulator/line.ts';
import type { Action, Offer, State, View } from './model.ts';
import { INITIAL } from './model.ts';
import { branchOf, reduce, sameQuestion } from './reduce.ts';

/** The editor's side, as a page sees it. */
export interface Host {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

export interface Store {
  readonly state: State;
  dispatch(action: Action): void;
  /** From whatever source: what is no message of ours is left alone. */
  receive(message: unknown): void;
  /** Asked in the panel itself. */
  ask(question: Question): void;
  /** Texts for one end of the question. */
  offers(role: 'from' | 'to', typed: string): Promise<readonly Offer[]>;
  post(message: FromPanel): void;
  subscribe(listener: () => void): void;
}

export function createStore(host: Host, simulator: Simulator): Store {
  let state: State = restored(host.getState());
  const listeners: (() => void)[] = [];
  const post = (message: FromPanel): void => { host.postMessage(message); };

  const dispatch = (action: Action): void => {
    const before = state;
    state = reduce(before, action);
    if (state === before) return;
    follow(before, state);
    for (const listener of listeners) listener();
  };

  const follow = (before: State, after: State): void => {
    if (after.question !== null && !sameQuestion(before.question, after.question)) post({ type: 'asked', question: after.question });
    if (before.shown !== after.shown || before.branch !== after.branch || before.problem !== after.problem) {
      const branch = after.problem === null ? branchOf(after) : null;
      post({ type: 'annotations', annotations: branch === null ? [] : annotate(branch) });
    }
    if (viewOf(before) !== viewOf(after)) host.setState(kept(after));
  };

  const show = (said: string | null, { file, revision, question }: Pick<State, 'file' | 'revision'> & { readonly question: Question }): void => {
    simulator.ask(said, question, (told) => {
      if (told.type === 'answered') dispatch({ type: 'answered', file, revision, question, answer: told.answer });
      else dispatch({ type: 'why', why: told.why });
    });
  };

  return {
    get state() { return state; },
    dispatch, post,
    receive(message) {
      if (!isToPanel(message)) return;
      if (message.type === 'cursor') dispatch({ type: 'cursor', at: { file: message.file, line: message.line } });
      else show(message.said, message);
    },
    ask(question) {
      show(null, { ...state, question });
    },
    offers: (role, typed) => simulator.offers(role, typed),
    subscribe(listener) { listeners.push(listener); },
  };
}

interface Kept {
  readonly file: string;
  readonly question: Question | null;
  readonly view: View;
}

const kept = ({ file, question, branch, selected, expanded, picture }: State): Kept =>
  ({ file, question, view: { branch, selected, expanded, picture } });

const viewOf = (state: State): string => JSON.stringify(kept(state));

/** From before a reload of the window, checked as anything else that comes from outside. */
function restored(value: unknown): State {
  if (typeof value !== 'object' || value === null) return INITIAL;
  const { file, question, view } = value as Readonly<Record<string, unknown>>;
  if (typeof file !== 'string' || !isQuestion(question) || typeof view !== 'object' || view === null) return INITIAL;
  const { branch, selected, expanded, picture } = view as Readonly<Record<string, unknown>>;
  const isNumber = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;
  return {
    ...INITIAL, file, question,
    branch: isNumber(branch) ? branch : 0,
    selected: isNumber(selected) ? selected : null,
    expanded: Array.isArray(expanded) ? expanded.filter(isNumber) : [],
    picture: picture === 'hidden' ? 'hidden' : 'shown',
  };
}
