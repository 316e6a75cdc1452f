/** Holds the state, and does what follows from a change of it: notes for the editor, the question, the view to keep. */
import { annotate } from '../../../engine/src/trace/annotate.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { ClusterSpec } from '../../../engine/src/topology/spec.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import type { Explanation } from '../../../engine/src/verify/explanation.ts';
import type { Expectation } from '../../../engine/src/verify/model.ts';
import { isQuestion, isToPanel, type FromPanel, type Question } from '../protocol.ts';
import type { Action, Answer, Shown, State, View } from './model.ts';
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
  post(message: FromPanel): void;
  subscribe(listener: () => void): void;
}

/** The simulator, as the panel asks it. */
export interface Simulator {
  readonly build: (spec: ClusterSpec) => Topology;
  readonly answer: (topology: Topology, question: Question) => Answer;
  /** Each step a try; `null` where the packet arrives and its answer comes back. */
  readonly explain: (spec: ClusterSpec, topology: Topology, question: Question, expectations: readonly Expectation[]) => Generator<undefined, Explanation | null>;
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

  let said: Said = { spec: null, expectations: [] };

  const show = (file: string, revision: number, topology: Topology, question: Question): void => {
    dispatch({ type: 'answered', file, revision, topology, question, answer: simulator.answer(topology, question) });
    if (said.spec === null || state.problem !== null || state.shown === null || state.shown.trace.branches.every(isFine)) return;
    dispatch({ type: 'why', why: 'searching' });
    search(state.shown, simulator.explain(said.spec, topology, question, said.expectations));
  };

  /** In slices, until another trace is shown. */
  const search = (shown: Shown, tries: ReturnType<Simulator['explain']>): void => {
    setTimeout(() => {
      const end = performance.now() + SLICE_MS;
      while (state.shown === shown && state.problem === null) {
        const next = tries.next();
        if (next.done === true) return dispatch({ type: 'why', why: next.value });
        if (performance.now() > end) return search(shown, tries);
      }
    });
  };

  return {
    get state() { return state; },
    dispatch, post,
    receive(message) {
      if (!isToPanel(message)) return;
      if (message.type === 'cursor') dispatch({ type: 'cursor', at: { file: message.file, line: message.line } });
      else {
        said = { spec: message.spec, expectations: message.expectations };
        show(message.file, message.revision, simulator.build(message.spec), message.question);
      }
    },
    ask(question) {
      if (state.topology !== null) show(state.file, state.revision, state.topology, question);
    },
    subscribe(listener) { listeners.push(listener); },
  };
}

/** What the file says, for who asks why. */
interface Said {
  readonly spec: ClusterSpec | null;
  readonly expectations: readonly Expectation[];
}

/** Between two slices of a search the page answers its user. */
const SLICE_MS = 12;

const isFine = (branch: Branch): boolean => branch.probability === 0 || (branch.outcome === 'delivered' && branch.answer.kind === 'reply');

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
