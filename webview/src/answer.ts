/** Asks the engine, in the page itself: the extension sends what the file says, never a topology or a trace. */
import { compileTopology } from '../../engine/src/data-plane/compile.ts';
import type { Topology } from '../../engine/src/topology/model.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { buildTopology } from '../../engine/src/topology/build.ts';
import type { ClusterSpec } from '../../engine/src/topology/spec.ts';
import { explaining } from '../../engine/src/verify/explain.ts';
import type { Explanation } from '../../engine/src/verify/explanation.ts';
import type { Expectation } from '../../engine/src/verify/model.ts';
import type { Question } from './protocol.ts';
import type { Answer } from './state/model.ts';
import type { Simulator } from './state/store.ts';

const compiled = new WeakMap<Topology, ReturnType<typeof compileTopology>>();

function compiledOf(topology: Topology): ReturnType<typeof compileTopology> {
  const known = compiled.get(topology);
  if (known !== undefined) return known;
  const fresh = compileTopology(topology);
  compiled.set(topology, fresh);
  return fresh;
}

/** A throw of the engine is our bug; it becomes a message, so that the panel is never blank. */
function answer(topology: Topology, question: Question): Answer {
  try {
    const resolved = resolveQuestion(topology, question);
    if ('error' in resolved) return { kind: 'unanswered', message: resolved.error, suggestions: resolved.suggestions };
    return { kind: 'traced', flow: resolved.flow, trace: runTrace(compiledOf(topology), resolved.flow) };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

function* explained(spec: ClusterSpec, topology: Topology, question: Question, expectations: readonly Expectation[]): Generator<undefined, Explanation | null> {
  try {
    return yield* explaining({ spec, topology, compiled: compiledOf(topology), question, expectations, goal: null, wanted: 'arrival' });
  } catch (error) {
    const sentence = `The simulator failed while it looked for the cause. This is a bug of k8snet, not of the file: ${error instanceof Error ? error.message : String(error)}`;
    return { causes: [{ code: null, sentence, host: '', namespace: '', at: null, nearest: null }], repairs: [] };
  }
}

export const simulator: Simulator = { build: buildTopology, answer, explain: explained };
