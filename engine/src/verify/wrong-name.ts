/** An expectation that names nobody, or a port that its service does not have: the names that were perhaps meant, each tried. */
import type { CompiledTopology } from '../data-plane/compile.ts';
import type { Topology } from '../topology/model.ts';
import { resolveQuestion } from '../trace/party.ts';
import type { QuestionError } from '../trace/party.ts';
import { partyReadings } from '../trace/party-text.ts';
import { runTrace } from '../trace/run.ts';
import type { Explanation, TriedRepair } from './explanation.ts';
import { judge } from './judge.ts';
import type { Expectation } from './model.ts';

export function wrongName(topology: Topology, compiled: CompiledTopology, expectation: Expectation, { error, suggestions }: QuestionError): Explanation {
  const side = 'error' in resolveQuestion(topology, { from: expectation.from, to: '127.0.0.1' }) ? 'from' : 'to';
  const repairs = suggestions.flatMap((name) => renamed(expectation, side, name)).filter(({ changed }) => holds(topology, compiled, changed)).map((r) => r.repair);
  return { causes: [{ code: null, sentence: error, host: '', namespace: '', at: expectation.at, nearest: null }], repairs };
}

interface Renamed {
  readonly changed: Expectation;
  readonly repair: TriedRepair;
}

/** With the port and the protocol that were written, unless the new name says its own. */
function renamed(expectation: Expectation, side: 'from' | 'to', instead: string): readonly Renamed[] {
  const before = expectation[side];
  const [{ name }] = partyReadings(before);
  const to = before.replace(name, () => instead);
  if (name === '' || to === before) return [];
  return [{
    changed: { ...expectation, [side]: to },
    repair: { title: `write '${instead}' instead of '${name}'`, edits: [{ kind: 'name', at: expectation.at, from: name, to: instead }], commands: [] },
  }];
}

function holds(topology: Topology, compiled: CompiledTopology, expectation: Expectation): boolean {
  const resolved = resolveQuestion(topology, expectation);
  return !('error' in resolved) && judge(topology, runTrace(compiled, resolved.flow), expectation) === null;
}
