/** A header as a person reads it: its name, and its fields in the order of the wire. */
import { icmpName } from '../../../engine/src/packet/describe.ts';
import type { Header, IcmpHeader, TcpHeader } from '../../../engine/src/packet/headers.ts';

export interface Field {
  readonly name: string;
  readonly value: string;
}

const ETHER_TYPES: Readonly<Record<number, string>> = { 0x0800: 'IPv4', 0x0806: 'ARP', 0x86dd: 'IPv6' };
const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 4: 'IPIP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };
const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`;

const named = (n: number, text: string, names: Readonly<Record<number, string>>): string => {
  const name = names[n];
  return name === undefined ? text : `${text} ${name}`;
};

const field = (name: string, value: string | number): Field => ({ name, value: String(value) });

export function titleOf(header: Header): string {
  switch (header.header) {
    case 'ethernet': return 'Ethernet';
    case 'arp': return 'ARP';
    case 'ipv4': return 'IPv4';
    case 'ipv6': return 'IPv6';
    case 'icmp': return 'ICMP';
    case 'icmpv6': return 'ICMPv6';
    case 'udp': return 'UDP';
    case 'tcp': return 'TCP';
    case 'sctp': return 'SCTP';
    case 'vxlan': return 'VXLAN';
    case 'payload': return 'Payload';
  }
}

export function fieldsOf(header: Header): readonly Field[] {
  switch (header.header) {
    case 'ethernet': return [
      field('source', header.source), field('destination', header.destination),
      field('type', named(header.etherType, hex(header.etherType, 4), ETHER_TYPES)),
    ];
    case 'arp': return [
      field('operation', header.operation), field('sender', `${header.senderAddress} ${header.senderMac}`),
      field('target', `${header.targetAddress} ${header.targetMac}`),
    ];
    case 'ipv4': return [
      field('source', header.source), field('destination', header.destination), field('TTL', header.ttl),
      field('protocol', named(header.protocol, String(header.protocol), PROTOCOLS)), field('TOS', hex(header.tos, 2)), field('id', header.id),
      field('fragment', fragment(header.dontFragment, header.moreFragments, header.fragmentOffset)),
    ];
    case 'ipv6': return [
      field('source', header.source), field('destination', header.destination), field('hop limit', header.hopLimit),
      field('next header', named(header.nextHeader, String(header.nextHeader), PROTOCOLS)),
      field('traffic class', hex(header.trafficClass, 2)), field('flow label', hex(header.flowLabel, 5)),
    ];
    case 'icmp': case 'icmpv6': return icmpFields(header);
    case 'udp': return [
      field('source port', header.sourcePort), field('destination port', header.destinationPort),
      field('checksum', header.checksum ? 'filled in' : 'none (0)'),
    ];
    case 'tcp': return tcpFields(header);
    case 'sctp': return [
      field('source port', header.sourcePort), field('destination port', header.destinationPort),
      field('verification tag', hex(header.verificationTag, 8)), field('chunk', header.chunk),
    ];
    case 'vxlan': return [field('VNI', header.vni), field('flags', hex(header.flags, 4))];
    case 'payload': return [field('length', `${header.length} bytes`), ...(header.hex === undefined ? [] : [field('bytes', header.hex)])];
  }
}

function fragment(dont: boolean, more: boolean, offset: number): string {
  const words = [...(dont ? ["don't fragment"] : []), ...(more ? ['more follow'] : []), ...(offset > 0 ? [`offset ${offset}`] : [])];
  return words.length === 0 ? 'whole, may be fragmented' : words.join(', ');
}

function icmpFields(icmp: IcmpHeader): readonly Field[] {
  return [
    field('message', icmpName(icmp.header === 'icmp' ? 4 : 6, icmp.type, icmp.code)), field('type/code', `${icmp.type}/${icmp.code}`),
    ...(icmp.identifier === undefined ? [] : [field('identifier', icmp.identifier)]),
    ...(icmp.sequence === undefined ? [] : [field('sequence', icmp.sequence)]),
    ...(icmp.mtu === undefined ? [] : [field('MTU', icmp.mtu)]),
    ...(icmp.gateway === undefined ? [] : [field('gateway', icmp.gateway)]),
    ...(icmp.target === undefined ? [] : [field('target', icmp.target)]),
  ];
}

const tcpFields = (tcp: TcpHeader): readonly Field[] => [
  field('source port', tcp.sourcePort), field('destination port', tcp.destinationPort), field('flags', tcp.flags.join(' ') || 'none'),
  field('sequence', tcp.sequence), field('acknowledgement', tcp.acknowledgement), field('window', tcp.window),
  ...(tcp.mss === undefined ? [] : [field('MSS', tcp.mss)]),
];
