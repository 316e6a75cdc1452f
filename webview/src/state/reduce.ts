/** The next state of the panel. Pure: the engine was asked before, and what is posted follows from the states. */
import { assertNever } from '../../../engine/src/assert-never.ts';
import { hopsOf, lineOf, type SourceLine } from '../../../engine/src/trace/annotate.ts';
import { journeysOf } from '../../../engine/src/trace/journeys.ts';
import type { Branch, Hop, Step } from '../../../engine/src/trace/model.ts';
import type { Question } from '../protocol.ts';
import type { Action, Shown, State } from './model.ts';

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'answered': return answered(state, action);
    case 'why': return { ...state, why: action.why };
    case 'cursor': return { ...state, cursor: action.at };
    case 'branch': return action.index === state.branch ? state : { ...state, branch: action.index, selected: null, expanded: [], hovered: null };
    case 'select': return { ...state, selected: action.hop, expanded: withHop(state.expanded, action.hop) };
    case 'expand': return { ...state, expanded: withHop(state.expanded, action.hop) };
    case 'collapse': return { ...state, expanded: state.expanded.filter((hop) => hop !== action.hop) };
    case 'hover': return state.hovered === action.hop ? state : { ...state, hovered: action.hop };
    case 'picture': return { ...state, picture: action.picture };
    default: return assertNever(action);
  }
}

const withHop = (hops: readonly number[], hop: number): readonly number[] => (hops.includes(hop) ? hops : [...hops, hop]);

export const sameQuestion = (a: Question | null, b: Question | null): boolean => a?.from === b?.from && a?.to === b?.to;

function answered(state: State, action: Extract<Action, { type: 'answered' }>): State {
  const { file, revision, question, answer } = action;
  const next = { ...state, file, revision, question, why: null };
  if (answer.kind !== 'traced') return { ...next, problem: answer };
  const shown: Shown = { question, flow: answer.flow, trace: answer.trace, scenes: answer.scenes };
  const same = sameQuestion(state.question, question) && (state.file === '' || state.file === file);
  return { ...next, problem: null, shown, hovered: null, ...(same ? followed(state, shown) : { branch: 0, selected: null, expanded: [] }) };
}

/** The same question after an edit: the tab, the chosen hop and the open ones are found again where the packet still comes by. */
function followed(state: State, shown: Shown): Pick<State, 'branch' | 'selected' | 'expanded'> {
  const old = state.shown?.trace.branches[state.branch];
  if (old === undefined) return clamped(state, shown);
  const branch = sameBranch(old, state.branch, shown.trace.branches);
  const fresh = shown.trace.branches[branch];
  if (fresh === undefined) return { branch: 0, selected: null, expanded: [] };
  const numbers = new Map(keysOf(fresh).map((key, i) => [key, i + 1]));
  const keys = keysOf(old);
  const again = (hop: number | null): number | null => (hop === null ? null : numbers.get(keys[hop - 1] ?? '') ?? null);
  return { branch, selected: again(state.selected), expanded: state.expanded.flatMap((hop) => again(hop) ?? []) };
}

/** After a reload there is no trace to compare with: numbers that exist are kept. */
function clamped(state: State, shown: Shown): Pick<State, 'branch' | 'selected' | 'expanded'> {
  const branch = shown.trace.branches[state.branch] === undefined ? 0 : state.branch;
  const fresh = shown.trace.branches[branch];
  const count = fresh === undefined ? 0 : hopsOf(fresh).length;
  const kept = (hop: number | null): hop is number => hop !== null && hop >= 1 && hop <= count;
  return { branch, selected: kept(state.selected) ? state.selected : null, expanded: state.expanded.filter(kept) };
}

function sameBranch(old: Branch, index: number, branches: readonly Branch[]): number {
  const key = (branch: Branch | undefined): string => (branch === undefined ? '' : `${branch.deliveredTo?.name ?? branch.outcome} ${branch.deliveredTo?.address ?? ''} ${branch.supposing.join()}`);
  if (key(branches[index]) === key(old)) return index;
  const found = branches.findIndex((branch) => key(branch) === key(old));
  return found >= 0 ? found : Math.min(index, branches.length - 1);
}

/** One key a hop: its place, and which time the journey comes by. */
function keysOf(branch: Branch): readonly string[] {
  const times = new Map<string, number>();
  const key = (journey: string) => (hop: Hop): string => {
    const place = `${journey}|${hop.host}|${hop.namespace}|${hop.interface}|${hop.direction}`;
    const time = (times.get(place) ?? 0) + 1;
    times.set(place, time);
    return `${place}|${time}`;
  };
  return journeysOf(branch).flatMap(({ name, hops }) => hops.map(key(name)));
}

export const branchOf = (state: State): Branch | null => state.shown?.trace.branches[state.branch] ?? null;

export const causedBy = (step: Step, at: SourceLine | null): boolean => {
  const line = lineOf(step);
  return at !== null && line !== null && line.line === at.line && line.file === at.file;
};

/** The hops of the branch that the cursor's line took part in, by number. */
export function marked(branch: Branch, at: SourceLine | null): ReadonlySet<number> {
  return new Set(hopsOf(branch).flatMap((hop, i) => (hop.steps.some((step) => causedBy(step, at)) ? [i + 1] : [])));
}
