/** Devices as `ip addr` and `ip -d link` print them, without what a topology does not know: queues, counters, timers. */
import { assertNever } from '../../../../engine/src/assert-never.ts';
import { formatAddress, formatMac } from '../../../../engine/src/net/address.ts';
import type { BridgePort, Interface, InterfaceAddress, InterfaceRef, Vxlan } from '../../../../engine/src/topology/model.ts';

/** The number of a device in its namespace, from 1; `null` where it is not known. */
export type IndexOf = (device: InterfaceRef) => number | null;

interface Place {
  readonly host: string;
  readonly namespace: string;
}

/** `ip addr` of a namespace. */
export const printAddresses = (interfaces: readonly Interface[], place: Place, indexOf: IndexOf): string[] =>
  interfaces.flatMap((device, i) => [header(device, i, place, indexOf), link(device), ...device.addresses.map((address) => inet(device, address))]);

/** `ip -d link` of a namespace. */
export const printLinks = (interfaces: readonly Interface[], place: Place, indexOf: IndexOf): string[] =>
  interfaces.flatMap((device, i) => [header(device, i, place, indexOf), link(device), ...detail(device), ...(device.port === null ? [] : [bridgeSlave(device.port)])]);

const joined = (...words: readonly (string | false)[]): string => words.filter((word) => word !== false && word !== '').join(' ');

function header(device: Interface, i: number, place: Place, indexOf: IndexOf): string {
  const master = device.port === null ? '' : `master ${device.port.master}`;
  return joined(`${i + 1}: ${device.name}${behind(device, place, indexOf)}: <${flags(device)}> mtu ${device.mtu}`, master, 'group default');
}

/** The other end of a pair: its name, or its number in another namespace. */
function behind({ device }: Interface, place: Place, indexOf: IndexOf): string {
  if (device.kind !== 'veth' || device.peer === null) return '';
  if (device.peer.host === place.host && device.peer.namespace === place.namespace) return `@${device.peer.name}`;
  const index = indexOf(device.peer);
  return index === null ? '' : `@if${index}`;
}

function flags({ device, up }: Interface): string {
  const own = device.kind === 'loopback' ? ['LOOPBACK'] : device.kind === 'tun' ? ['POINTOPOINT', 'MULTICAST', 'NOARP'] : ['BROADCAST', 'MULTICAST'];
  return [...own, ...(up ? ['UP', 'LOWER_UP'] : [])].join(',');
}

function link({ device, mac }: Interface): string {
  if (device.kind === 'loopback') return '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00';
  return mac === null ? '    link/none' : `    link/ether ${formatMac(mac)} brd ff:ff:ff:ff:ff:ff`;
}

/** An IPv4 address has a label, which is the device's name. */
const inet = (device: Interface, { address, length, scope }: InterfaceAddress): string =>
  address.family === 4 ? `    inet ${formatAddress(address)}/${length} scope ${scope} ${device.name}` : `    inet6 ${formatAddress(address)}/${length} scope ${scope}`;

function detail({ device }: Interface): string[] {
  switch (device.kind) {
    case 'veth':
    case 'bridge':
    case 'dummy':
      return [`    ${device.kind}`];
    case 'vxlan':
      return [`    ${vxlan(device)}`];
    case 'tun':
      return ['    tun type tun'];
    case 'loopback':
    case 'physical':
    case 'unknown':
      return [];
    default:
      return assertNever(device);
  }
}

function vxlan(device: Vxlan): string {
  const { from, to } = device.sourcePorts ?? { from: 0, to: 0 };
  const six = device.local?.family === 6;
  return joined(
    `vxlan id ${device.vni}`,
    device.local !== null && `local ${formatAddress(device.local)}`,
    device.underlay !== null && `dev ${device.underlay}`,
    `srcport ${from} ${to} dstport ${device.port}`,
    !device.learning && 'nolearning',
    device.misses !== null && 'l2miss l3miss',
    device.tos !== undefined && `tos ${typeof device.tos === 'number' ? `0x${device.tos.toString(16)}` : device.tos}`,
    `ttl ${device.ttl ?? 'auto'}`,
    device.df !== 'unset' && `df ${device.df}`,
    six || device.checksum ? 'udpcsum' : 'noudpcsum',
    six && !device.checksum ? 'udp6zerocsumtx' : 'noudp6zerocsumtx',
  );
}

const onOff = (value: boolean): string => (value ? 'on' : 'off');

const bridgeSlave = ({ hairpin, learning, flood, isolated }: BridgePort): string =>
  `    bridge_slave state forwarding hairpin ${onOff(hairpin)} learning ${onOff(learning)} flood ${onOff(flood)} isolated ${onOff(isolated)}`;
