/** Which of a namespace's addresses a packet is sent from, where nobody said. */
import { bitsOf, contains, isLinkLocal, isMulticast, sameAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { longestMatch } from '../net/lpm.ts';
import type { InterfaceAddress, Scope } from '../topology/model.ts';
import type { CompiledNamespace } from './compile.ts';
import type { Found } from './route.ts';

/** The local table says so, whatever device has the address. */
export const isOwn = (ns: CompiledNamespace, address: Address): boolean =>
  longestMatch(ns.local[address.family], address).some((route) => route.type === 'local' || route.type === 'anycast');

const SCOPES: Readonly<Record<Scope, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 };

/** IPv4: fib_result_prefsrc, else inet_select_addr. IPv6: ip6_dst_lookup_tail, ipv6_dev_get_saddr. */
export function selectSource(ns: CompiledNamespace, found: Found, destination: Address): Address | null {
  const { route } = found;
  if (route.source !== null) return route.source;
  if (route.type === 'local') return destination;
  if (destination.family === 6) return selectV6(ns, found.device, destination);
  return selectV4(ns, found.device, found.via, SCOPES[route.scope]);
}

/** MASQUERADE's choice: for the next hop, and never the route's own source. */
export const interfaceAddress = (ns: CompiledNamespace, device: string, family: Family, nextHop: Address): Address | null =>
  family === 4 ? selectV4(ns, device, nextHop, SCOPES.global) : selectV6(ns, device, nextHop);

/** net/ipv4/devinet.c: inet_select_addr. The primary whose subnet has the next hop, else the first primary. */
function selectV4(ns: CompiledNamespace, device: string, nextHop: Address | null, scope: number): Address | null {
  const own = primaries(ns, device).filter((a) => SCOPES[a.scope] <= scope);
  const near = nextHop === null ? own[0] : own.find((a) => contains({ address: a.address, length: a.length }, nextHop));
  const chosen = near ?? own[0];
  if (chosen !== undefined) return chosen.address;
  for (const other of ns.namespace.interfaces) {
    const address = primaries(ns, other.name).find((a) => a.scope !== 'link' && SCOPES[a.scope] <= scope);
    if (address !== undefined) return address.address;
  }
  return null;
}

/** An address in the subnet of an earlier one is a secondary. */
function primaries(ns: CompiledNamespace, device: string): readonly InterfaceAddress[] {
  const all = (ns.devices.get(device)?.addresses ?? []).filter((a) => a.address.family === 4);
  return all.filter((a, i) => !all.slice(0, i).some((b) => b.length === a.length && contains({ address: b.address, length: b.length }, a.address)));
}

/** RFC 6724, the rules that a static network can tell apart: the scope, the outgoing device, the longest match. */
function selectV6(ns: CompiledNamespace, device: string, destination: Address): Address | null {
  const wanted = scopeV6(destination);
  let best: { readonly address: Address; readonly score: readonly number[] } | null = null;
  for (const each of ns.namespace.interfaces) {
    if (!each.up || (wanted === 'link' && each.name !== device)) continue;
    for (const { address } of each.addresses) {
      if (address.family !== 6 || (scopeV6(address) === 'host' && !sameAddress(address, destination))) continue;
      const score = [sameAddress(address, destination) ? 1 : 0, scopeV6(address) === wanted ? 1 : 0, each.name === device ? 1 : 0, commonBits(address, destination)];
      if (best === null || better(score, best.score)) best = { address, score };
    }
  }
  return best?.address ?? null;
}

const better = (a: readonly number[], b: readonly number[]): boolean => {
  const i = a.findIndex((value, k) => value !== b[k]);
  return i >= 0 && (a[i] ?? 0) > (b[i] ?? 0);
};

function scopeV6(address: Address): 'host' | 'link' | 'global' {
  if (address.words[0] === 0 && address.words[1] === 0 && address.words[2] === 0 && address.words[3] === 1) return 'host';
  if (isMulticast(address)) return ((address.words[0] >>> 16) & 15) <= 2 ? 'link' : 'global';
  return isLinkLocal(address) ? 'link' : 'global';
}

function commonBits(a: Address, b: Address): number {
  let length = 0;
  while (length < bitsOf(a.family) && contains({ address: a, length: length + 1 }, b)) length++;
  return length;
}
