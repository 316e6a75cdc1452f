/**
 * A device receives a frame: the hop is recorded, bridge ports hand it to their bridge, the rest goes to IP.
 *
 *   device in -> [bridge port? -> MAC check -> PREROUTING -> route] -> INPUT or FORWARD
 *
 * net/core/dev.c: __netif_receive_skb_core; net/ethernet/eth.c: eth_type_trans; net/ipv4/ip_input.c: ip_rcv;
 * br_netfilter_hooks.c: ip_sabotage_in.
 */
import { BROADCAST_MAC, formatAddress, formatMac, isGroupMac } from '../net/address.ts';
import type { Interface } from '../topology/model.ts';
import { receiveOnPort } from './bridge.ts';
import { frameCircle } from './circle.ts';
import type { CompiledNamespace } from './compile.ts';
import { forward } from './forward.ts';
import { isMember } from './group.ts';
import { inputRoute, refuseInput } from './input-route.ts';
import { deliverLocally } from './local-delivery.ts';
import { runHook } from './netfilter/hooks.ts';
import { withIp } from './packet.ts';
import type { Packet } from './packet.ts';
import { recordRoute } from './route.ts';
import { end, exhausted, hop, sourceOf, withSkb } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';

export function receive(run: Run, ns: CompiledNamespace, device: Interface, skb: Skb): Fate {
  if (exhausted(run)) return end(run, ns, skb, 'too-many-hops', {});
  const circle = device.port === null ? null : frameCircle(run, ns, device, skb);
  hop(run, ns, device, 'in', skb.packet);
  if (circle !== null) return end(run, ns, skb, 'bridge-loop', { device: device.name, what: circle }, sourceOf(device.origin));
  if (!device.up) return end(run, ns, skb, 'device-down', { device: device.name }, sourceOf(device.origin));
  const { frame } = skb.packet;
  const isGroup = frame !== null && isGroupMac(frame.destination);
  const typed = isGroup ? withSkb(skb, { packetType: frame.destination === BROADCAST_MAC ? 'broadcast' : 'multicast' }) : skb;
  if (device.port !== null) return receiveOnPort(run, ns, device, typed);
  if (frame === null || device.mac === null || isGroup) return receiveIp(run, ns, device.name, typed);
  if (frame.destination !== device.mac) return end(run, ns, skb, 'other-host', { what: formatMac(frame.destination), device: device.name }, sourceOf(device.origin));
  return receiveIp(run, ns, device.name, skb);
}

/** The bridge device gets what one of its ports took for it; the frame's MAC was checked by the bridge. */
export function receiveUp(run: Run, ns: CompiledNamespace, bridge: Interface, skb: Skb): Fate {
  if (exhausted(run)) return end(run, ns, skb, 'too-many-hops', {});
  hop(run, ns, bridge, 'in', skb.packet);
  return receiveIp(run, ns, bridge.name, skb);
}

function receiveIp(run: Run, ns: CompiledNamespace, device: string, skb: Skb): Fate {
  // nf_bridge_info stays with the packet: --physdev-in matches in INPUT and FORWARD too.
  const routed = withSkb(skb, { packet: skb.preroutingDone && ns.tracks[skb.packet.ip.family] ? joined(skb.packet) : skb.packet, physOut: null, input: (skb.preroutingDone ? skb.input : null) ?? device, preroutingDone: false });
  if (skb.preroutingDone) return route(run, ns, device, routed);
  const verdict = runHook(run, ns, routed, { hook: 'PREROUTING', input: device, output: '', destinationLocal: false, nextHop: null });
  return verdict.kind === 'ended' ? verdict.fate : route(run, ns, device, verdict.skb);
}

/**
 * br_netfilter's conntrack puts fragments together; how long they were stands in the control block, which IP clears
 * (ip_rcv_core, ip6_rcv_core).
 */
const joined = (packet: Packet): Packet => (packet.ip.fragmentedTo === null ? packet : withIp(packet, { rejoined: true }));

/** What loopback gives back has kept its route: it is for this host, and no source is checked. */
function route(run: Run, ns: CompiledNamespace, device: string, skb: Skb): Fate {
  if (ns.devices.get(device)?.device.kind === 'loopback') return deliverLocally(run, ns, device, skb);
  const input = inputRoute(run, ns, device, skb);
  switch (input.kind) {
    case 'local':
      recordRoute(run, ns, input.found, subject(skb));
      return deliverLocally(run, ns, device, skb);
    case 'forward':
      recordRoute(run, ns, input.found, subject(skb));
      return forward(run, ns, device, skb, input.found);
    case 'group':
      if (input.found !== null) recordRoute(run, ns, input.found, subject(skb));
      return takeGroup(run, ns, device, skb, input.cast);
    case 'not-forwarding':
    case 'refused':
    case 'ended':
      return refuseInput(run, ns, device, skb, input);
  }
}

/** A group that nobody here has joined is somebody else's. */
function takeGroup(run: Run, ns: CompiledNamespace, device: string, skb: Skb, cast: 'broadcast' | 'multicast'): Fate {
  const address = formatAddress(skb.packet.ip.destination);
  const member = cast === 'broadcast' || isMember(ns, device, skb.packet.ip.destination);
  if (member === null) return end(run, ns, skb, 'group-destination', { address, what: `nothing tells whether a program on ${ns.label} has joined it` });
  return member ? deliverLocally(run, ns, device, skb) : end(run, ns, skb, 'group-not-joined', { address });
}

/** The sender's own copy of what it sends to everyone (dev_loopback_xmit): it has kept its route, and no capture shows it. */
export function receiveCopy(run: Run, ns: CompiledNamespace, device: Interface, skb: Skb): Fate {
  run.journey.current = run.journey.hops.findLast((h) => h.host === ns.host.name && h.namespace === ns.namespace.name) ?? null;
  const verdict = runHook(run, ns, skb, { hook: 'PREROUTING', input: device.name, output: '', destinationLocal: true, nextHop: null });
  return verdict.kind === 'ended' ? verdict.fate : deliverLocally(run, ns, device.name, verdict.skb);
}

const subject = (skb: Skb): string => formatAddress(skb.packet.ip.destination);
