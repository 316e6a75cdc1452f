/** Changes of what the file declares: who is ready, what a selector selects, which port is meant, who may come. */
import { closest, editDistance } from '../closest.ts';
import { formatPrefix, hostPrefix } from '../net/address.ts';
import { selects } from '../control-plane/endpoints.ts';
import { namespaceOfPod, podName } from '../topology/lookup.ts';
import type { Labels } from '../topology/model.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { ClusterSpec, PodSpec, ServicePortSpec, ServiceSpec } from '../topology/spec.ts';
import { shortName } from '../trace/party-names.ts';
import { inPlace, podOwner, serviceOwner, withPod, withService } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import type { Edit, Owner } from './explanation.ts';
import { askedService, conversationAt } from './situation.ts';
import type { Situation } from './situation.ts';

export function aroundTheService(situation: Situation): readonly Candidate[] {
  const asked = askedService(situation);
  const spec = situation.spec.services.find((s) => asked !== undefined && podName(s) === podName(asked.service));
  const found = spec === undefined ? [] : [...readiness(situation, spec), ...selectors(situation, spec), ...targets(situation, spec), ...policies(spec), ...sourceRanges(situation, spec)];
  return [...found, ...listening(situation)];
}

interface Declared {
  readonly wrong: string;
  readonly at: SourceRef;
  readonly title: string;
  readonly edits: readonly Edit[];
  readonly applied: (spec: ClusterSpec) => ClusterSpec;
}

const candidate = ({ last }: Situation, change: Declared): Candidate => ({ ...change, host: last?.host ?? '', namespace: last?.namespace ?? '' });

const statement = (owner: Owner, keyword: string, text: string | null, at: SourceRef | null = null): Edit => ({ kind: 'statement', owner, inside: null, keyword, at, text });

const named = (pods: readonly PodSpec[]): string => {
  const names = pods.map(shortName);
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
};

/** The pods that the selector takes are not ready. */
function readiness(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const { selector } = service;
  const pods = selector === null ? [] : situation.spec.pods.filter((p) => p.namespace === service.namespace && selects(selector, p.labels) && !p.ready);
  const [first] = pods;
  if (first === undefined) return [];
  return [candidate(situation, {
    wrong: `${named(pods)} ${pods.length === 1 ? 'is' : 'are'} not ready${inPlace(first.at)}, so ${pods.length === 1 ? 'it is' : 'they are'} no endpoint of service ${podName(service)}.`,
    at: first.at,
    title: `make ${named(pods)} ready`,
    edits: pods.map((p) => statement(podOwner(podName(p)), 'not-ready', null)),
    applied: (spec) => pods.reduce((now, pod) => withPod(now, podName(pod), (p) => ({ ...p, ready: true })), spec),
  })];
}

/** The selector takes no pod; the pods that it nearly takes say what was meant. */
function selectors(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const { selector } = service;
  if (selector === null) return [];
  const pods = situation.spec.pods.filter((p) => p.namespace === service.namespace);
  if (pods.some((p) => selects(selector, p.labels))) return [];
  const meant = pods.flatMap((pod) => {
    const labels = nearest(selector, pod.labels);
    return labels === undefined ? [] : [{ pod, labels, alike: Object.entries(selector).filter(([k, v]) => pod.labels[k] === v).length }];
  }).sort((a, b) => b.alike - a.alike || distanceOf(selector, a.labels) - distanceOf(selector, b.labels));
  const seen = new Set<string>();
  return meant.filter(({ labels }) => !seen.has(labelText(labels)) && seen.add(labelText(labels))).slice(0, 2).map(({ pod, labels }) => candidate(situation, {
    wrong: `The selector ${labelText(selector)} of service ${podName(service)}${inPlace(service.at)} selects no pod; ${shortName(pod)}${inPlace(pod.at)} has ${labelText(labels)}.`,
    at: service.at,
    title: `let service ${podName(service)} select ${labelText(labels)}`,
    edits: [statement(serviceOwner(service), 'selector', `selector ${labelText(labels)}`)],
    applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, selector: labels })),
  }));
}

/** How many letters would have to be mistyped. */
const distanceOf = (meant: Labels, labels: Labels): number => editDistance(labelText(meant), labelText(labels), 100);

/** The selector with the pod's values; a key that the pod lacks is taken for its nearest, or left out. */
function nearest(selector: Labels, labels: Labels): Labels | undefined {
  const pairs = Object.keys(selector).flatMap((key): readonly (readonly [string, string])[] => {
    const name = Object.hasOwn(labels, key) ? key : closest(key, Object.keys(labels));
    const value = name === undefined ? undefined : labels[name];
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

const labelText = (labels: Labels): string => Object.entries(labels).map(([k, v]) => `${k}=${v}`).join(', ');

const portText = (p: ServicePortSpec, target: number): string =>
  `port ${p.name === '' ? '' : `${p.name} `}${p.port}/${p.protocol}${target === p.port ? '' : ` -> ${target}`}${p.nodePort === null ? '' : ` node-port ${p.nodePort}`}`;

/** The pods listen elsewhere than where the service sends. */
function targets(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const asked = askedService(situation);
  const port = service.ports.find((p) => p.protocol === asked?.port?.protocol && p.port === asked.port.port);
  if (port === undefined || situation.reason?.code !== 'port-closed') return [];
  return listenersAt(situation, port.protocol).filter((n) => n !== port.targetPort).slice(0, 3).map((target) => candidate(situation, {
    wrong: `Service ${podName(service)} sends ${port.port}/${port.protocol} to port ${port.targetPort}${inPlace(port.at)}, and ${receiverName(situation)} listens on ${target}/${port.protocol}.`,
    at: port.at,
    title: `let service ${podName(service)} send to port ${target}`,
    edits: [statement(serviceOwner(service), 'port', portText(port, target), port.at)],
    applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, ports: s.ports.map((p) => (p.at.line === port.at.line && p.port === port.port && p.protocol === port.protocol ? { ...p, targetPort: target, targetPortName: null } : p)) })),
  }));
}

const receiverName = ({ last }: Situation): string => (last === undefined || last.namespace === 'root' ? (last?.host ?? '') : last.namespace.replace(/^default\//, ''));

function listenersAt({ topology, last }: Situation, protocol: string): readonly number[] {
  const pod = topology.pods.find((p) => podName(p) === last?.namespace);
  const listeners = pod === undefined ? undefined : namespaceOfPod(topology, pod)?.listeners;
  return listeners?.kind !== 'only' ? [] : listeners.listeners.filter((l) => l.protocol === protocol).map((l) => l.port);
}

/** Nothing listens on the port: the file may lack that it does. */
function listening(situation: Situation): readonly Candidate[] {
  const { last, spec, reason } = situation;
  const pod = reason?.code === 'port-closed' ? spec.pods.find((p) => podName(p) === last?.namespace) : undefined;
  const packet = last === undefined ? undefined : conversationAt(last);
  if (pod === undefined || pod.listeners === null || packet === undefined || packet.destinationPort === null || packet.protocol === null) return [];
  const listener = { protocol: packet.protocol.toUpperCase() as 'TCP' | 'UDP' | 'SCTP', port: packet.destinationPort };
  const listeners = [...pod.listeners, listener];
  const text = listeners.map((l) => `${l.port}/${l.protocol}`).join(', ');
  return [candidate(situation, {
    wrong: `${shortName(pod)}${inPlace(pod.at)} listens on ${pod.listeners.map((l) => `${l.port}/${l.protocol}`).join(', ') || 'nothing'}, not on ${listener.port}/${listener.protocol}.`,
    at: pod.at,
    title: `let ${shortName(pod)} listen on ${listener.port}/${listener.protocol}`,
    edits: [statement(podOwner(podName(pod)), 'listen', `listen ${text}`)],
    applied: (now) => withPod(now, podName(pod), (p) => ({ ...p, listeners })),
  })];
}

/** Local policies leave out the endpoints of other nodes. */
function policies(service: ServiceSpec): readonly Candidate[] {
  return (['external', 'internal'] as const).flatMap((which): readonly Candidate[] => {
    const key = `${which}TrafficPolicy` as const;
    if (service[key] !== 'Local') return [];
    return [{
      wrong: `Service ${podName(service)}${inPlace(service.at)} has ${which}-traffic-policy Local, and no ready endpoint of it is on the node that was asked.`,
      host: '', namespace: '', at: service.at,
      title: `set ${which}-traffic-policy Cluster for service ${podName(service)}`,
      edits: [statement(serviceOwner(service), `${which}-traffic-policy`, `${which}-traffic-policy Cluster`)],
      applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, [key]: 'Cluster' })),
    }];
  });
}

function sourceRanges(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const [first] = situation.branch.request.hops;
  const packet = first === undefined ? undefined : conversationAt({ ...first, steps: [] });
  if (service.loadBalancerSourceRanges.length === 0 || packet === undefined) return [];
  const ranges = [...service.loadBalancerSourceRanges, hostPrefix(packet.source)];
  return [candidate(situation, {
    wrong: `The load-balancer-source-ranges of service ${podName(service)}${inPlace(service.at)} do not contain the sender ${formatPrefix(hostPrefix(packet.source))}.`,
    at: service.at,
    title: `let ${formatPrefix(hostPrefix(packet.source))} use the load balancer of service ${podName(service)}`,
    edits: [statement(serviceOwner(service), 'load-balancer-source-ranges', `load-balancer-source-ranges ${ranges.map(formatPrefix).join(', ')}`)],
    applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, loadBalancerSourceRanges: ranges })),
  })];
}
