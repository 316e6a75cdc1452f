/** The routes, neighbours and FDB entries that flannel programs for the other nodes' leases. */
import { contains, formatAddress, formatMac, formatPrefix, networkOf } from '../../net/address.ts';
import type { Address, Family } from '../../net/address.ts';
import { perRecord } from '../../memo.ts';
import type { FdbEntry, Lease, Neighbour, Route } from '../../topology/model.ts';
import { derived } from '../../topology/origin.ts';
import type { NodePlan, Plan } from '../plan.ts';
import { makeRoute } from '../route.ts';
import { podNetworkOf } from '../settings.ts';
import { flannelDeviceName, remoteLeases } from './device.ts';

export interface Forwarding {
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
}

const NOTHING: Forwarding = { routes: [], neighbours: [], fdb: [] };

export function flannelForwarding(plan: Plan, node: NodePlan): Forwarding {
  const parts = ([4, 6] as const).map((family) => forwardingOf(plan, node, family));
  return { routes: parts.flatMap((p) => p.routes), neighbours: parts.flatMap((p) => p.neighbours), fdb: parts.flatMap((p) => p.fdb) };
}

function forwardingOf(plan: Plan, node: NodePlan, family: Family): Forwarding {
  if (!node.leases.some((l) => l.subnet.address.family === family)) return NOTHING;
  const device = flannelDeviceName(plan, family);
  switch (plan.settings.flannel.backend) {
    case 'none':
      return NOTHING;
    case 'host-gw':
      return { ...NOTHING, routes: remoteLeases(plan, node, family).flatMap((lease) => directRoute(node, lease) ?? []) };
    case 'udp':
      return device === undefined ? NOTHING : { ...NOTHING, routes: networkRoute(plan, node, family, device) };
    case 'vxlan':
      if (device === undefined) return NOTHING;
      if (node.routesPerNetwork) return { ...NOTHING, routes: networkRoute(plan, node, family, device) };
      return joined(remoteLeases(plan, node, family).map((lease) => leaseEntries(plan, node, lease, device)));
  }
}

const joined = (parts: readonly Forwarding[]): Forwarding => ({
  routes: parts.flatMap((p) => p.routes),
  neighbours: parts.flatMap((p) => p.neighbours),
  fdb: parts.flatMap((p) => p.fdb),
});

/** The uplink reaches the address without a gateway. */
const isOnLink = (node: NodePlan, address: Address): boolean => node.uplink?.addresses.some((a) => contains(networkOf(a), address)) === true;

/** flannel, pkg/backend/route_network.go. The kernel refuses a gateway that is not on-link, so there is no route then. */
function directRoute(node: NodePlan, lease: Lease): Route | undefined {
  if (node.uplink === undefined || !isOnLink(node, lease.publicAddress)) return undefined;
  return makeRoute({ destination: lease.subnet, via: lease.publicAddress, device: node.uplink.name, origin: lease.origin });
}

/** flannel's udp backend, and the vxlan one before version 0.8: one route for the whole pod network. */
function networkRoute(plan: Plan, node: NodePlan, family: Family, device: string): readonly Route[] {
  const network = podNetworkOf(plan.settings, family);
  if (network === undefined) return [];
  const origin = derived('flannel', `the pod network ${formatPrefix(networkOf(network))}`, plan.settings.at ?? node.spec.at);
  return [makeRoute({ destination: networkOf(network), device, scope: 'global', origin })];
}

/** flannel, pkg/backend/vxlan/vxlan_network.go: handleSubnetEvents. */
function leaseEntries(plan: Plan, node: NodePlan, lease: Lease, device: string): Forwarding {
  if (plan.settings.flannel.directRouting) {
    const route = directRoute(node, lease);
    if (route !== undefined) return { ...NOTHING, routes: [route] };
  }
  return tunnelEntries(lease, device);
}

/** The same on every node but the lease's own, and as many as nodes times nodes: made once. */
const tunnelEntries = perRecord((lease: Lease, device: string): Forwarding => {
  const origin = lease.origin;
  const vtep = lease.subnet.address;
  const route = makeRoute({ destination: lease.subnet, via: vtep, device, onlink: true, scope: 'global', origin });
  if (lease.vtepMac === null) return { ...NOTHING, routes: [route] };
  const mac = formatMac(lease.vtepMac);
  return {
    routes: [route],
    neighbours: [{ device, address: vtep, mac: lease.vtepMac, state: 'permanent', text: `${formatAddress(vtep)} dev ${device} lladdr ${mac} PERMANENT`, origin }],
    fdb: [
      {
        device,
        mac: lease.vtepMac,
        master: null,
        destination: lease.publicAddress,
        port: null,
        vni: null,
        via: null,
        permanent: true,
        text: `${mac} dev ${device} dst ${formatAddress(lease.publicAddress)} self permanent`,
        origin,
      },
    ],
  };
});
