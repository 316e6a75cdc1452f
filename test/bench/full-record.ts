/** One trace with everything recorded, request and reply. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { median, timings } from './row.ts';
import type { Bench } from './row.ts';

export const fullRecord: Bench = {
  name: 'trace',
  rows: ({ root, smoke }) => {
    const file = path.join(root, 'examples/article.k8snet');
    const text = readFileSync(file, 'utf8');
    const snapshot = createSnapshot({ file, text });
    const rounds = smoke ? 5 : 500;
    const whole = median(timings(smoke ? 2 : 40, () => createSnapshot({ file, text }).compiled()));
    return [{ from: 'pod1', to: 'pod2' }, { from: 'pod1', to: 'kube-dns.kube-system:53/UDP' }].map((question) => {
      const answer = resolveQuestion(snapshot.topology(), question);
      if (!('flow' in answer)) throw new Error(answer.error);
      const value = median(timings(rounds, () => runTrace(snapshot.compiled(), answer.flow)));
      return {
        name: `one trace with full record, ${question.from} -> ${question.to}`,
        value: value * 1000, unit: 'µs', ratio: value / whole, against: 'reading the file and building its topology', goal: 'ratio <= 1', holds: value <= whole,
      };
    });
  },
};
