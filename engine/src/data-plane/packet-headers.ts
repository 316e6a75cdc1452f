/** The stages' packet as the headers that a trace shows, outermost first. */
import { formatAddress, formatMac } from '../net/address.ts';
import type { Header, PacketHeaders, TcpHeader } from '../packet/headers.ts';
import type { IcmpMessage, Ip, Packet, TcpSegment, Transport } from './packet.ts';

const FLAGS = [['FIN', 1], ['SYN', 2], ['RST', 4], ['PSH', 8], ['ACK', 16], ['URG', 32]] as const;

export function headersOf(packet: Packet): PacketHeaders {
  const headers: Header[] = [];
  if (packet.frame !== null) {
    headers.push({
      header: 'ethernet',
      source: formatMac(packet.frame.source),
      destination: formatMac(packet.frame.destination),
      etherType: packet.ip.family === 4 ? 0x0800 : 0x86dd,
    });
  }
  return [...headers, ipHeader(packet.ip), ...transportHeaders(packet.ip, packet.transport)];
}

function ipHeader(ip: Ip): Header {
  const source = formatAddress(ip.source);
  const destination = formatAddress(ip.destination);
  if (ip.family === 6) return { header: 'ipv6', source, destination, nextHeader: ip.protocol, hopLimit: ip.ttl, trafficClass: ip.tos, flowLabel: 0 };
  const { protocol, ttl, tos, id, dontFragment } = ip;
  return { header: 'ipv4', source, destination, protocol, ttl, tos, id, dontFragment, moreFragments: false, fragmentOffset: 0 };
}

function transportHeaders(ip: Ip, transport: Transport): readonly Header[] {
  switch (transport.kind) {
    case 'icmp':
      return icmpHeaders(ip, transport);
    case 'udp': {
      const { sourcePort, destinationPort, checksum, carried } = transport;
      const inner = carried === null ? filler(transport.payload) : headersOf(carried.packet);
      const vxlan: readonly Header[] = carried?.kind === 'vxlan' ? [{ header: 'vxlan', vni: carried.vni, flags: 0x0800 }] : [];
      return [{ header: 'udp', sourcePort, destinationPort, checksum }, ...vxlan, ...inner];
    }
    case 'tcp':
      return [tcpHeader(transport), ...filler(transport.payload)];
    case 'sctp': {
      const { sourcePort, destinationPort, verificationTag, chunk } = transport;
      return [{ header: 'sctp', sourcePort, destinationPort, verificationTag, chunk }];
    }
  }
}

function icmpHeaders(ip: Ip, message: IcmpMessage): readonly Header[] {
  const header: Header = {
    header: ip.family === 4 ? 'icmp' : 'icmpv6',
    type: message.type,
    code: message.code,
    ...(message.identifier === null ? {} : { identifier: message.identifier, sequence: message.sequence }),
    ...(message.mtu === null ? {} : { mtu: message.mtu }),
  };
  return [header, ...(message.quoted === null ? filler(message.payload) : headersOf(message.quoted))];
}

function tcpHeader(segment: TcpSegment): TcpHeader {
  const { sourcePort, destinationPort, sequence, acknowledgement, mss } = segment;
  const flags = FLAGS.filter(([, bit]) => (segment.flags & bit) !== 0).map(([name]) => name);
  return { header: 'tcp', sourcePort, destinationPort, sequence, acknowledgement, flags, window: segment.flags & 4 ? 0 : 64240, ...(mss === null ? {} : { mss }) };
}

const filler = (length: number): readonly Header[] => (length > 0 ? [{ header: 'payload', length }] : []);
