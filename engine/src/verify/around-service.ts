/** Changes of what the file declares of a service: who is ready, what a selector selects, who may come. */
import { closest, editDistance } from '../closest.ts';
import { formatPrefix, hostPrefix } from '../net/address.ts';
import { selects } from '../control-plane/selection.ts';
import { podName } from '../topology/lookup.ts';
import type { Labels } from '../topology/model.ts';
import type { PodSpec, ServiceSpec } from '../topology/spec.ts';
import { shortName } from '../trace/party-names.ts';
import { aroundTheEndpoints } from './around-endpoints.ts';
import { aroundTheListener, aroundThePort } from './around-port.ts';
import { inPlace, podOwner, serviceOwner, withPod, withService } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { patched } from './commands.ts';
import { candidate, statement } from './declared-change.ts';
import { askedService, conversationAt } from './situation.ts';
import type { Situation } from './situation.ts';

export function aroundTheService(situation: Situation): readonly Candidate[] {
  const asked = askedService(situation);
  const spec = situation.spec.services.find((s) => asked !== undefined && podName(s) === podName(asked.service));
  const found = spec === undefined ? [] : [
    ...readiness(situation, spec), ...selectors(situation, spec), ...aroundThePort(situation, spec), ...aroundTheEndpoints(situation, spec), ...policies(spec), ...sourceRanges(situation, spec),
  ];
  return [...found, ...aroundTheListener(situation)];
}

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
  const isElsewhere = podElsewhere(situation.spec, service) !== undefined;
  const meant = pods.flatMap((pod) => {
    const labels = nearest(selector, pod.labels);
    return labels === undefined ? [] : [{ pod, labels, alike: Object.entries(selector).filter(([k, v]) => pod.labels[k] === v).length }];
  }).filter((m) => !isElsewhere || m.alike > 0).sort((a, b) => b.alike - a.alike || distanceOf(selector, a.labels) - distanceOf(selector, b.labels));
  const seen = new Set<string>();
  return meant.filter(({ labels }) => !seen.has(labelText(labels)) && seen.add(labelText(labels))).slice(0, 2).map(({ pod, labels }) => candidate(situation, {
    wrong: `The selector ${labelText(selector)} of service ${podName(service)}${inPlace(service.at)} selects no pod; ${shortName(pod)}${inPlace(pod.at)} has ${labelText(labels)}.`,
    at: service.at,
    title: `let service ${podName(service)} select ${labelText(labels)}`,
    edits: [statement(serviceOwner(service), 'selector', `selector ${labelText(labels)}`)],
    commands: [patched(service.namespace, 'service', service.name, [{ op: 'replace', path: '/spec/selector', value: labels }])],
    applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, selector: labels })),
  }));
}

/** A pod that the selector would take, were it in the service's namespace. */
export function podElsewhere({ pods }: Situation['spec'], { selector, namespace }: ServiceSpec): PodSpec | undefined {
  if (selector === null || pods.some((p) => p.namespace === namespace && selects(selector, p.labels))) return undefined;
  return pods.find((p) => p.namespace !== namespace && selects(selector, p.labels));
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
      commands: [patched(service.namespace, 'service', service.name, { spec: { [key]: 'Cluster' } })],
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
    commands: [patched(service.namespace, 'service', service.name, { spec: { loadBalancerSourceRanges: ranges.map(formatPrefix) } })],
    applied: (spec) => withService(spec, podName(service), (s) => ({ ...s, loadBalancerSourceRanges: ranges })),
  })];
}
