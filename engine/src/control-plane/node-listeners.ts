/** What listens on a node where its `listen` does not say it: what the cluster keeps the ports of node ports for. */
import { perRecord } from '../memo.ts';
import { sameAddress } from '../net/address.ts';
import { declared } from '../topology/origin.ts';
import type { Listener, Listeners } from '../topology/model.ts';
import type { ServiceSpec } from '../topology/spec.ts';
import { selects } from './selection.ts';
import type { NodePlan, Plan } from './plan.ts';

/** The API server's --service-node-port-range where nothing is said. kube-proxy opens none of these ports itself. */
const NODE_PORTS = { from: 30000, to: 32767 };

/** What the node says, and what its pods on the host's network say besides: they share the namespace. */
export function nodeListeners(plan: Plan, node: NodePlan): Listeners {
  const { listeners, at } = node.spec;
  const ofPods = node.hostPods.flatMap((p) => p.listeners ?? []);
  if (listeners !== null) return { kind: 'only', listeners: [...listeners, ...ofPods], origin: declared(at) };
  const ofContainers = node.hostPods.flatMap((p) => p.ports.map(({ protocol, port }): Listener => ({ protocol, port })));
  const { checks, targets } = inRange(plan, NODE_PORTS);
  const listening = [...ofPods, ...ofContainers, ...checks, ...targets.flatMap((s) => targetsOn(node, s))];
  return { kind: 'any', kept: { ...NODE_PORTS, listeners: listening } };
}

interface InRange {
  /** kube-proxy answers a load balancer's health checks itself (pkg/proxy/healthcheck). */
  readonly checks: readonly Listener[];
  readonly targets: readonly ServiceSpec[];
}

const inRange = perRecord(({ services }: Plan, range: typeof NODE_PORTS): InRange => {
  const isIn = (port: number | null): boolean => port !== null && port >= range.from && port <= range.to;
  return {
    checks: services.flatMap(({ healthCheckNodePort: port }): readonly Listener[] => (port === null ? [] : [{ protocol: 'TCP', port }])),
    targets: services.filter((s) => s.ports.some((p) => isIn(p.targetPort)) || s.endpoints.some((e) => isIn(e.port))),
  };
});

/** Where a service's endpoint is on the host's network, its target is taken to be served. */
function targetsOn(node: NodePlan, { namespace, selector, ports, endpoints }: ServiceSpec): readonly Listener[] {
  const selected = selector !== null && node.hostPods.some((p) => p.namespace === namespace && selects(selector, p.labels));
  const own = endpoints.filter((e) => node.interfaces.some((i) => i.addresses.some((a) => sameAddress(a.address, e.address))));
  return ports.flatMap(({ protocol, targetPort }) => [...(selected || own.some((e) => e.port === null) ? [targetPort] : []), ...own.flatMap((e) => e.port ?? [])].map((port) => ({ protocol, port })));
}
