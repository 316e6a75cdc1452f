import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TextEdit } from '../../../server/src/language/syntax/tree.ts';
import { followedBy } from '../../../server/src/lsp/documents.ts';
import { difference } from '../../../server/src/lsp/formatting.ts';

const applied = (text: string, edit: TextEdit): string => text.slice(0, edit.start) + edit.text + text.slice(edit.end);
const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '{', '}'), maxLength: 30 });

function edit(of: string, a: number, b: number, inserted: string): TextEdit {
  const [x, y] = [a % (of.length + 1), b % (of.length + 1)];
  return { start: Math.min(x, y), end: Math.max(x, y), text: inserted };
}

describe('edits', () => {
  test('two that follow each other are one of the text before both', () => {
    fc.assert(fc.property(text, text, text, fc.nat(), fc.nat(), fc.nat(), fc.nat(), (before, t1, t2, a, b, c, d) => {
      const first = edit(before, a, b, t1);
      const between = applied(before, first);
      const second = edit(between, c, d, t2);
      const after = applied(between, second);
      expect(applied(before, followedBy(first, second, after))).toBe(after);
    }), { numRuns: 3000, seed: 7 });
  });

  test('the difference of two texts leads from one to the other, and is none where they are alike', () => {
    fc.assert(fc.property(text, text, (before, after) => {
      const edit = difference(before, after);
      expect(edit === null ? before : applied(before, edit)).toBe(after);
    }), { numRuns: 1000, seed: 7 });
    expect(difference('same', 'same')).toBeNull();
  });

  test('the difference leaves alone what both texts begin and end with', () => {
    expect(difference('node a {\n      ip 1\n}', 'node a {\n  ip 1\n}')).toEqual({ start: 11, end: 15, text: '' });
  });
});
