/** Pods and services as declarations. */
import type { ServiceSpec } from '../../../../engine/src/topology/spec.ts';
import type { Diagnostic } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import { missingStatement } from '../diagnostics/missing-statement.ts';
import { capturesOf, listenersOf } from './captures.ts';
import type { PodDeclaration, PortDeclaration, ServiceDeclaration } from './declarations.ts';
import { valuesOf } from './decode.ts';
import type { Statement } from './statements.ts';
import { Statements, extentOf } from './statements.ts';

const baseOf = (s: Statement, out: readonly Diagnostic[]) => ({ node: s.node, keyword: s.decoded.keyword, ...extentOf(s.node, 0), diagnostics: out });

export function declarePod(s: Statement, out: Diagnostic[]): PodDeclaration {
  const inside = new Statements(s, 'pod', out);
  const name = valuesOf(s.decoded, '[NAMESPACE/]NAME', 'object-name', 0)[0] ?? null;
  const hostNetwork = inside.has('host-network');
  if (name !== null && inside.understood && !hostNetwork && !inside.has('ip') && !inside.has('addresses')) {
    out.push(report(missingStatement, { what: `pod ${name.value.namespace}/${name.value.name}`, statement: 'ip ADDRESS' }, name));
  }
  return {
    kind: 'pod',
    ...baseOf(s, out),
    name,
    host: valuesOf(s.decoded, 'NODE', 'name', 0)[0] ?? null,
    addresses: inside.values('ip', 'address'),
    mac: inside.plain('mac', 'mac'),
    labels: inside.values('labels', 'label'),
    hostNetwork,
    ready: !inside.has('not-ready'),
    listeners: listenersOf(inside),
    search: inside.has('search') ? inside.values('search', 'name').map((d) => d.value) : null,
    ndots: inside.plain('ndots', 'ndots'),
    captures: capturesOf(inside, out),
  };
}

export function declareService(s: Statement, out: Diagnostic[]): ServiceDeclaration {
  const inside = new Statements(s, 'service', out);
  const name = valuesOf(s.decoded, '[NAMESPACE/]NAME', 'object-name', 0)[0] ?? null;
  const ports = inside.all('port').flatMap(portOf);
  const type = typeOf(inside, ports);
  const headless = inside.says('cluster-ip', 'None');
  const what = `service ${name?.value.namespace ?? 'default'}/${name?.value.name ?? ''}`;
  if (name !== null && inside.understood && type !== 'ExternalName') {
    // A headless service needs no port: its name resolves to the pods.
    if (!inside.has('port') && !headless) out.push(report(missingStatement, { what, statement: 'port PORT/PROTOCOL' }, name));
    if (!inside.has('cluster-ip')) out.push(report(missingStatement, { what, statement: 'cluster-ip ADDRESS' }, name));
  }
  if (name !== null && inside.understood && type === 'ExternalName' && !inside.has('external-name')) {
    out.push(report(missingStatement, { what, statement: 'external-name NAME' }, name));
  }
  return {
    kind: 'service',
    ...baseOf(s, out),
    name,
    type,
    clusterAddresses: inside.values('cluster-ip', 'address'),
    headless,
    ports,
    selector: inside.has('selector') ? inside.values('selector', 'label') : null,
    endpoints: inside.values('endpoints', 'endpoint'),
    externalAddresses: inside.values('external-ip', 'address'),
    loadBalancerAddresses: inside.values('load-balancer-ip', 'address'),
    loadBalancerSourceRanges: inside.values('load-balancer-source-ranges', 'cidr'),
    externalName: inside.plain('external-name', 'name'),
    sessionAffinitySeconds: inside.plain('session-affinity', 'seconds'),
    externalTrafficPolicy: policyOf(inside, 'external-traffic-policy'),
    internalTrafficPolicy: policyOf(inside, 'internal-traffic-policy'),
    allocateNodePorts: !inside.has('no-node-ports'),
    healthCheckNodePort: inside.plain('health-check-node-port', 'port'),
  };
}

const policyOf = (inside: Statements, keyword: string): 'Cluster' | 'Local' => (inside.plain(keyword, 'choice') === 'Local' ? 'Local' : 'Cluster');

function typeOf(inside: Statements, ports: readonly PortDeclaration[]): ServiceSpec['type'] {
  const said = inside.plain('type', 'choice');
  if (said === 'ClusterIP' || said === 'NodePort' || said === 'LoadBalancer' || said === 'ExternalName') return said;
  if (inside.has('external-name')) return 'ExternalName';
  if (inside.has('load-balancer-ip')) return 'LoadBalancer';
  return ports.some((p) => p.nodePort !== null) ? 'NodePort' : 'ClusterIP';
}

function portOf(s: Statement): PortDeclaration[] {
  const [listener] = valuesOf(s.decoded, 'PORT[/PROTOCOL]', 'listener', s.offset);
  if (listener === undefined) return [];
  return [{
    ...extentOf(s.node, s.offset),
    name: valuesOf(s.decoded, 'NAME', 'name', s.offset)[0] ?? null,
    listener,
    target: valuesOf(s.decoded, 'TARGET', 'port', s.offset)[0] ?? null,
    nodePort: valuesOf(s.decoded, 'N', 'port', s.offset)[0] ?? null,
  }];
}
