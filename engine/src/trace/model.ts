/**
 * A trace: what became of one flow, with every step that decided it. Plain JSON; `docs/trace.schema.json` describes
 * it and the tests validate against that.
 */
import type { PacketHeaders } from '../packet/headers.ts';
import type { Ruleset, TableName } from '../topology/netfilter.ts';

export interface Trace {
  /** As the caller wrote them. */
  readonly from: string;
  readonly to: string;
  /** Their probabilities add up to 1. The first supposes nothing. */
  readonly branches: readonly Branch[];
}

export type Outcome = 'delivered' | 'dropped' | 'rejected' | 'unreachable' | 'looped' | 'undecided';

export interface Reason {
  /** One of the codes in `reasons.ts`, an anchor in `docs/outcomes.md`. */
  readonly code: string;
  readonly sentence: string;
}

export interface Receiver {
  readonly kind: 'pod' | 'node' | 'external';
  /** A pod's as namespace/name. */
  readonly name: string;
  readonly address: string;
  /** `null` where the protocol has no ports. */
  readonly port: number | null;
}

/** What the sender finally gets back. */
export interface Answer {
  readonly kind: 'reply' | 'reset' | 'icmp' | 'none';
  /** The source address as the sender sees it. */
  readonly from: string | null;
  /** ICMP only. */
  readonly type: number | null;
  readonly code: number | null;
  /** TTL or hop limit on arrival. */
  readonly ttl: number | null;
}

export interface Branch {
  /** 0 to 1. */
  readonly probability: number;
  /**
   * Clauses behind "if": what this way needs that neither the file nor dice tell, such as a limit that is used up. It has
   * no probability then (0), and says what else may happen.
   */
  readonly supposing: readonly string[];
  /** Of the request. */
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly deliveredTo: Receiver | null;
  /** The request's source as the receiver sees it. */
  readonly seenAs: { readonly address: string; readonly port: number | null } | null;
  readonly answer: Answer;
  readonly request: { readonly hops: readonly Hop[] };
  /** The way back of whatever was sent in answer: a reply, a reset or an ICMP error. `null` where nothing was. */
  readonly reply: Journey | null;
  /** The flow's second packet, where it fares otherwise: the path's MTU is smaller, or the rules tell an ESTABLISHED packet from a NEW one. */
  readonly second?: Journey;
}

export interface Journey {
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly hops: readonly Hop[];
}

/**
 * The packet at one interface, as a capture there shows it, and what was done with it from there to the next.
 */
export interface Hop {
  readonly host: string;
  /** `root`, or a pod's namespace/name. */
  readonly namespace: string;
  readonly interface: string;
  readonly direction: 'in' | 'out';
  readonly packet: PacketHeaders;
  readonly steps: readonly Step[];
}

export type StepSource =
  | { readonly file: string; readonly line: number; readonly layer: 'declared' | 'captured' }
  /** `file` and `line` are the declaration that led to the derived state. */
  | { readonly derivedBy: string; readonly because: string; readonly file?: string; readonly line?: number };

/** In every step: `sentence` says what happened, as one sentence for a person; `source` what decided it. */
interface StepBase {
  readonly sentence: string;
  readonly source: StepSource;
}

export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

export type Step = StepBase &
  (
    | { readonly stage: 'name'; readonly query: string; readonly answer: string }
    /** A socket of the sender; for an answer, what the receiver does. */
    | { readonly stage: 'send' }
    | { readonly stage: 'policy-rule'; readonly rule: string; readonly table: number }
    /** `route` as `ip route` prints it. `lookup`: for the packet, or for the encapsulated outer one. */
    | { readonly stage: 'route'; readonly route: string; readonly table: number; readonly via: string | null; readonly device: string | null }
    | { readonly stage: 'source-check'; readonly verdict: 'pass' | 'martian' }
    | { readonly stage: 'neighbour'; readonly address: string; readonly mac: string | null; readonly how: 'entry' | 'resolved' | 'l3miss' | 'failed' }
    | { readonly stage: 'bridge'; readonly bridge: string; readonly ports: readonly string[]; readonly how: 'entry' | 'learned' | 'flood' | 'local' }
    | { readonly stage: 'fdb'; readonly mac: string; readonly destination: string | null; readonly how: 'entry' | 'default' | 'l2miss' | 'missing' }
    /** One event of a chain's walk, as the kernel's TRACE target tells it; `number` from 1, `null` for a policy. */
    | {
        readonly stage: 'netfilter';
        readonly hook: Hook;
        readonly table: TableName;
        /** Where the namespace has rules in both. */
        readonly ruleset?: Ruleset;
        readonly chain: string;
        readonly event: 'rule' | 'return' | 'policy';
        readonly number: number | null;
        readonly rule: string | null;
        readonly verdict: string;
      }
    | { readonly stage: 'conntrack'; readonly hook: Hook; readonly state: string; readonly original: string; readonly reply: string }
    /** Addresses or ports translated, by a rule or by the flow's conntrack entry. `ctdir`: whether the packet goes as the flow's first one did. */
    | {
        readonly stage: 'nat';
        readonly hook: Hook;
        readonly change: 'source' | 'destination';
        readonly before: string;
        readonly after: string;
        readonly by: 'rule' | 'conntrack';
        readonly ctdir: 'ORIGINAL' | 'REPLY';
      }
    /** `policies` are those that decided, as `namespace/name`: the one that allows it, or all that isolate the pod. */
    | {
        readonly stage: 'network-policy';
        readonly direction: 'ingress' | 'egress';
        readonly pod: string;
        readonly policies: readonly string[];
        readonly verdict: 'allow' | 'deny' | 'undefined';
      }
    | { readonly stage: 'forward'; readonly ttl: number }
    | { readonly stage: 'encapsulate'; readonly kind: 'vxlan' | 'udp'; readonly vni: number | null; readonly remote: string }
    | { readonly stage: 'decapsulate'; readonly kind: 'vxlan' | 'udp'; readonly vni: number | null; readonly remote: string }
    | { readonly stage: 'fragment'; readonly mtu: number }
    /** Learned from an ICMP error: what is sent to the address from now on is no larger. */
    | { readonly stage: 'path-mtu'; readonly destination: string; readonly mtu: number }
    | { readonly stage: 'icmp-error'; readonly type: number; readonly code: number; readonly to: string }
    | { readonly stage: 'deliver'; readonly listener: string }
    | { readonly stage: 'drop'; readonly reason: Reason }
    /** Something taken for granted because nothing was said of it. */
    | { readonly stage: 'assumption' }
    | { readonly stage: 'undecided'; readonly reason: Reason }
  );
