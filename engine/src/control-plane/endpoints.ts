/** The endpoints of every service port, as the EndpointSlice controller lists them. */
import { formatAddress, sameAddress } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import type { Endpoint, Labels, Pod, Service } from '../topology/model.ts';
import { declared } from '../topology/origin.ts';
import type { ServicePortSpec, ServiceSpec } from '../topology/spec.ts';
import { podKey } from './plan.ts';
import type { Plan } from './plan.ts';

/** An empty selector selects nothing: such a service has no selector (Kubernetes, Service.spec.selector). */
export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);

export function servicesOf(plan: Plan, pods: readonly Pod[]): readonly Service[] {
  const owners = new Map<string, Pod>();
  for (const pod of pods) {
    if (pod.hostNetwork) continue;
    for (const address of pod.addresses) if (!owners.has(formatAddress(address))) owners.set(formatAddress(address), pod);
  }
  const byNamespace = new Map<string, Pod[]>();
  for (const pod of pods) byNamespace.set(pod.namespace, [...(byNamespace.get(pod.namespace) ?? []), pod]);
  return plan.services.map((spec) => serviceOf(plan, spec, byNamespace.get(spec.namespace) ?? [], owners));
}

function serviceOf(plan: Plan, spec: ServiceSpec, pods: readonly Pod[], owners: ReadonlyMap<string, Pod>): Service {
  const { selector } = spec;
  const selected = selector === null ? [] : pods.filter((p) => selects(selector, p.labels));
  const endpointsOf = (port: ServicePortSpec): readonly Endpoint[] => {
    const written = spec.endpoints.map((e) => writtenEndpoint(plan, e.address, e.port ?? port.targetPort, owners));
    return [...selected.flatMap((pod) => podEndpoints(pod, port)), ...written].sort(byText);
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
    origin: declared(spec.at),
  };
}

const endpointText = (endpoint: Endpoint): string =>
  endpoint.address.family === 4 ? `${formatAddress(endpoint.address)}:${endpoint.port}` : `[${formatAddress(endpoint.address)}]:${endpoint.port}`;

/** kube-proxy sorts endpoints by their text (pkg/proxy/endpoints.go). */
const byText = (a: Endpoint, b: Endpoint): number => (endpointText(a) < endpointText(b) ? -1 : endpointText(a) > endpointText(b) ? 1 : 0);

/** One for each family of the pod: dual-stack services have a slice for each. */
const podEndpoints = (pod: Pod, port: ServicePortSpec): readonly Endpoint[] =>
  pod.addresses
    .filter((a, i) => pod.addresses.findIndex((o) => o.family === a.family) === i)
    .map((address) => ({ address, port: port.targetPort, pod: podKey(pod), node: pod.node, ready: pod.ready }));

function writtenEndpoint(plan: Plan, address: Address, port: number, owners: ReadonlyMap<string, Pod>): Endpoint {
  const pod = owners.get(formatAddress(address));
  if (pod !== undefined) return { address, port, pod: podKey(pod), node: pod.node, ready: true };
  const node = [...plan.nodes.values()].find((n) => n.interfaces.some((i) => i.addresses.some((a) => sameAddress(a.address, address))));
  return { address, port, pod: null, node: node?.spec.name ?? null, ready: true };
}
