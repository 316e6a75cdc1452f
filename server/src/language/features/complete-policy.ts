/** What can stand among the words of a policy's `pods`, `from` and `to`: selectors, and who they select. */
import { declarationAt } from '../bind/occurrences.ts';
import type { Snapshot } from '../snapshot.ts';
import { blockPrefixes } from './complete-value.ts';
import type { Candidate } from './completions.ts';
import type { Word } from './cursor-context.ts';

const keyword = (label: string, detail: string): Candidate => ({ label, kind: 'keyword', detail });

const labels = (pairs: readonly (readonly [string, string])[], detail: string): Candidate[] =>
  [...new Set(pairs.map((pair) => pair.join('=')))].sort().map((label) => ({ label, kind: 'label', detail }));

/** Labels of pods; `namespace`: of its pods only. */
export const podLabels = ({ model }: Snapshot, namespace: string | undefined): Candidate[] =>
  labels(model.pods.filter((p) => namespace === undefined || p.declaration.name?.value.namespace === namespace).flatMap((p) => p.declaration.labels.map((l) => l.value)), 'of pods');

/** Labels of namespaces; each has its name as one (kubernetes.io/metadata.name). */
function namespaceLabels({ model }: Snapshot): Candidate[] {
  const names = new Set([...model.namespaces.flatMap((n) => n.declaration.name?.value ?? []), ...model.pods.flatMap((p) => p.declaration.name?.value.namespace ?? [])]);
  const declared = model.namespaces.flatMap((n) => n.declaration.labels.map((l) => l.value));
  return labels([...declared, ...[...names].map((name) => ['kubernetes.io/metadata.name', name] as const)], 'of namespaces');
}

/** `pods`: whom the policy isolates. */
export function isolatedCompletions(snapshot: Snapshot, before: readonly Word[], offset: number): readonly Candidate[] {
  const d = declarationAt(snapshot.model, offset)?.declaration;
  const namespace = d?.kind === 'network-policy' ? d.name?.value.namespace : undefined;
  return before.length === 0 || before.at(-1)?.isComma === true ? podLabels(snapshot, namespace) : [];
}

/** `from` and `to`: the other end. */
export function peerCompletions(snapshot: Snapshot, before: readonly Word[]): readonly Candidate[] {
  const last = before.at(-1);
  if (last === undefined) return [keyword('pods', 'pods of this namespace, or of those selected before it'), keyword('namespaces', 'all that is in namespaces'), keyword('ip-block', 'addresses')];
  const part = before.findLast((w) => ['pods', 'namespaces', 'ip-block', 'except'].includes(w.text))?.text;
  const isOpen = last.isComma || last.text === part;
  switch (part) {
    case 'ip-block': return isOpen ? blockPrefixes(snapshot) : [keyword('except', 'before what the block leaves out')];
    case 'except': return isOpen ? blockPrefixes(snapshot) : [];
    // Without a selector they mean every pod, and every namespace.
    case 'namespaces': return [...(isOpen ? namespaceLabels(snapshot) : []), ...(last.isComma ? [] : [keyword('pods', 'pods in these namespaces')])];
    case 'pods': return [...(isOpen ? podLabels(snapshot, undefined) : []), ...(last.isComma || before.some((w) => w.text === 'namespaces') ? [] : [keyword('namespaces', 'the namespaces of these pods')])];
    default: return [];
  }
}
