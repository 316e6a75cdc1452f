/**
 * PREROUTING for a bridged frame, and where it goes when a rule gave it another destination: back over the same bridge
 * with the new neighbour's MAC (TTL and source MAC untouched), or up into the host. And the port's MTU on its way out.
 *
 * net/bridge/br_netfilter_hooks.c: br_nf_pre_routing, br_nf_pre_routing_finish, br_nf_dev_queue_xmit; br_netfilter_ipv6.c.
 */
import { formatAddress, sameAddress } from '../net/address.ts';
import type { Interface } from '../topology/model.ts';
import type { CompiledNamespace } from './compile.ts';
import { hostUnreachable, icmpError } from './icmp-error.ts';
import { inputRoute, refuseInput } from './input-route.ts';
import { resolve } from './neighbour.ts';
import { runHook } from './netfilter/hooks.ts';
import { fragment, tellTooBig } from './output.ts';
import { FRAGMENT_HEADER_LENGTH, ipLength, withFrame } from './packet.ts';
import { keyOf, lookup, recordRoute, refuse } from './route.ts';
import type { Found } from './route.ts';
import { end, sourceOf, withSkb } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';

type Passed = { readonly skb: Skb } | { readonly fate: Fate };

export function prerouteOnBridge(run: Run, ns: CompiledNamespace, bridge: Interface, skb: Skb): Passed {
  const verdict = runHook(run, ns, skb, { hook: 'PREROUTING', input: bridge.name, output: '', destinationLocal: false, nextHop: null });
  if (verdict.kind === 'ended') return { fate: verdict.fate };
  const done = withSkb(verdict.skb, { input: null, preroutingDone: true });
  if (sameAddress(done.packet.ip.destination, skb.packet.ip.destination)) return { skb: done };
  return redirect(run, ns, bridge, done);
}

function redirect(run: Run, ns: CompiledNamespace, bridge: Interface, skb: Skb): Passed {
  const input = inputRoute(run, ns, bridge.name, skb);
  switch (input.kind) {
    case 'local':
      return { skb: routed(skb, bridge, input.found) };
    case 'forward':
      return input.found.device === bridge.name ? bridged(run, ns, bridge, skb, input.found) : { skb: routed(skb, bridge, input.found) };
    case 'not-forwarding': {
      // In IPv4 the route is then ip_error, which is not the bridge's: up it goes, and ends there. IPv6 asks later (ip6_forward).
      if (skb.packet.ip.family === 4) return { skb: addressed(skb, bridge) };
      const route = lookup(run, ns, keyOf(skb, bridge.name));
      if (route.kind === 'found' && route.device === bridge.name && route.route.type !== 'local') return bridged(run, ns, bridge, skb, route);
      return { skb: addressed(skb, bridge) };
    }
    case 'refused':
      // In IPv4 ip_error again; IPv6 drops it here, and tells nobody (br_nf_pre_routing_finish_ipv6).
      return skb.packet.ip.family === 4 && input.by.kind !== 'undecided' ? { skb: addressed(skb, bridge) } : { fate: refuse(run, ns, skb, input.by) };
    case 'ended':
    case 'group':
      return { fate: refuseInput(run, ns, bridge.name, skb, input) };
  }
}

/** The bridge's own MAC: the frame goes up, and is routed. */
const addressed = (skb: Skb, bridge: Interface): Skb => {
  const { frame } = skb.packet;
  return frame === null || bridge.mac === null ? skb : withSkb(skb, { packet: withFrame(skb.packet, { ...frame, destination: bridge.mac }) });
};

/** A packet that has its route already is taken for one that came in by the route's device (net/ipv6/ip6_input.c: ip6_rcv_core). */
const routed = (skb: Skb, bridge: Interface, found: Found): Skb => withSkb(addressed(skb, bridge), { input: skb.packet.ip.family === 6 ? found.device : null });

function bridged(run: Run, ns: CompiledNamespace, bridge: Interface, skb: Skb, found: Found): Passed {
  recordRoute(run, ns, found, `The new destination ${formatAddress(skb.packet.ip.destination)}`);
  const nextHop = found.via ?? skb.packet.ip.destination;
  const mac = resolve(run, ns, bridge, nextHop);
  if (mac === null) {
    icmpError(run, ns, skb, { ...hostUnreachable(skb.packet.ip.family), mtu: null, destinationLocal: false });
    return { fate: end(run, ns, skb, 'neighbour-failed', { address: formatAddress(nextHop), device: bridge.name }) };
  }
  const { frame } = skb.packet;
  return { skb: withSkb(skb, { packet: withFrame(skb.packet, frame === null ? null : { ...frame, destination: mac }) }) };
}

/**
 * br_nf_dev_queue_xmit: what is above the port's MTU is fragmented by the bridge's, as far as it may be. What came in
 * pieces leaves in such pieces. IPv4 tells nobody of what it drops (br_nf_ip_fragment), IPv6 the sender (ip6_fragment).
 */
export function fitPort(run: Run, ns: CompiledNamespace, bridge: Interface, port: Interface, skb: Skb): Passed {
  const { ip } = skb.packet;
  const length = ip.fragmentedTo ?? ipLength(skb.packet);
  if (ipLength(skb.packet) <= Math.min(port.mtu, length)) return { skb };
  const isRefused = ip.fragmentedTo === null && ip.family === 4 ? ip.dontFragment : length > bridge.mtu;
  if (isRefused) return { fate: ip.family === 4 ? aboveMtu(run, ns, skb, port) : tellTooBig(run, ns, skb, bridge.name, bridge.mtu) };
  if (ip.fragmentedTo !== null) return { skb };
  if (length + (ip.family === 4 ? 0 : FRAGMENT_HEADER_LENGTH) > bridge.mtu) return { skb: fragment(run, ns, skb, bridge, bridge.mtu) };
  // One piece. IPv6 gives it a fragment header all the same, with which it is above what the port takes.
  return ip.family === 4 ? { skb } : { fate: aboveMtu(run, ns, skb, port) };
}

export const aboveMtu = (run: Run, ns: CompiledNamespace, skb: Skb, port: Interface): Fate => end(run, ns, skb, 'over-mtu', { device: port.name, what: String(port.mtu) }, sourceOf(port.origin));
