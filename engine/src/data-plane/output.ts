/**
 * Out of the IP layer: POSTROUTING, the MTU, the neighbour, the device.
 *
 *   FORWARD or OUTPUT -> [POSTROUTING -> fragment -> neighbour] -> device
 *
 * net/ipv4/ip_output.c: ip_output, ip_finish_output; net/ipv6/ip6_output.c: ip6_output.
 */
import { contains, formatAddress, sameAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { globalAddresses } from '../topology/lookup.ts';
import { LOCAL_TABLE, ROOT_NAMESPACE } from '../topology/model.ts';
import type { Interface, Namespace, Topology } from '../topology/model.ts';
import type { CompiledNamespace } from './compile.ts';
import { castOf, groupMac, isMember } from './group.ts';
import { hostUnreachable, icmpError, tooBig } from './icmp-error.ts';
import { resolve } from './neighbour.ts';
import { runHook } from './netfilter/hooks.ts';
import { unsimulatedPlugin } from './network-plugin.ts';
import { FRAGMENT_HEADER_LENGTH, ipHeaderLength, ipLength, pieceLength, withFrame, withIp } from './packet.ts';
import type { Frame, Packet } from './packet.ts';
import { pathMtu } from './path-mtu.ts';
import type { Found } from './route.ts';
import { end, kernel, passCopies, passOn, sourceOf, step, withSkb } from './run-state.ts';
import type { Fate, Run, Skb, Work } from './run-state.ts';

export const nextHopOf = (found: Found, packet: Packet): Address => found.via ?? packet.ip.destination;

export const outputDevice = (found: Found): string => (found.route.type === 'local' ? 'lo' : found.device);

/** The bytes that may travel in one piece by this route. */
export const routeMtu = (ns: CompiledNamespace, found: Found): number => found.route.mtu ?? ns.devices.get(outputDevice(found))?.mtu ?? 1500;

/** The same for a packet that starts here: no more than is known to reach its destination. */
export const localMtu = (run: Run, ns: CompiledNamespace, found: Found, destination: Address): number =>
  Math.min(routeMtu(ns, found), pathMtu(run, ns, destination) ?? Number.POSITIVE_INFINITY);

const mtuFor = (run: Run, ns: CompiledNamespace, skb: Skb, found: Found): number => (skb.local ? localMtu(run, ns, found, skb.packet.ip.destination) : routeMtu(ns, found));

export function output(run: Run, ns: CompiledNamespace, skb: Skb, found: Found): Fate {
  const name = outputDevice(found);
  const device = ns.devices.get(name);
  const left = unsimulatedPlugin(run, ns, skb, name);
  if (left !== null) return left;
  if (device === undefined) return end(run, ns, skb, 'device-unknown', { device: name }, sourceOf(found.route.origin));
  const cast = castOf(skb.packet.ip.destination, found.route.type);
  if (cast !== 'unicast' && device.device.kind !== 'loopback') return outputToGroup(run, ns, skb, device, cast, found);
  const nextHop = nextHopOf(found, skb.packet);
  const verdict = runHook(run, ns, skb, { hook: 'POSTROUTING', input: '', output: name, destinationLocal: found.route.type === 'local', nextHop });
  if (verdict.kind === 'ended') return verdict.fate;
  const fitting = fit(run, ns, verdict.skb, device, mtuFor(run, ns, verdict.skb, found));
  if (!('skb' in fitting)) return fitting.fate;
  return finish(run, ns, fitting.skb, device, nextHop);
}

/**
 * ip_mc_output, ip6_finish_output2: the frame for everyone, and a copy for the sender where it belongs to them; each passes
 * POSTROUTING.
 */
function outputToGroup(run: Run, ns: CompiledNamespace, skb: Skb, device: Interface, cast: 'broadcast' | 'multicast', found: Found): Fate {
  const { destination } = skb.packet.ip;
  const address = formatAddress(destination);
  const links = new Set(ns.namespace.routes.filter((r) => r.type === 'multicast' && r.table === LOCAL_TABLE).flatMap((r) => r.nexthops.map((n) => n.device)));
  if (destination.family === 6 && links.size > 1) return end(run, ns, skb, 'group-destination', { address, what: `${ns.label} has several links that it could leave by (${[...links].join(', ')})` }, sourceOf(found.route.origin));
  if (cast === 'broadcast' && run.phase === 'request') step(run, { stage: 'assumption', sentence: 'The sender is taken to have asked for broadcasts (SO_BROADCAST, ping -b): to others the kernel says EACCES.', source: kernel('a broadcast') });
  const own = cast === 'broadcast' || isMember(ns, device.name, destination) === true;
  const position = { hook: 'POSTROUTING', input: '', output: device.name, destinationLocal: false, nextHop: destination } as const;
  const copy = own ? runHook(run, ns, skb, position) : null;
  if (copy?.kind === 'ended') return copy.fate;
  const verdict = runHook(run, ns, skb, position);
  if (verdict.kind === 'ended') return verdict.fate;
  const fitting = fit(run, ns, verdict.skb, device, mtuFor(run, ns, verdict.skb, found));
  if (!('skb' in fitting)) return fitting.fate;
  const frame = device.mac === null ? null : { source: device.mac, destination: groupMac(destination, cast) };
  const sent: Work = { kind: 'transmit', ns, device, skb: withSkb(fitting.skb, { packet: withFrame(fitting.skb.packet, frame) }) };
  return passCopies(run, copy === null ? [sent] : [sent, { kind: 'receive-copy', ns, device, skb: withSkb(copy.skb, { packetType: cast }) }]);
}

type Fitting = { readonly skb: Skb } | { readonly fate: Fate };

/** ip_fragment: what may not be fragmented ends here with an error to its sender. */
function fit(run: Run, ns: CompiledNamespace, skb: Skb, device: Interface, mtu: number): Fitting {
  const { ip } = skb.packet;
  if (pieceLength(skb.packet) <= mtu || device.device.kind === 'loopback') return { skb: ip.rejoined ? withSkb(skb, { packet: withIp(skb.packet, { fragmentedTo: null, rejoined: false }) }) : skb };
  if (ip.rejoined && ip.fragmentedTo !== null && ip.fragmentedTo <= mtu) return { skb: asItCame(run, ns, skb, device, mtu) };
  if (ip.dontFragment && ip.fragmentedTo === null && !mayFragment(skb)) return { fate: tellTooBig(run, ns, skb, device.name, mtu) };
  return { skb: fragment(run, ns, skb, device, mtu) };
}

/** ip_make_skb, ip6_make_skb: a socket that only would like to know the path's MTU lets its own host fragment (ignore_df). */
const mayFragment = (skb: Skb): boolean => skb.local && skb.tunnels === 0 && skb.packet.transport.kind !== 'tcp';

export function tellTooBig(run: Run, ns: CompiledNamespace, skb: Skb, device: string, mtu: number): Fate {
  icmpError(run, ns, skb, { ...tooBig(skb.packet.ip.family), mtu, destinationLocal: false });
  return end(run, ns, skb, 'needs-fragmenting', { device, what: String(mtu) });
}

/** The trace shows the packet whole, and notes that it travels in pieces. */
export function fragment(run: Run, ns: CompiledNamespace, skb: Skb, device: Interface, mtu: number): Skb {
  const sentence = `The packet of ${ipLength(skb.packet)} bytes is larger than the MTU of ${device.name} on ${ns.label}, ${mtu}, and travels in fragments.`;
  step(run, { stage: 'fragment', mtu, sentence, source: sourceOf(device.origin) });
  return withSkb(skb, { packet: withIp(skb.packet, { fragmentedTo: largestPiece(skb.packet.ip.family, mtu), rejoined: false, dontFragment: skb.packet.ip.family === 6 }) });
}

/** ip_do_fragment's fast path: the pieces that were put together fit as they are. */
function asItCame(run: Run, ns: CompiledNamespace, skb: Skb, device: Interface, mtu: number): Skb {
  const sentence = `The packet of ${ipLength(skb.packet)} bytes is larger than the MTU of ${device.name} on ${ns.label}, ${mtu}, and travels on in the fragments that it came in.`;
  step(run, { stage: 'fragment', mtu, sentence, source: sourceOf(device.origin) });
  return withSkb(skb, { packet: withIp(skb.packet, { rejoined: false }) });
}

/** All pieces but the last carry a multiple of 8 bytes. */
function largestPiece(family: Family, mtu: number): number {
  const headers = ipHeaderLength(family) + (family === 6 ? FRAGMENT_HEADER_LENGTH : 0);
  return headers + ((mtu - headers) & ~7);
}

function finish(run: Run, ns: CompiledNamespace, skb: Skb, device: Interface, nextHop: Address): Fate {
  const bare = device.mac === null || device.device.kind === 'loopback' || device.device.kind === 'tun';
  if (bare) return passOn(run, { kind: 'transmit', ns, device, skb: withSkb(skb, { packet: withFrame(skb.packet, null) }) });
  if (!device.up) return end(run, ns, skb, 'device-down', { device: device.name }, sourceOf(device.origin));
  const mac = resolve(run, ns, device, nextHop);
  if (mac === null) return nobody(run, ns, skb, device, nextHop);
  const frame: Frame = { source: device.mac, destination: mac };
  return passOn(run, { kind: 'transmit', ns, device, skb: withSkb(skb, { packet: withFrame(skb.packet, frame) }) });
}

/** arp_error_report, ndisc_error_report: after three questions the sender is told. The world beyond tells nothing. */
function nobody(run: Run, ns: CompiledNamespace, skb: Skb, device: Interface, nextHop: Address): Fate {
  const address = formatAddress(nextHop);
  if (device.device.kind === 'physical' && device.device.network !== null && isInternet(run, device.device.network)) {
    const code = inPlan(run, nextHop) ? 'no-such-destination' : 'beyond-the-file';
    return end(run, ns, skb, code, { address, device: device.name, what: holderText(run.compiled.topology, nextHop) });
  }
  icmpError(run, ns, skb, { ...hostUnreachable(skb.packet.ip.family), mtu: null, destinationLocal: false }, kernel('an address that nobody answers for'));
  const code = device.device.kind === 'vxlan' && device.device.misses !== null ? 'l3miss-unanswered' : 'neighbour-failed';
  return end(run, ns, skb, code, { address, device: device.name });
}

/** The segment that build.ts adds for what is beyond the gateways; whatever it is named, nobody declared it. */
function isInternet(run: Run, network: string): boolean {
  const origin = run.compiled.topology.networks.find((n) => n.name === network)?.origin;
  return origin?.kind === 'derived' && origin.by === 'k8snet';
}

/** Who has the address after all, and what on the packet's way was missing. */
function holderText(topology: Topology, address: Address): string {
  const service = topology.services.find((s) => [...s.clusterAddresses, ...s.externalAddresses, ...s.loadBalancerAddresses].some((a) => sameAddress(a, address)));
  if (service !== undefined) {
    const ports = service.ports.map((p) => `${p.port}/${p.protocol}`).join(', ');
    return `the address of service ${service.namespace}/${service.name}${ports === '' ? '' : ` (${ports})`}, but no rule on its way translated it`;
  }
  const owns = (n: Namespace): boolean => n.interfaces.some((i) => globalAddresses(i).some((a) => sameAddress(a, address)));
  for (const host of topology.hosts) {
    const owner = host.namespaces.find(owns);
    if (owner !== undefined) return `the address of ${owner.name === ROOT_NAMESPACE ? host.name : `pod ${owner.name}`}, but no route on its way leads there`;
  }
  return "an address of this cluster's plan that nobody has";
}

/** Addresses that the file's own networks are made of: nobody beyond routes them. */
function inPlan(run: Run, address: Address): boolean {
  const { topology } = run.compiled;
  const { podCidrs, serviceCidrs } = topology.cluster;
  const prefixes = [...podCidrs, ...serviceCidrs, ...topology.networks.filter((n) => !isInternet(run, n.name)).flatMap((n) => n.prefixes)];
  const subnets = topology.hosts.filter((h) => h.kind === 'node').flatMap((h) => h.namespaces.flatMap((n) => n.interfaces.flatMap((i) => i.addresses)));
  const services = topology.services.flatMap((s) => [...s.clusterAddresses, ...s.externalAddresses, ...s.loadBalancerAddresses]);
  return (
    prefixes.some((prefix) => contains(prefix, address)) ||
    subnets.some((a) => contains({ address: a.address, length: a.length }, address)) ||
    services.some((a) => formatAddress(a) === formatAddress(address))
  );
}
