/** Matches on what no packet of the simulator has, and those that only count: the answer is known all the same. */
import type { Match } from '../../../topology/netfilter.ts';
import type { MatchInput, MatchResult } from './match.ts';
import { optionsOf } from './options.ts';

/** Of IPv6's extension headers: where there is none, the match fails, inverted or not (ip6t_rt.c, ip6t_hbh.c, ip6t_mh.c, ip6t_srh.c). */
const HEADERS: readonly string[] = ['rt', 'hbh', 'dst', 'mh', 'srh'];

/** kube-proxy's counters (pkg/proxy/metrics/metrics.go). They have no quota, and then xt_nfacct only counts (nfacct_mt). */
const WITHOUT_QUOTA: readonly string[] = ['ct_state_invalid_dropped_pkts', 'localhost_nps_accepted_pkts'];

/** Whether more than the name is needed to tell that such a match is not known. */
export const mayBeKnown = (match: Match): boolean => match.kind === 'unknown' && [...HEADERS, 'policy', 'helper', 'nfacct', 'conntrack'].includes(match.name);

export function matchAbsent(match: Extract<Match, { kind: 'unknown' }>, { skb }: MatchInput): MatchResult {
  const options = optionsOf(match);
  const helper = options.get('helper');
  if (HEADERS.includes(match.name)) return false;
  // xt_policy.c: without IPsec there is no policy.
  if (match.name === 'policy' && options.has('pol')) return options.get('pol')?.value === 'none';
  // xt_helper.c: no helper expects a flow here.
  if (match.name === 'helper' && helper !== undefined) return skb.tracked !== null && helper.inverted;
  // xt_conntrack.c: nf_ct_protonum; what has no flow matches none, inverted or not.
  const protocol = match.name === 'conntrack' ? options.get('ctproto') : undefined;
  const entry = skb.tracked?.entry ?? null;
  if (protocol !== undefined) return entry !== null && (entry.original.protocol === Number(protocol.value)) !== protocol.inverted;
  if (match.name === 'nfacct' && WITHOUT_QUOTA.includes(options.get('nfacct-name')?.value ?? '')) return true;
  return { unknown: `\`${`${match.name === '' ? '' : `-m ${match.name} `}${match.text}`.trimEnd()}\`, which cannot be told from the file` };
}
