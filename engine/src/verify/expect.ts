/** Checks what a file says must hold, against the trace that the simulator makes of it. */
import type { CompiledTopology } from '../data-plane/compile.ts';
import { finished } from '../steps.ts';
import type { Steps } from '../steps.ts';
import type { Topology } from '../topology/model.ts';
import type { ClusterSpec } from '../topology/spec.ts';
import type { Trace } from '../trace/model.ts';
import { resolveQuestion } from '../trace/party.ts';
import type { QuestionError } from '../trace/party.ts';
import { runTrace } from '../trace/run.ts';
import { explaining, MAX_REPAIRS } from './explain.ts';
import type { Explanation } from './explanation.ts';
import { judge } from './judge.ts';
import type { Expectation, Verdict } from './model.ts';
import { otherPorts, wrongName } from './wrong-name.ts';

/**
 * `spec` is what `topology` was built from: a repair is looked for by building it again with a change in it. `all`: what
 * else the file says must hold, and a repair must not break.
 */
export function checkExpectation(spec: ClusterSpec, topology: Topology, compiled: CompiledTopology, expectation: Expectation, all: readonly Expectation[]): Verdict {
  return finished(checkingExpectation(spec, topology, compiled, expectation, all));
}

/** The same in steps, each a try of a repair. */
export function* checkingExpectation(spec: ClusterSpec, topology: Topology, compiled: CompiledTopology, expectation: Expectation, all: readonly Expectation[]): Steps<Verdict> {
  const result = traceOf(topology, compiled, expectation);
  if ('error' in result) return { expectation, passed: false, sentence: result.error, explanation: wrongName(topology, compiled, expectation, result), trace: null };
  const complaint = judge(topology, result, expectation);
  if (complaint === null) return { expectation, passed: true, sentence: null, explanation: null, trace: result };
  const goal = (changed: Topology, trace: Trace): boolean => judge(changed, trace, expectation) === null;
  const wanted = expectation.outcome === 'delivered' && !expectation.negated ? 'arrival' : 'something-else';
  const found = yield* explaining({ spec, topology, compiled, question: expectation, expectations: all, goal, wanted });
  const explanation = found === null || wanted !== 'arrival' ? found : { ...found, repairs: [...otherPorts(topology, compiled, expectation), ...found.repairs].slice(0, MAX_REPAIRS) };
  return { expectation, passed: false, sentence: withRoot(complaint, explanation), explanation, trace: result };
}

/** The first cause, and how many stand behind it: whoever wants to read them all asks for the explanation. */
function withRoot(complaint: string, explanation: Explanation | null): string {
  const [root, ...behind] = explanation?.causes ?? [];
  if (root === undefined) return complaint;
  const more = behind.length === 0 ? '' : ` Behind it ${behind.length === 1 ? 'stands another cause' : `stand ${behind.length} more causes`}.`;
  // Where the packet's end is all that is known of the cause, only the place is new.
  const end = root.sentence.replace(/ \([^()]*\)\.$/, '.');
  return `${complaint.includes(end) ? complaint.replace(end, () => root.sentence) : `${complaint} ${root.sentence}`}${more}`;
}

function traceOf(topology: Topology, compiled: CompiledTopology, expectation: Expectation): Trace | QuestionError {
  const resolved = resolveQuestion(topology, expectation);
  return 'error' in resolved ? resolved : runTrace(compiled, resolved.flow);
}
