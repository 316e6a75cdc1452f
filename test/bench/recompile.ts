/** From an edit to the first trace: what one edited line costs, against the same file built from nothing. */
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot, updateSnapshot } from '../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import { median, timings } from './row.ts';
import type { Bench, Row } from './row.ts';
import { addressOfService, captured, cluster } from './verdict-topologies.ts';

export const recompiling: Bench = {
  name: 'recompile',
  rows: ({ smoke }) => {
    const services = smoke ? 10 : 5000;
    const text = cluster(services, 'far');
    const dump = captured(services);
    return [
      row(`a service's port, ${services} services`, text, 'port p 80', `service s${Math.floor(services / 2)} `, smoke),
      row(`what a pod listens on that no service selects, ${services} services`, text, 'listen 8080', 'pod pod3 ', smoke),
      row(`a captured rule, ${services} services`, dump, '--to-destination 10.0.5.150:8080', `-A KUBE-SEP-${Math.floor(services / 2)} `, smoke),
    ];
  },
};

/** Types a digit behind `word`, after `place`, and takes it away again. */
function row(name: string, text: string, word: string, place: string, smoke: boolean): Row {
  const at = text.indexOf(word, text.indexOf(place)) + word.length;
  const typed = `${text.slice(0, at)}1${text.slice(at)}`;
  let snapshot = createSnapshot({ file: 'bench.k8snet', text });
  traced(snapshot);
  const edits = timings(smoke ? 2 : 12, (round) => {
    snapshot = round % 2 === 0 ? updateSnapshot(snapshot, [{ start: at, end: at, text: '1' }], typed) : updateSnapshot(snapshot, [{ start: at, end: at + 1, text: '' }], text);
    traced(snapshot);
  });
  // Another name each time, so that nothing is kept from the time before.
  const whole = timings(smoke ? 1 : 4, (round) => traced(createSnapshot({ file: `bench${round}.k8snet`, text })));
  const value = median(edits);
  const ratio = value / median(whole);
  return { name: `from an edit to a trace: ${name}`, value, unit: 'ms', ratio, against: 'the file from nothing to a trace', goal: 'ratio <= 0.2', holds: ratio <= 0.2 };
}

function traced(snapshot: Snapshot): void {
  const question = resolveQuestion(snapshot.topology(), { from: 'pod1', to: `${addressOfService(0)}:80/UDP` });
  if (!('flow' in question)) throw new Error(question.error);
  if (runTrace(snapshot.compiled(), question.flow).branches.length === 0) throw new Error('a trace without a branch');
}
