/** A value of another type than the API has at its place is told, or changes nothing that is read. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readObjects } from '../../../server/src/language/kubernetes/read.ts';
import { root } from '../language/fixtures.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type At = readonly (string | number)[];

const recorded = ['nodes', 'pods', 'services', 'endpointslices'].flatMap((f) => (JSON.parse(readFileSync(path.join(root, `test/fixtures/recorded/objects/${f}.json`), 'utf8')) as { items: Json[] }).items.slice(0, 3));

const meta = { name: 'x', namespace: 'shop', labels: { app: 'a' } };
const WRITTEN: readonly Json[] = [
  { apiVersion: 'v1', kind: 'Service', metadata: meta, spec: {
    type: 'LoadBalancer', clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], selector: { app: 'a' }, externalIPs: ['192.0.2.1'], sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local', healthCheckNodePort: 31000, allocateLoadBalancerNodePorts: false, publishNotReadyAddresses: true, loadBalancerSourceRanges: ['10.0.0.0/8'],
    trafficDistribution: 'PreferClose', externalName: 'a.b', ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30080, protocol: 'TCP' }],
  }, status: { loadBalancer: { ingress: [{ ip: '192.0.2.2', ipMode: 'Proxy' }] } } },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'x', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'x' } }, addressType: 'IPv4', ports: [{ name: 'http', port: 8080 }], endpoints: [
    { addresses: ['10.0.0.1'], nodeName: 'a', hostname: 'h', conditions: { ready: false, serving: true, terminating: true }, hints: { forZones: [{ name: 'z' }], forNodes: [{ name: 'a' }] } },
  ] },
  { apiVersion: 'v1', kind: 'Endpoints', metadata: meta, subsets: [{ addresses: [{ ip: '10.0.0.1', nodeName: 'a', hostname: 'h' }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [{ name: 'http', port: 80 }] }] },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: meta, spec: {
    podSelector: { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] }, policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }, { namespaceSelector: { matchLabels: { a: 'b' } } }], ports: [{ port: 80, endPort: 90, protocol: 'UDP' }] }], egress: [{ to: [{ podSelector: {} }] }],
  } },
  { apiVersion: 'v1', kind: 'Pod', metadata: meta, spec: {
    nodeName: 'a', hostNetwork: true, hostname: 'h', subdomain: 's', dnsPolicy: 'None', dnsConfig: { nameservers: ['10.0.0.1'], searches: ['a.b'], options: [{ name: 'ndots', value: '3' }] },
    containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 80, hostPort: 81, hostIP: '10.0.0.3', protocol: 'UDP' }] }], initContainers: [{ name: 'i', restartPolicy: 'Always', ports: [{ containerPort: 82 }] }],
  }, status: { phase: 'Running', podIP: '10.0.0.4', podIPs: [{ ip: '10.0.0.4' }], conditions: [{ type: 'Ready', status: 'True' }] } },
  { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'x' }, spec: { cidrs: ['10.96.0.0/12'] } },
];

/** Settings inside a text: `config` is mutated, and written into the ConfigMap. */
const CONFIGS: readonly (readonly [name: string, key: string, config: Json])[] = [
  ['kube-flannel-cfg', 'net-conf.json', { Network: '10.50.0.0/16', IPv6Network: 'fd00::/48', EnableIPv4: false, EnableIPv6: true, EnableNFTables: false, Backend: { Type: 'vxlan', VNI: 5, Port: 4789, MTU: 1300, DirectRouting: true } }],
  ['kube-proxy', 'config.conf', {
    mode: 'nftables', clusterCIDR: '10.0.0.0/8', detectLocalMode: 'InterfaceNamePrefix', detectLocal: { interfaceNamePrefix: 'v', bridgeInterface: 'b' }, nodePortAddresses: ['10.0.0.0/8'],
    iptables: { masqueradeAll: true, localhostNodePorts: false, masqueradeBit: 14 }, conntrack: { tcpBeLiberal: true },
  }],
  ['kubeadm-config', 'ClusterConfiguration', { networking: { dnsDomain: 'a.b', podSubnet: '10.0.0.0/8', serviceSubnet: '10.96.0.0/12' } }],
];

const OTHERS: readonly Json[] = [7, 'text', true, ['x'], { x: 'y' }];

function placesOf(value: Json, at: At = []): At[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...at, Array.isArray(value) ? Number(key) : key]))];
}

const valueAt = (value: Json, at: At): Json => at.reduce<Json>((v, key) => (v as Readonly<Record<string | number, Json>>)[key] ?? null, value);

function withValue(value: Json, at: At, by: Json): Json {
  const [first, ...rest] = at;
  if (first === undefined) return by;
  if (Array.isArray(value)) return value.map((inner: Json, i) => (i === first ? withValue(inner, rest, by) : inner));
  return Object.fromEntries(Object.entries(value as Readonly<Record<string, Json>>).map(([key, inner]) => [key, key === first ? withValue(inner, rest, by) : inner]));
}

/** A target port may be a name, too. */
const isFitting = (at: At, other: Json): boolean => at.at(-1) === 'targetPort' && typeof other === 'string';

const typeOf = (value: Json): string => (Array.isArray(value) ? 'list' : typeof value);

function reading(text: string): { readonly objects: string; readonly told: number } {
  const { objects, problems } = readObjects('x', text);
  return { objects: JSON.stringify(objects, (key, value: unknown) => (key === 'elsewhere' || key === 'place' ? undefined : value)), told: problems.length };
}

/** The mutations that change what is read and tell nothing. */
function silent(value: Json, written: (value: Json) => string): string[] {
  const before = reading(written(value));
  return placesOf(value).flatMap((at) => OTHERS.filter((other) => typeOf(other) !== typeOf(valueAt(value, at)) && !isFitting(at, other)).flatMap((other) => {
    const after = reading(written(withValue(value, at, other)));
    return after.told > before.told || after.objects === before.objects ? [] : [`${at.join('.')}: ${JSON.stringify(other)}`];
  }));
}

describe('a value of another type', () => {
  it.each([...WRITTEN, ...recorded].map((o) => [(o as { kind: string }).kind, o] as const))('in a %s is told, or changes nothing', (_, object) => {
    expect(silent(object, (o) => JSON.stringify(o))).toEqual([]);
  });

  it.each(CONFIGS)('in the ConfigMap %s is told, or changes nothing', (name, key, config) => {
    expect(silent(config, (c) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { [key]: JSON.stringify(c) } }))).toEqual([]);
  });

  it('is told where a number stands in quotes', () => {
    const { problems } = readObjects('x', JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { ports: [{ port: '80' }] } }));
    expect(problems.map((p) => p.message)).toEqual(['Service.spec.ports.port is a number']);
  });
});
