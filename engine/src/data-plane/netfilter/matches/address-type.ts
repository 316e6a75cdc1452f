/** xt_addrtype.c: what the local table says of an address (inet_dev_addr_type). */
import { isMulticast, isUnspecified } from '../../../net/address.ts';
import type { Address } from '../../../net/address.ts';
import { longestMatch } from '../../../net/lpm.ts';
import type { AddressType, Match } from '../../../topology/netfilter.ts';
import type { CompiledNamespace } from '../../compile.ts';
import { lookup } from '../../route.ts';
import { invert } from './match.ts';
import type { MatchInput } from './match.ts';

export function matchAddressType(match: Extract<Match, { kind: 'address-type' }>, input: MatchInput): boolean {
  const { ns, packet, at } = input;
  const address = match.which === 'source' ? packet.ip.source : packet.ip.destination;
  const device = match.limit === 'in' ? at.input : match.limit === 'out' ? at.output : null;
  return invert(address.family === 6 ? hasTypes6(input, match.types, address, device) : match.types.includes(addressType(ns, address, device)), match);
}

/** addrtype_mt6: the kind of the address must be every one that is named, a local one is unicast too; then what routing says. */
function hasTypes6({ run, ns }: MatchInput, types: readonly AddressType[], address: Address, device: string | null): boolean {
  if (types.includes('MULTICAST') && !isMulticast(address)) return false;
  if (types.includes('UNICAST') && (isMulticast(address) || isUnspecified(address))) return false;
  if (types.includes('UNSPEC') && !isUnspecified(address)) return false;
  const asked = types.filter((type) => type === 'ANYCAST' || type === 'LOCAL' || type === 'UNREACHABLE');
  if (asked.length === 0) return true;
  const found = lookup(run, ns, { family: 6, destination: address, source: null, mark: 0, protocol: 0, tos: 0, input: 'lo', output: device });
  const type = found.kind === 'found' ? addressType(ns, address, device) : 'UNREACHABLE';
  return asked.some((one) => one === type);
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
