/** An expectation that names nobody, or a port that its service does not have: the names that were perhaps meant, each tried. */
import type { CompiledTopology } from '../data-plane/compile.ts';
import { sameAddress } from '../net/address.ts';
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

/** The ports that the service does have, by the same protocol, for an expectation of one that it lacks. */
export function otherPorts(topology: Topology, compiled: CompiledTopology, expectation: Expectation): readonly TriedRepair[] {
  const resolved = resolveQuestion(topology, expectation);
  if ('error' in resolved) return [];
  const { destination, destinationPort, protocol } = resolved.flow;
  const service = topology.services.find((s) => s.clusterAddresses.some((a) => sameAddress(a, destination)));
  const offered = service?.ports.filter((p) => p.protocol === protocol) ?? [];
  const before = `:${destinationPort}`;
  const end = expectation.to.lastIndexOf(before);
  if (end < 0 || offered.some((p) => p.port === destinationPort)) return [];
  const written = expectation.to.slice(0, end);
  return offered.slice(0, 3).flatMap(({ port }): readonly TriedRepair[] => {
    const [from, to] = [`${written}${before}`, `${written}:${port}`];
    if (!holds(topology, compiled, { ...expectation, to: expectation.to.replace(from, () => to) })) return [];
    return [{ title: `write '${to}' instead of '${from}'`, edits: [{ kind: 'name', at: expectation.at, from, to }], commands: [] }];
  });
}
