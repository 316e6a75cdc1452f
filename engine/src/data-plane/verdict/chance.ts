/** What the kernel leaves to chance: taken from the caller's script, then from the caller's seed. */
import { giveUp, MAX_CHOICES } from './scratch.ts';
import type { Scratch } from './scratch.ts';

/** Whether an event of this probability happens. */
export function choose(s: Scratch, probability: number): boolean {
  if (probability >= 1) return true;
  if (probability <= 0) return false;
  s.chances[s.chosenCount] = probability;
  return decide(s, probability) === 0;
}

/** The next option of two. */
export function decide(s: Scratch, probability: number): number {
  const n = s.chosenCount;
  if (n >= MAX_CHOICES) {
    giveUp(s);
    return 0;
  }
  const option = n < s.scripted ? (s.chosen[n] as number) : s.seed === 0 ? 0 : nextRandom(s) < probability ? 0 : 1;
  s.chosen[n] = option;
  s.chosenCount = n + 1;
  s.probability *= option === 0 ? probability : 1 - probability;
  return option;
}

/** xorshift32 (Marsaglia 2003): from 0 to below 1. */
function nextRandom(s: Scratch): number {
  let x = s.seed;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  s.seed = x;
  return (x >>> 0) / 0x1_0000_0000;
}
