/** Endpoints that were written by hand, or captured: nobody's address, another port, not ready. */
import { endpointText } from '../control-plane/endpoints.ts';
import { selects } from '../control-plane/selection.ts';
import { groupBy } from '../group-by.ts';
import { formatAddress, sameAddress } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import { podName } from '../topology/lookup.ts';
import type { EndpointSpec, PodSpec, ServicePortSpec, ServiceSpec } from '../topology/spec.ts';
import { shortName } from '../trace/party-names.ts';
import { inPlace, serviceOwner, withService } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { candidate, statement } from './declared-change.ts';
import { askedService, conversationAt } from './situation.ts';
import type { Situation } from './situation.ts';

export function aroundTheEndpoints(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  const asked = askedService(situation)?.port;
  const port = service.ports.find((p) => p.port === asked?.port && p.protocol === asked.protocol);
  if (port === undefined || service.endpoints.length === 0) return [];
  return [...nobodys(situation, service, port), ...otherPorts(situation, service, port), ...notReady(situation, service)];
}

/** Addresses with the same words behind them are one statement. */
const statementsOf = (endpoints: readonly EndpointSpec[]): readonly (readonly EndpointSpec[])[] => [...groupBy(endpoints, (e) => `${e.at.file}:${e.at.line}`).values()];

/** `null`: it goes. Of what has hints the words are not known. */
function statementText(endpoints: readonly EndpointSpec[]): string | null {
  const [first] = endpoints;
  if (first === undefined) return null;
  const addresses = endpoints.map((e) => (e.port === null ? formatAddress(e.address) : endpointText({ address: e.address, port: e.port })));
  const state = first.ready ? '' : ` state ${first.terminating ? (first.serving ? 'terminating' : 'terminating-not-ready') : 'not-ready'}`;
  return `endpoints ${addresses.join(', ')}${first.portName === null ? '' : ` port ${first.portName}`}${first.node === null ? '' : ` on ${first.node}`}${state}${first.hostname === null ? '' : ` hostname ${first.hostname}`}`;
}

interface Changed {
  readonly wrong: string;
  readonly title: string;
  readonly of: EndpointSpec;
  /** What stands there instead; nothing: it goes. */
  readonly instead: readonly EndpointSpec[];
}

function changed(situation: Situation, service: ServiceSpec, { wrong, title, of, instead }: Changed): readonly Candidate[] {
  const whole = statementsOf(service.endpoints).find((s) => s.includes(of)) ?? [];
  if (whole.some((e) => e.hints !== null)) return [];
  const after = (endpoints: readonly EndpointSpec[]): readonly EndpointSpec[] => endpoints.flatMap((e) => (e === of ? instead : [e]));
  return [candidate(situation, {
    wrong, title, at: of.at,
    edits: [statement(serviceOwner(service), 'endpoints', statementText(after(whole)), of.at)],
    applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, endpoints: after(s.endpoints) })),
  })];
}

/** The address that the flow was translated to is of no pod, node or external. */
function nobodys(situation: Situation, service: ServiceSpec, port: ServicePortSpec): readonly Candidate[] {
  const hop = situation.phase === 'request' ? situation.last : undefined;
  const packet = hop === undefined ? undefined : conversationAt(hop);
  const stale = service.endpoints.find((e) => packet !== undefined && sameAddress(e.address, packet.destination));
  if (stale === undefined || ownerOf(situation, stale.address) !== undefined) return [];
  const text = endpointText({ address: stale.address, port: stale.port ?? port.targetPort });
  const wrong = `Service ${podName(service)} has the endpoint ${text}${inPlace(stale.at)}, and nobody has that address.`;
  const meant = behind(situation, service).filter((pod) => !service.endpoints.some((e) => pod.addresses.some((a) => sameAddress(a, e.address))));
  const replaced = meant.slice(0, 1).flatMap((pod) => pod.addresses.filter((a) => a.family === stale.address.family).slice(0, 1).flatMap((address) =>
    changed(situation, service, { wrong: `${wrong.slice(0, -1)}; ${shortName(pod)}, which the service is for, has ${formatAddress(address)}.`, title: `let the endpoint ${text} of service ${podName(service)} be ${shortName(pod)}'s ${formatAddress(address)}`, of: stale, instead: [{ ...stale, address }] })));
  return [...replaced, ...changed(situation, service, { wrong, title: `remove the endpoint ${text} from service ${podName(service)}`, of: stale, instead: [] })];
}

const ownerOf = ({ topology }: Situation, address: Address): string | undefined =>
  topology.hosts.find((h) => h.namespaces.some((n) => n.interfaces.some((i) => i.addresses.some((a) => sameAddress(a.address, address)))))?.name;

/** The pods that its selector takes, or whose name or label is the service's. */
function behind({ spec }: Situation, { selector, namespace, name }: ServiceSpec): readonly PodSpec[] {
  const own = spec.pods.filter((p) => p.namespace === namespace && !p.hostNetwork && p.ready);
  return selector !== null ? own.filter((p) => selects(selector, p.labels)) : own.filter((p) => p.name === name || Object.values(p.labels).includes(name));
}

/** The pod listens elsewhere. */
function otherPorts(situation: Situation, service: ServiceSpec, port: ServicePortSpec): readonly Candidate[] {
  const pod = situation.reason?.code === 'port-closed' ? situation.spec.pods.find((p) => podName(p) === situation.last?.namespace) : undefined;
  const of = pod === undefined ? undefined : service.endpoints.find((e) => pod.addresses.some((a) => sameAddress(a, e.address)));
  if (pod === undefined || of === undefined) return [];
  const now = of.port ?? port.targetPort;
  return (pod.listeners ?? []).filter((l) => l.protocol === port.protocol && l.port !== now).slice(0, 2).flatMap((l) => changed(situation, service, {
    wrong: `The endpoint ${endpointText({ address: of.address, port: now })} of service ${podName(service)}${inPlace(of.at)} is ${shortName(pod)}, which listens on ${l.port}/${l.protocol}.`,
    title: `let service ${podName(service)} have the endpoint ${endpointText({ address: of.address, port: l.port })}`,
    of, instead: [{ ...of, port: l.port }],
  }));
}

function notReady(situation: Situation, service: ServiceSpec): readonly Candidate[] {
  return service.endpoints.filter((e) => !e.ready).slice(0, 2).flatMap((of) => changed(situation, service, {
    wrong: `The endpoint ${formatAddress(of.address)} of service ${podName(service)}${inPlace(of.at)} is not ready.`,
    title: `make the endpoint ${formatAddress(of.address)} of service ${podName(service)} ready`,
    of, instead: [{ ...of, ready: true, serving: true, terminating: false }],
  }));
}
