/** A change that may mend a flow: what it says is wrong, the edits that make it, and the same change of the spec. */
import type { CapturedState, ClusterSpec, NodeSpec, PodSpec, ServiceSpec } from '../topology/spec.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { Origin } from '../topology/origin.ts';
import { podName } from '../topology/lookup.ts';
import type { Command, Edit, Owner } from './explanation.ts';

export interface Candidate {
  /** The root cause in one sentence, if this is what mends the flow. */
  readonly wrong: string;
  readonly host: string;
  readonly namespace: string;
  /** The line to blame. */
  readonly at: SourceRef | null;
  readonly title: string;
  readonly edits: readonly Edit[];
  /** Of what the API server keeps; those for the lines of dumps come from the edits. */
  readonly commands?: readonly Command[];
  readonly applied: (spec: ClusterSpec) => ClusterSpec;
}

export const nodeOwner = (name: string): Owner => ({ kind: 'node', name });
export const podOwner = (name: string): Owner => ({ kind: 'pod', name });
export const serviceOwner = (service: { readonly namespace: string; readonly name: string }): Owner => ({ kind: 'service', name: podName(service) });

/** `host1`, `pod default/web` */
export const ownerText = (owner: Owner): string => (owner.kind === 'node' ? owner.name : `${owner.kind} ${owner.name}`.trim());

/** `cluster.k8snet:34` */
export const placeText = (at: SourceRef): string => `${at.file}:${at.line}`;

export const placeOf = (origin: Origin): SourceRef | null => (origin.kind === 'derived' ? (origin.at ?? null) : origin.at);

export const inPlace = (at: SourceRef | null): string => (at === null ? '' : ` (${placeText(at)})`);

export const sameRef = (a: SourceRef, b: SourceRef): boolean => a.line === b.line && a.file === b.file;

/** Unchanged parts stay the same records: what was derived from them need not be derived again. */
export function withCaptured(spec: ClusterSpec, owner: Owner, change: (captured: CapturedState) => CapturedState): ClusterSpec {
  switch (owner.kind) {
    case 'node':
      return withNode(spec, owner.name, (node) => ({ ...node, captured: change(node.captured) }));
    case 'pod':
      return withPod(spec, owner.name, (pod) => ({ ...pod, captured: change(pod.captured) }));
    case 'cluster':
    case 'network':
    case 'external':
    case 'service':
    case 'network-policy':
      return spec;
  }
}

export const capturedOf = (spec: ClusterSpec, owner: Owner): CapturedState | undefined =>
  owner.kind === 'node' ? spec.nodes.find((n) => n.name === owner.name)?.captured : spec.pods.find((p) => podName(p) === owner.name)?.captured;

export const withNode = (spec: ClusterSpec, name: string, change: (node: NodeSpec) => NodeSpec): ClusterSpec =>
  ({ ...spec, nodes: spec.nodes.map((node) => (node.name === name ? change(node) : node)) });

export const withPod = (spec: ClusterSpec, name: string, change: (pod: PodSpec) => PodSpec): ClusterSpec =>
  ({ ...spec, pods: spec.pods.map((pod) => (podName(pod) === name ? change(pod) : pod)) });

export const withService = (spec: ClusterSpec, name: string, change: (service: ServiceSpec) => ServiceSpec): ClusterSpec =>
  ({ ...spec, services: spec.services.map((service) => (podName(service) === name ? change(service) : service)) });
