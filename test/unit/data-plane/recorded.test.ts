/** What the real kernel did with the recorded state must be among what the simulator says it may do. */
import { describe, expect, it } from 'vitest';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { observedFrom, recordedSnapshot } from './recorded-file.ts';
import type { Observation } from './recorded-file.ts';

const snapshot = recordedSnapshot();

function branchesOf(from: string, { dst, port, proto }: Observation): readonly Branch[] {
  const question = resolveQuestion(snapshot.topology(), { from, to: proto === 'ICMP' ? dst : `${dst}:${port}/${proto}` });
  if (!('flow' in question)) throw new Error(question.error);
  return runTrace(snapshot.compiled(), question.flow).branches;
}

/** In the words of the recording. */
function words(branch: Branch, client: string): string {
  const { answer, deliveredTo, seenAs } = branch;
  if (branch.outcome === 'undecided') return `undecided: ${branch.reason?.sentence ?? ''}`;
  if (answer.kind === 'none') return 'timeout';
  if (answer.kind === 'reset' || (answer.kind === 'icmp' && answer.code === 3)) return 'ECONNREFUSED';
  if (answer.kind === 'icmp') return answer.code === 1 ? 'EHOSTUNREACH' : `icmp ${answer.type}/${answer.code}`;
  if (seenAs === null || seenAs.port === null) return `reply from ${answer.from} ttl ${answer.ttl}`;
  const name = deliveredTo?.name.split('/').at(-1);
  return `${name} sees ${seenAs.address === client ? "the client's own address" : `${seenAs.address} with another port`}`;
}

/** A service with session affinity: the recorded client kept what its first connection got, the simulator's comes anew. */
const STICKY = '10.16.0.21';

/** In the recording the router itself had 203.0.113.7; in the file an external stands behind it, one TTL further on. */
const oneRouterFurther = (seen: string): string => (seen === 'reply from 203.0.113.7 ttl 63' ? 'reply from 203.0.113.7 ttl 62' : seen);

describe.each([['pod1', '10.0.14.15'], ['pod2', '10.0.5.150']])('from %s the recorded kernel', (pod, client) => {
  it.each(observedFrom(pod).map((o) => [`${o.dst}:${o.port}/${o.proto}`, o] as const))('did to %s what the simulator says', (_, observation) => {
    const branches = branchesOf(pod, observation);
    const said = [...new Set(branches.map((b) => words(b, client)))].sort();
    const seen = observation.seen.map(oneRouterFurther).sort();
    if (observation.dst === STICKY) for (const one of seen) expect(said).toContain(one);
    else expect(said).toEqual(seen);
    expect(branches.reduce((sum, b) => sum + b.probability, 0)).toBeCloseTo(1, 12);
  });
});
