/** A packet as the stages work on it: one frame, one IP header of either family, one transport. Immutable. */
import type { Address, Family, Mac, Port } from '../net/address.ts';
import { formatAddress } from '../net/address.ts';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;
export const SCTP = 132;

export interface Packet {
  /** `null` where the device has no link layer, and before the neighbour is known. */
  readonly frame: Frame | null;
  readonly ip: Ip;
  readonly transport: Transport;
}

export interface Frame {
  readonly source: Mac;
  readonly destination: Mac;
}

export interface Ip {
  readonly family: Family;
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
  /** TTL or hop limit. */
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  /** Always true in IPv6: no router fragments. */
  readonly dontFragment: boolean;
  /** The packet travels in fragments of at most this many bytes; `null`: in one piece. */
  readonly fragmentedTo: number | null;
  /** It was put together from those fragments, and IP does not know how long they were: it may be fragmented anew, and need not. */
  readonly rejoined: boolean;
}

export type Transport = IcmpMessage | UdpDatagram | TcpSegment | SctpPacket;

export interface IcmpMessage {
  readonly kind: 'icmp';
  readonly type: number;
  readonly code: number;
  readonly identifier: number | null;
  readonly sequence: number;
  readonly mtu: number | null;
  /** What an error is about, as far as it is quoted. */
  readonly quoted: Packet | null;
  readonly payload: number;
}

export interface UdpDatagram {
  readonly kind: 'udp';
  readonly sourcePort: Port;
  readonly destinationPort: Port;
  readonly checksum: boolean;
  readonly carried: Carried | null;
  readonly payload: number;
}

export type Carried = { readonly kind: 'vxlan'; readonly vni: number; readonly packet: Packet } | { readonly kind: 'ip'; readonly packet: Packet };

/** Flag bits as on the wire. */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

export interface TcpSegment {
  readonly kind: 'tcp';
  readonly sourcePort: Port;
  readonly destinationPort: Port;
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly mss: number | null;
  readonly payload: number;
}

export interface SctpPacket {
  readonly kind: 'sctp';
  readonly sourcePort: Port;
  readonly destinationPort: Port;
  readonly verificationTag: number;
  readonly chunk: 'INIT' | 'INIT ACK' | 'ABORT';
}

export const ipHeaderLength = (family: Family): number => (family === 4 ? 20 : 40);

/** In IPv6 (RFC 8200, 4.5). */
export const FRAGMENT_HEADER_LENGTH = 8;

export const ETHERNET_LENGTH = 14;
const VXLAN_LENGTH = 8;

/** What a device takes above its MTU, room for a VLAN tag (include/linux/netdevice.h: __is_skb_forwardable). */
export const MTU_TOLERANCE = 4;

/** Bytes from the IP header on. */
export const ipLength = (packet: Packet): number => ipHeaderLength(packet.ip.family) + transportLength(packet.transport);

/** The bytes of its largest piece. */
export const pieceLength = (packet: Packet): number => (packet.ip.rejoined ? ipLength(packet) : Math.min(ipLength(packet), packet.ip.fragmentedTo ?? Number.POSITIVE_INFINITY));

/** MSS, SACK permitted, timestamps and window scale: what Linux puts into a SYN (net/ipv4/tcp_output.c: tcp_syn_options). */
const SYN_OPTIONS_LENGTH = 20;

function transportLength(transport: Transport): number {
  switch (transport.kind) {
    case 'icmp':
      return 8 + (transport.quoted === null ? 0 : ipLength(transport.quoted)) + transport.payload;
    case 'udp':
      return 8 + carriedLength(transport.carried) + transport.payload;
    case 'tcp':
      return 20 + (transport.mss === null ? 0 : SYN_OPTIONS_LENGTH) + transport.payload;
    case 'sctp':
      // Common header, then an INIT chunk without parameters or a bare ABORT (RFC 9260, 3.3.2 and 3.3.7).
      return 12 + (transport.chunk === 'ABORT' ? 4 : 20);
  }
}

const carriedLength = (carried: Carried | null): number =>
  carried === null ? 0 : pieceLength(carried.packet) + (carried.kind === 'vxlan' ? VXLAN_LENGTH + ETHERNET_LENGTH : 0);

/** Types of an error in ICMP (RFC 792, 1122) and ICMPv6 (RFC 4443: below 128). */
export const isIcmpError = (packet: Packet): boolean =>
  packet.transport.kind === 'icmp' && (packet.ip.family === 4 ? [3, 4, 5, 11, 12].includes(packet.transport.type) : packet.transport.type < 128);

export const isEchoRequest = (packet: Packet): boolean =>
  packet.transport.kind === 'icmp' && packet.transport.type === (packet.ip.family === 4 ? 8 : 128);

export const isEchoReply = (packet: Packet): boolean =>
  packet.transport.kind === 'icmp' && packet.transport.type === (packet.ip.family === 4 ? 0 : 129);

export const sourcePortOf = (packet: Packet): Port | null => (packet.transport.kind === 'icmp' ? null : packet.transport.sourcePort);

export const destinationPortOf = (packet: Packet): Port | null => (packet.transport.kind === 'icmp' ? null : packet.transport.destinationPort);

/** `10.0.0.46:53`, `[fd00::1]:53`, or the bare address where there is no port. */
export const endpointText = (address: Address, port: Port | null): string =>
  port === null ? formatAddress(address) : address.family === 6 ? `[${formatAddress(address)}]:${port}` : `${formatAddress(address)}:${port}`;

export const sourceText = (packet: Packet): string => endpointText(packet.ip.source, sourcePortOf(packet));

export const destinationText = (packet: Packet): string => endpointText(packet.ip.destination, destinationPortOf(packet));

/** These are written out, for V8 copies an object literal of fixed fields many times faster than a spread. */
export function withIp({ frame, ip, transport }: Packet, change: Partial<Ip>): Packet {
  return {
    frame,
    ip: {
      family: change.family ?? ip.family,
      source: change.source ?? ip.source,
      destination: change.destination ?? ip.destination,
      protocol: change.protocol ?? ip.protocol,
      ttl: change.ttl ?? ip.ttl,
      tos: change.tos ?? ip.tos,
      id: change.id ?? ip.id,
      dontFragment: change.dontFragment ?? ip.dontFragment,
      fragmentedTo: change.fragmentedTo === undefined ? ip.fragmentedTo : change.fragmentedTo,
      rejoined: change.rejoined ?? ip.rejoined,
    },
    transport,
  };
}

export const withFrame = ({ ip, transport }: Packet, frame: Frame | null): Packet => ({ frame, ip, transport });

export const withTransport = ({ frame, ip }: Packet, transport: Transport): Packet => ({ frame, ip, transport });

/** Of a transport that has ports. */
export function withPorts(transport: Exclude<Transport, IcmpMessage>, sourcePort: Port, destinationPort: Port): Transport {
  switch (transport.kind) {
    case 'udp':
      return { kind: 'udp', sourcePort, destinationPort, checksum: transport.checksum, carried: transport.carried, payload: transport.payload };
    case 'tcp': {
      const { flags, sequence, acknowledgement, mss, payload } = transport;
      return { kind: 'tcp', sourcePort, destinationPort, flags, sequence, acknowledgement, mss, payload };
    }
    case 'sctp':
      return { kind: 'sctp', sourcePort, destinationPort, verificationTag: transport.verificationTag, chunk: transport.chunk };
  }
}

export const protocolName = (protocol: number): string =>
  protocol === TCP ? 'TCP' : protocol === UDP ? 'UDP' : protocol === SCTP ? 'SCTP' : protocol === ICMP ? 'ICMP' : protocol === ICMPV6 ? 'ICMPv6' : `protocol ${protocol}`;
