/**
 * A packet that starts here: a socket's, an answer of the kernel, the outer packet of a tunnel.
 *
 *   socket -> [route -> source address -> OUTPUT -> route again, if something changed] -> POSTROUTING
 *
 * net/ipv4/route.c: ip_route_output_key_hash; net/ipv4/ip_output.c: __ip_local_out;
 * net/ipv4/netfilter.c: ip_route_me_harder.
 */
import { formatAddress, isUnspecified, sameAddress } from '../net/address.ts';
import { withMss } from './answers.ts';
import type { CompiledNamespace } from './compile.ts';
import { castOf } from './group.ts';
import { runHook } from './netfilter/hooks.ts';
import { fragment, localMtu, nextHopOf, output, outputDevice } from './output.ts';
import { pieceLength, withIp } from './packet.ts';
import { keyOf, lookup, recordRoute, refuse, refuseLoopback } from './route.ts';
import type { Found } from './route.ts';
import { end, passOn, sourceOf, step, withSkb } from './run-state.ts';
import type { Fate, Run, Sending, Skb } from './run-state.ts';
import { selectSource } from './source-address.ts';

export function send(run: Run, ns: CompiledNamespace, sending: Sending): Fate {
  const start: Skb = {
    packet: sending.packet,
    mark: sending.mark,
    tracked: sending.tracked,
    local: true,
    hasSocket: sending.hasSocket ?? true,
    tunnels: sending.tunnels,
    physIn: null,
    physOut: null,
    input: null,
    preroutingDone: false,
    packetType: 'unicast',
  };
  if (start.packet.frame !== null) return framed(run, ns, start, sending);
  const unbound = isUnspecified(start.packet.ip.source);
  const found = lookup(run, ns, { ...keyOf(start, 'lo', sending.device), source: unbound ? null : start.packet.ip.source });
  if (found.kind !== 'found') {
    if (sending.announce !== null) step(run, sending.announce(start.packet));
    return refuse(run, ns, start, found);
  }
  const source = unbound ? selectSource(ns, found, start.packet.ip.destination) : start.packet.ip.source;
  if (source === null) return end(run, ns, start, 'no-source-address', { device: found.device }, sourceOf(found.route.origin));
  const skb = withSkb(start, { packet: withMss(withIp(start.packet, { source }), localMtu(run, ns, found, start.packet.ip.destination)) });
  if (sending.announce !== null) step(run, sending.announce(skb.packet));
  const { transport } = skb.packet;
  if ((transport.kind === 'tcp' || transport.kind === 'sctp') && castOf(skb.packet.ip.destination, found.route.type) !== 'unicast') {
    return end(run, ns, skb, 'group-connection', { address: formatAddress(skb.packet.ip.destination), what: transport.kind.toUpperCase() }, sourceOf(found.route.origin));
  }
  recordRoute(run, ns, found, formatAddress(skb.packet.ip.destination));
  return locallyOut(run, ns, fitted(run, ns, skb, found), found);
}

/** A socket that discovers the path's MTU sends what is too large for its own device in fragments. */
function fitted(run: Run, ns: CompiledNamespace, skb: Skb, found: Found): Skb {
  const mtu = localMtu(run, ns, found, skb.packet.ip.destination);
  const device = ns.devices.get(outputDevice(found));
  if (device === undefined || pieceLength(skb.packet) <= mtu || device.device.kind === 'loopback' || !skb.packet.ip.dontFragment || skb.tunnels > 0) return skb;
  return fragment(run, ns, skb, device, mtu);
}

function locallyOut(run: Run, ns: CompiledNamespace, skb: Skb, found: Found): Fate {
  const position = { hook: 'OUTPUT', input: '', output: outputDevice(found), destinationLocal: found.route.type === 'local', nextHop: nextHopOf(found, skb.packet) } as const;
  const verdict = runHook(run, ns, skb, position);
  if (verdict.kind === 'ended') return verdict.fate;
  const after = verdict.skb;
  if (!rerouted(skb, after)) return refuseLoopback(run, ns, after, found) ?? output(run, ns, after, found);
  // Of the first look-up's device nothing is kept: the socket is not bound to it.
  const again = lookup(run, ns, keyOf(after, 'lo'));
  if (again.kind !== 'found') return refuse(run, ns, after, again);
  if (again.route !== found.route) recordRoute(run, ns, again, `${formatAddress(after.packet.ip.destination)}, looked up again after OUTPUT,`);
  return refuseLoopback(run, ns, after, again) ?? output(run, ns, after, again);
}

/** Out of its device as it stands, past routing and every chain. */
function framed(run: Run, ns: CompiledNamespace, skb: Skb, { announce, device: name }: Sending): Fate {
  if (announce !== null) step(run, announce(skb.packet));
  const device = name === null ? undefined : ns.devices.get(name);
  return device === undefined ? end(run, ns, skb, 'device-unknown', { device: name ?? '?' }) : passOn(run, { kind: 'transmit', ns, device, skb });
}

const rerouted = (before: Skb, after: Skb): boolean =>
  before.mark !== after.mark ||
  before.packet.ip.tos !== after.packet.ip.tos ||
  !sameAddress(before.packet.ip.destination, after.packet.ip.destination) ||
  !sameAddress(before.packet.ip.source, after.packet.ip.source);
