/** Changes of ports: which one a service means, what a pod calls it, what listens. */
import { closest } from '../closest.ts';
import { selects } from '../control-plane/selection.ts';
import { sameAddress } from '../net/address.ts';
import { podName } from '../topology/lookup.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Listener } from '../topology/model.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { ClusterSpec, PodPortSpec, PodSpec, ServicePortSpec, ServiceSpec } from '../topology/spec.ts';
import { shortName } from '../trace/party-names.ts';
import { inPlace, nodeOwner, podOwner, serviceOwner, withNode, withPod, withService } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { patched } from './commands.ts';
import { candidate, statement } from './declared-change.ts';
import type { Command, Owner } from './explanation.ts';
import { askedService, conversationAt } from './situation.ts';
import type { Situation } from './situation.ts';

export function aroundThePort(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const asked = askedService(situation);
  const port = service.ports.find((p) => p.protocol === asked?.port?.protocol && p.port === asked.port.port);
  if (port === undefined) return asked?.port === undefined ? [...otherProtocol(situation, service), ...listenedPort(situation, service)] : [];
  const named = unknownName(situation, service, port);
  switch (situation.reason?.code) {
    case 'port-closed': return [...named, ...namedNumber(situation, port), ...targets(situation, service, port)];
    // A policy that shuts out a port that nothing listens on may be right, and the service's target wrong.
    case 'network-policy': return [...named, ...targets(situation, service, port)];
    default: return named;
  }
}

const targetText = (target: number | string): string => String(target);

function portText(p: ServicePortSpec, target: number | string): string {
  const nodePort = p.nodePort === null ? '' : ` node-port ${p.nodePort}`;
  return `port ${p.name === '' ? '' : `${p.name} `}${p.port}/${p.protocol}${target === p.port ? '' : ` -> ${targetText(target)}`}${nodePort}`;
}

const isSame = (a: ServicePortSpec, b: ServicePortSpec): boolean => a.at.line === b.at.line && a.port === b.port && a.protocol === b.protocol;

const withPort = (service: ServiceSpec, port: ServicePortSpec, change: (p: ServicePortSpec) => ServicePortSpec) => (spec: ClusterSpec): ClusterSpec =>
  withService(spec, podName(service), (s) => ({ ...s, ports: s.ports.map((p) => (isSame(p, port) ? change(p) : p)) }));

const portPatch = (service: ServiceSpec, port: ServicePortSpec, field: 'targetPort' | 'protocol', value: number | string): Command =>
  patched(service.namespace, 'service', service.name, [{ op: 'replace', path: `/spec/ports/${service.ports.indexOf(port)}/${field}`, value }]);

/** `port http 80/TCP` to another target. */
function retarget(situation: Situation, service: ServiceSpec, port: ServicePortSpec, target: number | string, wrong: string): Candidate {
  const targetPort = typeof target === 'number' ? target : port.targetPort;
  return candidate(situation, {
    wrong,
    at: port.at,
    title: `let service ${podName(service)} send to port ${targetText(target)}`,
    edits: [statement(serviceOwner(service), 'port', portText(port, target), port.at)],
    commands: [portPatch(service, port, 'targetPort', target)],
    applied: withPort(service, port, (p) => ({ ...p, targetPort, targetPortName: typeof target === 'number' ? null : target })),
  });
}

/** The pods' ports have other names than the one that the service sends to. */
function unknownName(situation: Situation, service: ServiceSpec, port: ServicePortSpec): readonly Candidate[] {
  const { selector } = service;
  const name = port.targetPortName;
  if (selector === null || name === null) return [];
  const pods = situation.spec.pods.filter((p) => p.namespace === service.namespace && selects(selector, p.labels));
  const ports = pods.flatMap((p) => p.ports.filter((each) => each.protocol === port.protocol));
  const [first] = pods;
  if (first === undefined || ports.some((p) => p.name === name)) return [];
  const names = [...new Set(ports.map((p) => p.name).filter((n) => n !== ''))];
  const listened = first.listeners?.filter((l) => l.protocol === port.protocol).map((l) => l.port) ?? [];
  const near = closest(name, names);
  const has = names.length === 0 ? 'names no port' : `calls its ${names.length === 1 ? 'port' : 'ports'} ${names.map((n) => `'${n}'`).join(', ')}`;
  const wrong = `Service ${podName(service)} sends ${port.port}/${port.protocol} to the port named '${name}'${inPlace(port.at)}, and ${shortName(first)}${inPlace(first.at)} ${has}, so it is no endpoint.`;
  const meant = [...(near === undefined ? [] : [near]), ...names.filter((n) => n !== near)];
  return [...meant, ...listened].slice(0, 3).map((target) => retarget(situation, service, port, target, wrong));
}

/** A container's port with the right name has a number at which nothing listens. */
function namedNumber(situation: Situation, port: ServicePortSpec): readonly Candidate[] {
  const pod = situation.spec.pods.find((p) => podName(p) === situation.last?.namespace);
  const own = pod?.ports.find((p) => p.name === port.targetPortName && p.protocol === port.protocol);
  if (pod === undefined || own === undefined) return [];
  return listenersAt(pod, port.protocol).filter((n) => n !== own.port).slice(0, 2).map((number) => candidate(situation, {
    wrong: `${shortName(pod)} calls ${own.port}/${own.protocol} '${own.name}'${inPlace(own.at)}, to which the service sends, and listens on ${number}/${own.protocol}.`,
    at: own.at,
    title: `let ${shortName(pod)} call ${number}/${own.protocol} '${own.name}'`,
    edits: [statement(podOwner(podName(pod)), 'port', containerPortText(own, number), own.at)],
    applied: (spec) => withPod(spec, podName(pod), (p) => ({ ...p, ports: p.ports.map((each) => (each.name === own.name && each.protocol === own.protocol ? { ...each, port: number } : each)) })),
  }));
}

const containerPortText = (p: PodPortSpec, number: number): string => `port ${p.name} ${number}/${p.protocol}${p.hostPort === null ? '' : ` host-port ${p.hostPort}`}`;

/** The pods listen elsewhere than where the service sends. */
function targets(situation: Situation, service: ServiceSpec, port: ServicePortSpec): readonly Candidate[] {
  const pod = receivingPod(situation);
  if (pod === undefined) return [];
  const now = port.targetPortName === null ? port.targetPort : (pod.ports.find((p) => p.name === port.targetPortName && p.protocol === port.protocol)?.port ?? port.targetPort);
  const listened = listenersAt(pod, port.protocol);
  return listened.includes(now) ? [] : listened.slice(0, 3).map((target) =>
    retarget(situation, service, port, target, `Service ${podName(service)} sends ${port.port}/${port.protocol} to port ${now}${inPlace(port.at)}, and ${shortName(pod)} listens on ${target}/${port.protocol}.`));
}

/** Whom the packet is for where it ended: it may not have come in. */
function receivingPod({ spec, last }: Situation): PodSpec | undefined {
  const destination = last === undefined ? undefined : conversationAt(last)?.destination;
  return spec.pods.find((p) => podName(p) === last?.namespace && last.namespace !== ROOT_NAMESPACE && p.addresses.some((a) => destination === undefined || sameAddress(a, destination)))
    ?? spec.pods.find((p) => destination !== undefined && !p.hostNetwork && p.addresses.some((a) => sameAddress(a, destination)));
}

/** The service lacks a port on which its pods listen. */
function listenedPort(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const { selector } = service;
  const { destinationPort: number, protocol } = situation.flow;
  // Ports beside others have names (validateServicePort in pkg/apis/core/validation), and to name one that has none is another change.
  if (selector === null || protocol === 'ICMP' || service.ports.some((p) => p.name === '')) return [];
  const pod = situation.spec.pods.find((p) => p.namespace === service.namespace && selects(selector, p.labels) && listenersAt(p, protocol).includes(number));
  if (pod === undefined) return [];
  const name = `port-${number}`;
  const added: ServicePortSpec = { name, protocol, port: number, targetPort: number, targetPortName: null, nodePort: null, at: service.at };
  return [candidate(situation, {
    wrong: `Service ${podName(service)}${inPlace(service.at)} has no port ${number}/${protocol}, on which ${shortName(pod)}${inPlace(pod.at)} listens: it answers on ${service.ports.map((p) => `${p.port}/${p.protocol}`).join(', ')}.`,
    at: service.at,
    title: `let service ${podName(service)} offer ${number}/${protocol}, too`,
    edits: [statement(serviceOwner(service), portText(added, number), portText(added, number))],
    commands: [patched(service.namespace, 'service', service.name, [{ op: 'add', path: '/spec/ports/-', value: { name, protocol, port: number, targetPort: number } }])],
    applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, ports: [...s.ports, added] })),
  })];
}

const listenersAt = (pod: PodSpec, protocol: string): readonly number[] => (pod.listeners ?? []).filter((l) => l.protocol === protocol).map((l) => l.port);

/** The service has the port, by another protocol. */
function otherProtocol(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const { destinationPort, protocol } = situation.flow;
  if (protocol === 'ICMP') return [];
  return service.ports.filter((p) => p.port === destinationPort && p.protocol !== protocol).slice(0, 1).map((port) => candidate(situation, {
    wrong: `Service ${podName(service)} has port ${port.port} by ${port.protocol} only${inPlace(port.at)}, not by ${protocol}.`,
    at: port.at,
    title: `let service ${podName(service)} offer ${port.port}/${protocol}`,
    edits: [statement(serviceOwner(service), 'port', portText({ ...port, protocol }, port.targetPortName ?? port.targetPort), port.at)],
    commands: [portPatch(service, port, 'protocol', protocol)],
    applied: withPort(service, port, (p) => ({ ...p, protocol })),
  }));
}

interface Listening {
  readonly name: string;
  readonly owner: Owner;
  readonly listeners: readonly Listener[];
  readonly at: SourceRef;
  readonly applied: (spec: ClusterSpec, listeners: readonly Listener[]) => ClusterSpec;
}

/** Nothing listens on the port: the file may lack that it does. */
export function aroundTheListener(situation: Situation): readonly Candidate[] {
  const { last, reason } = situation;
  const packet = last === undefined || reason?.code !== 'port-closed' ? undefined : conversationAt(last);
  const place = packet === undefined ? undefined : listeningAt(situation);
  if (place === undefined || packet === undefined || packet.destinationPort === null || packet.protocol === null) return [];
  const listener = { protocol: packet.protocol.toUpperCase() as Listener['protocol'], port: packet.destinationPort };
  const listeners = [...place.listeners, listener];
  const text = (l: Listener): string => `${l.port}/${l.protocol}`;
  return [candidate(situation, {
    wrong: `${place.name}${inPlace(place.at)} listens on ${place.listeners.map(text).join(', ') || 'nothing'}, not on ${text(listener)}.`,
    at: place.at,
    title: `let ${place.name} listen on ${text(listener)}`,
    edits: [statement(place.owner, 'listen', `listen ${listeners.map(text).join(', ')}`)],
    applied: (spec) => place.applied(spec, listeners),
  })];
}

function listeningAt({ last, spec }: Situation): Listening | undefined {
  const pod = spec.pods.find((p) => podName(p) === last?.namespace);
  if (pod !== undefined) return pod.listeners === null ? undefined : { name: shortName(pod), owner: podOwner(podName(pod)), listeners: pod.listeners, at: pod.at, applied: (now, listeners) => withPod(now, podName(pod), (p) => ({ ...p, listeners })) };
  if (last?.namespace !== ROOT_NAMESPACE) return undefined;
  const node = spec.nodes.find((n) => n.name === last.host);
  if (node !== undefined && node.listeners !== null) return { name: node.name, owner: nodeOwner(node.name), listeners: node.listeners, at: node.at, applied: (now, listeners) => withNode(now, node.name, (n) => ({ ...n, listeners })) };
  const external = spec.externals.find((e) => e.name === last.host);
  if (external === undefined || external.listeners === null) return undefined;
  return {
    name: external.name, owner: { kind: 'external', name: external.name }, listeners: external.listeners, at: external.at,
    applied: (now, listeners) => ({ ...now, externals: now.externals.map((e) => (e.name === external.name ? { ...e, listeners } : e)) }),
  };
}
