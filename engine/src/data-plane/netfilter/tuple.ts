/** Conntrack tuples (net/netfilter/nf_conntrack_core.c: nf_ct_get_tuple, nf_ct_invert_tuple). */
import { formatAddress, sameAddress } from '../../net/address.ts';
import type { Address, Family } from '../../net/address.ts';
import { hostHash } from './chain-index.ts';
import { endpointText, protocolName } from '../packet.ts';
import type { Packet } from '../packet.ts';

/** ICMP has its identifier in both ports, and its type apart. */
export interface Tuple {
  readonly family: Family;
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly icmpType: number | null;
  readonly zone: number;
}

/** Request types that have an answer, with the answer's (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c). */
const ANSWERS: Readonly<Record<Family, readonly (readonly [number, number])[]>> = {
  4: [[8, 0], [13, 14], [15, 16], [17, 18]],
  6: [[128, 129], [139, 140]],
};

export const startsIcmpFlow = (family: Family, type: number): boolean => ANSWERS[family].some(([request]) => request === type);

function inverseType(family: Family, type: number): number {
  for (const [request, answer] of ANSWERS[family]) {
    if (type === request) return answer;
    if (type === answer) return request;
  }
  return type;
}

export function tupleOf({ ip, transport }: Packet, zone: number): Tuple {
  const icmp = transport.kind === 'icmp';
  const id = icmp ? (transport.identifier ?? 0) : 0;
  return {
    family: ip.family,
    protocol: ip.protocol,
    source: ip.source,
    destination: ip.destination,
    sourcePort: icmp ? id : transport.sourcePort,
    destinationPort: icmp ? id : transport.destinationPort,
    icmpType: icmp ? transport.type : null,
    zone,
  };
}

export const inverse = (tuple: Tuple, zone = tuple.zone): Tuple => ({
  family: tuple.family,
  protocol: tuple.protocol,
  source: tuple.destination,
  destination: tuple.source,
  sourcePort: tuple.destinationPort,
  destinationPort: tuple.sourcePort,
  icmpType: tuple.icmpType === null ? null : inverseType(tuple.family, tuple.icmpType),
  zone,
});

export const withEnds = (tuple: Tuple, { source, destination, sourcePort, destinationPort }: Partial<Tuple>): Tuple => ({
  family: tuple.family,
  protocol: tuple.protocol,
  source: source ?? tuple.source,
  destination: destination ?? tuple.destination,
  sourcePort: sourcePort ?? tuple.sourcePort,
  destinationPort: destinationPort ?? tuple.destinationPort,
  icmpType: tuple.icmpType,
  zone: tuple.zone,
});

export const tupleKey = (t: Tuple): string =>
  `${t.zone} ${t.protocol} ${formatAddress(t.source)} ${t.sourcePort} ${formatAddress(t.destination)} ${t.destinationPort} ${t.icmpType ?? ''}`;

export const sameTuple = (a: Tuple, b: Tuple): boolean => a.zone === b.zone && sameInZone(a, b);

/** Whatever their zones. */
export const sameInZone = (a: Tuple, b: Tuple): boolean =>
  a.sourcePort === b.sourcePort && a.destinationPort === b.destinationPort && a.protocol === b.protocol && a.icmpType === b.icmpType &&
  sameAddress(a.source, b.source) && sameAddress(a.destination, b.destination);

/** Equal for equal tuples, whatever their zones; not negative, and small enough for an array's index. */
export function tupleHash({ source, destination, sourcePort, destinationPort, protocol }: Tuple): number {
  const ports = (sourcePort << 16) ^ destinationPort ^ Math.imul(protocol, 0x27d4eb2f);
  const mixed = Math.imul(hostHash(source) ^ Math.imul(hostHash(destination), 0x9e3779b1) ^ ports, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & 0x3fffffff;
}

/** `UDP 10.0.14.15:40000 -> 10.16.0.10:53` */
export function tupleText(t: Tuple): string {
  const ports = t.icmpType === null;
  const ends = `${endpointText(t.source, ports ? t.sourcePort : null)} -> ${endpointText(t.destination, ports ? t.destinationPort : null)}`;
  return `${protocolName(t.protocol)} ${ends}${ports ? '' : ` type ${t.icmpType} id ${t.sourcePort}`}`;
}
