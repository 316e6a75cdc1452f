/** The recorded cluster's Kubernetes objects as a ClusterSpec, and what its nodes printed. */
import { readFileSync } from 'node:fs';
import { parseMac } from '../../../engine/src/net/address.ts';
import { makeRoute } from '../../../engine/src/control-plane/route.ts';
import { declared } from '../../../engine/src/topology/origin.ts';
import type { ClusterSpec, NetworkSpec, NodeSpec, PodSpec, ServicePortSpec, ServiceSpec } from '../../../engine/src/topology/spec.ts';
import { address, at, endpoint, network, node, pod, prefix, service, spec } from './specs.ts';

const ROOT = new URL('../../fixtures/recorded/', import.meta.url);

export const recordedText = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

interface Meta {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
}

interface NodeObject extends Meta {
  readonly spec: { readonly podCIDRs: readonly string[] };
  readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
}

interface PodObject extends Meta {
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string; readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

interface ServiceObject extends Meta {
  readonly spec: {
    readonly clusterIPs: readonly string[];
    readonly type: ServiceSpec['type'];
    readonly ports: readonly { readonly name?: string; readonly protocol: 'TCP' | 'UDP' | 'SCTP'; readonly port: number; readonly targetPort: number; readonly nodePort?: number }[];
    readonly selector?: Record<string, string>;
    readonly externalIPs?: readonly string[];
    readonly loadBalancerSourceRanges?: readonly string[];
    readonly sessionAffinity: string;
    readonly sessionAffinityConfig?: { readonly clientIP: { readonly timeoutSeconds: number } };
    readonly externalTrafficPolicy?: 'Cluster' | 'Local';
    readonly internalTrafficPolicy: 'Cluster' | 'Local';
    readonly healthCheckNodePort?: number;
  };
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] } };
}

interface SliceObject extends Meta {
  readonly endpoints: readonly { readonly addresses: readonly string[] }[];
}

const items = (kind: string): readonly unknown[] => (JSON.parse(recordedText(`objects/${kind}.json`)) as { readonly items: readonly unknown[] }).items;

function nodeOf(object: NodeObject): NodeSpec {
  const internal = object.status.addresses.find((a) => a.type === 'InternalIP')?.address ?? '';
  const data = JSON.parse(object.metadata.annotations?.['flannel.alpha.coreos.com/backend-data'] ?? '{}') as { readonly VtepMAC?: string };
  const plain = node(object.metadata.name, `${internal}/24`, object.spec.podCIDRs.join(', '));
  // Only host1 has the article's interface name, and a docker0.
  const docker = { name: 'docker0', addresses: [prefix('172.17.0.1/16')], network: null, mac: null, mtu: null, at: at(11) };
  const interfaces = object.metadata.name === 'host1' ? [...plain.interfaces.map((i) => ({ ...i, name: 'eno16777984' })), docker] : plain.interfaces;
  return { ...plain, interfaces, vtepMac: parseMac(data.VtepMAC ?? '') ?? null };
}

function podOf(object: PodObject): PodSpec {
  const ready = object.status.conditions.find((c) => c.type === 'Ready')?.status === 'True';
  return pod(`${object.metadata.namespace}/${object.metadata.name}`, object.spec.nodeName, object.status.podIP, { labels: object.metadata.labels ?? {}, ready });
}

function serviceOf(object: ServiceObject, slices: readonly SliceObject[]): ServiceSpec {
  const { spec: s, metadata } = object;
  const ports = s.ports.map((p): ServicePortSpec => ({ name: p.name ?? '', protocol: p.protocol, port: p.port, targetPort: p.targetPort, targetPortName: null, nodePort: p.nodePort ?? null, at: at(31) }));
  const written = s.selector === undefined ? slices.filter((e) => e.metadata.labels?.['kubernetes.io/service-name'] === metadata.name).flatMap((e) => e.endpoints.flatMap((x) => x.addresses)) : [];
  return service(`${metadata.namespace}/${metadata.name}`, s.clusterIPs.filter((ip) => ip !== 'None').join(', '), ports, {
    type: s.type,
    selector: s.selector ?? null,
    endpoints: written.map((a) => endpoint(a)),
    externalAddresses: (s.externalIPs ?? []).map(address),
    loadBalancerAddresses: (object.status.loadBalancer.ingress ?? []).map((i) => address(i.ip)),
    loadBalancerSourceRanges: (s.loadBalancerSourceRanges ?? []).map(prefix),
    sessionAffinitySeconds: s.sessionAffinity === 'ClientIP' ? (s.sessionAffinityConfig?.clientIP.timeoutSeconds ?? 10800) : null,
    externalTrafficPolicy: s.externalTrafficPolicy ?? 'Cluster',
    internalTrafficPolicy: s.internalTrafficPolicy,
    healthCheckNodePort: s.healthCheckNodePort ?? null,
  });
}

/** The recorded router owned an address of the internet itself, and sent the load balancers' network to host1. */
function recordedNetwork(): NetworkSpec {
  const toHost1 = makeRoute({ destination: prefix('198.51.100.0/24'), via: address('192.168.93.212'), device: 'eth0', origin: declared(at(3)) });
  return network('lan', '192.168.93.0/24', '192.168.93.254, 203.0.113.7', { routes: [toHost1] });
}

/** Pod network 10.0.0.0/16, service network 10.16.0.0/16, as kube-proxy and flannel were started with. */
export function recordedSpec(): ClusterSpec {
  const slices = items('endpointslices') as readonly SliceObject[];
  return spec({
    networks: [recordedNetwork()],
    nodes: (items('nodes') as readonly NodeObject[]).map(nodeOf),
    pods: (items('pods') as readonly PodObject[]).map(podOf),
    services: (items('services') as readonly ServiceObject[]).map((s) => serviceOf(s, slices)),
  });
}
