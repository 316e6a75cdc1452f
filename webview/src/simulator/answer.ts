/** Asks the engine: the extension sends what the file says, never a topology or a trace. */
import { once } from '../../../engine/src/once.ts';
import type { CompiledTopology } from '../../../engine/src/data-plane/compile.ts';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { explaining } from '../../../engine/src/verify/explain.ts';
import type { Explanation } from '../../../engine/src/verify/explanation.ts';
import { sceneOf } from '../layout/scene.ts';
import { isSaid } from '../protocol.ts';
import type { Question, Said } from '../protocol.ts';
import type { Answer } from '../state/model.ts';
import { unpacked } from './unpack.ts';

/** What is known of the newest version of the file. */
export type Known = KnownFile | { readonly ok: false; readonly message: string };

interface KnownFile {
  readonly ok: true;
  readonly said: Said;
  readonly topology: Topology;
  readonly compiled: () => CompiledTopology;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A throw of the engine is our bug; it becomes a message, so that the panel is never blank. */
export async function read(packed: string): Promise<Known> {
  try {
    const said: unknown = JSON.parse(await unpacked(packed));
    if (!isSaid(said)) return { ok: false, message: 'the extension sent something else than what the file says' };
    const topology = buildTopology(said.spec);
    return { ok: true, said, topology, compiled: once(() => compileTopology(topology)) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

export function answerTo({ topology, compiled }: KnownFile, question: Question): Answer {
  try {
    const resolved = resolveQuestion(topology, question);
    if ('error' in resolved) return { kind: 'unanswered', message: resolved.error, suggestions: resolved.suggestions };
    const { flow } = resolved;
    const trace = runTrace(compiled(), flow);
    return { kind: 'traced', flow, trace, scenes: trace.branches.map((branch) => sceneOf(topology, flow, branch)) };
  } catch (error) {
    return { kind: 'failed', message: messageOf(error) };
  }
}

/** Each step a try; `null` where the packet arrives and its answer comes back. */
export function* explained({ said: { spec, expectations }, topology, compiled }: KnownFile, question: Question): Generator<undefined, Explanation | null> {
  try {
    return yield* explaining({ spec, topology, compiled: compiled(), question, expectations, goal: null, wanted: 'arrival' });
  } catch (error) {
    const sentence = `The simulator failed while it looked for the cause. This is a bug of k8snet, not of the file: ${messageOf(error)}`;
    return { causes: [{ code: null, sentence, host: '', namespace: '', at: null, nearest: null }], repairs: [] };
  }
}
