/** A NetworkPolicy (networking.k8s.io/v1) as a declaration. */
import type { LabelExpression, PolicyType } from '../../../../engine/src/topology/network-policy.ts';
import type { NetworkPolicyDeclaration, PeerDeclaration, TrafficDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { SelectorDeclaration } from '../bind/selector.ts';
import type { PolicyPortValue } from '../bind/values.ts';
import { baseOf, located, rangeOf } from './fields.ts';
import type { Fields } from './fields.ts';
import { metadataOf, objectName } from './metadata.ts';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

export function readNetworkPolicy(object: Fields): NetworkPolicyDeclaration | null {
  const metadata = metadataOf(object);
  const spec = object.map('spec');
  if (metadata === null) return null;
  const policy: NetworkPolicyDeclaration = {
    kind: 'network-policy',
    ...baseOf(object),
    name: objectName(metadata),
    pods: selectorOf(spec?.map('podSelector') ?? null),
    ingress: spec?.maps('ingress').map((r) => trafficOf(r, 'from')) ?? [],
    egress: spec?.maps('egress').map((r) => trafficOf(r, 'to')) ?? [],
    types: typesOf(spec),
  };
  spec?.rest([]);
  return policy;
}

/** An empty list is none (apis/networking/types.go, PolicyTypes). */
function typesOf(spec: Fields | null): readonly PolicyType[] | null {
  const types = (spec?.texts('policyTypes') ?? []).flatMap((t): PolicyType[] => {
    if (t.value === 'Ingress' || t.value === 'Egress') return [t.value];
    spec?.bad(`a policy type is Ingress or Egress, not '${t.value}'`, spec.tree);
    return [];
  });
  return types.length === 0 ? null : types;
}

function trafficOf(rule: Fields, direction: 'from' | 'to'): TrafficDeclaration {
  const made = { ...rangeOf(rule), peers: rule.maps(direction).flatMap((p) => peerOf(p) ?? []), ports: rule.maps('ports').map(portOf) };
  rule.rest([]);
  return made;
}

function peerOf(peer: Fields): PeerDeclaration | null {
  const block = peer.map('ipBlock');
  const pods = selectorOf(peer.map('podSelector'));
  const namespaces = selectorOf(peer.map('namespaceSelector'));
  peer.rest([]);
  if (block === null) return { ...rangeOf(peer), kind: 'pods', namespaces, pods };
  const prefix = block.value('cidr', 'cidr');
  const except = block.values('except', 'cidr');
  block.rest([]);
  return prefix === null ? null : { ...rangeOf(peer), kind: 'block', prefix, except };
}

function portOf(port: Fields): Located<PolicyPortValue> {
  const target = port.value('port', 'target-port');
  const value = { protocol: port.choice('protocol', PROTOCOLS) ?? 'TCP', port: target?.value ?? null, endPort: port.value('endPort', 'port')?.value ?? null };
  port.rest([]);
  return located(port.source, value, port.tree);
}

function selectorOf(selector: Fields | null): SelectorDeclaration | null {
  if (selector === null) return null;
  const labels = selector.labels('matchLabels');
  const expressions = selector.maps('matchExpressions').flatMap((e) => expressionOf(e) ?? []);
  selector.rest([]);
  return { ...rangeOf(selector), labels, expressions };
}

function expressionOf(e: Fields): Located<LabelExpression> | null {
  const key = e.text('key')?.value;
  const operator = e.choice('operator', ['In', 'NotIn', 'Exists', 'DoesNotExist']);
  const values = e.texts('values').map((v) => v.value);
  e.rest([]);
  if (key === undefined || operator === null) return null;
  return located(e.source, operator === 'In' || operator === 'NotIn' ? { operator, key, values } : { operator, key }, e.tree);
}
