/** ipt_rpfilter.c, ip6t_rpfilter.c: whether the way back to the sender is by the device that the packet came in by. */
import { isMulticast, isUnspecified } from '../../../net/address.ts';
import type { Address } from '../../../net/address.ts';
import type { Match } from '../../../topology/netfilter.ts';
import { lookup } from '../../route.ts';
import type { Found, RouteKey } from '../../route.ts';
import { invert } from './match.ts';
import type { MatchInput, MatchResult } from './match.ts';
import { optionsOf } from './options.ts';

export function matchReversePath(match: Extract<Match, { kind: 'rpfilter' }>, input: MatchInput): MatchResult {
  const { ns, packet, at } = input;
  const { source, destination, family } = packet.ip;
  if (ns.devices.get(at.input)?.device.kind === 'loopback') return invert(true, match);
  // The forwarding path throws away what has no source; IPv4 lets DHCP's own packets pass.
  if (isUnspecified(source) && (family === 6 || isMulticast(destination) || isLimitedBroadcast(destination))) return invert(true, match);
  return invert(isReachableBack(match, input), match);
}

const isLimitedBroadcast = ({ family, words }: Address): boolean => family === 4 && words[3] === 0xffffffff;

function isReachableBack(match: Extract<Match, { kind: 'rpfilter' }>, { run, ns, packet, skb, at }: MatchInput): boolean {
  const options = optionsOf(match);
  const { ip } = packet;
  const key: RouteKey = {
    family: ip.family,
    destination: ip.source,
    source: isMulticast(ip.destination) || isLimitedBroadcast(ip.destination) ? null : ip.destination,
    mark: options.has('validmark') ? skb.mark : 0,
    protocol: ip.family === 6 ? ip.protocol : 0,
    tos: ip.family === 4 ? ip.tos & 0x1c : 0,
    input: 'lo',
    output: null,
  };
  const found = lookup(run, ns, key);
  if (found.kind !== 'found') return false;
  if (found.route.type === 'local') return options.has('accept-local') && (ip.family === 6 || options.has('loose') || isBy(found, at.input));
  if (found.route.type !== 'unicast') return false;
  if (options.has('loose') || isBy(found, at.input)) return true;
  // IPv6 has a route of its own for each nexthop, and prefers the one by the device that is asked for.
  const preferred = ip.family === 6 ? lookup(run, ns, { ...key, output: at.input }) : found;
  return preferred.kind === 'found' && preferred.route.table === found.route.table && preferred.route.destination.length === found.route.destination.length && isBy(preferred, at.input);
}

const isBy = (found: Found, device: string): boolean => found.route.nexthops.some((hop) => hop.device === device);
