/**
 * Whether a packet's own part of a set is a member of it (net/netfilter/ipset: ip_set_test, the kadt functions of the
 * types; ip_set_hash_gen.h: mtype_test_cidrs asks the longest prefixes first).
 */
import { contains, isUnspecified } from '../../net/address.ts';
import type { Address, Prefix } from '../../net/address.ts';
import { makeLpm, matching } from '../../net/lpm.ts';
import type { Lpm } from '../../net/lpm.ts';
import { once } from '../../once.ts';
import { SET_TYPES } from '../../topology/ipset.ts';
import type { IpSet, SetMember, SetPart } from '../../topology/ipset.ts';
import { ICMP, ICMPV6, SCTP, TCP, UDP } from '../packet.ts';
import type { Packet } from '../packet.ts';
import type { MatchInput } from './matches/match.ts';

export type Side = 'src' | 'dst';

/** A member with one prefix for each of its address parts. */
interface Entry {
  readonly member: SetMember;
  readonly prefixes: readonly Prefix[];
}

export interface CompiledSet {
  readonly set: IpSet;
  /** Of a set whose members begin with an address; else every member. */
  readonly byAddress: Lpm<Entry> | null;
  readonly entries: readonly Entry[];
}

export type Membership = { readonly kind: 'member'; readonly set: IpSet; readonly member: SetMember } | { readonly kind: 'none' } | { readonly kind: 'missing' | 'changed'; readonly set: string };

const NONE: Membership = { kind: 'none' };

export function compileSets(sets: readonly IpSet[]): ReadonlyMap<string, CompiledSet> {
  return new Map(sets.map((set) => {
    const entries = once(() => set.members.flatMap(entriesOf));
    const byAddress = once(() => (startsWithAddress(set) ? makeLpm(entries(), firstPrefix) : null));
    return [set.name, { set, get entries() { return entries(); }, get byAddress() { return byAddress(); } }];
  }));
}

const startsWithAddress = (set: IpSet): boolean => ['address', 'net'].includes(SET_TYPES[set.type][0]);

const firstPrefix = ({ prefixes }: Entry): Prefix => prefixes[0] as Prefix;

function entriesOf(member: SetMember): readonly Entry[] {
  let lists: readonly (readonly Prefix[])[] = [[]];
  for (const part of member.parts) if (part.kind === 'nets') lists = lists.flatMap((list) => part.prefixes.map((prefix) => [...list, prefix]));
  return lists.map((prefixes) => ({ member, prefixes }));
}

/**
 * `sides` as in `--match-set NAME src,dst`: too few of them, or another family, match nothing. `wanted` of a set with nets:
 * its members, or those that say `nomatch` (ip_set_core.c: ip_set_test, IPSET_FLAG_RETURN_NOMATCH).
 */
export function membership(name: string, sides: readonly Side[], wanted: 'members' | 'nomatch', input: MatchInput): Membership {
  const compiled = input.ns.sets.get(name);
  if (compiled === undefined) return { kind: 'missing', set: name };
  if (input.run.netfilter.changedSets.has(`${input.ns.index} ${name}`)) return { kind: 'changed', set: name };
  const { set } = compiled;
  const kinds = SET_TYPES[set.type];
  if (sides.length < kinds.length || (set.family !== null && set.family !== input.packet.ip.family)) return NONE;
  if (set.type === 'list:set') return inList(compiled, sides, wanted, input);
  const found = compiled.byAddress === null ? compiled.entries.find((entry) => holds(set, entry, sides, input)) : byPrefix(set, compiled.byAddress, sides, input);
  const counts = found?.member.nomatch === (wanted === 'nomatch' && kinds.some((kind) => kind === 'net'));
  return found !== undefined && counts ? { kind: 'member', set, member: found.member } : NONE;
}

/** list_set_ktest: the sets in order, until one has it. A list in a list cannot be made. */
function inList(compiled: CompiledSet, sides: readonly Side[], wanted: 'members' | 'nomatch', input: MatchInput): Membership {
  for (const { member } of compiled.entries) {
    const [part] = member.parts;
    if (part?.kind !== 'set' || input.ns.sets.get(part.name)?.set.type === 'list:set') continue;
    const found = membership(part.name, sides, wanted, input);
    if (found.kind !== 'none') return found;
  }
  return NONE;
}

function byPrefix(set: IpSet, byAddress: Lpm<Entry>, sides: readonly Side[], input: MatchInput): Entry | undefined {
  const address = masked(addressAt(input.packet, sides[0]), set.mask);
  if (set.type === 'hash:ip' && isUnspecified(address)) return undefined;
  for (const entries of matching(byAddress, address)) {
    const found = entries.filter((entry) => holds(set, entry, sides, input)).sort(byLastPrefix)[0];
    if (found !== undefined) return found;
    // hash_netiface4_data_equal: a net that is there with other devices ends the search.
    if (set.type === 'hash:net,iface') return undefined;
  }
  return undefined;
}

const byLastPrefix = (a: Entry, b: Entry): number => (b.prefixes.at(-1)?.length ?? 0) - (a.prefixes.at(-1)?.length ?? 0);

const addressAt = (packet: Packet, side: Side | undefined): Address => (side === 'src' ? packet.ip.source : packet.ip.destination);

function masked(address: Address, mask: Address | null): Address {
  if (mask === null) return address;
  const word = (i: 0 | 1 | 2 | 3): number => (address.words[i] & mask.words[i]) >>> 0;
  return { family: address.family, words: [word(0), word(1), word(2), word(3)] };
}

function holds(set: IpSet, entry: Entry, sides: readonly Side[], input: MatchInput): boolean {
  let prefixes = 0;
  return entry.member.parts.every((part, i) => {
    const side = sides[i];
    if (part.kind !== 'nets') return partHolds(set, part, side, input);
    const prefix = entry.prefixes[prefixes++];
    return prefix !== undefined && contains(prefix, masked(addressAt(input.packet, side), set.mask));
  });
}

function partHolds(set: IpSet, part: Exclude<SetPart, { kind: 'nets' }>, side: Side | undefined, input: MatchInput): boolean {
  const { packet, skb, at } = input;
  switch (part.kind) {
    case 'ports': {
      const port = portAt(packet, side);
      // ip_set_get_ip_port: bitmap:port asks for TCP and UDP only.
      const known = part.protocol === null ? packet.ip.protocol === TCP || packet.ip.protocol === UDP : packet.ip.protocol === part.protocol;
      return known && port >= part.ports.from && port <= part.ports.to;
    }
    case 'mac': {
      const { frame } = packet;
      // Only where a link-layer header was received.
      if (skb.local || frame === null) return false;
      return part.mac === null || part.mac === (side === 'src' ? frame.source : frame.destination);
    }
    case 'mark':
      return (skb.mark & set.markMask) >>> 0 === part.value >>> 0;
    case 'device': {
      // A member with physdev: is compared with what only the SET target of other programs asks (opt->cmdflags).
      const name = side === 'src' ? at.input : at.output;
      return part.is === 'device' && name !== '' && (part.wildcard ? name.startsWith(part.name) : name === part.name);
    }
    case 'set':
      return false;
  }
}

/** ip_set_getport.c: ICMP has its type and code, a protocol without ports has 0. */
function portAt({ ip, transport }: Packet, side: Side | undefined): number {
  if (transport.kind === 'icmp') return ip.protocol === ICMP || ip.protocol === ICMPV6 ? transport.type * 256 + transport.code : 0;
  return [TCP, UDP, SCTP].includes(ip.protocol) ? (side === 'src' ? transport.sourcePort : transport.destinationPort) : 0;
}
