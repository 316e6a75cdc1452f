/**
 * The endpoints of every service port, as the EndpointSlice controller lists them (staging/src/k8s.io/endpointslice:
 * reconciler.go, utils.go: podToEndpoint; trafficdist/trafficdist.go).
 */
import { difference, keptFrom, keptMap, placesIn } from '../kept.ts';
import { formatAddress } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import type { Endpoint, EndpointHints, Pod, Service } from '../topology/model.ts';
import { declared } from '../topology/origin.ts';
import type { EndpointSpec, ServicePortSpec, ServiceSpec } from '../topology/spec.ts';
import { once } from '../once.ts';
import { podKey } from './plan.ts';
import type { Plan } from './plan.ts';
import { selectedFrom, touchedBy } from './selection.ts';

export const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** Who has which address. */
interface Directory {
  readonly owners: () => ReadonlyMap<string, Pod>;
  /** Of the nodes' interfaces. */
  readonly nodes: () => ReadonlyMap<string, string>;
  readonly zoneOf: (node: string | null) => string | undefined;
}

interface Served {
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
}

const served = keptFrom<ServiceSpec, Served>();
const alone = keptMap<ServiceSpec, boolean>();

/** The same service as long as its declaration and its pods are the same records: what is made of it is kept by it. */
export function servicesOf(plan: Plan, pods: readonly Pod[]): readonly Service[] {
  const directory = directoryOf(plan, pods);
  const selected = once(() => selectedFrom(pods));
  const make = (spec: ServiceSpec): Service => makeService(spec, selected()(spec), directory);
  return served(plan.services, (before) => {
    if (before === undefined) return { pods, services: plan.services.map(make) };
    const touched = touchedBy(difference(before.made.pods, pods), plan.services);
    const kept = alone(plan.services, (spec, known) => known ?? standsAlone(spec));
    const places = placesIn(before.items, plan.services);
    const standing = (i: number): Service | undefined => (touched.has(i) || kept[i] !== true ? undefined : before.made.services[places[i] ?? -1]);
    return { pods, services: plan.services.map((spec, i) => standing(i) ?? make(spec)) };
  }).services;
}

/** Hand-written endpoints and zones depend on what other declarations say. */
const standsAlone = (spec: ServiceSpec): boolean => spec.endpoints.length === 0 && spec.trafficDistribution === null;

function directoryOf(plan: Plan, pods: readonly Pod[]): Directory {
  return {
    owners: once(() => ownersOf(pods)),
    nodes: once(() => new Map([...plan.nodes.values()].flatMap((n) => n.interfaces.flatMap((i) => i.addresses.map((a) => [formatAddress(a.address), n.spec.name] as const))).reverse())),
    zoneOf: (node) => plan.nodes.get(node ?? '')?.spec.labels[ZONE_LABEL],
  };
}

/** Of two with one address the first has it. */
const ownersOf = (pods: readonly Pod[]): ReadonlyMap<string, Pod> =>
  new Map(pods.filter((p) => !p.hostNetwork).flatMap((p) => p.addresses.map((a) => [formatAddress(a), p] as const)).reverse());

function makeService(spec: ServiceSpec, selected: readonly Pod[], directory: Directory): Service {
  const endpointsOf = (port: ServicePortSpec): readonly Endpoint[] => {
    const written = spec.endpoints.filter((e) => e.portName === null || e.portName === port.name).map((e) => writtenEndpoint(e, port, directory));
    const all = [...selected.flatMap((pod) => podEndpoints(spec, pod, port, directory)), ...written];
    return all.length < 2 ? all : distinct(all);
  };
  return {
    namespace: spec.namespace,
    name: spec.name,
    type: spec.type,
    clusterAddresses: spec.headless ? [] : spec.clusterAddresses,
    externalAddresses: spec.externalAddresses,
    loadBalancerAddresses: spec.loadBalancerAddresses,
    externalName: spec.externalName,
    ports: spec.ports.map((port) => ({ name: port.name, protocol: port.protocol, port: port.port, nodePort: port.nodePort, endpoints: endpointsOf(port) })),
    members: spec.headless || spec.clusterAddresses.length === 0 ? membersOf(selected, spec) : [],
    ...(spec.unproxied === undefined ? {} : { unproxied: spec.unproxied }),
    origin: declared(spec.at),
  };
}

/** `10.0.0.46:53`, `[fd00::1]:53` */
export const endpointText = (endpoint: { readonly address: Address; readonly port: number }): string =>
  endpoint.address.family === 4 ? `${formatAddress(endpoint.address)}:${endpoint.port}` : `[${formatAddress(endpoint.address)}]:${endpoint.port}`;

/**
 * One for each address and port, sorted: of several one that is not terminating, as an address may belong to a new pod
 * before the old one is gone (pkg/proxy/endpointslicecache.go: addEndpoints). Which of two such ones is left open there.
 */
function distinct(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const rank = (e: Endpoint): string => `${e.terminating ? 1 : 0}${e.ready ? 0 : 1}${e.node ?? ''}`;
  const texts = endpoints.map((endpoint) => ({ endpoint, text: endpointText(endpoint) }));
  const sorted = texts.sort((a, b) => byText(a, b) || (rank(a.endpoint) < rank(b.endpoint) ? -1 : 1));
  return sorted.filter((e, i) => e.text !== sorted[i - 1]?.text).map((e) => e.endpoint);
}

/** kube-proxy sorts endpoints by their text (pkg/proxy/endpoints.go). */
const byText = (a: { readonly text: string }, b: { readonly text: string }): number => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);

/** Of a pod that is terminating, serving tells whether it is ready all the same; ready is then false, unless all are published. */
function conditionsOf(spec: ServiceSpec, pod: Pod): Pick<Endpoint, 'ready' | 'serving' | 'terminating'> {
  const { ready: serving, terminating } = pod;
  return { ready: spec.publishNotReady || (serving && !terminating), serving, terminating };
}

/** An address for each family of the pod: dual-stack services have a slice for each. */
const familyAddresses = (pod: Pod): readonly Address[] => pod.addresses.filter((a, i) => pod.addresses.findIndex((o) => o.family === a.family) === i);

function podEndpoints(spec: ServiceSpec, pod: Pod, port: ServicePortSpec, directory: Directory): readonly Endpoint[] {
  const target = targetOf(port, pod);
  if (target === undefined) return [];
  const conditions = conditionsOf(spec, pod);
  const hints = conditions.ready ? hintsOf(spec, pod.node, directory) : null;
  return familyAddresses(pod).map((address) => ({ address, port: target, pod: podKey(pod), node: pod.node, ...conditions, hostname: hostnameOf(pod, spec), hints }));
}

/** podutil.FindPort: a name is a container port's of the same protocol; a pod without one is no endpoint of that port. */
const targetOf = (port: ServicePortSpec, pod: Pod): number | undefined =>
  port.targetPortName === null ? port.targetPort : pod.ports.find((p) => p.name === port.targetPortName && p.protocol === port.protocol)?.port;

/** A pod has a name of its own under the service that is its subdomain. */
const hostnameOf = (pod: Pod, spec: ServiceSpec): string | null => (pod.subdomain === spec.name ? pod.hostname : null);

/** trafficdist.go: what is meant for whom; an endpoint without a zone is meant for nobody in particular. */
function hintsOf(spec: ServiceSpec, node: string | null, directory: Directory): EndpointHints | null {
  if (spec.trafficDistribution === null) return null;
  const zone = directory.zoneOf(node);
  const zones = zone === undefined ? [] : [zone];
  const nodes = spec.trafficDistribution === 'PreferSameNode' && node !== null ? [node] : [];
  return zones.length + nodes.length === 0 ? null : { zones, nodes };
}

function writtenEndpoint(written: EndpointSpec, port: ServicePortSpec, directory: Directory): Endpoint {
  const { address } = written;
  const pod = directory.owners().get(formatAddress(address));
  const node = written.node ?? pod?.node ?? directory.nodes().get(formatAddress(address)) ?? null;
  const { ready, serving, terminating, hostname, hints } = written;
  const target = written.port ?? (pod === undefined ? undefined : targetOf(port, pod)) ?? port.targetPort;
  return { address, port: target, pod: pod === undefined ? null : podKey(pod), node, ready, serving, terminating, hostname, hints };
}

/** Whom a headless service's name stands for, whether it has ports or not: the ready ones. */
function membersOf(selected: readonly Pod[], spec: ServiceSpec): Service['members'] {
  const pods = selected.filter((pod) => conditionsOf(spec, pod).ready).flatMap((pod) => familyAddresses(pod).map((address) => ({ address, hostname: hostnameOf(pod, spec) })));
  const written = spec.endpoints.filter((e) => e.ready).map(({ address, hostname }) => ({ address, hostname }));
  const texts = new Map([...pods, ...written].map((m) => [formatAddress(m.address), { member: m, text: formatAddress(m.address) }]));
  return [...texts.values()].sort(byText).map((t) => t.member);
}
