/** Matches on the transport header: xt_tcpudp.c, xt_multiport.c, xt_sctp.c, xt_tcpmss.c, ip_tables.c (icmp). */
import type { Match, PortRange } from '../../../topology/netfilter.ts';
import { SCTP, TCP, UDP } from '../../packet.ts';
import { invert } from './match.ts';
import type { MatchInput } from './match.ts';

export type TransportMatch = Extract<Match, { kind: 'transport-header' | 'source-port' | 'destination-port' | 'multiport' | 'tcp-flags' | 'icmp-type' | 'tcpmss' }>;

const PROTOCOLS = { tcp: TCP, udp: UDP, sctp: SCTP, dccp: 33 } as const;

const within = (n: number, range: PortRange): boolean => n >= range.from && n <= range.to;

/** A header that is not there fails the match, inverted or not. */
export function matchTransport(match: TransportMatch, { packet }: MatchInput): boolean {
  const { transport, ip } = packet;
  switch (match.kind) {
    case 'transport-header':
      return ip.protocol === PROTOCOLS[match.protocol];
    case 'source-port':
      return transport.kind !== 'icmp' && ip.protocol === PROTOCOLS[match.protocol] && invert(within(transport.sourcePort, match.ports), match);
    case 'destination-port':
      return transport.kind !== 'icmp' && ip.protocol === PROTOCOLS[match.protocol] && invert(within(transport.destinationPort, match.ports), match);
    case 'multiport': {
      if (transport.kind === 'icmp') return false;
      const ports = [...(match.which === 'destination' ? [] : [transport.sourcePort]), ...(match.which === 'source' ? [] : [transport.destinationPort])];
      return invert(ports.some((port) => match.ports.some((range) => within(port, range))), match);
    }
    case 'tcp-flags':
      return transport.kind === 'tcp' && invert((transport.flags & match.mask) === match.compare, match);
    case 'icmp-type':
      if (transport.kind !== 'icmp' || match.family !== ip.family) return false;
      return invert(match.type === 'any' || (match.type === transport.type && within(transport.code, match.codes)), match);
    case 'tcpmss':
      return transport.kind === 'tcp' && invert(transport.mss !== null && within(transport.mss, match.values), match);
  }
}
