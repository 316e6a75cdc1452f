/** The part of a rule that every rule has: net/ipv4/netfilter/ip_tables.c, ip_packet_match. */
import { contains } from '../../../net/address.ts';
import type { Match } from '../../../topology/netfilter.ts';
import { invert } from './match.ts';
import type { MatchInput } from './match.ts';

export type IpMatch = Extract<Match, { kind: 'protocol' | 'source' | 'destination' | 'in-interface' | 'out-interface' | 'fragment' }>;

export function matchIp(match: IpMatch, { packet, at }: MatchInput): boolean {
  switch (match.kind) {
    case 'protocol':
      return invert(match.protocol === 0 || match.protocol === packet.ip.protocol, match);
    case 'source':
      return invert(contains(match.prefix, packet.ip.source), match);
    case 'destination':
      return invert(contains(match.prefix, packet.ip.destination), match);
    case 'in-interface':
      return invert(deviceMatches(match.name, at.input), match);
    case 'out-interface':
      return invert(deviceMatches(match.name, at.output), match);
    case 'fragment':
      // Conntrack puts fragments together before any rule; what travels here is never a later fragment.
      return invert(false, match);
  }
}

/** A name that ends in `+` is a prefix; a missing device matches no name but `+`. */
export const deviceMatches = (name: string, device: string): boolean => (name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : name === device);
