/**
 * ICMP errors that a kernel sends: what may be answered, what is quoted, from which address.
 * net/ipv4/icmp.c: __icmp_send; net/ipv6/icmp.c: icmp6_send.
 */
import { firstAddress, formatAddress, isMulticast, isUnspecified, sameAddress } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import type { StepSource } from '../trace/model.ts';
import type { CompiledNamespace } from './compile.ts';
import { attachedTo } from './netfilter/conntrack.ts';
import { ICMP, ICMPV6, ipHeaderLength, ipLength, isIcmpError, withFrame } from './packet.ts';
import type { Packet } from './packet.ts';
import { lookup } from './route.ts';
import { kernel, nextId, step } from './run-state.ts';
import type { Run, Skb } from './run-state.ts';
import { interfaceAddress, isOwn } from './source-address.ts';
import { defaultTtl, forwards } from './sysctl.ts';

export interface IcmpErrorKind {
  readonly type: number;
  readonly code: number;
  readonly mtu: number | null;
  /** The packet was for this namespace: the error comes from the address it was sent to. */
  readonly destinationLocal: boolean;
}

const UNSPECIFIED: Readonly<Record<4 | 6, Address>> = { 4: { family: 4, words: [0, 0, 0, 0] }, 6: { family: 6, words: [0, 0, 0, 0] } };

/** The whole error is at most this long: RFC 1812 4.3.2.3, RFC 4443 2.4. */
const LONGEST: Readonly<Record<4 | 6, number>> = { 4: 576, 6: 1280 };

/** Queues the error as the answer. Never about an ICMP error, nor to or about a group. */
export function icmpError(run: Run, ns: CompiledNamespace, skb: Skb, kind: IcmpErrorKind, source: StepSource = kernel('an ICMP error to the sender')): void {
  const { packet } = skb;
  const { family } = packet.ip;
  if (isIcmpError(packet) || skb.packetType !== 'unicast' || isMulticast(packet.ip.destination) || isUnspecified(packet.ip.source) || isMulticast(packet.ip.source) || isOwnAnycast(ns, packet.ip.source)) return;
  const to = formatAddress(packet.ip.source);
  const sentence = `${ns.label} sends ${to} the ICMP error ${nameOf(family, kind)}.`;
  step(run, { stage: 'icmp-error', type: kind.type, code: kind.code, to, sentence, source });
  const error: Packet = {
    frame: null,
    ip: {
      family,
      source: kind.destinationLocal ? packet.ip.destination : (addressOfInput(run, ns, skb) ?? UNSPECIFIED[family]),
      destination: packet.ip.source,
      protocol: family === 4 ? ICMP : ICMPV6,
      ttl: defaultTtl(ns, family),
      // IPTOS_PREC_INTERNETCONTROL
      tos: family === 4 ? (packet.ip.tos & 0x1e) | 0xc0 : 0,
      id: nextId(run),
      dontFragment: family === 6,
      fragmentedTo: null,
      rejoined: false,
    },
    transport: { kind: 'icmp', type: kind.type, code: kind.code, identifier: null, sequence: 0, mtu: kind.mtu, quoted: quoted(packet), payload: 0 },
  };
  run.answers.push({ kind: 'icmp', ns, packet: error, tracked: attachedTo(skb.tracked), device: null, sentence, source });
}

/** IPv6 tells from the device that the packet came in by, unless the route back names an address (icmp6_send). */
function addressOfInput(run: Run, ns: CompiledNamespace, { input, packet }: Skb): Address | null {
  const { family, source } = packet.ip;
  if (family === 4 || input === null) return null;
  const back = lookup(run, ns, { family, destination: source, source: null, mark: 0, protocol: ICMPV6, tos: 0, input: 'lo', output: null });
  return back.kind === 'found' && back.route.source !== null ? null : interfaceAddress(ns, input, family, source);
}

/** The packet as it was, cut so that the error stays within its longest. */
function quoted(packet: Packet): Packet {
  const room = LONGEST[packet.ip.family] - ipHeaderLength(packet.ip.family) - 8;
  const bare = withFrame(packet, null);
  const excess = ipLength(bare) - room;
  const { transport } = bare;
  if (excess <= 0 || transport.kind === 'sctp') return bare;
  return { ...bare, transport: { ...transport, payload: Math.max(transport.payload - excess, 0) } };
}

/**
 * The subnet-router anycast address of an own subnet is told nothing (icmpv6_route_lookup); flannel's IPv6 VTEP has that
 * of its lease. Where nothing is forwarded nobody joins it (addrconf_join_anycast), and who has it as an address is told.
 */
const isOwnAnycast = (ns: CompiledNamespace, address: Address): boolean =>
  address.family === 6 && ns.namespace.interfaces.some((device) => device.addresses.some((a) => a.address.family === 6 && a.length < 127 && sameAddress(firstAddress({ address: a.address, length: a.length }), address))) && (forwards(ns, 6, 'all') || !isOwn(ns, address));

const NAMES: Readonly<Record<string, string>> = {
  '4 3 0': 'network unreachable', '4 3 1': 'host unreachable', '4 3 2': 'protocol unreachable', '4 3 3': 'port unreachable', '4 3 4': 'fragmentation needed',
  '4 3 9': 'network prohibited', '4 3 10': 'host prohibited', '4 3 13': 'administratively prohibited', '4 11 0': 'TTL exceeded',
  '6 1 0': 'no route', '6 1 1': 'administratively prohibited', '6 1 3': 'address unreachable', '6 1 4': 'port unreachable', '6 1 5': 'source address failed policy',
  '6 1 6': 'reject route', '6 2 0': 'packet too big', '6 3 0': 'hop limit exceeded',
};

const nameOf = (family: 4 | 6, kind: IcmpErrorKind): string =>
  `${NAMES[`${family} ${kind.type} ${kind.code}`] ?? 'destination unreachable'} (type ${kind.type} code ${kind.code})`;

/** The errors that routing itself sends, in both families. */
export const hostUnreachable = (family: 4 | 6): Pick<IcmpErrorKind, 'type' | 'code'> => (family === 4 ? { type: 3, code: 1 } : { type: 1, code: 3 });
export const networkUnreachable = (family: 4 | 6): Pick<IcmpErrorKind, 'type' | 'code'> => (family === 4 ? { type: 3, code: 0 } : { type: 1, code: 0 });
export const prohibited = (family: 4 | 6): Pick<IcmpErrorKind, 'type' | 'code'> => (family === 4 ? { type: 3, code: 13 } : { type: 1, code: 1 });
export const timeExceeded = (family: 4 | 6): Pick<IcmpErrorKind, 'type' | 'code'> => (family === 4 ? { type: 11, code: 0 } : { type: 3, code: 0 });
export const tooBig = (family: 4 | 6): Pick<IcmpErrorKind, 'type' | 'code'> => (family === 4 ? { type: 3, code: 4 } : { type: 2, code: 0 });
export const portUnreachable = (family: 4 | 6): Pick<IcmpErrorKind, 'type' | 'code'> => (family === 4 ? { type: 3, code: 3 } : { type: 1, code: 4 });
