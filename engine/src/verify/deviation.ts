/**
 * Where the captured state of a namespace differs from what the cluster's programs would leave there: what is missing,
 * what is stale and what is left over, each with the change that puts it right.
 */
import { once } from '../once.ts';
import { programmedNamespaces } from '../topology/build.ts';
import type { ProgrammedNamespace } from '../topology/build.ts';
import { podName } from '../topology/lookup.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Origin, Programmer, SourceRef } from '../topology/origin.ts';
import type { CapturedState, ClusterSpec } from '../topology/spec.ts';
import { nodeOwner, podOwner } from './candidate.ts';
import { deviceDeviations } from './deviation-device.ts';
import { entryDeviations } from './deviation-entry.ts';
import { ruleDeviations } from './deviation-rule.ts';
import type { DumpBlock, Edit, Owner } from './explanation.ts';

export interface Entry {
  readonly text: string;
  readonly origin: Origin;
}

/** `foreign`: of no program that is simulated here, so not a fault by itself. */
export type DeviationKind = 'missing' | 'stale' | 'left-over' | 'foreign';

export interface Deviation {
  readonly owner: Owner;
  readonly host: string;
  readonly namespace: string;
  readonly block: DumpBlock;
  readonly table: string | null;
  readonly kind: DeviationKind;
  /** Whose it is; `null` for what is foreign. */
  readonly by: Programmer | null;
  /** `flannel's routes for the lease of host2, 10.0.5.0/24`; for what is foreign or left over the entry itself. */
  readonly what: string;
  /** `the lease of host2, 10.0.5.0/24`: what belongs together over several blocks; `null` for what no program explains. */
  readonly because: string | null;
  /** What was captured and should not be there. */
  readonly there: readonly Entry[];
  /** What should be there. */
  readonly wanted: readonly Entry[];
  /** The line that is stale or left over, else where the block begins that lacks something. */
  readonly at: SourceRef | null;
  readonly edits: readonly Edit[];
  readonly applied: (captured: CapturedState) => CapturedState;
}

/** One namespace, seen from both sides. */
export interface Compared {
  readonly owner: Owner;
  readonly host: string;
  readonly captured: CapturedState;
  readonly programmed: ProgrammedNamespace;
}

/** By host and namespace; nothing where nothing was captured. Each namespace is compared when it is first asked for. */
export type Deviations = (host: string, namespace: string) => readonly Deviation[];

export function deviationsOf(spec: ClusterSpec): Deviations {
  const programmed = once(() => programmedNamespaces(spec));
  const capturedBy = once(() => capturedStates(spec));
  const known = new Map<string, readonly Deviation[]>();
  return (host, namespace) => {
    const key = `${host}\n${namespace}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const captured = capturedBy().get(key);
    const other = captured === undefined ? undefined : programmed()(host).find((p) => p.namespace.name === namespace);
    const found = captured === undefined || other === undefined ? [] : compare({ owner: ownerOf(host, namespace), host, captured, programmed: other });
    known.set(key, found);
    return found;
  };
}

const ownerOf = (host: string, namespace: string): Owner => (namespace === ROOT_NAMESPACE ? nodeOwner(host) : podOwner(namespace));

/** By host and namespace, of two of one name the first; nothing where nothing was captured. */
function capturedStates(spec: ClusterSpec): ReadonlyMap<string, CapturedState> {
  const states = new Map<string, CapturedState>();
  const put = (host: string, namespace: string, captured: CapturedState): void => {
    const key = `${host}\n${namespace}`;
    if (!states.has(key)) states.set(key, captured);
  };
  for (const node of spec.nodes) put(node.name, ROOT_NAMESPACE, node.captured);
  for (const pod of spec.pods) put(pod.node, podName(pod), pod.captured);
  return new Map([...states].filter(([, captured]) => Object.keys(captured).length > 0));
}

/** What another plugin than the bridge's leaves in a pod nobody knows. */
const isOpen = ({ networkPlugin, name }: ProgrammedNamespace['namespace']): boolean => networkPlugin !== undefined && name !== ROOT_NAMESPACE;

const compare = (compared: Compared): readonly Deviation[] => (isOpen(compared.programmed.namespace) ? [] : [...ruleDeviations(compared), ...entryDeviations(compared), ...deviceDeviations(compared)]);

/** Every namespace of the nodes that something was captured of, in the order of the file. */
export const capturedNamespaces = (spec: ClusterSpec): readonly { readonly host: string; readonly namespace: string }[] => [
  ...spec.nodes.filter((n) => Object.keys(n.captured).length > 0).map((n) => ({ host: n.name, namespace: ROOT_NAMESPACE })),
  ...spec.pods.filter((p) => !p.hostNetwork && Object.keys(p.captured).length > 0).map((p) => ({ host: p.node, namespace: podName(p) })),
];
