/**
 * The route of a packet that came in, with the checks of its source.
 *
 *   PREROUTING -> [route, source checks] -> INPUT or FORWARD
 *
 * net/ipv4/route.c: ip_route_input_slow, ip_error; net/ipv4/fib_frontend.c: fib_validate_source;
 * net/ipv6/ip6_input.c: ip6_rcv_core.
 */
import { formatAddress, isLoopback, isMulticast, isUnspecified } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import type { CompiledNamespace } from './compile.ts';
import { castOf, isLimitedBroadcast } from './group.ts';
import { icmpError, hostUnreachable, networkUnreachable, prohibited } from './icmp-error.ts';
import { keyOf, lookup, refuse } from './route.ts';
import type { Found, Lookup } from './route.ts';
import { end, step, sourceOf, kernel } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';
import { isOwn } from './source-address.ts';
import { either, forwards, maximum } from './sysctl.ts';

export type InputRoute =
  | { readonly kind: 'local' | 'forward'; readonly found: Found }
  /** `found`: the route that says so. */
  | { readonly kind: 'group'; readonly cast: 'broadcast' | 'multicast'; readonly found: Found | null }
  | { readonly kind: 'not-forwarding' }
  | { readonly kind: 'refused'; readonly by: Exclude<Lookup, Found> }
  | { readonly kind: 'ended'; readonly fate: Fate };

export function inputRoute(run: Run, ns: CompiledNamespace, device: string, skb: Skb): InputRoute {
  const { ip } = skb.packet;
  const cast = castOf(ip.destination, undefined);
  if (cast !== 'unicast') return groupRoute(run, ns, device, skb, cast, null);
  const loopbackAllowed = ip.family === 4 && either(ns, 4, device, 'route_localnet');
  if (isMulticast(ip.source) || isLimitedBroadcast(ip.source) || (ip.family === 4 && isUnspecified(ip.source))) return martian(run, ns, skb, 'martian-source', ip.source, device, 'it is no unicast address');
  if (isUnspecified(ip.destination)) return martian(run, ns, skb, 'martian-destination', ip.destination, device, 'it is no address');
  const localnet = ip.family === 4 ? 'a loopback address stays inside a host unless route_localnet is 1' : 'a loopback address stays inside a host';
  if (isLoopback(ip.destination) && !loopbackAllowed) return martian(run, ns, skb, 'martian-destination', ip.destination, device, localnet);
  if (isLoopback(ip.source) && !loopbackAllowed) return martian(run, ns, skb, 'martian-source', ip.source, device, localnet);
  const result = lookup(run, ns, keyOf(skb, device));
  const forwarding = forwards(ns, ip.family, device);
  // IPv6 refuses before it asks whether it forwards (net/ipv6/route.c: ip6_pkt_drop).
  if (result.kind !== 'found') return result.kind === 'undecided' || forwarding || ip.family === 6 ? { kind: 'refused', by: result } : { kind: 'not-forwarding' };
  if (result.route.type === 'broadcast' || result.route.type === 'multicast') return groupRoute(run, ns, device, skb, result.route.type, result);
  if (result.route.type !== 'local' && !forwarding) return { kind: 'not-forwarding' };
  if (ip.family === 4) {
    const problem = checkSource(run, ns, device, skb);
    if (problem !== null) return problem;
  }
  return { kind: result.route.type === 'local' ? 'local' : 'forward', found: result };
}

/** ip_route_input_mc, and brd_input of ip_route_input_slow: a source that is not known yet is no martian here. */
function groupRoute(run: Run, ns: CompiledNamespace, device: string, skb: Skb, cast: 'broadcast' | 'multicast', found: Found | null): InputRoute {
  const { ip } = skb.packet;
  if (isMulticast(ip.source) || isLimitedBroadcast(ip.source)) return martian(run, ns, skb, 'martian-source', ip.source, device, 'it is no unicast address');
  const problem = ip.family === 4 && !isUnspecified(ip.source) ? checkSource(run, ns, device, skb) : null;
  return problem ?? { kind: 'group', cast, found };
}

function martian(run: Run, ns: CompiledNamespace, skb: Skb, code: 'martian-source' | 'martian-destination', address: Address, device: string, what: string): InputRoute {
  step(run, { stage: 'source-check', verdict: 'martian', sentence: `${ns.label} takes ${formatAddress(address)} on ${device} for a martian${either(ns, 4, device, 'log_martians') ? ', and says so in its kernel log (log_martians)' : ''}.`, source: kernel('ip_route_input_slow') });
  return { kind: 'ended', fate: end(run, ns, skb, code, { address: formatAddress(address), device, what }) };
}

/** Whether an ARP request is heard at all: arp_process asks ip_route_input, with its checks of the sender. */
export function answersArp(run: Run, ns: CompiledNamespace, device: string, sender: Address): boolean {
  if (isUnspecified(sender)) return true;
  if (isOwn(ns, sender) && !either(ns, 4, device, 'accept_local')) return false;
  const filter = maximum(ns, 4, device, 'rp_filter');
  const bySource = either(ns, 4, device, 'arp_filter');
  if (filter === 0 && !bySource) return true;
  const back = lookup(run, ns, { family: 4, destination: sender, source: null, mark: 0, protocol: 0, tos: 0, input: device, output: null });
  // arp_filter: only where the way back to who asks is by the device that he asks on.
  return back.kind === 'found' && ((filter === 2 && !bySource) || back.route.nexthops.some((n) => n.device === device));
}

/** An own address from outside is a martian; then rp_filter: 1 strict, 2 loose. `null`: it passes. */
function checkSource(run: Run, ns: CompiledNamespace, device: string, skb: Skb): InputRoute | null {
  const { source } = skb.packet.ip;
  const acceptLocal = either(ns, 4, device, 'accept_local');
  if (isOwn(ns, source) && !acceptLocal && !isLoopback(source)) return martian(run, ns, skb, 'martian-source', source, device, 'it is its own address');
  const filter = maximum(ns, 4, device, 'rp_filter');
  if (filter === 0 || isLoopback(source)) return null;
  const back = lookup(run, ns, { ...keyOf(skb, device), destination: source, source: skb.packet.ip.destination });
  if (back.kind === 'undecided') return { kind: 'ended', fate: refuse(run, ns, skb, back) };
  const sysctl = ns.sysctls.get(`net.ipv4.conf.${device.replaceAll('.', '/')}.rp_filter`) ?? ns.sysctls.get('net.ipv4.conf.all.rp_filter');
  const decidedBy = sysctl === undefined ? kernel('rp_filter') : sourceOf(sysctl.origin);
  const same = back.kind === 'found' && back.route.nexthops.some((n) => n.device === device);
  if (same || (filter === 2 && back.kind === 'found')) {
    step(run, { stage: 'source-check', verdict: 'pass', sentence: `The way back to ${formatAddress(source)} ${same ? `is by ${device} too` : 'exists'}, as rp_filter ${filter} on ${ns.label} demands.`, source: decidedBy });
    return null;
  }
  step(run, { stage: 'source-check', verdict: 'martian', sentence: `The way back to ${formatAddress(source)} is not by ${device}, and rp_filter on ${ns.label} is ${filter}.`, source: decidedBy });
  return { kind: 'ended', fate: end(run, ns, skb, 'rp-filter', { address: formatAddress(source), device, what: String(filter) }, decidedBy) };
}

/** ip_error: a host that forwards tells the sender, another is silent. */
export function refuseInput(run: Run, ns: CompiledNamespace, device: string, skb: Skb, input: Exclude<InputRoute, { kind: 'local' | 'forward' }>): Fate {
  const { family } = skb.packet.ip;
  const address = formatAddress(skb.packet.ip.destination);
  switch (input.kind) {
    case 'ended':
      return input.fate;
    case 'group':
      return end(run, ns, skb, 'group-destination', { address, what: `a rule of ${ns.label} leads a bridged packet to it` });
    case 'not-forwarding': {
      const name = family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
      const deciding = ns.sysctls.get(`net.ipv4.conf.${device.replaceAll('.', '/')}.forwarding`) ?? ns.sysctls.get(name);
      return end(run, ns, skb, 'not-forwarding', { what: name, address }, deciding === undefined ? undefined : sourceOf(deciding.origin));
    }
    case 'refused': {
      const error = input.by.kind === 'none' ? networkUnreachable(family) : input.by.kind === 'refused' ? refusal(family, input.by.how) : null;
      if (error !== null) icmpError(run, ns, skb, { ...error, mtu: null, destinationLocal: false });
      return refuse(run, ns, skb, input.by);
    }
  }
}

function refusal(family: 4 | 6, how: 'unreachable' | 'blackhole' | 'prohibit'): { readonly type: number; readonly code: number } | null {
  switch (how) {
    case 'blackhole':
      return null;
    case 'prohibit':
      return prohibited(family);
    case 'unreachable':
      return family === 4 ? hostUnreachable(4) : networkUnreachable(6);
  }
}
