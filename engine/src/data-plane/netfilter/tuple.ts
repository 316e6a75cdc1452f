/** Conntrack tuples (net/netfilter/nf_conntrack_core.c: nf_ct_get_tuple, nf_ct_invert_tuple). */
import { formatAddress } from '../../net/address.ts';
import type { Address, Family } from '../../net/address.ts';
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

export function tupleOf(packet: Packet, zone: number): Tuple {
  const { ip, transport } = packet;
  const base = { family: ip.family, protocol: ip.protocol, source: ip.source, destination: ip.destination, zone };
  if (transport.kind !== 'icmp') return { ...base, sourcePort: transport.sourcePort, destinationPort: transport.destinationPort, icmpType: null };
  const id = transport.identifier ?? 0;
  return { ...base, sourcePort: id, destinationPort: id, icmpType: transport.type };
}

export const inverse = (tuple: Tuple): Tuple => ({
  ...tuple,
  source: tuple.destination,
  destination: tuple.source,
  sourcePort: tuple.destinationPort,
  destinationPort: tuple.sourcePort,
  icmpType: tuple.icmpType === null ? null : inverseType(tuple.family, tuple.icmpType),
});

export const tupleKey = (t: Tuple): string =>
  `${t.zone} ${t.protocol} ${formatAddress(t.source)} ${t.sourcePort} ${formatAddress(t.destination)} ${t.destinationPort} ${t.icmpType ?? ''}`;

export const sameTuple = (a: Tuple, b: Tuple): boolean => tupleKey(a) === tupleKey(b);

/** `UDP 10.0.14.15:40000 -> 10.16.0.10:53` */
export function tupleText(t: Tuple): string {
  const ports = t.icmpType === null;
  const ends = `${endpointText(t.source, ports ? t.sourcePort : null)} -> ${endpointText(t.destination, ports ? t.destinationPort : null)}`;
  return `${protocolName(t.protocol)} ${ends}${ports ? '' : ` type ${t.icmpType} id ${t.sourcePort}`}`;
}
