/** Matches whose answer is not in the packet: xt_statistic.c and xt_recent.c. */
import { formatAddress } from '../../../net/address.ts';
import type { Match } from '../../../topology/netfilter.ts';
import { sourceOf, stateKey, step } from '../../run-state.ts';
import { invert } from './match.ts';
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

/** The list is taken to be empty before the trace's first packet, and the trace says so. */
export function matchRecent(match: Extract<Match, { kind: 'recent' }>, { run, ns, packet, rule }: MatchInput): boolean {
  const key = stateKey(ns, match.name);
  let list = run.recent.get(key);
  if (list === undefined) {
    list = new Set();
    run.recent.set(key, list);
    if (match.action === 'rcheck' || match.action === 'update') {
      step(run, { stage: 'assumption', sentence: `Nothing is said of earlier clients, so the list ${match.name} on ${ns.label} is taken to be empty.`, source: sourceOf(rule.origin) });
    }
  }
  const address = formatAddress(match.side === 'source' ? packet.ip.source : packet.ip.destination);
  const known = list.has(address);
  switch (match.action) {
    case 'set':
      list.add(address);
      return invert(true, match);
    case 'remove':
      list.delete(address);
      return invert(known, match);
    case 'rcheck':
    case 'update':
      return invert(known && (match.hitcount ?? 1) <= 1, match);
  }
}
