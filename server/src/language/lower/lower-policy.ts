/** Kubernetes namespaces and NetworkPolicies, lowered. */
import type { LabelSelector, NetworkPolicy, PolicyPeer, PolicyTraffic } from '../../../../engine/src/topology/network-policy.ts';
import type { NamespaceSpec } from '../../../../engine/src/topology/spec.ts';
import type { NamespaceDeclaration, NetworkPolicyDeclaration, PeerDeclaration, TrafficDeclaration } from '../bind/declarations.ts';
import type { Place, Placed } from '../bind/file-model.ts';
import type { SelectorDeclaration } from '../bind/selector.ts';
import type { LowerContext } from './lower.ts';

export function lowerNamespace(context: LowerContext, placed: Placed<NamespaceDeclaration>): NamespaceSpec | null {
  const { declaration: d } = placed;
  if (d.name === null) return null;
  return { name: d.name.value, labels: Object.fromEntries(d.labels.map((l) => l.value)), at: context.at(placed, d) };
}

export function lowerPolicy(context: LowerContext, placed: Placed<NetworkPolicyDeclaration>): NetworkPolicy | null {
  const { declaration: d } = placed;
  if (d.name === null) return null;
  return {
    ...d.name.value,
    pods: d.pods === null ? { labels: {}, expressions: [] } : selectorOf(d.pods),
    ingress: d.ingress.map((t) => lowerTraffic(context, placed, t)),
    egress: d.egress.map((t) => lowerTraffic(context, placed, t)),
    types: d.types,
    at: context.at(placed, d),
  };
}

/** Two equalities of one key are two requirements, which a record of labels could not hold. */
export function selectorOf({ labels, expressions }: SelectorDeclaration): LabelSelector {
  const first = new Map<string, string>();
  const repeated = labels.flatMap(({ value: [key, value] }) => {
    if (!first.has(key)) first.set(key, value);
    return first.get(key) === value ? [] : [{ operator: 'In', key, values: [value] } as const];
  });
  return { labels: Object.fromEntries(first), expressions: [...repeated, ...expressions.map((e) => e.value)] };
}

const lowerTraffic = (context: LowerContext, place: Place, t: TrafficDeclaration): PolicyTraffic => ({
  peers: t.peers.map((p) => lowerPeer(context, place, p)),
  ports: t.ports.map((p) => ({ ...p.value, at: context.at(place, p) })),
  at: context.at(place, t),
});

function lowerPeer(context: LowerContext, place: Place, p: PeerDeclaration): PolicyPeer {
  const at = context.at(place, p);
  if (p.kind === 'block') return { kind: 'block', prefix: p.prefix.value, except: p.except.map((e) => e.value), at };
  return { kind: 'pods', namespaces: p.namespaces === null ? null : selectorOf(p.namespaces), pods: p.pods === null ? null : selectorOf(p.pods), at };
}
