/** The only maker of a topology: derives what the cluster's programs would program, and lays captured state over it. */
import { podNamespace } from '../control-plane/cni.ts';
import { servicesOf } from '../control-plane/endpoints.ts';
import { servicePortsOf } from '../control-plane/kube-proxy/rules.ts';
import type { ServicePorts } from '../control-plane/kube-proxy/rules.ts';
import { nodeNamespace } from '../control-plane/node.ts';
import { outsideOf } from '../control-plane/outside.ts';
import { planOf, podKey } from '../control-plane/plan.ts';
import type { NodePlan, Plan } from '../control-plane/plan.ts';
import { podsOf } from '../control-plane/pods.ts';
import { finished, matchVeths } from './captured.ts';
import type { Host, Interface, Namespace, Topology } from './model.ts';
import { declared } from './origin.ts';
import type { ClusterSpec } from './spec.ts';

/**
 * Never throws, whatever half-finished spec comes: of two objects with one name the first counts, and what refers to
 * something that is not declared stands alone.
 */
export function buildTopology(spec: ClusterSpec): Topology {
  const plan = planOf(spec);
  const pods = podsOf(plan);
  const services = servicesOf(plan, pods);
  const ports = servicePortsOf(plan, services);
  const outside = outsideOf(plan);
  return {
    cluster: { name: plan.settings.name, domain: plan.settings.domain, podCidrs: plan.settings.podCidrs, serviceCidrs: plan.settings.serviceCidrs },
    networks: outside.networks,
    hosts: [...[...plan.nodes.values()].map((node) => nodeHost(plan, node, ports)), ...outside.hosts.map(withKernelState)],
    pods,
    services,
    policies: plan.policies,
    namespaceLabels: plan.namespaceLabels,
  };
}

function nodeHost(plan: Plan, node: NodePlan, ports: ServicePorts): Host {
  const matched = nodeNamespaces(plan, node, ports);
  const capturedOf = new Map(node.pods.map((pod) => [podKey(pod), pod.captured]));
  const namespaces = matched.map((namespace, i) => finished(namespace, i === 0 ? node.spec.captured : (capturedOf.get(namespace.name) ?? {})));
  return { name: node.spec.name, kind: 'node', namespaces, origin: declared(node.spec.at) };
}

/** The node's own first; the pods' veths under the names that were captured. */
const nodeNamespaces = (plan: Plan, node: NodePlan, ports: ServicePorts): readonly Namespace[] =>
  matchVeths(node.spec.name, [nodeNamespace(plan, node, ports), ...node.pods.map((pod) => podNamespace(plan, node, pod))], node.spec.captured);

export interface ProgrammedNamespace {
  /** As the cluster's programs would leave it on the devices that are there. */
  readonly namespace: Namespace;
  /** As the devices would be, had nobody captured any. */
  readonly devices: readonly Interface[];
}

/** A node's namespaces as they would be without their captured rules, routes, neighbours and the like; each node's are made when first asked for. */
export function programmedNamespaces(spec: ClusterSpec): (node: string) => readonly ProgrammedNamespace[] {
  const plan = planOf(spec);
  const ports = servicePortsOf(plan, servicesOf(plan, podsOf(plan)));
  const known = new Map<string, readonly ProgrammedNamespace[]>();
  return (name) => {
    const node = plan.nodes.get(name);
    const before = known.get(name);
    if (before !== undefined || node === undefined) return before ?? [];
    const devicesOf = new Map([['', node.spec.captured.interfaces], ...node.pods.map((pod) => [podKey(pod), pod.captured.interfaces] as const)]);
    const made = nodeNamespaces(plan, node, ports).map((namespace, i) => {
      const interfaces = devicesOf.get(i === 0 ? '' : namespace.name);
      return { namespace: finished(namespace, interfaces === undefined ? {} : { interfaces }), devices: namespace.interfaces };
    });
    known.set(name, made);
    return made;
  };
}

const withKernelState = (host: Host): Host => ({ ...host, namespaces: host.namespaces.map((n) => finished(n, {})) });
