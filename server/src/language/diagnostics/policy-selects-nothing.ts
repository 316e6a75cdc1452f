import type { LabelSelector } from '../../../../engine/src/topology/network-policy.ts';
import { METADATA_NAME } from '../../../../engine/src/topology/network-policy.ts';
import { matchesSelector } from '../../../../engine/src/topology/selector.ts';
import type { Labels } from '../../../../engine/src/topology/model.ts';
import type { NetworkPolicyDeclaration } from '../bind/declarations.ts';
import type { Placed } from '../bind/file-model.ts';
import { rangeIn } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import type { SelectorDeclaration } from '../bind/selector.ts';
import { selectorOf } from '../lower/lower-policy.ts';
import type { Check, CheckInput } from './check.ts';
import type { Diagnostic } from './define.ts';
import { defineDiagnostic, report } from './define.ts';

export const policySelectsNothing = defineDiagnostic<{ readonly policy: string; readonly what: string; readonly so: string }>({
  code: 'K8N4006',
  slug: 'policy-selects-nothing',
  severity: 'warning',
  message: (p) => `${p.what}, so ${p.so}: label one so, or change the selector of network policy ${p.policy}`,
});

interface KnownPod {
  readonly namespace: string;
  readonly labels: Labels;
}

export const checkPolicySelectors: Check = function* (input) {
  if (input.model.policies.length === 0) return;
  const pods = input.model.pods.flatMap(({ declaration: d }): KnownPod[] =>
    d.name === null || d.hostNetwork ? [] : [{ namespace: d.name.value.namespace, labels: Object.fromEntries(d.labels.map((l) => l.value)) }]);
  const namespaces = namespacesOf(input, pods);
  for (const policy of input.model.policies) yield* checkPolicy(policy, pods, namespaces);
};

function namespacesOf({ model }: CheckInput, pods: readonly KnownPod[]): ReadonlyMap<string, Labels> {
  const found = new Map<string, Labels>(pods.map((p) => [p.namespace, { [METADATA_NAME]: p.namespace }]));
  for (const { declaration: d } of model.namespaces) if (d.name !== null) found.set(d.name.value, { ...Object.fromEntries(d.labels.map((l) => l.value)), [METADATA_NAME]: d.name.value });
  return found;
}

const EVERYTHING: LabelSelector = { labels: {}, expressions: [] };

function* checkPolicy(placed: Placed<NetworkPolicyDeclaration>, pods: readonly KnownPod[], namespaces: ReadonlyMap<string, Labels>): Iterable<Diagnostic> {
  const { declaration: d } = placed;
  if (d.name === null) return;
  const { namespace } = d.name.value;
  const policy = fullName(d.name.value);
  const selector = (s: SelectorDeclaration | null): LabelSelector => (s === null ? EVERYTHING : selectorOf(s));
  if (!pods.some((p) => p.namespace === namespace && matchesSelector(selector(d.pods), p.labels))) {
    yield report(policySelectsNothing, { policy, what: `No pod in namespace ${namespace} is selected`, so: 'the policy isolates nobody' }, rangeIn(placed, d.pods ?? d.name));
  }
  for (const peer of [...d.ingress, ...d.egress].flatMap((t) => t.peers)) {
    if (peer.kind === 'block') continue;
    const within = (name: string): boolean => (peer.namespaces === null ? name === namespace : matchesSelector(selector(peer.namespaces), namespaces.get(name) ?? {}));
    if (pods.some((p) => within(p.namespace) && matchesSelector(selector(peer.pods), p.labels))) continue;
    yield report(policySelectsNothing, { policy, what: `No pod ${peer.namespaces === null ? `in namespace ${namespace} ` : ''}is selected`, so: 'this entry lets nobody through' }, rangeIn(placed, peer));
  }
}
