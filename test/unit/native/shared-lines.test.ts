import { describe, expect, it } from 'vitest';
import { sharedBetweenTexts } from '../../../server/src/language/native/shared-lines.ts';

const of = (count: number, letter: string): string[] => Array.from({ length: count }, (_, i) => `${letter}${i}`);

describe('lines shared between texts', () => {
  it('makes one record of a line that two large texts have', () => {
    const shared = sharedBetweenTexts((line) => ({ line }));
    const first = of(2000, 'a').map(shared(2000));
    const second = of(2000, 'a').toReversed().map(shared(2000));
    expect(second.toReversed().every((record, i) => record === first[i])).toBe(true);
  });

  it('forgets the lines that the texts of late did not have', () => {
    let made = 0;
    const shared = sharedBetweenTexts((line) => ({ line, number: made++ }));
    for (const letter of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) for (const line of of(2000, letter)) shared(2000)(line);
    const before = made;
    shared(2000)('g0');
    expect(made).toBe(before);
    shared(2000)('a0');
    expect(made).toBe(before + 1);
  });

  it('keeps nothing of small texts', () => {
    const shared = sharedBetweenTexts((line) => ({ line }));
    expect(shared(10)('a')).not.toBe(shared(10)('a'));
  });
});
