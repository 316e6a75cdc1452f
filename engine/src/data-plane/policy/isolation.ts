/**
 * Which NetworkPolicies isolate which pods, and who has an address (networking.k8s.io/v1, NetworkPolicySpec). Pods on the
 * host's network are nodes to it: no policy selects them.
 */
import { formatAddress } from '../../net/address.ts';
import type { Address } from '../../net/address.ts';
import { podName } from '../../topology/lookup.ts';
import type { Labels, Pod, Topology } from '../../topology/model.ts';
import { METADATA_NAME, typesOf } from '../../topology/network-policy.ts';
import type { NetworkPolicy, PolicyType } from '../../topology/network-policy.ts';
import { matchesSelector } from '../../topology/selector.ts';

export interface Isolated {
  readonly pod: Pod;
  /** Empty: that direction is open. By name. */
  readonly ingress: readonly NetworkPolicy[];
  readonly egress: readonly NetworkPolicy[];
}

export interface Isolation {
  /** Pods that a policy selects, by `namespace/name`. */
  readonly pods: ReadonlyMap<string, Isolated>;
  /** Pods with an address of their own, by its text. */
  readonly owners: ReadonlyMap<string, Pod>;
  readonly namespaceLabels: Topology['namespaceLabels'];
}

export const ownerOf = (isolation: Isolation, address: Address): Pod | undefined => isolation.owners.get(formatAddress(address));

export const labelsOfNamespace = (isolation: Isolation, namespace: string): Labels =>
  Object.hasOwn(isolation.namespaceLabels, namespace) ? (isolation.namespaceLabels[namespace] ?? {}) : { [METADATA_NAME]: namespace };

/** `null` where the topology has no policy. */
export function isolationOf(topology: Topology): Isolation | null {
  if (topology.policies.length === 0) return null;
  const policies = [...topology.policies].sort((a, b) => (podName(a) < podName(b) ? -1 : 1));
  const ordinary = topology.pods.filter((pod) => !pod.hostNetwork);
  const pods = new Map<string, Isolated>();
  for (const pod of ordinary) {
    const selecting = policies.filter((p) => p.namespace === pod.namespace && matchesSelector(p.pods, pod.labels));
    const of = (type: PolicyType): readonly NetworkPolicy[] => selecting.filter((p) => typesOf(p).includes(type));
    if (selecting.length > 0) pods.set(podName(pod), { pod, ingress: of('Ingress'), egress: of('Egress') });
  }
  const owners = new Map(ordinary.flatMap((pod) => pod.addresses.map((a) => [formatAddress(a), pod] as const)).reverse());
  return { pods, owners, namespaceLabels: topology.namespaceLabels };
}
