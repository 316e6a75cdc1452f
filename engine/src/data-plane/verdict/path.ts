/**
 * The way of a packet through namespaces, over numbers: what receive.ts, bridge.ts, forward.ts, output.ts, device.ts
 * and send.ts do, without a record. Each function ends by handing the packet on, by its end, or by giving up.
 */
import { learn, learnedOf, forwardingOf, neighbour, routeBy, routeTo, sourceFor, takerOf } from './asked.ts';
import { flagsOf, LIMITED_BROADCAST, LOOPBACK, MULTICAST, UNSPECIFIED } from './address-book.ts';
import { reasonId } from './reason-id.ts';
import { runHook } from './hook.ts';
import { deliverLocally } from './local.ts';
import { DECIDED, FORWARDED, inputRoute, LOCAL } from './input.ts';
import { FORWARD, OUTPUT, POSTROUTING, PREROUTING } from './program.ts';
import type { ProgramDevice, ProgramNamespace } from './program.ts';
import { endHere, giveUp, INFO, TUNNEL } from './scratch.ts';
import type { Scratch } from './scratch.ts';
import type { RouteWay } from './ways.ts';

const HAIRPIN_OFF = reasonId('hairpin-off');
const PORT_ISOLATED = reasonId('port-isolated');
const NO_ROUTE = reasonId('no-route');

/** More than this and the exact engine tells a loop from a long way. */
const MAX_STEPS = 200;

export function receive(s: Scratch, device: ProgramDevice): void {
  const p = s.packet;
  if (++s.steps > MAX_STEPS || !device.up) return giveUp(s);
  s.namespace = device.namespace;
  if (device.device.port !== null) return receiveOnPort(s, device);
  if (p.frameDestination >= 0 && device.mac >= 0 && p.frameDestination !== device.mac) return giveUp(s);
  receiveIp(s, device);
}

function receiveIp(s: Scratch, device: ProgramDevice): void {
  s.physOut = null;
  const done = s.preroutingDone;
  s.preroutingDone = false;
  if (!done && !runHook(s, PREROUTING, device, null, -1)) return;
  if (device.kind === 'loopback') return deliverLocally(s, device);
  const way = inputRoute(s, device);
  if (way === LOCAL) deliverLocally(s, device);
  else if (way === FORWARDED) forward(s, device, routeTo(s, s.packet.destination));
}

/** br_handle_frame: bridged frames pass PREROUTING here where br_netfilter is on. */
function receiveOnPort(s: Scratch, port: ProgramDevice): void {
  const bridge = port.master;
  if (bridge === null || !bridge.up) return giveUp(s);
  if (s.namespace.bridgeNetfilter[s.packet.family]) {
    const before = s.packet.destination;
    s.physIn = port;
    if (!runHook(s, PREROUTING, bridge, null, -1)) return;
    s.preroutingDone = true;
    if (s.packet.destination !== before && !redirected(s, bridge)) return;
  }
  bridgeFrame(s, bridge, port);
}

/** br_nf_pre_routing_finish after a DNAT: bridged to the new neighbour, or up into the host. */
function redirected(s: Scratch, bridge: ProgramDevice): boolean {
  const p = s.packet;
  const way = inputRoute(s, bridge);
  if (way === DECIDED) return false;
  const route = routeTo(s, p.destination);
  if (way === FORWARDED && route.device === bridge) {
    const mac = neighbour(s, bridge, route.via < 0 ? p.destination : route.via);
    if (mac < 0) giveUp(s);
    p.frameDestination = mac;
  } else if (bridge.mac >= 0) p.frameDestination = bridge.mac;
  return !s.over;
}

function bridgeFrame(s: Scratch, bridge: ProgramDevice, port: ProgramDevice): void {
  const p = s.packet;
  if (p.frameDestination < 0) return giveUp(s);
  if (port.learns) learn(s, bridge.id, p.frameSource, port.id);
  toPort(s, bridge, port);
}

/** br_handle_frame_finish, br_dev_xmit: the bridge's own, a port, or a flood, which is followed elsewhere. */
function toPort(s: Scratch, bridge: ProgramDevice, from: ProgramDevice | null): void {
  const p = s.packet;
  const way = forwardingOf(s, bridge, p.frameDestination);
  if (way.isLocal) {
    if (++s.steps > MAX_STEPS) return giveUp(s);
    return receiveIp(s, bridge);
  }
  const learned = learnedOf(s, bridge.id, p.frameDestination);
  const port = learned >= 0 ? (s.program.devices[learned] as ProgramDevice) : way.port;
  if (port === null) return giveUp(s);
  if (from !== null && port === from && !from.hairpin) return endHere(s, HAIRPIN_OFF);
  if (from !== null && from.isolated && port.isolated) return endHere(s, PORT_ISOLATED);
  if (from !== null && s.namespace.bridgeNetfilter[p.family]) {
    s.physOut = port;
    if (!runHook(s, FORWARD, bridge, bridge, -1)) return;
    if (!runHook(s, POSTROUTING, null, bridge, -1)) return;
  }
  if (p.length > port.mtu) return giveUp(s);
  transmit(s, port);
}

/** dev_queue_xmit. */
export function transmit(s: Scratch, device: ProgramDevice): void {
  if (!device.up || ++s.steps > MAX_STEPS) return giveUp(s);
  switch (device.kind) {
    case 'loopback':
      return receive(s, device);
    case 'veth':
      return arrive(s, device.peer);
    case 'physical':
      return arrive(s, s.packet.frameDestination < 0 ? null : takerOf(s, device, s.packet.frameDestination));
    case 'bridge':
      return s.packet.frameDestination < 0 ? giveUp(s) : toPort(s, device, null);
    case 'vxlan':
      s.tunnelWork = TUNNEL.encapsulate;
      s.tunnel = device;
      return;
    case 'tun':
    case 'dummy':
    case 'unknown':
      return giveUp(s);
  }
}

/** In another namespace nothing of the sk_buff is left but the packet (skb_scrub_packet). */
function arrive(s: Scratch, to: ProgramDevice | null): void {
  if (to === null || !to.up || s.packet.length > to.mtu) return giveUp(s);
  if (to.namespace !== s.namespace) {
    if (to.namespace.isolated || s.namespace.isolated) return giveUp(s);
    s.mark = 0;
  }
  scrub(s);
  receive(s, to);
}

function scrub(s: Scratch): void {
  s.tracked = -1;
  s.isReply = false;
  s.info = INFO.none;
  s.local = false;
  s.tunnels = 0;
  s.physIn = null;
  s.physOut = null;
  s.preroutingDone = false;
}

/** ip_forward. */
function forward(s: Scratch, device: ProgramDevice, route: RouteWay): void {
  const p = s.packet;
  const { output: out } = route;
  if (out === null || p.ttl <= 1 || p.length > route.mtu) return giveUp(s);
  p.ttl--;
  if (!runHook(s, FORWARD, device, out, route.via < 0 ? p.destination : route.via)) return;
  leave(s, route);
}

/** ip_output, ip_finish_output2. */
function leave(s: Scratch, route: RouteWay): void {
  const p = s.packet;
  const { output: out } = route;
  if (out === null || route.type === 'broadcast' || route.type === 'multicast' || (flagsOf(s.book, p.destination) & (MULTICAST | LIMITED_BROADCAST)) !== 0) return giveUp(s);
  const nextHop = route.via < 0 ? p.destination : route.via;
  if (!runHook(s, POSTROUTING, null, out, nextHop)) return;
  if (p.length > route.mtu && out.kind !== 'loopback') return giveUp(s);
  if (out.mac < 0 || out.kind === 'loopback' || out.kind === 'tun') {
    p.frameSource = -1;
    p.frameDestination = -1;
    return transmit(s, out);
  }
  if (!out.up) return giveUp(s);
  const mac = neighbour(s, out, nextHop);
  // Who is told that nobody answers, and what is beyond the file, is the exact engine's to say.
  if (mac < 0 || s.over) return giveUp(s);
  p.frameSource = out.mac;
  p.frameDestination = mac;
  transmit(s, out);
}

/** A packet that starts here: ip_route_output_key_hash, __ip_local_out, ip_route_me_harder. `by`: the device that it must leave by. */
export function send(s: Scratch, ns: ProgramNamespace, by: ProgramDevice | null): void {
  const p = s.packet;
  s.namespace = ns;
  const { tunnels } = s;
  scrub(s);
  s.local = true;
  s.tunnels = tunnels;
  const route = by === null ? routeTo(s, p.destination) : routeBy(s, by, p.destination);
  if (route.kind === 'none' || route.kind === 'refused') return endHere(s, route.kind === 'none' ? NO_ROUTE : route.reason);
  const { output: out } = route;
  if (route.kind !== 'found' || out === null) return giveUp(s);
  if (p.source < 0 || (flagsOf(s.book, p.source) & UNSPECIFIED) !== 0) p.source = sourceFor(s, route, p.destination);
  if (p.source < 0 || (p.length > route.mtu && out.kind !== 'loopback')) return giveUp(s);
  const { source, destination } = p;
  const { mark } = s;
  if (!runHook(s, OUTPUT, null, out, route.via < 0 ? destination : route.via)) return;
  if (p.source === source && p.destination === destination && s.mark === mark) return checked(s, route);
  const again = routeTo(s, p.destination);
  if (again.kind !== 'found') return giveUp(s);
  checked(s, again);
}

/** A loopback source leaves its host only with route_localnet. */
function checked(s: Scratch, route: RouteWay): void {
  const p = s.packet;
  const out = route.output as ProgramDevice;
  if (out.kind !== 'loopback' && (flagsOf(s.book, p.source) & LOOPBACK) !== 0 && !(p.family === 0 && out.routeLocalnet)) return giveUp(s);
  leave(s, route);
}

