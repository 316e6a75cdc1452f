/** The recorded cluster as a `.k8snet` file that names its dumps: test/fixtures/recorded, three hosts, kube-proxy 1.30. */
import { readFileSync } from 'node:fs';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';

const ROOT = new URL('../../fixtures/recorded/', import.meta.url).pathname;

const read = (path: string): string => readFileSync(ROOT + path, 'utf8');

const HOSTS = [['host1', '192.168.93.212', '10.0.14.0/24'], ['host2', '192.168.93.213', '10.0.5.0/24'], ['host3', '192.168.93.214', '10.0.0.0/24']] as const;

const node = ([name, address, cidr]: (typeof HOSTS)[number]): string => `
node ${name} {
  interface eno16777984 ${address}/24 on lan
  pod-cidr ${cidr}
  addresses from "nodes/${name}/ip-addr.txt"
  links from "nodes/${name}/ip-link.txt"
  routes from "nodes/${name}/ip-route-all.txt"
  rules from "nodes/${name}/ip-rule.txt"
  neighbours from "nodes/${name}/ip-neigh.txt"
  fdb from "nodes/${name}/bridge-fdb.txt"
  iptables from "nodes/${name}/iptables-save.txt"
  sysctl from "nodes/${name}/sysctl.txt"
  listen 6443/TCP, 8080/TCP, 53/TCP, 53/UDP
}`;

interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string };
}

const pod = ({ metadata, spec, status }: PodObject): string => `
pod ${metadata.namespace}/${metadata.name} on ${spec.nodeName} {
  ip ${status.podIP}
  listen 8080/TCP, 9153/TCP, 53/TCP, 6443/TCP, 53/UDP, 5353/UDP, 38412/SCTP
}`;

export function recordedSnapshot(): Snapshot {
  const pods = (JSON.parse(read('objects/pods.json')) as { items: PodObject[] }).items;
  const text = `
cluster demo { pod-cidr 10.0.0.0/16; service-cidr 10.16.0.0/16 }
network lan 192.168.93.0/24 {
  gateway 192.168.93.254
  routes { 
    198.51.100.0/24 via 192.168.93.212 dev eth0
  }
}
external internet 203.0.113.7
${HOSTS.map(node).join('\n')}
${pods.map(pod).join('\n')}
`;
  return createSnapshot({ file: 'recorded.k8snet', text, readFile: read });
}

export const observedFrom = (name: string): readonly Observation[] =>
  read(`observed-from-${name}.jsonl`).trim().split('\n').map((line) => JSON.parse(line) as Observation);

export interface Observation {
  readonly dst: string;
  readonly port: number;
  readonly proto: 'TCP' | 'UDP' | 'ICMP' | 'SCTP';
  readonly seen: readonly string[];
}
