/** Sets of addresses, ports and the like, as `ipset save` prints them: what `-m set --match-set` asks. */
import type { Address, Family, Mac, Prefix } from '../net/address.ts';
import type { PortRange } from './netfilter.ts';
import type { Origin } from './origin.ts';

/** The parts of a member, in order; a packet's own are found by the rule's `src,dst` list. */
export const SET_TYPES = {
  'hash:ip': ['address'],
  'hash:net': ['net'],
  'hash:mac': ['mac'],
  'hash:mark': ['mark'],
  'hash:ip,port': ['address', 'port'],
  'hash:ip,mac': ['address', 'mac'],
  'hash:ip,mark': ['address', 'mark'],
  'hash:ip,port,ip': ['address', 'port', 'address'],
  'hash:ip,port,net': ['address', 'port', 'net'],
  'hash:net,net': ['net', 'net'],
  'hash:net,port': ['net', 'port'],
  'hash:net,iface': ['net', 'device'],
  'hash:net,port,net': ['net', 'port', 'net'],
  'bitmap:ip': ['address'],
  'bitmap:ip,mac': ['address', 'mac'],
  'bitmap:port': ['port'],
  'list:set': ['set'],
} as const satisfies Readonly<Record<string, readonly ('address' | 'net' | 'mac' | 'mark' | 'port' | 'device' | 'set')[]>>;

export type SetType = keyof typeof SET_TYPES;

export type SetPart =
  /** Several where a range of addresses was written. */
  | { readonly kind: 'nets'; readonly prefixes: readonly Prefix[] }
  /** ICMP has 256 times its type plus its code in the place of the port; no protocol in `bitmap:port`. */
  | { readonly kind: 'ports'; readonly protocol: number | null; readonly ports: PortRange }
  /** `null`: the first packet from the address fills it in. */
  | { readonly kind: 'mac'; readonly mac: Mac | null }
  | { readonly kind: 'mark'; readonly value: number }
  | { readonly kind: 'device'; readonly name: string; readonly is: 'device' | 'bridge port'; readonly wildcard: boolean }
  | { readonly kind: 'set'; readonly name: string };

export interface SetMember {
  readonly parts: readonly SetPart[];
  readonly nomatch: boolean;
  /** Seconds left when it was printed; `null`: it stays. */
  readonly timeout: number | null;
  /** The whole `add` line. */
  readonly text: string;
  readonly origin: Origin;
}

export interface IpSet {
  readonly name: string;
  readonly type: SetType;
  /** `null` where a set takes both families. */
  readonly family: Family | null;
  /** What of an address counts (`netmask`, `bitmask`); `null`: all of it. */
  readonly mask: Address | null;
  readonly markMask: number;
  readonly members: readonly SetMember[];
  /** The `create` line. */
  readonly text: string;
  readonly origin: Origin;
}

/** One line each, without newlines: first what lists may refer to, then every member. */
export const savedSets = (sets: readonly IpSet[]): string[] => [...sets.map((set) => set.text), ...sets.flatMap((set) => set.members.map((member) => member.text))];
