/** A header in a few words, as tcpdump would say it: one line each, and never longer than a terminal is wide. */
import { assertNever } from '../assert-never.ts';
import { ETHER_TYPE } from './ethernet.ts';
import type { Header, IcmpHeader, Ipv4Header } from './headers.ts';
import { PROTOCOL } from './ipv4.ts';

export function describeHeader(header: Header): string {
  switch (header.header) {
    case 'ethernet': return `Ethernet ${header.source} > ${header.destination}${etherTypeOf(header.etherType)}`;
    case 'arp': return header.operation === 'request'
      ? `ARP who has ${header.targetAddress}? tell ${header.senderAddress}`
      : `ARP ${header.senderAddress} is at ${header.senderMac}`;
    case 'ipv4': return `IPv4 ${header.source} > ${header.destination}, ttl ${header.ttl}${protocolOf(header.protocol)}${fragmentOf(header)}`;
    case 'ipv6': return `IPv6 ${header.source} > ${header.destination}, hop limit ${header.hopLimit}${protocolOf(header.nextHeader)}`;
    case 'icmp': return `ICMP ${icmpOf(header, ICMP)}`;
    case 'icmpv6': return `ICMPv6 ${icmpOf(header, ICMPV6)}`;
    case 'udp': return `UDP ${header.sourcePort} > ${header.destinationPort}${header.checksum ? '' : ', no checksum'}`;
    case 'tcp': return `TCP ${header.sourcePort} > ${header.destinationPort}, ${header.flags.join(' ') || 'no flags'}${header.mss === undefined ? '' : `, mss ${header.mss}`}`;
    case 'sctp': return `SCTP ${header.sourcePort} > ${header.destinationPort}, ${header.chunk}`;
    case 'vxlan': return `VXLAN vni ${header.vni}`;
    case 'payload': return `${header.length} bytes`;
    default: return assertNever(header);
  }
}

/** The headers above say what follows; only what they cannot name is said. */
const etherTypeOf = (etherType: number): string =>
  Object.values<number>(ETHER_TYPE).includes(etherType) ? '' : `, type 0x${etherType.toString(16).padStart(4, '0')}`;

const protocolOf = (protocol: number): string => (Object.values<number>(PROTOCOL).includes(protocol) ? '' : `, protocol ${protocol}`);

function fragmentOf(header: Ipv4Header): string {
  const fragment = header.moreFragments || header.fragmentOffset > 0 ? `, fragment at ${header.fragmentOffset}${header.moreFragments ? '+' : ''}` : '';
  return `${header.dontFragment ? ', DF' : ''}${fragment}`;
}

/** `type/code`, or `type/*` where the code says nothing more (RFC 792, RFC 1812, RFC 4443, RFC 4861). */
type Names = Readonly<Record<string, string>>;

const ICMP: Names = {
  '0/*': 'echo reply', '8/*': 'echo request', '5/*': 'redirect', '12/*': 'parameter problem',
  '3/0': 'network unreachable', '3/1': 'host unreachable', '3/2': 'protocol unreachable', '3/3': 'port unreachable',
  '3/4': 'fragmentation needed', '3/9': 'network administratively prohibited', '3/10': 'host administratively prohibited',
  '3/13': 'communication administratively prohibited', '3/*': 'destination unreachable',
  '11/0': 'time exceeded in transit', '11/1': 'fragment reassembly time exceeded', '11/*': 'time exceeded',
};

const ICMPV6: Names = {
  '1/0': 'no route to destination', '1/1': 'communication administratively prohibited', '1/3': 'address unreachable',
  '1/4': 'port unreachable', '1/5': 'source address failed policy', '1/6': 'route rejected', '1/*': 'destination unreachable',
  '2/*': 'packet too big', '3/0': 'hop limit exceeded in transit', '3/*': 'time exceeded', '4/*': 'parameter problem',
  '128/*': 'echo request', '129/*': 'echo reply', '135/*': 'neighbour solicitation', '136/*': 'neighbour advertisement', '137/*': 'redirect',
};

/** `port unreachable` for type 3, code 3; `type 40, code 1` where it has no name. */
export function icmpName(family: 4 | 6, type: number, code: number): string {
  const names = family === 4 ? ICMP : ICMPV6;
  return names[`${type}/${code}`] ?? names[`${type}/*`] ?? `type ${type}, code ${code}`;
}

function icmpOf(header: IcmpHeader, names: Names): string {
  const details = [
    header.identifier === undefined ? '' : `id ${header.identifier}`, header.sequence === undefined ? '' : `seq ${header.sequence}`,
    header.mtu === undefined ? '' : `mtu ${header.mtu}`, header.gateway === undefined ? '' : `to ${header.gateway}`,
    header.target === undefined ? '' : `of ${header.target}`,
  ];
  return [icmpName(names === ICMP ? 4 : 6, header.type, header.code), ...details.filter((each) => each !== '')].join(', ');
}
