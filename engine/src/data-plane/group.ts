/**
 * Addresses of everyone or of a group: their MAC, and who belongs to them.
 *
 * net/ipv4/route.c: __mkroute_output, ip_route_input_mc; net/ipv4/igmp.c: ip_check_mc_rcu, ip_mc_up; net/ipv6/mcast.c:
 * ipv6_chk_mcast_addr; net/ipv6/addrconf.c: addrconf_join_solict, dev_forward_change.
 */
import { BROADCAST_MAC, isMulticast } from '../net/address.ts';
import type { Address, Mac } from '../net/address.ts';
import { longestMatch } from '../net/lpm.ts';
import type { RouteType } from '../topology/model.ts';
import type { CompiledNamespace } from './compile.ts';
import { forwards } from './sysctl.ts';

export type Cast = 'unicast' | 'broadcast' | 'multicast';

const LIMITED_BROADCAST = 0xffffffff;

export const isLimitedBroadcast = ({ family, words }: Address): boolean => family === 4 && words[3] === LIMITED_BROADCAST;

/** `type` is that of the route to the address; limited broadcasts and IPv4 groups have none of their own. */
export function castOf(address: Address, type: RouteType | undefined): Cast {
  if (isMulticast(address)) return 'multicast';
  return type === 'broadcast' || isLimitedBroadcast(address) ? 'broadcast' : 'unicast';
}

/** What an address is to a namespace that got a packet for it. */
export const castIn = (ns: CompiledNamespace, address: Address): Cast => castOf(address, longestMatch(ns.local[address.family], address)[0]?.type);

/** RFC 1112, 6.4; RFC 2464, 7. */
export function groupMac(address: Address, cast: Exclude<Cast, 'unicast'>): Mac {
  if (cast === 'broadcast') return BROADCAST_MAC;
  return (address.family === 4 ? 0x0100_5e00_0000 + (address.words[3] & 0x7f_ffff) : 0x3333_0000_0000 + address.words[3]) as Mac;
}

const ALL_HOSTS_V4 = 0xe0000001;
const ALL_NODES_V6 = 1;
const ALL_ROUTERS_V6 = 2;
/** ff02::1:ff00:0/104 */
const SOLICITED = 0xff000000;

/** Whether the kernel has joined the group on a device by itself; `null`: only a program could have, which nothing tells. */
export function isMember(ns: CompiledNamespace, device: string, { family, words }: Address): boolean | null {
  if (family === 4) return words[3] === ALL_HOSTS_V4 ? true : null;
  const scope = (words[0] >>> 16) & 15;
  if (words[1] !== 0 || (words[0] & 0xffff) !== 0) return null;
  if (words[2] === 1 && (words[3] & SOLICITED) >>> 0 === SOLICITED && scope === 2) {
    return (ns.devices.get(device)?.addresses ?? []).some((a) => a.address.family === 6 && (a.address.words[3] & 0xffffff) === (words[3] & 0xffffff));
  }
  if (words[2] !== 0) return null;
  if (words[3] === ALL_NODES_V6 && scope <= 2) return true;
  if (words[3] === ALL_ROUTERS_V6 && (scope <= 2 || scope === 5)) return forwards(ns, 6, device);
  return null;
}
