/**
 * xt_limit.c and xt_hashlimit.c: as many packets as the burst pass at once, and later ones at the rate. A trace takes no
 * time, so only the burst counts; that it was used up before is another branch.
 */
import { firstAddress, formatAddress } from '../../../net/address.ts';
import type { Address } from '../../../net/address.ts';
import type { Match } from '../../../topology/netfilter.ts';
import { destinationPortOf, sourcePortOf } from '../../packet.ts';
import { sourceOf, step } from '../../run-state.ts';
import { suppose } from '../suppose.ts';
import { changesNothing } from './match.ts';
import type { MatchInput } from './match.ts';
import { optionsOf } from './options.ts';

const DEFAULT_BURST = 5;

export function matchLimit(match: Extract<Match, { kind: 'limit' }>, input: MatchInput): boolean {
  const burst = Number(optionsOf(match).get('limit-burst')?.value ?? DEFAULT_BURST);
  return within(input, match, burst, `the limit of \`${input.rule.text}\` on ${input.ns.label}`);
}

export function matchHashlimit(match: Extract<Match, { kind: 'hashlimit' }>, input: MatchInput): boolean {
  const options = optionsOf(match);
  const above = options.get('hashlimit-above');
  const rate = (above ?? options.get('hashlimit-upto'))?.value ?? '';
  // By bytes, or by the rate alone, there is no number of packets.
  const counted = !rate.toLowerCase().endsWith('b/s') && !options.has('hashlimit-rate-match');
  const burst = counted ? Number(options.get('hashlimit-burst')?.value ?? DEFAULT_BURST) : Number.POSITIVE_INFINITY;
  const name = options.get('hashlimit-name')?.value ?? '';
  const key = bucketOf(match, input);
  const what = `the limit \`${name}\`${key === '' ? '' : ` for ${key}`} on ${input.ns.label}`;
  return within(input, `${input.packet.ip.family} ${name} ${key}`, burst, what) !== (above !== undefined);
}

/** hashlimit_init_dst: what `--hashlimit-mode` names of the packet. */
function bucketOf(match: Extract<Match, { kind: 'hashlimit' }>, { packet }: MatchInput): string {
  const options = optionsOf(match);
  const masked = (address: Address, mask: 'srcmask' | 'dstmask'): string => {
    const length = options.get(`hashlimit-${mask}`)?.value;
    return formatAddress(length === undefined ? address : firstAddress({ address, length: Number(length) }));
  };
  const parts = (options.get('hashlimit-mode')?.value ?? '').split(',').map((mode) => {
    switch (mode) {
      case 'srcip': return masked(packet.ip.source, 'srcmask');
      case 'dstip': return masked(packet.ip.destination, 'dstmask');
      case 'srcport': return `source port ${sourcePortOf(packet) ?? 0}`;
      case 'dstport': return `port ${destinationPortOf(packet) ?? 0}`;
      default: return '';
    }
  });
  return parts.filter((part) => part !== '').join(', ');
}

/** `key` is the limiter: the match of a rule, or the name and bucket of a hash that rules share. */
function within({ run, ns, rule }: MatchInput, key: object | string, burst: number, what: string): boolean {
  const limiters = run.netfilter.limiters.get(ns.index) ?? new Map<object | string, { left: number }>();
  run.netfilter.limiters.set(ns.index, limiters);
  let limiter = limiters.get(key);
  if (limiter === undefined) {
    const idle = changesNothing(rule) || !suppose(run, `${what} is used up`);
    limiter = { left: idle ? burst : 0 };
    limiters.set(key, limiter);
    if (idle && !changesNothing(rule)) step(run, { stage: 'assumption', sentence: `Nothing is said of earlier packets, so ${what} is taken to be idle.`, source: sourceOf(rule.origin) });
  }
  if (limiter.left <= 0) return false;
  limiter.left--;
  return true;
}
