/** From an edit to the diagnostics of the whole file, as the language server computes them. */
import { createSnapshot, updateSnapshot } from '../../server/src/language/snapshot.ts';
import { largeFile } from './large-file.ts';
import { median, timings } from './row.ts';
import type { Bench, Row } from './row.ts';

/** A digit typed and taken away again, in the middle of a captured rule or of a pod. */
function typing(lines: number, where: 'a rule' | 'a pod', rounds: number, goal: number): Row {
  const text = largeFile(lines);
  const at = where === 'a rule' ? text.indexOf('--dport 80', text.length / 8) + '--dport 80'.length : text.indexOf('listen 8080', text.length / 2) + 'listen 8080'.length;
  const typed = `${text.slice(0, at)}1${text.slice(at)}`;
  let snapshot = createSnapshot({ file: 'large.k8snet', text });
  let seen = snapshot.diagnostics.length;
  const keys = timings(rounds, (round) => {
    const add = round % 2 === 0;
    snapshot = add ? updateSnapshot(snapshot, [{ start: at, end: at, text: '1' }], typed) : updateSnapshot(snapshot, [{ start: at, end: at + 1, text: '' }], text);
    seen += snapshot.diagnostics.length;
  });
  const whole = timings(Math.max(2, Math.round(rounds / 5)), () => { seen += createSnapshot({ file: 'large.k8snet', text }).diagnostics.length; });
  const value = median(keys);
  return {
    name: `keystroke to diagnostics in ${where}, ${text.split('\n').length - 1} lines`,
    value, unit: 'ms', ratio: value / median(whole), against: 'the file analysed afresh', goal: `<= ${goal} ms`, holds: seen >= 0 && value <= goal,
  };
}

export const keystroke: Bench = {
  name: 'keystroke',
  rows: ({ smoke }) => [
    typing(2000, 'a pod', smoke ? 4 : 60, 16), typing(2000, 'a rule', smoke ? 4 : 60, 16),
    ...(smoke ? [] : [typing(100_000, 'a pod', 20, 100), typing(100_000, 'a rule', 20, 100)]),
  ],
};
