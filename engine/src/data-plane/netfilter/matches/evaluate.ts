/**
 * All matches of a rule: the IP part first, as the kernel does, then the rest in order. A match that the file cannot
 * answer leaves the rule open only if none of the others fails.
 */
import type { Match } from '../../../topology/netfilter.ts';
import { matchAbsent } from './absent.ts';
import { matchAddressType } from './address-type.ts';
import { matchStatistic } from './chance.ts';
import { matchFlow } from './flow.ts';
import { matchIp } from './ip.ts';
import { matchHashlimit, matchLimit } from './limit.ts';
import type { MatchInput, MatchResult } from './match.ts';
import { matchMetadata } from './metadata.ts';
import { matchOwner } from './owner.ts';
import { matchReversePath } from './reverse-path.ts';
import { matchRecent } from './recent.ts';
import { matchSet } from './set.ts';
import { matchTransport } from './transport.ts';

export function matches(input: MatchInput, { ip, rest }: { readonly ip: readonly Match[]; readonly rest: readonly Match[] }): MatchResult {
  for (const match of ip) if (evaluate(match, input) === false) return false;
  let open: MatchResult = true;
  for (const match of rest) {
    if (open !== true && hasState(match)) continue;
    const result = evaluate(match, input);
    if (result === false) return false;
    if (result !== true && open === true) open = result;
  }
  return open;
}

const IP_PART: readonly Match['kind'][] = ['protocol', 'source', 'destination', 'in-interface', 'out-interface', 'fragment'];

export const isIpPart = (match: Match): boolean => IP_PART.includes(match.kind);

const HAS_STATE: readonly Match['kind'][] = ['statistic-random', 'statistic-nth', 'recent', 'limit', 'hashlimit', 'owner'];

const hasState = (match: Match): boolean => HAS_STATE.includes(match.kind);

function evaluate(match: Match, input: MatchInput): MatchResult {
  switch (match.kind) {
    case 'protocol':
    case 'source':
    case 'destination':
    case 'in-interface':
    case 'out-interface':
    case 'fragment':
      return matchIp(match, input);
    case 'comment':
      return true;
    case 'transport-header':
    case 'source-port':
    case 'destination-port':
    case 'multiport':
    case 'tcp-flags':
    case 'icmp-type':
    case 'tcpmss':
      return matchTransport(match, input);
    case 'mark':
    case 'connmark':
    case 'length':
    case 'ttl':
    case 'dscp':
    case 'packet-type':
    case 'mac-source':
    case 'physdev':
    case 'physdev-is':
    case 'address-range':
      return matchMetadata(match, input);
    case 'conntrack-state':
    case 'conntrack-status':
    case 'conntrack-tuple':
    case 'conntrack-port':
    case 'conntrack-direction':
      return matchFlow(match, input);
    case 'address-type':
      return matchAddressType(match, input);
    case 'statistic-random':
    case 'statistic-nth':
      return matchStatistic(match, input);
    case 'recent':
      return matchRecent(match, input);
    case 'limit':
      return matchLimit(match, input);
    case 'hashlimit':
      return matchHashlimit(match, input);
    case 'owner':
      return matchOwner(match, input);
    case 'rpfilter':
      return matchReversePath(match, input);
    case 'set':
      return matchSet(match, input);
    case 'unknown':
      return matchAbsent(match, input);
  }
}
