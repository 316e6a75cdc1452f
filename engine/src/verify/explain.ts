/**
 * The root cause of a flow that fails, and what mends it: changes are tried on a copy of the spec, one after the other.
 * One that lets the packet arrive names the cause; one that only lets it come farther leads to the next cause.
 */
import { compileTopology } from '../data-plane/compile.ts';
import type { CompiledTopology } from '../data-plane/compile.ts';
import type { EndedWalk } from '../data-plane/netfilter/chain.ts';
import { finished } from '../steps.ts';
import type { Steps } from '../steps.ts';
import { buildTopology } from '../topology/build.ts';
import type { Topology } from '../topology/model.ts';
import type { ClusterSpec } from '../topology/spec.ts';
import type { Flow } from '../trace/flow.ts';
import type { Trace } from '../trace/model.ts';
import { queryOf } from '../trace/name-query.ts';
import { resolveInjection, runInjected } from '../trace/inject.ts';
import type { InjectionText } from '../trace/inject.ts';
import { resolveQuestion } from '../trace/party.ts';
import type { Question } from '../trace/party.ts';
import { runTrace } from '../trace/run.ts';
import { adoptionOf, adoptions, wholesale } from './adopt.ts';
import { aroundTheEnd } from './around-end.ts';
import { aroundTheNetwork } from './around-network.ts';
import { aroundThePlan } from './around-plan.ts';
import { aroundThePolicy } from './around-policy.ts';
import { aroundTheService } from './around-service.ts';
import { aroundTheSettings } from './around-settings.ts';
import type { Candidate } from './candidate.ts';
import { commandsOf } from './commands.ts';
import { deviationsOf } from './deviation.ts';
import type { Deviation } from './deviation.ts';
import type { Cause, Command, Explanation, TriedRepair } from './explanation.ts';
import { judge } from './judge.ts';
import type { Expectation } from './model.ts';
import { nearestRule } from './nearest.ts';
import { decidingEvent, isAnswered, isFarther, reachOf, situationOf } from './situation.ts';
import type { Event, Situation } from './situation.ts';
import { symptomOf } from './symptom.ts';

export interface Asked {
  readonly spec: ClusterSpec;
  readonly topology: Topology;
  readonly compiled: CompiledTopology;
  readonly question: Question | InjectionText;
  /** What else must hold; those of them that hold now must hold after a repair. */
  readonly expectations: readonly Expectation[];
  /** When the question is answered as it should be; `null`: when the packet arrives and its answer comes back, or arrives if it is put in on the way. */
  readonly goal: ((topology: Topology, trace: Trace) => boolean) | null;
  /** Where something else is wanted than that the packet arrives, only what the cluster's programs would have left is tried. */
  readonly wanted: 'arrival' | 'something-else';
}

/** Stacked causes that are looked for, one behind the other. */
const MAX_CAUSES = 5;
/** Repairs offered. */
export const MAX_REPAIRS = 3;
/** Tries for one cause: each derives the topology anew and traces once. */
const MAX_TRIES = 48;

/** Without a goal of its own: the packet arrives, whichever way it takes, and is answered. */
const arrives = (trace: Trace): boolean => trace.branches.length > 0 && trace.branches.every((b) => b.probability === 0 || isAnswered(b));

/** What is put in on the way is unknown to the conntrack of the nodes before, and they may refuse its answer: only the packet itself is asked about. */
const isTaken = (trace: Trace): boolean => trace.branches.length > 0 && trace.branches.every((b) => b.probability === 0 || b.outcome === 'delivered');

/** A segment of no connection is answered with a reset, wherever it comes to. */
const isMet = (trace: Trace): boolean => trace.branches.length > 0 && trace.branches.every((b) => b.probability === 0 || b.outcome === 'delivered' || b.reason?.code === 'no-connection');

const goalOf = (question: Asked['question']): ((trace: Trace) => boolean) => (question.flags !== undefined ? isMet : 'interface' in question ? isTaken : arrives);

/** `null` where the question is answered as it should be, or cannot be asked. */
export function explain(asked: Asked): Explanation | null {
  return finished(explaining(asked));
}

/** The same in steps, each a try, for who has other work in between. */
export function* explaining(asked: Asked): Steps<Explanation | null> {
  const { question } = asked;
  const search: Search = { asked, isGoal: asked.goal ?? ((_, trace) => goalOf(question)(trace)), held: null };
  const first = traced(asked.topology, asked.compiled, question);
  if (first === undefined || search.isGoal(asked.topology, wholeOf(first))) return null;
  let now: State = { ...first, spec: asked.spec, topology: asked.topology };
  const causes: Cause[] = [];
  const chain: Candidate[] = [];
  for (;;) {
    const situation = situationOf(now.spec, now.topology, now.flow, now.trace);
    if (situation === undefined) return { causes, repairs: [] };
    const result = yield* mend(search, situation, now, chain);
    const [best] = result.mending;
    if (best === undefined && result.progress === null && (asked.wanted === 'something-else' || isAnswered(situation.branch))) return { causes, repairs: [] };
    causes.push(causeOf(situation, now, best ?? result.progress?.candidate));
    if (best !== undefined) return { causes, repairs: result.mending.map((c) => repairOf(asked.spec, [...chain, c])) };
    if (result.progress === null || causes.length >= MAX_CAUSES) return { causes, repairs: [] };
    chain.push(result.progress.candidate);
    now = result.progress.state;
  }
}

interface State {
  readonly spec: ClusterSpec;
  readonly topology: Topology;
  readonly flow: Flow;
  readonly trace: Trace;
  readonly query: Query | null;
  readonly walks: readonly EndedWalk[];
}

interface Search {
  readonly asked: Asked;
  readonly isGoal: (topology: Topology, trace: Trace) => boolean;
  /** The expectations that hold before any change; judged when first needed. */
  held: readonly Expectation[] | null;
}

/** The question to the cluster's DNS that is lost, in whose place nothing is sent. */
interface Query {
  readonly name: string;
  readonly whole: Trace;
}

interface Traced {
  /** Of the question to DNS where that is lost. */
  readonly flow: Flow;
  readonly trace: Trace;
  readonly query: Query | null;
  readonly walks: readonly EndedWalk[];
}

/** `undefined` where the question cannot be asked of this topology. */
function traced(topology: Topology, compiled: CompiledTopology, question: Asked['question']): Traced | undefined {
  const walks: EndedWalk[] = [];
  const watch = (walk: EndedWalk): void => void walks.push(walk);
  if ('interface' in question) {
    const injection = resolveInjection(topology, question);
    return 'error' in injection ? undefined : { flow: injection.flow, trace: runInjected(compiled, injection, watch), query: null, walks };
  }
  const resolved = resolveQuestion(topology, question);
  if ('error' in resolved) return undefined;
  const { flow } = resolved;
  const trace = runTrace(compiled, flow, watch);
  const asked = trace.branches.some((b) => b.reason?.code === 'name-unresolved') ? queryOf(flow) : null;
  if (asked === null) return { flow, trace, query: null, walks };
  return { flow: asked, trace: runTrace(compiled, asked, watch), query: { name: flow.resolution.at(-1)?.query ?? flow.toText, whole: trace }, walks };
}

const wholeOf = ({ query, trace }: Traced): Trace => query?.whole ?? trace;

/** What is sent to a name comes farther than the question for it. */
const reachIn = ({ query, trace }: Traced): readonly number[] => [query === null ? 1 : 0, ...reachOf(trace)];

interface Mended {
  readonly mending: readonly Candidate[];
  readonly progress: { readonly candidate: Candidate; readonly state: State } | null;
}

function* mend(search: Search, situation: Situation, before: State, chain: readonly Candidate[]): Steps<Mended> {
  const mending: Candidate[] = [];
  let progress: Mended['progress'] = null;
  let farthest = reachIn(before);
  let tries = 0;
  const limit = triesFor(before.spec);
  const wanted = limit < MAX_TRIES ? 1 : MAX_REPAIRS;
  for (const candidate of candidates(situation, search.asked.wanted, (parts) => pruned(search, before, parts))) {
    if (tries >= limit || mending.length >= wanted) break;
    if (chain.some((c) => c.title === candidate.title)) continue;
    tries++;
    const state = tried(search, before, candidate);
    yield undefined;
    if (state === undefined) continue;
    if (search.isGoal(state.topology, wholeOf(state))) {
      if (keepsWhatHolds(search, state)) mending.push(candidate);
      continue;
    }
    const reach = reachIn(state);
    if (!isFarther(reach, farthest)) continue;
    farthest = reach;
    progress = { candidate, state };
  }
  return { mending, progress };
}

/** A large cluster takes long to derive: fewer tries, and the first repair is enough, so that the whole stays quick. */
const triesFor = (spec: ClusterSpec): number => Math.max(6, Math.min(MAX_TRIES, Math.floor(60_000 / (1 + spec.services.length * 10 + spec.pods.length * 4))));

/** Each is asked when those before it have not been enough. */
const AROUND = [aroundThePolicy, aroundTheService, aroundTheSettings, aroundTheNetwork, aroundThePlan, aroundTheEnd] as const;

/** What a program would have left first, then changes around what ended the packet, then whole blocks. */
function* candidates(situation: Situation, wanted: Asked['wanted'], prune: (parts: readonly Deviation[]) => readonly Deviation[] | undefined): Iterable<Candidate> {
  const deviations = deviationsOf(situation.spec);
  const seen = new Set<string>();
  const fresh = (c: Candidate): boolean => seen.size < seen.add(JSON.stringify(c.edits)).size;
  for (const c of adoptions(situation, deviations, wanted)) if (fresh(c)) yield c;
  for (const around of wanted === 'arrival' ? AROUND : []) for (const c of around(situation)) if (fresh(c)) yield c;
  for (const parts of wholesale(situation, deviations)) {
    const kept = prune(parts);
    const c = kept === undefined ? undefined : adoptionOf(kept);
    if (c !== undefined && fresh(c)) yield c;
  }
}

/** Of a group that mends, what is needed for it; `undefined` where the whole does not. */
function pruned(search: Search, before: State, parts: readonly Deviation[]): readonly Deviation[] | undefined {
  const works = (some: readonly Deviation[]): boolean => {
    const c = adoptionOf(some);
    const state = c === undefined ? undefined : tried(search, before, c);
    return state !== undefined && search.isGoal(state.topology, wholeOf(state));
  };
  if (!works(parts)) return undefined;
  const most = parts.length > 12 ? halved(parts, works) : parts;
  return most.reduceRight<readonly Deviation[]>((kept, part) => {
    const without = kept.filter((p) => p !== part);
    return without.length > 0 && works(without) ? without : kept;
  }, most);
}

/** Drops large parts at once while the rest still mends. */
function halved(parts: readonly Deviation[], works: (some: readonly Deviation[]) => boolean): readonly Deviation[] {
  let kept = parts;
  for (let size = Math.ceil(parts.length / 2); size >= 4; size = Math.ceil(size / 2)) {
    for (let start = 0; start < kept.length; start += size) {
      const without = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (without.length > 0 && works(without)) {
        kept = without;
        start -= size;
      }
    }
    if (size === 4) break;
  }
  return kept;
}

function tried({ asked }: Search, before: State, candidate: Candidate): State | undefined {
  const spec = candidate.applied(before.spec);
  const topology = buildTopology(spec);
  const result = traced(topology, compileTopology(topology), asked.question);
  return result === undefined ? undefined : { ...result, spec, topology };
}

function keepsWhatHolds(search: Search, after: State): boolean {
  const { asked } = search;
  search.held ??= asked.expectations.filter((e) => holds(asked.topology, asked.compiled, e));
  if (search.held.length === 0) return true;
  const compiled = compileTopology(after.topology);
  return search.held.every((e) => holds(after.topology, compiled, e));
}

function holds(topology: Topology, compiled: CompiledTopology, expectation: Expectation): boolean {
  const result = traced(topology, compiled, expectation);
  return result !== undefined && judge(topology, wholeOf(result), expectation) === null;
}

function causeOf(situation: Situation, state: State, mending: Candidate | undefined): Cause {
  const { last, reason } = situation;
  const symptom = symptomOf(situation);
  return {
    code: reason?.code ?? null,
    sentence: mending === undefined ? symptom.sentence : `${state.query === null ? '' : `${state.query.name} gets no address: `}${mending.wrong}`,
    host: mending?.host || (last?.host ?? situation.flow.host),
    namespace: mending === undefined || mending.host === '' ? (last?.namespace ?? situation.flow.namespace) : mending.namespace,
    at: mending === undefined ? symptom.at : mending.at,
    nearest: nearestOf(situation, state.walks),
  };
}

/** Only where a rule or a policy decided. */
function nearestOf(situation: Situation, walks: readonly EndedWalk[]): Cause['nearest'] {
  const event = decidingEvent(situation);
  const { last, reason } = situation;
  if (event === undefined || last === undefined || (reason?.code !== 'rule-drop' && reason?.code !== 'rule-reject' && reason?.code !== 'policy-drop')) return null;
  const walk = walks.findLast((w) => w.ns.host.name === last.host && w.ns.namespace.name === last.namespace && w.table.table.name === event.table && w.table.table.ruleset === event.ruleset && w.at.hook === event.hook);
  const events = last.steps.filter((s): s is Event => s.stage === 'netfilter' && s.table === event.table && s.ruleset === event.ruleset && s.hook === event.hook);
  return walk === undefined ? null : nearestRule(walk, events);
}

/** Each change is made to what those before it left. */
function repairOf(spec: ClusterSpec, chain: readonly Candidate[]): TriedRepair {
  const commands: Command[] = [];
  let now = spec;
  for (const candidate of chain) {
    commands.push(...(candidate.commands ?? commandsOf(now, candidate.edits)));
    now = candidate.applied(now);
  }
  return { title: chain.map((c) => c.title).join('; then '), edits: chain.flatMap((c) => c.edits), commands };
}
