/** xt_addrtype.c: what the local table says of an address (inet_dev_addr_type). */
import { isMulticast, isUnspecified } from '../../../net/address.ts';
import type { Address } from '../../../net/address.ts';
import { longestMatch } from '../../../net/lpm.ts';
import type { AddressType, Match } from '../../../topology/netfilter.ts';
import type { CompiledNamespace } from '../../compile.ts';
import { invert } from './match.ts';
import type { MatchInput } from './match.ts';

export function matchAddressType(match: Extract<Match, { kind: 'address-type' }>, { ns, packet, at }: MatchInput): boolean {
  const address = match.which === 'source' ? packet.ip.source : packet.ip.destination;
  const device = match.limit === 'in' ? at.input : match.limit === 'out' ? at.output : null;
  return invert(match.types.includes(addressType(ns, address, device)), match);
}

const LIMITED_BROADCAST = 0xffffffff;

export function addressType(ns: CompiledNamespace, address: Address, device: string | null): AddressType {
  if (isMulticast(address)) return 'MULTICAST';
  if (isUnspecified(address)) return address.family === 4 ? 'BROADCAST' : 'UNSPEC';
  if (address.family === 4 && address.words[3] === LIMITED_BROADCAST) return 'BROADCAST';
  const route = longestMatch(ns.local[address.family], address).find((r) => device === null || r.nexthops.some((n) => n.device === device));
  switch (route?.type) {
    case 'local':
      return 'LOCAL';
    case 'broadcast':
      return 'BROADCAST';
    case 'anycast':
      return 'ANYCAST';
    case 'multicast':
      return 'MULTICAST';
    case 'unreachable':
      return 'UNREACHABLE';
    case 'blackhole':
      return 'BLACKHOLE';
    case 'prohibit':
      return 'PROHIBIT';
    case 'throw':
      return 'THROW';
    case 'unicast':
    case 'nat':
    case undefined:
      return 'UNICAST';
  }
}
