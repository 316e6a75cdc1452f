/** Why a flow does not do what it should, and the ways out: plain JSON, for the panel, the command line and the editor. */
import type { SourceRef } from '../topology/origin.ts';
import type { Trace } from '../trace/model.ts';

/** Why a question ends otherwise than it should, and what can be done. Plain JSON. */
export interface Explanation {
  /** In the order in which the packet meets them: the first is what stops it now. */
  readonly causes: readonly Cause[];
  /** Each was tried, and with each the packet arrives and no expectation breaks. The best first; empty where none was found. */
  readonly repairs: readonly TriedRepair[];
}

/** As `k8snet trace --json` prints it. */
export interface ExplainedTrace extends Trace {
  /** Absent where the packet arrives and its answer comes back. */
  readonly explanation?: Explanation;
}

export interface Cause {
  /** The trace's reason, an anchor in `docs/outcomes.md`; `null` where the trace gives none. */
  readonly code: string | null;
  /** The root cause in one sentence: what is wrong or missing, on which host, since which line. */
  readonly sentence: string;
  readonly host: string;
  /** `root`, or a pod's namespace/name. */
  readonly namespace: string;
  /** The line that is to blame; `null` where nothing is there that could be. */
  readonly at: SourceRef | null;
  /** The rule that would have let the packet pass, had one more of its matches held; `null` where no rule decided. */
  readonly nearest: NearestRule | null;
}

export interface NearestRule {
  readonly table: string;
  readonly chain: string;
  /** From 1. */
  readonly number: number;
  readonly rule: string;
  /** Why it did not let the packet pass, as one sentence. */
  readonly sentence: string;
  readonly at: SourceRef | null;
}

export interface Repair {
  /** "add flannel's rules for the lease of host2 to the nat table of host1" */
  readonly title: string;
  readonly edits: readonly Edit[];
}

/** With which the packet arrives, and no expectation breaks. */
export interface TriedRepair extends Repair {
  /** The same for the cluster itself, in order; empty where no command does it, as where a program in a pod is at fault. */
  readonly commands: readonly Command[];
}

/** One line for a shell, or several with a here-document. */
export interface Command {
  /** Where to run it: a node by its name, `pod NAMESPACE/NAME` for inside its network namespace, or `kubectl` for wherever that works. */
  readonly on: string;
  readonly command: string;
}

/** What a statement of the file speaks of. */
export interface Owner {
  readonly kind: 'cluster' | 'network' | 'external' | 'node' | 'pod' | 'service' | 'network-policy';
  /** `namespace/name` where the kind has namespaces; empty for the cluster. */
  readonly name: string;
}

export type DumpBlock = 'iptables' | 'ip6tables' | 'routes' | 'rules' | 'addresses' | 'links' | 'neighbours' | 'fdb' | 'sysctl' | 'conntrack';

/** One change of what the file says. */
export type Edit =
  /** Whole lines of a captured block. What is added stands before `before`, else where the first removed line stood, else at the end (of the table). */
  | {
      readonly kind: 'lines';
      readonly owner: Owner;
      readonly block: DumpBlock;
      readonly table: string | null;
      readonly remove: readonly SourceRef[];
      readonly add: readonly string[];
      readonly before: SourceRef | null;
    }
  /** Words of the captured entry that begins at `at`. */
  | { readonly kind: 'words'; readonly owner: Owner; readonly block: DumpBlock; readonly at: SourceRef; readonly from: string; readonly to: string }
  /** A statement of a declaration, or of the block `inside` of it: replaced, added where there is none, or removed (`null`). */
  | {
      readonly kind: 'statement';
      readonly owner: Owner;
      readonly inside: string | null;
      readonly keyword: string;
      /** Which one, where there are several; `null`: the only one, or a new one. */
      readonly at: SourceRef | null;
      readonly text: string | null;
      /** Words that open the block `inside` where there is none; absent: it must be there. */
      readonly opening?: string;
    }
  /** A name in the expectation that stands at `at`. */
  | { readonly kind: 'name'; readonly at: SourceRef; readonly from: string; readonly to: string }
  /** A new declaration at the end of the file. */
  | { readonly kind: 'declaration'; readonly text: string };
