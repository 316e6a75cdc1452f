/** A node's own network namespace, before the kernel's routes and before captured state. */
import { perRecord } from '../memo.ts';
import { contains, formatAddress, networkOf } from '../net/address.ts';
import type { Prefix } from '../net/address.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Interface, Namespace, Route } from '../topology/model.ts';
import { declared, derived } from '../topology/origin.ts';
import type { InterfaceSpec, KubeProxySettings, ServiceSpec } from '../topology/spec.ts';
import { BRIDGE, bridgeDevices } from './cni.ts';
import { dockerDevices } from './docker.ts';
import { flannelDevices } from './flannel/device.ts';
import { flannelForwarding } from './flannel/forwarding.ts';
import { nodeTables } from './iptables.ts';
import { defaultRules, interfaceAddress, loopback } from './kernel.ts';
import type { ServicePorts } from './kube-proxy/rules.ts';
import { inventedMac } from './mac.ts';
import type { NodePlan, Plan } from './plan.ts';
import { nodeListeners } from './node-listeners.ts';
import { makeRoute } from './route.ts';
import { hasHostPorts } from './portmap.ts';
import { localnetSysctls, nodeSysctls } from './sysctls.ts';

const BRIDGE_NAME = /^(docker0|cni0|br-.*)$/;

export function nodeNamespace(plan: Plan, node: NodePlan, ports: ServicePorts): Namespace {
  const forwarding = flannelForwarding(plan, node);
  const { networkPlugin, kubeProxy: { mode } } = plan.settings;
  const declaredNames = new Set(node.interfaces.map((i) => i.name));
  const programmed = [...bridgeDevices(plan, node), ...flannelDevices(plan, node), ...dockerDevices(node)].filter((i) => !declaredNames.has(i.name));
  return {
    name: ROOT_NAMESPACE,
    interfaces: [loopback(), ...node.interfaces.filter((i) => i.name !== 'lo').map((i) => physical(plan, node, i)), ...programmed],
    rules: defaultRules(),
    routes: [...defaultRoutes(plan, node), ...forwarding.routes],
    neighbours: forwarding.neighbours,
    fdb: forwarding.fdb,
    tables: nodeTables(plan, node, ports),
    ...serviceProxyOf(plan, mode),
    ...(networkPlugin === undefined ? {} : { networkPlugin }),
    sets: [],
    conntrack: [],
    sysctls: [...nodeSysctls(plan.settings.kubeProxy, node), ...(hasHostPorts(node) ? localnetSysctls(BRIDGE, node.spec.at) : [])],
    listeners: nodeListeners(plan, node),
    origin: declared(node.spec.at),
  };
}

/** Asked of every node. */
const hasServices = perRecord(({ services }: Plan, unproxied: ServiceSpec['unproxied']) => services.some((s) => s.unproxied === unproxied));

function serviceProxyOf(plan: Plan, mode: KubeProxySettings['mode']): Pick<Namespace, 'serviceProxy'> {
  if (mode === 'nftables' || mode === 'ipvs' || mode === 'other') return { serviceProxy: mode };
  return hasServices(plan, 'another-proxy') ? { serviceProxy: 'of-labelled-services' } : {};
}

function physical(plan: Plan, node: NodePlan, spec: InterfaceSpec): Interface {
  const network = plan.networks.get(spec.network ?? '');
  const learned = spec.addresses.map((a) => plan.learnedMacs.get(formatAddress(a.address))).find((m) => m !== undefined);
  const origin = declared(spec.at);
  return {
    name: spec.name,
    mac: spec.mac ?? learned ?? inventedMac(`interface ${node.spec.name} ${spec.name}`),
    mtu: spec.mtu ?? network?.mtu ?? 1500,
    up: true,
    addresses: spec.addresses.map((a) => interfaceAddress(a.address, a.length, origin)),
    port: null,
    device: spec.network !== null ? { kind: 'physical', network: network?.name ?? null } : BRIDGE_NAME.test(spec.name) ? { kind: 'bridge' } : { kind: 'dummy' },
    origin,
  };
}

/** One default route for each family, by the first interface whose network has a gateway within the interface's subnet. */
function defaultRoutes(plan: Plan, node: NodePlan): readonly Route[] {
  return ([4, 6] as const).flatMap((family) => {
    for (const spec of node.interfaces) {
      const network = plan.networks.get(spec.network ?? '');
      const gateway = network?.gateways.find((g) => g.family === family && spec.addresses.some((a) => contains(networkOf(a), g)));
      if (network === undefined || gateway === undefined) continue;
      const zero: Prefix = { address: { family, words: [0, 0, 0, 0] }, length: 0 };
      const origin = derived('network', `the gateway of ${network.name}`, network.at);
      return [makeRoute({ destination: zero, via: gateway, device: spec.name, protocol: 'static', origin })];
    }
    return [];
  });
}
