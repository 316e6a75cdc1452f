/** What a receiver sends back: a reply, a SYN ACK, a reset; and the first packet of a flow. */
import { isMulticast } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import type { Flow } from '../trace/flow.ts';
import type { CompiledNamespace } from './compile.ts';
import { castIn } from './group.ts';
import { ACK, ICMP, ICMPV6, ipHeaderLength, RST, SCTP, SYN, TCP, UDP, withTransport } from './packet.ts';
import type { Ip, Packet, TcpSegment, Transport } from './packet.ts';
import { hashOf, nextId } from './run-state.ts';
import type { Run } from './run-state.ts';
import { defaultTtl } from './sysctl.ts';

const DEFAULT_SEQUENCE = 1;

/** IP_MULTICAST_TTL and IPV6_MULTICAST_HOPS, unless a program says otherwise. */
const MULTICAST_TTL = 1;

function ipHeader(run: Run, ns: CompiledNamespace, source: Address, destination: Address, protocol: number, dontFragment: boolean): Ip {
  const { family } = destination;
  return { family, source, destination, protocol, ttl: isMulticast(destination) ? MULTICAST_TTL : defaultTtl(ns, family), tos: 0, id: nextId(run), dontFragment: family === 6 || dontFragment, fragmentedTo: null, rejoined: false };
}

const PROTOCOLS = { TCP, UDP, SCTP } as const;

/** As ping(8) and a connecting socket send it; path MTU discovery is on for all of them. An MSS comes with the route. */
export function firstPacket(run: Run, ns: CompiledNamespace, flow: Flow, source: Address): Packet {
  const { family } = flow.destination;
  const protocol = flow.protocol === 'ICMP' ? (family === 4 ? ICMP : ICMPV6) : PROTOCOLS[flow.protocol];
  return { frame: null, ip: ipHeader(run, ns, source, flow.destination, protocol, true), transport: firstTransport(flow) };
}

function firstTransport(flow: Flow): Transport {
  const { sourcePort, destinationPort, payload } = flow;
  switch (flow.protocol) {
    case 'ICMP':
      return { kind: 'icmp', type: flow.destination.family === 4 ? 8 : 128, code: 0, identifier: sourcePort, sequence: 1, mtu: null, quoted: null, payload };
    case 'UDP':
      return { kind: 'udp', sourcePort, destinationPort, checksum: true, carried: null, payload };
    case 'TCP': {
      const flags = flow.tcpFlags ?? SYN;
      return { kind: 'tcp', sourcePort, destinationPort, flags, sequence: DEFAULT_SEQUENCE, acknowledgement: (flags & ACK) === 0 ? 0 : DEFAULT_SEQUENCE, mss: (flags & SYN) === 0 ? null : 0, payload: (flags & SYN) === 0 ? payload : 0 };
    }
    case 'SCTP':
      return { kind: 'sctp', sourcePort, destinationPort, verificationTag: 0, chunk: 'INIT' };
  }
}

/** A SYN announces what the route's MTU leaves room for, and no segment is larger (net/ipv4/tcp_output.c: tcp_advertise_mss, tcp_mtu_to_mss). */
export function withMss(packet: Packet, mtu: number): Packet {
  const { transport } = packet;
  if (transport.kind !== 'tcp') return packet;
  const room = mtu - ipHeaderLength(packet.ip.family) - 20;
  if (transport.mss !== null) return withTransport(packet, { ...transport, mss: room });
  return transport.payload > room ? withTransport(packet, { ...transport, payload: Math.max(room, 0) }) : packet;
}

/** From the address that was written to; what was for everyone is answered from the one that the route selects. */
function turned(run: Run, ns: CompiledNamespace, request: Packet, dontFragment: boolean): Ip {
  const { source, destination, family, protocol } = request.ip;
  const own: Address = castIn(ns, destination) === 'unicast' ? destination : { family, words: [0, 0, 0, 0] };
  return ipHeader(run, ns, own, source, protocol, dontFragment);
}

/** What a listener, or the kernel for a ping, answers. */
export function replyTo(run: Run, ns: CompiledNamespace, request: Packet): Packet {
  const { transport } = request;
  const ip = turned(run, ns, request, transport.kind !== 'icmp');
  switch (transport.kind) {
    case 'icmp':
      return { frame: null, ip: { ...ip, tos: request.ip.tos }, transport: { ...transport, type: request.ip.family === 4 ? 0 : 129 } };
    case 'udp':
      return { frame: null, ip, transport: { ...transport, sourcePort: transport.destinationPort, destinationPort: transport.sourcePort } };
    case 'tcp': {
      const { sourcePort, destinationPort, sequence, flags, payload } = transport;
      if ((flags & SYN) === 0) return { frame: null, ip, transport: { kind: 'tcp', sourcePort: destinationPort, destinationPort: sourcePort, flags: ACK, sequence: DEFAULT_SEQUENCE, acknowledgement: sequence + payload, mss: null, payload } };
      const answer: TcpSegment = { kind: 'tcp', sourcePort: destinationPort, destinationPort: sourcePort, flags: SYN | ACK, sequence: DEFAULT_SEQUENCE, acknowledgement: sequence + 1, mss: 0, payload: 0 };
      return { frame: null, ip: { ...ip, id: 0 }, transport: answer };
    }
    case 'sctp': {
      const { sourcePort, destinationPort } = transport;
      return { frame: null, ip, transport: { kind: 'sctp', sourcePort: destinationPort, destinationPort: sourcePort, verificationTag: hashOf(`${sourcePort} ${destinationPort}`), chunk: 'INIT ACK' } };
    }
  }
}

/** RST ACK for a SYN, RST with the acknowledged sequence otherwise (RFC 9293, 3.10.7.1). */
export function resetFor(run: Run, ns: CompiledNamespace, request: Packet, segment: TcpSegment): Packet {
  const acked = (segment.flags & ACK) !== 0;
  const reset: TcpSegment = {
    kind: 'tcp',
    sourcePort: segment.destinationPort,
    destinationPort: segment.sourcePort,
    flags: acked ? RST : RST | ACK,
    sequence: acked ? segment.acknowledgement : 0,
    acknowledgement: acked ? 0 : segment.sequence + ((segment.flags & SYN) !== 0 ? 1 : 0) + segment.payload,
    mss: null,
    payload: 0,
  };
  return { frame: null, ip: { ...turned(run, ns, request, true), id: 0 }, transport: reset };
}

/** ABORT for an INIT that nobody waits for (RFC 9260, 8.4). */
export const abortFor = (run: Run, ns: CompiledNamespace, request: Packet, sourcePort: number, destinationPort: number): Packet => ({
  frame: null,
  ip: turned(run, ns, request, true),
  transport: { kind: 'sctp', sourcePort: destinationPort, destinationPort: sourcePort, verificationTag: 0, chunk: 'ABORT' },
});
