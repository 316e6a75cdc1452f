/** What must hold: the `expect` statements of a file. */
import type { SourceRef } from '../topology/origin.ts';
import type { Trace } from '../trace/model.ts';

/** `expect pod1 -> pod2 delivered via host1/flannel.1, host2/flannel.1` */
export interface Expectation {
  /** As written: `pod1`, and `pod2`, `kube-dns.kube-system:53/UDP` or `kube-dns.kube-system/ICMP`. */
  readonly from: string;
  readonly to: string;
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
  /** What happened instead, and where; one sentence. `null` when it passed. */
  readonly sentence: string | null;
  /** State that would make it hold, found missing from what was captured: rules in iptables-save's form. */
  readonly repair: Repair | null;
  /** `null` where a party has no such name. */
  readonly trace: Trace | null;
}

export interface Repair {
  /** "add flannel's masquerade rules to the nat table of host1" */
  readonly title: string;
  readonly sentence: string;
  /** The captured block to add to, on one node. */
  readonly node: string;
  readonly block: 'iptables' | 'ip6tables' | 'routes' | 'neighbours' | 'fdb' | 'sysctl';
  /** For iptables: the table. */
  readonly table: string | null;
  readonly lines: readonly string[];
}
