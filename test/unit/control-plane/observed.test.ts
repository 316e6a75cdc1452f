/** What the real kernel did in the recorded cluster must be among what the simulator says of the derived state. */
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import type { Observed } from './observed-words.ts';
import { wordsOf } from './observed-words.ts';
import { recordedSpec, recordedText } from './recorded.ts';

const compiled = compileTopology(buildTopology(recordedSpec()));

const CLIENTS: Readonly<Record<string, string>> = { pod1: '10.0.14.15', pod2: '10.0.5.150' };

describe.each(Object.entries(CLIENTS))('from %s', (from, client) => {
  const observed = recordedText(`observed-from-${from}.jsonl`).trim().split('\n').map((l) => JSON.parse(l) as Observed);

  it.each(observed.map((o) => [`${o.dst}${o.port === 0 ? '' : `:${o.port}`}/${o.proto}`, o.seen] as const))('%s does what was seen', (to, seen) => {
    const resolved = resolveQuestion(compiled.topology, { from, to });
    if ('error' in resolved) throw new Error(resolved.error);
    const predicted = runTrace(compiled, resolved.flow).branches.map((b) => wordsOf(b, client));
    expect(predicted).toEqual(expect.arrayContaining([...seen]));
    // Every connection was tried several times: a service with several endpoints was seen with each of them.
    if (seen.length > 1) expect([...new Set(predicted)].sort()).toEqual([...seen].sort());
  });
});
