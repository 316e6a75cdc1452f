/** A packet in one line, as tcpdump would tell it: tunnels first, then what they carry. */
import { icmpName } from '../../../engine/src/packet/describe.ts';
import type { Header, PacketHeaders } from '../../../engine/src/packet/headers.ts';
import { titleOf } from './fields.ts';

export interface Summary {
  /** `VXLAN 192.168.93.212 → 192.168.93.214`, outermost first. */
  readonly tunnels: readonly string[];
  /** `10.0.14.15:40000 → 10.0.0.46:53` */
  readonly ends: string;
  /** `UDP, TTL 63` */
  readonly rest: string;
}

type IpHeader = Extract<Header, { header: 'ipv4' | 'ipv6' }>;

const isIp = (header: Header | undefined): header is IpHeader => header?.header === 'ipv4' || header?.header === 'ipv6';

export function summaryOf(packet: PacketHeaders): Summary {
  const at = packet.findIndex(isIp);
  const ip = packet[at];
  if (!isIp(ip)) return { tunnels: [], ends: packet.map(linkText).find((text) => text !== '') ?? 'empty', rest: '' };
  const transport = packet[at + 1];
  const inside = packet.slice(at + 2);
  const carried = inside[0];
  if (transport?.header === 'udp' && (carried?.header === 'vxlan' || isIp(carried))) {
    const kind = carried.header === 'vxlan' ? 'VXLAN' : 'UDP tunnel';
    const inner = summaryOf(inside);
    return { ...inner, tunnels: [`${kind} ${ends(ip.source, null)} → ${ends(ip.destination, null)}`, ...inner.tunnels] };
  }
  return { tunnels: [], ...plain(ip, transport) };
}

function linkText(header: Header): string {
  if (header.header === 'arp') return `ARP ${header.operation} ${header.targetAddress}`;
  return header.header === 'ethernet' ? `${header.source} → ${header.destination}` : '';
}

function plain(ip: IpHeader, transport: Header | undefined): { readonly ends: string; readonly rest: string } {
  const ttl = ip.header === 'ipv4' ? `TTL ${ip.ttl}` : `hop limit ${ip.hopLimit}`;
  const withPorts = transport?.header === 'udp' || transport?.header === 'tcp' || transport?.header === 'sctp';
  return {
    ends: `${ends(ip.source, withPorts ? transport.sourcePort : null)} → ${ends(ip.destination, withPorts ? transport.destinationPort : null)}`,
    rest: `${transport === undefined ? 'IP' : transportText(transport)}, ${ttl}`,
  };
}

function transportText(transport: Header): string {
  switch (transport.header) {
    case 'icmp': case 'icmpv6': return `${titleOf(transport)} ${icmpName(transport.header === 'icmp' ? 4 : 6, transport.type, transport.code)}`;
    case 'tcp': return `TCP ${transport.flags.join(' ')}`.trim();
    case 'sctp': return `SCTP ${transport.chunk}`;
    case 'udp': case 'ethernet': case 'arp': case 'ipv4': case 'ipv6': case 'vxlan': case 'payload': return titleOf(transport);
  }
}

const ends = (address: string, port: number | null): string =>
  port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
