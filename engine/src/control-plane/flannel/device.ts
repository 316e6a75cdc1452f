/** flannel's device on a node: flannel.<VNI>, flannel-v6.<VNI> or flannel0. */
import { hostPrefix } from '../../net/address.ts';
import type { Family } from '../../net/address.ts';
import type { Interface, Lease } from '../../topology/model.ts';
import { derived } from '../../topology/origin.ts';
import type { FlannelSettings } from '../../topology/spec.ts';
import { interfaceAddress } from '../kernel.ts';
import type { NodePlan, Plan } from '../plan.ts';

/** Outer Ethernet, IP, UDP and VXLAN headers (flannel, pkg/backend/vxlan); IPv6's header is 20 bytes longer. */
const VXLAN_OVERHEAD: Readonly<Record<Family, number>> = { 4: 50, 6: 70 };
/** IPv4 and UDP headers (flannel, pkg/backend/udp). */
const UDP_OVERHEAD = 28;

/** In bytes, of what the backend puts around a packet. */
export function overheadOf(backend: FlannelSettings['backend'], family: Family): number {
  switch (backend) {
    case 'vxlan':
      return VXLAN_OVERHEAD[family];
    case 'udp':
      return UDP_OVERHEAD;
    case 'host-gw':
    case 'none':
      return 0;
  }
}

export const vxlanName = (vni: number, family: Family): string => (family === 4 ? `flannel.${vni}` : `flannel-v6.${vni}`);

export const TUN_NAME = 'flannel0';

/** The name of the device that leads to other nodes' pods of `family`; `undefined` where none does. */
export function flannelDeviceName(plan: Plan, family: Family): string | undefined {
  switch (plan.settings.flannel.backend) {
    case 'vxlan':
      return vxlanName(plan.settings.flannel.vni, family);
    case 'udp':
      return family === 4 ? TUN_NAME : undefined;
    case 'host-gw':
    case 'none':
      return undefined;
  }
}

export function underlayMtu(plan: Plan, node: NodePlan): number {
  const { uplink } = node;
  return uplink?.mtu ?? plan.networks.get(uplink?.network ?? '')?.mtu ?? 1500;
}

/** In bytes, of the device that carries `family`; the underlay's where the backend adds nothing. */
export function flannelMtu(plan: Plan, node: NodePlan, family: Family): number {
  const { backend, mtu } = plan.settings.flannel;
  if (mtu !== null && (backend === 'vxlan' || backend === 'udp')) return mtu;
  return underlayMtu(plan, node) - overheadOf(backend, family);
}

/** The pods get what flannel is told; the kernel gives its VXLAN device no more than the underlay carries (vxlan_config_apply). */
const deviceMtu = (plan: Plan, node: NodePlan, family: Family): number =>
  plan.settings.flannel.backend === 'vxlan' ? Math.min(flannelMtu(plan, node, family), underlayMtu(plan, node) - VXLAN_OVERHEAD[family]) : flannelMtu(plan, node, family);

/** Leases of the other nodes, of one family. */
export const remoteLeases = (plan: Plan, node: NodePlan, family: Family): readonly Lease[] =>
  plan.leases.filter((l) => l.node !== node.spec.name && l.subnet.address.family === family);

export function flannelDevices(plan: Plan, node: NodePlan): readonly Interface[] {
  return node.leases.flatMap((lease) => {
    const device = flannelDevice(plan, node, lease);
    return device === undefined ? [] : [device];
  });
}

function flannelDevice(plan: Plan, node: NodePlan, lease: Lease): Interface | undefined {
  const { backend, vni, port } = plan.settings.flannel;
  const { family } = lease.subnet.address;
  const name = flannelDeviceName(plan, family);
  if (name === undefined || node.leases.find((l) => l.subnet.address.family === family) !== lease) return undefined;
  const origin = derived('flannel', `the lease of ${node.spec.name}`, node.spec.at);
  const length = hostPrefix(lease.subnet.address).length;
  const others = remoteLeases(plan, node, family);
  const local = lease.publicAddress;
  const misses = node.routesPerNetwork ? others : null;
  return {
    name,
    mac: backend === 'vxlan' ? lease.vtepMac : null,
    mtu: deviceMtu(plan, node, family),
    up: true,
    addresses: [interfaceAddress(lease.subnet.address, length, origin)],
    port: null,
    device:
      backend === 'vxlan'
        ? { kind: 'vxlan', vni, port, local, underlay: node.uplink?.name ?? null, learning: false, df: 'unset', checksum: true, misses }
        : { kind: 'tun', port, local, leases: others },
    origin,
  };
}
