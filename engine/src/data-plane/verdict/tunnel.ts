/**
 * VXLAN over numbers, as vxlan.ts: the inner packet waits in its own record while the outer one travels.
 * drivers/net/vxlan/vxlan_core.c: vxlan_xmit, vxlan_rcv.
 */
import { learn, learnedOf, remoteOf, routeBy, routeTo } from './asked.ts';
import type { ProgramDevice } from './program.ts';
import { giveUp, INFO, MAX_TUNNELS } from './scratch.ts';
import type { PacketRecord, Scratch } from './scratch.ts';

const UDP = 17;
const FIRST_PORT = 32768;
const PORTS = 60999 - FIRST_PORT + 1;
/** UDP, VXLAN and the inner Ethernet header. */
const HEADERS = 8 + 8 + 14;

/** The outer packet is the packet now, to be sent; gives the device that it must leave by. */
export function encapsulate(s: Scratch, device: ProgramDevice): ProgramDevice | null {
  const vxlan = device.device.device;
  const inner = s.packet;
  if (vxlan.kind !== 'vxlan' || vxlan.ttl !== undefined || vxlan.tos !== undefined || vxlan.sourcePorts !== undefined || inner.frameDestination < 0 || s.tunnels >= MAX_TUNNELS || s.depth >= MAX_TUNNELS) return stop(s);
  const way = remoteOf(s, device, inner.frameDestination);
  if (way.kind === 'unmodelled') return stop(s);
  const learned = way.isDefault ? learnedOf(s, device.id, inner.frameDestination) : -1;
  if (way.kind === 'none' && learned < 0) return stop(s);
  const remote = learned >= 0 ? learned : way.address;
  const port = learned >= 0 ? vxlan.port : way.port;
  // A tunnel that received on an ephemeral port could mistake an answer for its own traffic.
  if (port >= FIRST_PORT) return stop(s);
  const underlay = vxlan.underlay === null ? null : (device.namespace.devices.get(vxlan.underlay) ?? device);
  const route = underlay === null ? routeTo(s, remote) : routeBy(s, underlay, remote);
  if (underlay === device || route.kind === 'unmodelled' || route.device === device) return stop(s);
  const outer = s.packets[s.depth + 1] as PacketRecord;
  outer.family = s.book.families[remote] === 0 ? 0 : 1;
  outer.source = way.local;
  outer.destination = remote;
  outer.protocol = UDP;
  outer.sourcePort = FIRST_PORT + ((Math.imul(inner.sourcePort ^ inner.destinationPort, 31) ^ Math.imul(inner.source ^ inner.destination, 17)) & 0x3fffffff) % PORTS;
  outer.destinationPort = port;
  outer.flags = 0;
  outer.icmpType = -1;
  outer.ttl = device.namespace.ttl[outer.family];
  outer.length = (outer.family === 0 ? 20 : 40) + HEADERS + inner.length;
  outer.dontFragment = outer.family === 1 || vxlan.df === 'set' || (vxlan.df === 'inherit' && inner.dontFragment);
  outer.frameSource = -1;
  outer.frameDestination = -1;
  outer.vni = learned >= 0 ? vxlan.vni : way.vni;
  s.depth++;
  s.packet = outer;
  s.tunnels++;
  return underlay;
}

/** The inner packet is the packet now, received by the device that this gives. */
export function decapsulate(s: Scratch): ProgramDevice | null {
  const outer = s.packet;
  if (outer.vni < 0 || s.depth === 0) return stop(s);
  const inner = s.packets[s.depth - 1] as PacketRecord;
  const device = vxlanDevice(s, outer);
  if (device === null || inner.frameSource === device.mac) return stop(s);
  const vxlan = device.device.device;
  if (vxlan.kind === 'vxlan' && vxlan.learning) learn(s, device.id, inner.frameSource, outer.source);
  s.depth--;
  s.packet = inner;
  s.tracked = -1;
  s.isReply = false;
  s.info = INFO.none;
  s.local = false;
  return device;
}

function stop(s: Scratch): null {
  giveUp(s);
  return null;
}

/** The one with this VNI among those that share the socket. */
function vxlanDevice(s: Scratch, outer: PacketRecord): ProgramDevice | null {
  for (const device of s.namespace.vxlans) {
    const vxlan = device.device.device;
    if (vxlan.kind !== 'vxlan' || !device.up || vxlan.port !== outer.destinationPort || vxlan.vni !== outer.vni) continue;
    if ((vxlan.local?.family ?? 4) === (outer.family === 0 ? 4 : 6)) return device;
  }
  return null;
}
