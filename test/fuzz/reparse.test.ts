import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { parse, reparse } from '../../server/src/language/syntax/parser.ts';
import { textOf } from '../unit/syntax/print.ts';
import { chance, randomEdit, startingTexts } from './random-edits.ts';

/** `K8SNET_FUZZ_EDITS=200000` for a soak; the seed is in the name of whatever fails. */
const EDITS = Number(process.env['K8SNET_FUZZ_EDITS'] ?? 6_000);
const SEED = Number(process.env['K8SNET_FUZZ_SEED'] ?? 20_261_122);
/** After so many edits the text is begun anew, for a ruined file stays ruined. */
const EDITS_PER_FILE = 25;

test('the tree after each of many random edits is the tree of the new text', () => {
  const texts = startingTexts();
  for (let round = 0; round * EDITS_PER_FILE < EDITS; round++) {
    const seed = SEED + round;
    const next = chance(seed);
    let text = texts[next(texts.length)] ?? '';
    let tree = parse(text);
    for (let count = 0; count < EDITS_PER_FILE; count++) {
      const { edit, newText } = randomEdit(text, next);
      const tree2 = reparse(tree, text, edit, newText);
      const whole = parse(newText);
      if (!isDeepStrictEqual(tree2, whole)) {
        expect(tree2, `seed ${seed}, edit ${count}: ${JSON.stringify(edit)} of ${JSON.stringify(text)}`).toEqual(whole);
      }
      textOf(tree2, newText);
      text = newText;
      tree = tree2;
    }
  }
}, 600_000);
