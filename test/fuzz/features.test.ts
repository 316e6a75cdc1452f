/** What the editor asks for at any offset of any text, half-typed and damaged ones included. */
import { expect, test } from 'vitest';
import { codeLenses } from '../../server/src/language/features/code-lenses.ts';
import { completions } from '../../server/src/language/features/completions.ts';
import { definition, references } from '../../server/src/language/features/definition.ts';
import { documentSymbols } from '../../server/src/language/features/document-symbols.ts';
import { foldingRanges } from '../../server/src/language/features/folding.ts';
import { hover } from '../../server/src/language/features/hover.ts';
import { quickFixes } from '../../server/src/language/features/quick-fixes.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import type { TextEdit } from '../../server/src/language/syntax/tree.ts';
import { chance, randomEdit, startingTexts } from './random-edits.ts';

/** `K8SNET_FUZZ_ROUNDS=2000` for a soak. */
const ROUNDS = Number(process.env['K8SNET_FUZZ_ROUNDS'] ?? 60);

const snapshotOf = (text: string) => createSnapshot({ file: 'any.k8snet', text });

/** Every pair of `start` and `end` anywhere in an answer. */
function rangesIn(answer: unknown): readonly { readonly start: number; readonly end: number }[] {
  if (Array.isArray(answer)) return answer.flatMap(rangesIn);
  if (typeof answer !== 'object' || answer === null) return [];
  const { start, end } = answer as { readonly start?: unknown; readonly end?: unknown };
  const own = typeof start === 'number' && typeof end === 'number' ? [{ start, end }] : [];
  return [...own, ...Object.values(answer).flatMap(rangesIn)];
}

function askEverything(snapshot: Snapshot, offset: number): void {
  const answers = [
    hover(snapshot, offset), definition(snapshot, offset), references(snapshot, offset), completions(snapshot, offset),
    documentSymbols(snapshot), foldingRanges(snapshot), codeLenses(snapshot),
  ];
  for (const { start, end } of rangesIn(answers)) {
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(snapshot.text.length);
  }
}

const apply = (text: string, edits: readonly TextEdit[]) =>
  [...edits].sort((a, b) => b.start - a.start).reduce((now, edit) => now.slice(0, edit.start) + edit.text + now.slice(edit.end), text);

test('every question has an answer within the text, at any offset of a damaged file', () => {
  const texts = startingTexts();
  for (let round = 0; round < ROUNDS; round++) {
    const seed = 1_000 + round;
    const next = chance(seed);
    let text = texts[next(texts.length)] ?? '';
    for (let damage = next(4); damage >= 0; damage--) text = randomEdit(text, next).newText;
    const snapshot = snapshotOf(text);
    for (let count = 0; count < 12; count++) {
      const offset = next(text.length + 1);
      try {
        askEverything(snapshot, offset);
      } catch (error) {
        throw new Error(`seed ${seed}, offset ${offset} of ${JSON.stringify(text)}`, { cause: error });
      }
    }
  }
}, 1_800_000);

test('a quick fix ends what it is for, whatever else is wrong', () => {
  const texts = startingTexts();
  let applied = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const seed = 5_000 + round;
    const next = chance(seed);
    const text = randomEdit(texts[next(texts.length)] ?? '', next).newText;
    const snapshot = snapshotOf(text);
    for (const diagnostic of snapshot.diagnostics.slice(0, 6)) {
      for (const fix of quickFixes(snapshot, diagnostic)) {
        const after = snapshotOf(apply(text, fix.edits)).diagnostics;
        const count = (all: typeof after) => all.filter(({ slug, message }) => slug === diagnostic.slug && message === diagnostic.message).length;
        expect(count(after), `seed ${seed}: ${fix.title} for ${diagnostic.message} in ${JSON.stringify(text)}`).toBeLessThan(count(snapshot.diagnostics));
        applied++;
      }
    }
  }
  expect(applied).toBeGreaterThan(20);
}, 1_800_000);
