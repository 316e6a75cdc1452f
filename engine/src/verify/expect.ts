/** Checks what a file says must hold, against the trace that the simulator makes of it. */
import { compileTopology } from '../data-plane/compile.ts';
import type { CompiledTopology } from '../data-plane/compile.ts';
import { buildTopology } from '../topology/build.ts';
import type { Topology } from '../topology/model.ts';
import type { ClusterSpec } from '../topology/spec.ts';
import type { Trace } from '../trace/model.ts';
import { resolveQuestion } from '../trace/party.ts';
import { runTrace } from '../trace/run.ts';
import { judge } from './judge.ts';
import type { Expectation, Verdict } from './model.ts';
import { repairOf } from './repair.ts';

/** `spec` is what `topology` was built from: a repair is looked for by building it again with more in it. */
export function checkExpectation(spec: ClusterSpec, topology: Topology, compiled: CompiledTopology, expectation: Expectation): Verdict {
  const result = traceOf(topology, compiled, expectation);
  if (typeof result === 'string') return { expectation, passed: false, sentence: result, repair: null, trace: null };
  const complaint = judge(topology, result, expectation);
  if (complaint === null) return { expectation, passed: true, sentence: null, repair: null, trace: result };
  const repair = repairOf(spec, result, (mended) => holds(mended, expectation));
  return { expectation, passed: false, sentence: repair === null ? complaint : `${complaint} ${repair.sentence}`, repair, trace: result };
}

/** A sentence where a party cannot be resolved. */
function traceOf(topology: Topology, compiled: CompiledTopology, expectation: Expectation): Trace | string {
  const resolved = resolveQuestion(topology, { from: expectation.from, to: expectation.to });
  return 'error' in resolved ? resolved.error : runTrace(compiled, resolved.flow);
}

function holds(spec: ClusterSpec, expectation: Expectation): boolean {
  const topology = buildTopology(spec);
  const trace = traceOf(topology, compileTopology(topology), expectation);
  return typeof trace !== 'string' && judge(topology, trace, expectation) === null;
}
