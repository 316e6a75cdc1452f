/** Matches by chance: xt_statistic.c. */
import type { Match } from '../../../topology/netfilter.ts';
import type { MatchInput } from './match.ts';

/** One in n, as the kernel keeps it: a multiple of 2^-31, so that iptables-save prints a third as 0.33333333349. */
const TOLERANCE = 1e-9;

/**
 * The printed probability, except that one which stands for 1/n is taken as exactly that: kube-proxy writes 1/n with
 * ten digits, and the kernel's own rounding of it is off by less than 5e-10.
 */
export function exactProbability(probability: number): number {
  if (probability <= 0 || probability >= 1) return Math.min(Math.max(probability, 0), 1);
  const one = 1 / Math.round(1 / probability);
  return Math.abs(one - probability) < TOLERANCE ? one : probability;
}

export function matchStatistic(match: Extract<Match, { kind: 'statistic-random' | 'statistic-nth' }>, { run }: MatchInput): boolean {
  // nth: the rule's counter stands anywhere, as earlier packets are not part of the file.
  const chance = match.kind === 'statistic-random' ? exactProbability(match.probability) : 1 / Math.max(match.every, 1);
  const probability = match.inverted ? 1 - chance : chance;
  if (probability >= 1) return true;
  if (probability <= 0) return false;
  return run.choose('', [{ probability }, { probability: 1 - probability }]) === 0;
}
