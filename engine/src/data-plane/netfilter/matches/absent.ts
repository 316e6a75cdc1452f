/** Matches on what no packet of the simulator has, and those that only count: the answer is known all the same. */
import type { Match } from '../../../topology/netfilter.ts';
import type { MatchInput, MatchResult } from './match.ts';
import { optionsOf } from './options.ts';

/** Of IPv6's extension headers: where there is none, the match fails, inverted or not (ip6t_rt.c, ip6t_hbh.c, ip6t_mh.c, ip6t_srh.c). */
const HEADERS: readonly string[] = ['rt', 'hbh', 'dst', 'mh', 'srh'];

/** kube-proxy's counters (pkg/proxy/metrics/metrics.go). They have no quota, and then xt_nfacct only counts (nfacct_mt). */
const WITHOUT_QUOTA: readonly string[] = ['ct_state_invalid_dropped_pkts', 'localhost_nps_accepted_pkts'];

/** Whether the words of such a match tell the answer, for every packet. */
export function isAnswered(match: UnknownMatch): boolean {
  const options = optionsOf(match);
  switch (match.name) {
    case 'policy': return options.has('pol');
    case 'helper': return options.has('helper');
    case 'conntrack': return options.has('ctproto');
    case 'nfacct': return WITHOUT_QUOTA.includes(options.get('nfacct-name')?.value ?? '');
    default: return HEADERS.includes(match.name);
  }
}

type UnknownMatch = Extract<Match, { readonly kind: 'unknown' }>;

export function matchAbsent(match: UnknownMatch, { skb }: MatchInput): MatchResult {
  if (!isAnswered(match)) return { unknown: `\`${`${match.name === '' ? '' : `-m ${match.name} `}${match.text}`.trimEnd()}\`, which cannot be told from the file` };
  const options = optionsOf(match);
  switch (match.name) {
    // xt_policy.c: without IPsec there is no policy.
    case 'policy': return options.get('pol')?.value === 'none';
    // xt_helper.c: no helper expects a flow here.
    case 'helper': return skb.tracked !== null && options.get('helper')?.inverted === true;
    // xt_conntrack.c: nf_ct_protonum; what has no flow matches none, inverted or not.
    case 'conntrack': {
      const protocol = options.get('ctproto');
      const entry = skb.tracked?.entry ?? null;
      return entry !== null && (entry.original.protocol === Number(protocol?.value)) !== protocol?.inverted;
    }
    case 'nfacct': return true;
    default: return false;
  }
}
