/**
 * A NetworkPolicy (networking.k8s.io/v1) as a declaration. What the API server would refuse (pkg/apis/networking/validation:
 * ValidateNetworkPolicySpec) is told, and allows nothing.
 */
import { formatPrefix } from '../../../../engine/src/net/address.ts';
import type { Port } from '../../../../engine/src/net/address.ts';
import type { LabelExpression, PolicyType } from '../../../../engine/src/topology/network-policy.ts';
import type { NetworkPolicyDeclaration, PeerDeclaration, TrafficDeclaration } from '../bind/declarations.ts';
import { isPartOf } from '../bind/declare-policy.ts';
import type { Located } from '../bind/decode.ts';
import type { SelectorDeclaration } from '../bind/selector.ts';
import type { PolicyPortValue } from '../bind/values.ts';
import { baseOf, located, rangeOf, tellAt } from './fields.ts';
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
    ingress: spec?.maps('ingress').flatMap((r) => trafficOf(r, 'from') ?? []) ?? [],
    egress: spec?.maps('egress').flatMap((r) => trafficOf(r, 'to') ?? []) ?? [],
    // Rules that cannot be read isolate all the same.
    types: typesOf(spec) ?? (spec !== null && spec.list('egress').length > 0 ? ['Ingress', 'Egress'] : null),
  };
  spec?.rest([]);
  return policy;
}

/** An empty list is none (apis/networking/types.go, PolicyTypes). */
function typesOf(spec: Fields | null): readonly PolicyType[] | null {
  const named = spec?.texts('policyTypes') ?? [];
  const types = named.flatMap((t): PolicyType[] => {
    if (t.value === 'Ingress' || t.value === 'Egress') return [t.value];
    if (spec !== null) tellAt(spec.source, 'bad', `a policy type is Ingress or Egress, not '${t.value}'`, t);
    return [];
  });
  const [, , third] = named;
  if (spec !== null && third !== undefined) tellAt(spec.source, 'bad', 'a policy has two types at most, Ingress and Egress', third);
  return types.length === 0 ? null : types;
}

/** An empty list of peers or ports is everybody's; one of which nothing can be read is nobody's. */
function trafficOf(rule: Fields, direction: 'from' | 'to'): TrafficDeclaration | null {
  const peers = rule.maps(direction).flatMap((p) => peerOf(p) ?? []);
  const ports = rule.maps('ports').flatMap((p) => portOf(p) ?? []);
  const isEmptied = (key: string, read: readonly unknown[]): boolean => read.length === 0 && rule.list(key).length > 0;
  rule.rest([]);
  return isEmptied(direction, peers) || isEmptied('ports', ports) ? null : { ...rangeOf(rule), peers, ports };
}

function peerOf(peer: Fields): PeerDeclaration | null {
  const block = peer.map('ipBlock');
  const pods = selectorOf(peer.map('podSelector'));
  const namespaces = selectorOf(peer.map('namespaceSelector'));
  peer.rest([]);
  if (block === null && pods === null && namespaces === null) {
    peer.bad(`${peer.path} names nobody: give it a podSelector, a namespaceSelector or an ipBlock`, peer.tree);
    return null;
  }
  if (block === null) return { ...rangeOf(peer), kind: 'pods', namespaces, pods };
  if (pods !== null || namespaces !== null) {
    peer.bad(`${peer.path} has an ipBlock beside a selector: give each a peer of its own`, peer.tree);
    return null;
  }
  return blockOf(peer, block);
}

function blockOf(peer: Fields, block: Fields): PeerDeclaration | null {
  const prefix = block.value('cidr', 'cidr');
  const except = block.values('except', 'cidr');
  block.rest([]);
  if (prefix === null) {
    if (block.get('cidr') === undefined) block.bad(`${block.path} has no cidr`, block.tree);
    return null;
  }
  for (const e of except) {
    if (!isPartOf(e.value, prefix.value)) tellAt(block.source, 'bad', `${block.path}.except: ${formatPrefix(e.value)} is not a part of ${formatPrefix(prefix.value)}`, e);
  }
  return { ...rangeOf(peer), kind: 'block', prefix, except };
}

function portOf(port: Fields): Located<PolicyPortValue> | null {
  const target = port.value('port', 'target-port')?.value ?? null;
  const end = port.value('endPort', 'port');
  const protocol = port.choice('protocol', PROTOCOLS);
  port.rest([]);
  const isLost = (key: string, read: unknown): boolean => read === null && port.get(key) !== undefined;
  if (isLost('port', target) || isLost('endPort', end) || isLost('protocol', protocol)) return null;
  const wrong = end === null ? null : endProblem(target, end.value);
  if (wrong !== null) port.bad(`${port.path}.endPort ${wrong}`, port.tree);
  return wrong === null ? located(port.source, { protocol: protocol ?? 'TCP', port: target, endPort: end?.value ?? null }, port.tree) : null;
}

function endProblem(port: Port | string | null, end: Port): string | null {
  if (port === null) return 'needs a port to begin at';
  if (typeof port === 'string') return `needs a port by number, not the name ${port}`;
  return end < port ? `${end} is below the port ${port}` : null;
}

function selectorOf(selector: Fields | null): SelectorDeclaration | null {
  if (selector === null) return null;
  const labels = selector.labels('matchLabels');
  const expressions = selector.maps('matchExpressions').map(expressionOf);
  selector.rest([]);
  return { ...rangeOf(selector), labels, expressions };
}

/** An expression that cannot be read selects nobody: left out, it would select more. */
function expressionOf(e: Fields): Located<LabelExpression> {
  const key = e.text('key')?.value ?? null;
  const operator = e.choice('operator', ['In', 'NotIn', 'Exists', 'DoesNotExist']);
  const values = e.texts('values').map((v) => v.value);
  e.rest([]);
  const nobody: LabelExpression = { operator: 'In', key: key ?? '', values: [] };
  const some = operator === 'In' || operator === 'NotIn';
  if (key === null) e.bad(`${e.path} has no key`, e.tree);
  else if (operator === null && e.get('operator') === undefined) e.bad(`${e.path} has no operator`, e.tree);
  else if (some && values.length === 0) e.bad(`${e.path}: ${operator} needs values`, e.tree);
  else if (operator !== null && !some && values.length > 0) e.bad(`${e.path}: ${operator} takes no values`, e.tree);
  if (key === null || operator === null || (some && values.length === 0)) return located(e.source, nobody, e.tree);
  return located(e.source, some ? { operator, key, values } : { operator, key }, e.tree);
}
