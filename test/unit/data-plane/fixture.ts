/** Small clusters as text, and what a trace says in the few words that a test reads. */
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import type { Namespace, Topology } from '../../../engine/src/topology/model.ts';
import type { Branch, Hop, Step } from '../../../engine/src/trace/model.ts';

/** What stands in the braces of each. */
export interface Parts {
  readonly cluster?: string;
  readonly network?: string;
  readonly host1?: string;
  readonly host2?: string;
  readonly pod1?: string;
  readonly pod2?: string;
  readonly more?: string;
}

/** host1 with pod1 and pod3, host2 with pod2, an external behind a router, a service of pod2. */
export const clusterText = (parts: Parts = {}): string => `
cluster demo { pod-cidr 10.0.0.0/16; service-cidr 10.16.0.0/16
  ${parts.cluster ?? ''}
}
network lan 192.168.93.0/24 { gateway 192.168.93.254
  ${parts.network ?? ''}
}
external out 203.0.113.7
node host1 { interface eth0 192.168.93.212/24 on lan; pod-cidr 10.0.14.0/24
  ${parts.host1 ?? ''}
}
node host2 { interface eth0 192.168.93.213/24 on lan; pod-cidr 10.0.5.0/24
  ${parts.host2 ?? ''}
}
pod pod1 on host1 { ip 10.0.14.15; labels app=near
  ${parts.pod1 ?? ''}
}
pod pod3 on host1 { ip 10.0.14.16; labels app=near; listen 8080/TCP, 8080/UDP }
pod pod2 on host2 { ip 10.0.5.150; labels app=far; listen 8080/TCP, 8080/UDP, 38412/SCTP
  ${parts.pod2 ?? ''}
}
service far { cluster-ip 10.16.0.20; port http 80/TCP -> 8080; port dns 53/UDP -> 8080; port sig 38412/SCTP; selector app=far }
service near { cluster-ip 10.16.0.21; port http 80/TCP -> 8080; selector app=near }
${parts.more ?? ''}
`;

export interface Asked {
  readonly from: string;
  readonly to: string;
  /** Bytes behind the transport header. */
  readonly payload?: number;
}

export function branches(text: string, { from, to, payload }: Asked): readonly Branch[] {
  const snapshot = createSnapshot({ file: 'test.k8snet', text });
  const errors = snapshot.diagnostics.filter((d) => d.severity === 'error' && d.slug.includes('unknown-keyword'));
  if (errors.length > 0) throw new Error(errors.map((e) => e.message).join('\n'));
  const question = resolveQuestion(snapshot.topology(), { from, to });
  if (!('flow' in question)) throw new Error(question.error);
  return runTrace(snapshot.compiled(), payload === undefined ? question.flow : { ...question.flow, payload }).branches;
}

/** The only branch. */
export function trace(text: string, asked: Asked): Branch {
  const [only, ...others] = branches(text, asked);
  if (only === undefined || others.length > 0) throw new Error(`${others.length + 1} branches`);
  return only;
}

/** `host1/eth0 out`; a pod's interfaces under its own name. */
export const path = (hops: readonly Hop[]): readonly string[] =>
  hops.map((h) => `${h.namespace === 'root' ? h.host : (h.namespace.split('/')[1] ?? h.namespace)}/${h.interface.replace(/^veth.*/, 'veth')} ${h.direction}`);

export const stepsOf = (hops: readonly Hop[]): readonly Step[] => hops.flatMap((h) => h.steps);

export function stages<S extends Step['stage']>(hops: readonly Hop[], stage: S): readonly Extract<Step, { stage: S }>[] {
  return stepsOf(hops).filter((s): s is Extract<Step, { stage: S }> => s.stage === stage);
}

/** The outermost IP header of a hop as `source > destination ttl`. */
export function ipOf(hop: Hop | undefined): string {
  const ip = hop?.packet.find((h) => h.header === 'ipv4' || h.header === 'ipv6');
  if (ip?.header === 'ipv4') return `${ip.source} > ${ip.destination} ttl ${ip.ttl}`;
  if (ip?.header === 'ipv6') return `${ip.source} > ${ip.destination} ttl ${ip.hopLimit}`;
  return '';
}

export const hopAt = (hops: readonly Hop[], where: string): Hop | undefined => hops[path(hops).indexOf(where)];

type Writable<T> = T extends number | string | boolean | null ? T : T extends readonly (infer U)[] ? Writable<U>[] : { -readonly [K in keyof T]: Writable<T[K]> };
export type WritableNamespace = Writable<Namespace>;

/** The same with one namespace changed by hand, for state that has no statement of its own. */
export function branchesAfter(text: string, asked: Asked, where: readonly [host: string, namespace: string], change: (namespace: WritableNamespace) => void): readonly Branch[] {
  const topology = structuredClone(createSnapshot({ file: 'test.k8snet', text }).topology()) as unknown as Writable<Topology>;
  const namespace = topology.hosts.find((h) => h.name === where[0])?.namespaces.find((n) => n.name === where[1]);
  if (namespace === undefined) throw new Error(`no ${where.join(' ')}`);
  change(namespace);
  const question = resolveQuestion(topology as unknown as Topology, asked);
  if (!('flow' in question)) throw new Error(question.error);
  const flow = asked.payload === undefined ? question.flow : { ...question.flow, payload: asked.payload };
  return runTrace(compileTopology(topology as unknown as Topology), flow).branches;
}

export function traceAfter(...args: Parameters<typeof branchesAfter>): Branch {
  const [only, ...others] = branchesAfter(...args);
  if (only === undefined || others.length > 0) throw new Error(`${others.length + 1} branches`);
  return only;
}

export const deviceOf = (namespace: WritableNamespace, name: string): WritableNamespace['interfaces'][number] => {
  const device = namespace.interfaces.find((i) => (name === 'veth' ? i.name.startsWith('veth') : i.name === name));
  if (device === undefined) throw new Error(`no ${name}`);
  return device;
};
