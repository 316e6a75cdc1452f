/** Pods and services as declarations. */
import type { Address } from '../../../../engine/src/net/address.ts';
import type { PodSpec, ServiceSpec } from '../../../../engine/src/topology/spec.ts';
import type { Diagnostic } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import { missingStatement } from '../diagnostics/missing-statement.ts';
import { capturesOf, listenersOf } from './captures.ts';
import type { ContainerPortDeclaration, EndpointDeclaration, PodDeclaration, PortDeclaration, ServiceDeclaration } from './declarations.ts';
import type { Located } from './decode.ts';
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
    terminating: inside.has('terminating'),
    ports: inside.all('port').flatMap(containerPortOf),
    listeners: listenersOf(inside),
    dnsPolicy: dnsPolicyOf(inside),
    nameservers: inside.has('nameserver') ? inside.values('nameserver', 'address').map((a) => a.value) : null,
    search: inside.has('search') ? inside.values('search', 'name').map((d) => d.value) : null,
    ndots: inside.plain('ndots', 'ndots'),
    hostname: inside.plain('hostname', 'name'),
    subdomain: inside.plain('subdomain', 'name'),
    captures: capturesOf(inside, out),
  };
}

function containerPortOf(s: Statement): ContainerPortDeclaration[] {
  const [listener] = valuesOf(s.decoded, 'PORT[/PROTOCOL]', 'listener', s.offset);
  if (listener === undefined) return [];
  return [{
    ...extentOf(s.node, s.offset),
    name: valuesOf(s.decoded, 'NAME', 'name', s.offset)[0] ?? null,
    listener,
    hostPort: valuesOf(s.decoded, 'N', 'port', s.offset)[0] ?? null,
    hostAddress: valuesOf(s.decoded, 'ADDRESS', 'address', s.offset)[0] ?? null,
  }];
}

function dnsPolicyOf(inside: Statements): PodSpec['dnsPolicy'] {
  const said = inside.plain('dns-policy', 'choice');
  return said === 'ClusterFirstWithHostNet' || said === 'Default' || said === 'None' ? said : 'ClusterFirst';
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
    endpoints: inside.all('endpoints').flatMap(endpointsOf),
    endpointsAre: inside.has('endpoints-only') ? 'instead' : 'besides-selector',
    externalAddresses: inside.values('external-ip', 'address'),
    loadBalancerAddresses: balancersOf(inside, 'VIP'),
    loadBalancerProxies: balancersOf(inside, 'Proxy'),
    loadBalancerSourceRanges: inside.values('load-balancer-source-ranges', 'cidr'),
    externalName: inside.plain('external-name', 'name'),
    sessionAffinitySeconds: inside.plain('session-affinity', 'seconds'),
    externalTrafficPolicy: policyOf(inside, 'external-traffic-policy'),
    internalTrafficPolicy: policyOf(inside, 'internal-traffic-policy'),
    trafficDistribution: distributionOf(inside),
    publishNotReady: inside.has('publish-not-ready-addresses'),
    allocateNodePorts: !inside.has('no-node-ports'),
    healthCheckNodePort: inside.plain('health-check-node-port', 'port'),
  };
}

const policyOf = (inside: Statements, keyword: string): 'Cluster' | 'Local' => (inside.plain(keyword, 'choice') === 'Local' ? 'Local' : 'Cluster');

function distributionOf(inside: Statements): ServiceSpec['trafficDistribution'] {
  const said = inside.plain('traffic-distribution', 'choice');
  return said === 'PreferClose' || said === 'PreferSameZone' || said === 'PreferSameNode' ? said : null;
}

/** VIP is the default of ipMode. */
const balancersOf = (inside: Statements, mode: 'VIP' | 'Proxy'): Located<Address>[] =>
  inside.all('load-balancer-ip').filter((s) => (valuesOf(s.decoded, 'MODE', 'choice', 0)[0]?.value ?? 'VIP') === mode).flatMap((s) => valuesOf(s.decoded, 'ADDRESS', 'address', s.offset));

/** The conditions of an EndpointSlice's endpoint that each state stands for. */
const CONDITIONS: Readonly<Record<string, Pick<EndpointDeclaration, 'ready' | 'serving' | 'terminating'>>> = {
  ready: { ready: true, serving: true, terminating: false },
  'not-ready': { ready: false, serving: false, terminating: false },
  terminating: { ready: false, serving: true, terminating: true },
  'terminating-not-ready': { ready: false, serving: false, terminating: true },
};

function endpointsOf(s: Statement): EndpointDeclaration[] {
  const said = (label: string): string[] => valuesOf(s.decoded, label, 'name', 0).map((v) => v.value);
  const state = valuesOf(s.decoded, 'STATE', 'choice', 0)[0]?.value ?? 'ready';
  const [zones, nodes] = [said('ZONE'), said('FOR-NODE')];
  const common = {
    portName: said('PORT')[0] ?? null,
    node: said('NODE')[0] ?? null,
    hostname: said('HOSTNAME')[0] ?? null,
    hints: zones.length + nodes.length === 0 ? null : { zones, nodes },
    ...(CONDITIONS[state] as Pick<EndpointDeclaration, 'ready' | 'serving' | 'terminating'>),
  };
  return valuesOf(s.decoded, 'ADDRESS[:PORT]', 'endpoint', s.offset).map((e) => ({ ...e, ...common }));
}

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
    target: valuesOf(s.decoded, 'TARGET', 'target-port', s.offset)[0] ?? null,
    nodePort: valuesOf(s.decoded, 'N', 'port', s.offset)[0] ?? null,
  }];
}
