/** xt_recent.c: recent_mt. A list is empty before the trace's first packet, and the trace says that it takes it so. */
import { formatAddress } from '../../../net/address.ts';
import type { Address } from '../../../net/address.ts';
import type { Match } from '../../../topology/netfilter.ts';
import { sourceOf, stateKey, step } from '../../run-state.ts';
import type { RecentEntry } from '../state.ts';
import type { MatchInput } from './match.ts';

export type RecentMatch = Extract<Match, { kind: 'recent' }>;

export function matchRecent(match: RecentMatch, input: MatchInput): boolean {
  const { packet, skb, at } = input;
  const list = listOf(match, input);
  const address = masked(match.side === 'source' ? packet.ip.source : packet.ip.destination, match.mask ?? null);
  const key = formatAddress(address);
  // The TTL as it was before forwarding.
  const ttl = packet.ip.ttl + (at.output !== '' && !skb.hasSocket ? 1 : 0);
  const found = list.get(key);
  const entry = found !== undefined && (match.sameTtl !== true || found.ttl === ttl || found.ttl === 0) ? found : undefined;
  const seen = (hits: number): void => {
    list.set(key, { ttl, hits });
  };
  switch (match.action) {
    case 'set':
      seen((entry?.hits ?? 0) + 1);
      return !match.inverted;
    case 'remove':
      if (entry !== undefined) list.delete(key);
      return (entry !== undefined) !== match.inverted;
    case 'rcheck':
      return isHit(match, entry) !== match.inverted;
    case 'update': {
      const result = isHit(match, entry) !== match.inverted;
      if (result && entry !== undefined) seen(entry.hits + 1);
      return result;
    }
  }
}

/** A trace takes no time: every hit is within any number of seconds. */
const isHit = (match: RecentMatch, entry: RecentEntry | undefined): boolean => entry !== undefined && entry.hits >= (match.hitcount ?? 1);

function listOf(match: RecentMatch, { run, ns, rule }: MatchInput): Map<string, RecentEntry> {
  const key = stateKey(ns, match.name);
  const known = run.netfilter.recent.get(key);
  if (known !== undefined) return known;
  const list = new Map<string, RecentEntry>();
  run.netfilter.recent.set(key, list);
  if (match.action === 'rcheck' || match.action === 'update') {
    step(run, { stage: 'assumption', sentence: `Nothing is said of earlier clients, so the list ${match.name} on ${ns.label} is taken to be empty.`, source: sourceOf(rule.origin) });
  }
  return list;
}

function masked(address: Address, mask: Address | null): Address {
  if (mask === null) return address;
  const word = (i: 0 | 1 | 2 | 3): number => (address.words[i] & mask.words[i]) >>> 0;
  return { family: address.family, words: [word(0), word(1), word(2), word(3)] };
}
