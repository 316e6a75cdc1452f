/** Where a piece of state came from: every route, rule, neighbour and interface carries one. */

export interface SourceRef {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Who programs derived state. `kernel` is what the kernel adds by itself (connected routes, the local table). */
export type Programmer = 'kernel' | 'flannel' | 'cni' | 'kube-proxy' | 'kubelet' | 'coredns' | 'docker' | 'network' | 'k8snet';

export type Origin =
  | { readonly kind: 'declared'; readonly at: SourceRef }
  /** Printed by a node and pasted verbatim; replaces what would be derived. */
  | { readonly kind: 'captured'; readonly at: SourceRef }
  /** `because` is a noun phrase without a full stop: "the lease of host2, 10.0.5.0/24". `at` is the declaration that led to it. */
  | { readonly kind: 'derived'; readonly by: Programmer; readonly because: string; readonly at?: SourceRef };

export const declared = (at: SourceRef): Origin => ({ kind: 'declared', at });

export const captured = (at: SourceRef): Origin => ({ kind: 'captured', at });

export const derived = (by: Programmer, because: string, at?: SourceRef): Origin =>
  at === undefined ? { kind: 'derived', by, because } : { kind: 'derived', by, because, at };
