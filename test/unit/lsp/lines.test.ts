import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editLineStarts, lineAt, lineStartsOf } from '../../../server/src/lsp/lines.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '{', '😀'), maxLength: 40 });

describe('line starts', () => {
  test('lines end at \\n, \\r\\n and \\r, as LSP has it', () => {
    expect(lineStartsOf('ab\nc\r\nd\re')).toEqual([0, 3, 6, 8]);
    expect(lineStartsOf('')).toEqual([0]);
    expect(lineStartsOf('\n')).toEqual([0, 1]);
  });

  test('an offset stands on the line that begins at or before it', () => {
    const starts = lineStartsOf('ab\ncd');
    expect([0, 2, 3, 5].map((offset) => lineAt(starts, offset))).toEqual([0, 0, 1, 1]);
  });

  test('after any edit they are those of the new text, also where \\r and \\n meet or part', () => {
    fc.assert(fc.property(text, text, fc.nat(), fc.nat(), (before, inserted, a, b) => {
      const start = Math.min(a % (before.length + 1), b % (before.length + 1));
      const end = Math.max(a % (before.length + 1), b % (before.length + 1));
      const after = before.slice(0, start) + inserted + before.slice(end);
      expect(editLineStarts(lineStartsOf(before), start, end, inserted.length, after)).toEqual(lineStartsOf(after));
    }), { numRuns: 3000, seed: 7 });
  });
});
