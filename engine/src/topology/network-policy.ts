/** NetworkPolicy (networking.k8s.io/v1) as people write it: the same record declared and in the topology. */
import type { Port, Prefix } from '../net/address.ts';
import type { Labels } from './model.ts';
import type { SourceRef } from './origin.ts';

/** The label that every namespace has (KEP-2161). */
export const METADATA_NAME = 'kubernetes.io/metadata.name';

/** All parts must hold; one without a part selects everything (apimachinery, LabelSelectorAsSelector). */
export interface LabelSelector {
  readonly labels: Labels;
  readonly expressions: readonly LabelExpression[];
}

export type LabelExpression =
  | { readonly operator: 'In' | 'NotIn'; readonly key: string; readonly values: readonly string[] }
  | { readonly operator: 'Exists' | 'DoesNotExist'; readonly key: string };

export type PolicyPeer =
  /** `namespaces` `null`: the policy's own namespace. `pods` `null`: all of them. */
  | { readonly kind: 'pods'; readonly namespaces: LabelSelector | null; readonly pods: LabelSelector | null; readonly at: SourceRef }
  | { readonly kind: 'block'; readonly prefix: Prefix; readonly except: readonly Prefix[]; readonly at: SourceRef };

export interface PolicyPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** A name is a container port's of the pod that the packet goes to. `null`: every port of the protocol. */
  readonly port: Port | string | null;
  /** The last port of the range that `port` begins. */
  readonly endPort: Port | null;
  readonly at: SourceRef;
}

export interface PolicyTraffic {
  /** Sources of ingress, destinations of egress; empty: everybody. */
  readonly peers: readonly PolicyPeer[];
  /** Empty: every port of every protocol. */
  readonly ports: readonly PolicyPort[];
  readonly at: SourceRef;
}

export type PolicyType = 'Ingress' | 'Egress';

export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  /** Whom it isolates, in its namespace. */
  readonly pods: LabelSelector;
  readonly ingress: readonly PolicyTraffic[];
  readonly egress: readonly PolicyTraffic[];
  /** `null`: Ingress, and Egress where it has egress rules (NetworkPolicySpec.policyTypes). */
  readonly types: readonly PolicyType[] | null;
  readonly at: SourceRef;
}

/** In which directions it isolates. */
export const typesOf = (policy: NetworkPolicy): readonly PolicyType[] => policy.types ?? (policy.egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);
