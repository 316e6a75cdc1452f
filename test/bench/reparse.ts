/** The tree after an edit of a very large file, re-parsed against parsed afresh. */
import { parse, reparse } from '../../server/src/language/syntax/parser.ts';
import { largeFile } from './large-file.ts';
import { median, timings } from './row.ts';
import type { Bench, Row } from './row.ts';

interface Edit {
  readonly name: string;
  /** Where in the file: before the last of these words. */
  readonly place: string;
  readonly removed: number;
  readonly typed: string;
}

const EDITS: readonly Edit[] = [
  { name: 'a digit in a rule', place: '--dport 80', removed: 0, typed: '1' },
  { name: 'a new rule', place: '    -A KUBE-SEP-', removed: 0, typed: '    -A NEW -j ACCEPT\n' },
  { name: 'a stray } among the rules', place: '    -A KUBE-SEP-', removed: 0, typed: '  }\n' },
  { name: 'the owner of the rules renamed', place: 'node-0 {', removed: 6, typed: 'first' },
  { name: 'the { of the rules deleted', place: '{\n    *nat', removed: 1, typed: '' },
  { name: 'the } of the rules deleted', place: '}\n}\npod apps/web-0-0', removed: 2, typed: '' },
  { name: 'a statement below the rules', place: '}\npod apps/web-0-0', removed: 0, typed: '  mtu 1450\n' },
  { name: 'a port in a pod', place: '8080/TCP }', removed: 4, typed: '8081' },
];

export const reparsing: Bench = {
  name: 'reparse',
  rows: ({ smoke }) => {
    const text = largeFile(smoke ? 1_000 : 100_000);
    const tree = parse(text);
    const rounds = smoke ? 2 : 15;
    let width = 0;
    const whole = median(timings(smoke ? 1 : 5, () => { width += parse(text).width; }));
    const lines = text.split('\n').length - 1;
    return EDITS.map(({ name, place, removed, typed }): Row => {
      const start = text.lastIndexOf(place);
      if (start < 0) throw new Error(`the large file has no ${place}`);
      const edit = { start, end: start + removed, text: typed };
      const newText = text.slice(0, start) + typed + text.slice(start + removed);
      width += newText.charCodeAt(0);
      const value = median(timings(rounds, () => { width += reparse(tree, text, edit, newText).width; }));
      return { name: `re-parse of ${lines} lines after an edit: ${name}`, value, unit: 'ms', ratio: value / whole, against: 'the file parsed afresh', goal: '< 10 ms', holds: width > 0 && value < 10 };
    });
  },
};
