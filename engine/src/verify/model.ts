/** What must hold: the `expect` statements of a file. */
import type { SourceRef } from '../topology/origin.ts';
import type { Trace } from '../trace/model.ts';
import type { Explanation } from './explanation.ts';

/** `expect pod1 -> pod2 delivered via host1/flannel.1, host2/flannel.1` */
export interface Expectation {
  /** As written: `pod1`, and `pod2`, `kube-dns.kube-system:53/UDP` or `kube-dns.kube-system/ICMP`. */
  readonly from: string;
  readonly to: string;
  /** `size 1400`: bytes of the IP packet, as `Question.size`. */
  readonly size?: number;
  readonly outcome: 'delivered' | 'dropped' | 'rejected' | 'unreachable' | 'looped';
  readonly negated: boolean;
  /** `to kube-system/kube-dns-1`: the receiver by name. */
  readonly receiver: string | null;
  /** `via host1/flannel.1, …`: interfaces in this order on the request's way. */
  readonly via: readonly { readonly host: string; readonly interface: string }[];
  /** `as 192.168.93.212`: the source that the receiver sees. */
  readonly seenAs: string | null;
  /** As written, without the keyword. */
  readonly text: string;
  readonly at: SourceRef;
}

export interface Verdict {
  readonly expectation: Expectation;
  readonly passed: boolean;
  /** What happened instead, and where, and the root cause; one to three sentences. `null` when it passed. */
  readonly sentence: string | null;
  /** Why, and the ways out; `null` when it passed. */
  readonly explanation: Explanation | null;
  /** `null` where a party has no such name. */
  readonly trace: Trace | null;
}
