/**
 * A packet for somebody else.
 *
 *   route -> [TTL -> MTU -> TTL - 1 -> egress policy -> FORWARD] -> POSTROUTING
 *
 * net/ipv4/ip_forward.c: ip_forward; net/ipv6/ip6_output.c: ip6_forward. Errors about the TTL and the MTU quote the
 * packet as it came, a REJECT in FORWARD the decremented one.
 */
import { routeCircle } from './circle.ts';
import type { CompiledNamespace } from './compile.ts';
import { formatAddress } from '../net/address.ts';
import { icmpError, timeExceeded } from './icmp-error.ts';
import { runHook } from './netfilter/hooks.ts';
import { egressPolicy } from './policy/stage.ts';
import { nextHopOf, output, outputDevice, routeMtu, tellTooBig } from './output.ts';
import { pieceLength, withIp } from './packet.ts';
import { redirect } from './redirect.ts';
import type { Found } from './route.ts';
import { end, kernel, step, withSkb } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';

export function forward(run: Run, ns: CompiledNamespace, device: string, skb: Skb, found: Found): Fate {
  const { ip } = skb.packet;
  if (skb.packetType !== 'unicast') return end(run, ns, skb, 'group-frame', { device, address: formatAddress(ip.destination) });
  const { forwardedBy } = run.journey;
  const name = `${ns.index} ${skb.tunnels}`;
  if (ip.ttl <= 1) {
    icmpError(run, ns, skb, { ...timeExceeded(ip.family), mtu: null, destinationLocal: false });
    return forwardedBy.has(name) ? end(run, ns, skb, 'routing-loop', { what: routeCircle(run, ns) }) : end(run, ns, skb, 'ttl-exceeded', {});
  }
  forwardedBy.add(name);
  const out = outputDevice(found);
  // IPv6 asks the device alone here, and the route's own MTU when it sends (include/net/ip6_route.h: ip6_dst_mtu_maybe_forward).
  const mtu = ip.family === 6 ? (ns.devices.get(out)?.mtu ?? routeMtu(ns, found)) : routeMtu(ns, found);
  const known = ns.devices.get(out)?.device.kind !== 'unknown';
  if (known && ip.dontFragment && !(ip.family === 6 && ip.rejoined) && pieceLength(skb.packet) > mtu) return tellTooBig(run, ns, skb, out, mtu);
  redirect(run, ns, device, skb, found);
  const ttl = ip.ttl - 1;
  const sentence = `${ns.label} forwards the packet from ${device} to ${out}, and its ${ip.family === 4 ? 'TTL' : 'hop limit'} is now ${ttl}.`;
  step(run, { stage: 'forward', ttl, sentence, source: kernel('forwarding') });
  const lowered = withSkb(skb, { packet: withIp(skb.packet, { ttl }) });
  const isolated = egressPolicy(run, ns, lowered);
  if (isolated !== null) return isolated;
  const verdict = runHook(run, ns, lowered, { hook: 'FORWARD', input: device, output: out, destinationLocal: false, nextHop: nextHopOf(found, skb.packet) });
  return verdict.kind === 'ended' ? verdict.fate : output(run, ns, verdict.skb, found);
}
