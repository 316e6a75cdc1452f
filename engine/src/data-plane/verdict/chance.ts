/**
 * What the kernel leaves to chance: taken from the caller's script, then from the caller's seed. Probabilities are read
 * where they stand and passed by their place, for a number with a fraction may be put on the heap by a call.
 */
import { giveUp, MAX_CHOICES } from './scratch.ts';
import type { Scratch } from './scratch.ts';

/** Whether the event of probability `chances[at]` happens. */
export function choose(s: Scratch, chances: Float64Array, at: number): boolean {
  const probability = chances[at] as number;
  if (probability >= 1) return true;
  if (probability <= 0) return false;
  if (s.chosenCount >= MAX_CHOICES) {
    giveUp(s);
    return true;
  }
  s.chances[s.chosenCount] = probability;
  return decide(s) === 0;
}

/** The next option of two, whose probability stands in `chances`. */
export function decide(s: Scratch): number {
  const n = s.chosenCount;
  const probability = s.chances[n] as number;
  const option = n < s.scripted ? (s.chosen[n] as number) : s.seed === 0 ? 0 : nextRandom(s) < probability * RANGE ? 0 : 1;
  s.chosen[n] = option;
  s.chosenCount = n + 1;
  s.probability[0] = (s.probability[0] as number) * (option === 0 ? probability : 1 - probability);
  return option;
}

const RANGE = 0x4000_0000;

/** xorshift32 (Marsaglia 2003): a whole number from 0 to below RANGE. */
function nextRandom(s: Scratch): number {
  let x = s.seed;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  s.seed = x;
  return x & (RANGE - 1);
}
