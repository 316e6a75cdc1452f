/** A packet in one line, as tcpdump would say it, with what changed since the interface before. */
import { assertNever } from '../assert-never.ts';
import { headerPairs, headersRemoved, sameHeader } from './changes.ts';
import type { HeaderPair } from './changes.ts';
import { ETHER_TYPE } from './ethernet.ts';
import type { Header, IcmpHeader, PacketHeaders } from './headers.ts';
import { PROTOCOL } from './ipv4.ts';

/**
 * The whole packet where `before` is null. Otherwise the addresses, the TTL and what changed, with what it was; `+` for
 * headers that were put around it, `-` for those that were taken off, and nothing at all of a packet that is the same.
 */
export function describePacket(before: PacketHeaders | null, packet: PacketHeaders): string {
  const inner = innerWord(packet);
  const units = unitsOf(headerPairs(before ?? packet, packet));
  if (before === null) return units.map(whole).join(inner);
  const off = headersRemoved(before, packet).filter((each) => each.header !== 'ethernet');
  const put = units.filter((unit) => unit.every(({ old }) => old === null));
  const kept = units.filter((unit) => !put.includes(unit));
  const said = kept.filter((unit, i) => (off.length > 0 && i === 0) || !unit.every(sameHeader)).map(changed);
  const now = [...put.map((unit) => `+ ${whole(unit)}`), ...said].join(inner);
  return off.length === 0 ? now : `- ${tunnelOf(off)}, ${now}`;
}

/** One IP packet of several, with its frame: `[Ethernet, IPv4, UDP, VXLAN]`. */
type Unit = readonly HeaderPair[];

function unitsOf(pairs: readonly HeaderPair[]): readonly Unit[] {
  const units: HeaderPair[][] = [];
  for (const pair of pairs) {
    const unit = units.at(-1);
    const { header } = pair.header;
    if (unit === undefined || header === 'ethernet' || (isIp(header) && unit.some((each) => isIp(each.header.header)))) units.push([pair]);
    else unit.push(pair);
  }
  return units;
}

const isIp = (header: Header['header']): boolean => header === 'ipv4' || header === 'ipv6';

/** A tunnel goes around a packet; an ICMP error is about one. */
const innerWord = (packet: PacketHeaders): string =>
  packet.some((each, i) => (each.header === 'icmp' || each.header === 'icmpv6') && isIp(packet[i + 1]?.header ?? each.header)) ? ' about ' : ' around ';

function tunnelOf(headers: PacketHeaders): string {
  const vxlan = headers.find((each) => each.header === 'vxlan');
  return vxlan === undefined ? 'UDP' : `VXLAN vni ${vxlan.vni}`;
}

/** `UDP 10.0.14.15:56017 > 10.16.0.10:53`, then details; `always` are said of a packet that is known already, too. */
interface Parts {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly always: readonly string[];
  readonly details: readonly Detail[];
}

interface Detail {
  readonly field: string;
  readonly text: string;
}

const whole = (unit: Unit): string => {
  const { name, source, destination, always, details } = partsOf(unit.map(({ header }) => header));
  const ends = source === '' ? name : `${name} ${source} > ${destination}`;
  return [[ends, ...always].join(' '), ...details.flatMap(({ text }) => (text === '' ? [] : [text])), ...macs(unit, 'all')].join(', ');
};

function changed(unit: Unit): string {
  const now = partsOf(unit.map(({ header }) => header));
  const old = partsOf(unit.map(({ header, old: before }) => before ?? header));
  const was = (a: string, b: string): string => (a === b ? a : `${a} (was ${b})`);
  const details = now.details.flatMap(({ field, text }) => {
    const before = old.details.find((each) => each.field === field)?.text ?? text;
    if (text === before) return field === 'ttl' ? [text] : [];
    return [text === '' ? `no ${before}` : before === '' ? text : was(text, before.slice(before.lastIndexOf(' ') + 1))];
  });
  const ends = now.source === '' ? now.name : `${now.name} ${was(now.source, old.source)} > ${was(now.destination, old.destination)}`;
  return [[ends, ...now.always].join(' '), ...details, ...macs(unit, 'changes')].join(', ');
}

/** The frame's receiver is worth a word where it changed; its sender only where it alone did. */
function macs(unit: Unit, say: 'all' | 'changes'): readonly string[] {
  const frame = unit.find(({ header }) => header.header === 'ethernet');
  if (frame?.header.header !== 'ethernet') return [];
  const { source, destination, etherType } = frame.header;
  const old = say === 'all' || frame.old?.header !== 'ethernet' ? null : frame.old;
  if (old === null || old.destination !== destination) return [`to ${destination}`, ...etherTypeOf(etherType)];
  return old.source === source ? [] : [`from ${source}`];
}

/** What follows says the type; only what it cannot name is said. */
const etherTypeOf = (etherType: number): readonly string[] =>
  Object.values<number>(ETHER_TYPE).includes(etherType) ? [] : [`type 0x${etherType.toString(16).padStart(4, '0')}`];

const NOTHING: Parts = { name: '', source: '', destination: '', always: [], details: [] };

const partsOf = (headers: PacketHeaders): Parts => headers.reduce(withHeader, NOTHING);

function withHeader(parts: Parts, header: Header): Parts {
  switch (header.header) {
    case 'ethernet': return parts.name === '' ? { ...parts, name: 'Ethernet' } : parts;
    case 'arp': return { ...parts, name: header.operation === 'request' ? `ARP who has ${header.targetAddress}? tell ${header.senderAddress}` : `ARP ${header.senderAddress} is at ${header.senderMac}` };
    case 'ipv4': return {
      ...parts, name: protocolOf(header.protocol, 'IP'), source: header.source, destination: header.destination,
      details: [
        { field: 'ttl', text: `ttl ${header.ttl}` }, { field: 'df', text: header.dontFragment ? 'DF' : '' },
        { field: 'fragment', text: header.moreFragments || header.fragmentOffset > 0 ? `fragment at ${header.fragmentOffset}${header.moreFragments ? '+' : ''}` : '' },
        { field: 'tos', text: header.tos === 0 ? '' : `tos 0x${header.tos.toString(16)}` },
      ],
    };
    case 'ipv6': return {
      ...parts, name: protocolOf(header.nextHeader, 'IPv6'), source: header.source, destination: header.destination,
      details: [{ field: 'ttl', text: `hop limit ${header.hopLimit}` }, { field: 'tos', text: header.trafficClass === 0 ? '' : `class 0x${header.trafficClass.toString(16)}` }],
    };
    case 'icmp': return icmpParts(parts, header, 'ICMP');
    case 'icmpv6': return icmpParts(parts, header, 'ICMPv6');
    case 'udp': return { ...withPorts(parts, 'UDP', header), details: [...parts.details, { field: 'checksum', text: header.checksum ? '' : 'no checksum' }] };
    case 'tcp': return {
      ...withPorts(parts, 'TCP', header), always: [header.flags.join(' ') || 'no flags'],
      details: [...parts.details, { field: 'mss', text: header.mss === undefined ? '' : `mss ${header.mss}` }],
    };
    case 'sctp': return { ...withPorts(parts, 'SCTP', header), always: [header.chunk] };
    case 'vxlan': return { ...parts, name: `VXLAN vni ${header.vni}, ${parts.name}` };
    case 'payload': return { ...parts, details: [...parts.details, { field: 'payload', text: header.length === 0 ? '' : `${header.length} bytes` }] };
    default: return assertNever(header);
  }
}

const protocolOf = (protocol: number, name: string): string => (Object.values<number>(PROTOCOL).includes(protocol) ? name : `${name} protocol ${protocol}`);

const withPorts = (parts: Parts, name: string, ports: { readonly sourcePort: number; readonly destinationPort: number }): Parts =>
  ({ ...parts, name, source: endpoint(parts.source, ports.sourcePort), destination: endpoint(parts.destination, ports.destinationPort) });

/** `10.0.0.46:53`, `[fd00::1]:53`, and the bare address where there is no port. */
export const endpoint = (address: string, port: number | null): string =>
  port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

function icmpParts(parts: Parts, header: IcmpHeader, name: string): Parts {
  const details = [
    { field: 'id', text: header.identifier === undefined ? '' : `id ${header.identifier}` }, { field: 'seq', text: header.sequence === undefined ? '' : `seq ${header.sequence}` },
    { field: 'mtu', text: header.mtu === undefined ? '' : `mtu ${header.mtu}` }, { field: 'gateway', text: header.gateway === undefined ? '' : `gateway ${header.gateway}` },
    { field: 'target', text: header.target === undefined ? '' : `of ${header.target}` },
  ];
  return { ...parts, name, always: [icmpName(header.header === 'icmp' ? 4 : 6, header.type, header.code)], details: [...parts.details, ...details] };
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
