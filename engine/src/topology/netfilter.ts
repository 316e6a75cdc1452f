/**
 * iptables rulesets as records: what iptables-save prints, in both families. A match or target that is not in the
 * lists is kept as `unknown` with its text, and makes a trace that reaches it `undecided`.
 */
import type { Address, Family, Mac, Prefix } from '../net/address.ts';
import type { Origin } from './origin.ts';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';
export const TABLE_NAMES: readonly TableName[] = ['raw', 'mangle', 'nat', 'filter', 'security'];

/** Inclusive, 0 to 65535. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export type ConnectionState = 'INVALID' | 'NEW' | 'ESTABLISHED' | 'RELATED' | 'UNTRACKED' | 'SNAT' | 'DNAT';

export type AddressType =
  | 'UNSPEC' | 'UNICAST' | 'LOCAL' | 'BROADCAST' | 'ANYCAST' | 'MULTICAST' | 'BLACKHOLE' | 'UNREACHABLE' | 'PROHIBIT' | 'THROW';

type Invertible = { readonly inverted: boolean };

export type Match =
  /** `protocol` is the IP protocol number; 0 matches every one. */
  | ({ readonly kind: 'protocol'; readonly protocol: number } & Invertible)
  | ({ readonly kind: 'source' | 'destination'; readonly prefix: Prefix } & Invertible)
  /** `eth+` is a name prefix. */
  | ({ readonly kind: 'in-interface' | 'out-interface'; readonly name: string } & Invertible)
  | ({ readonly kind: 'fragment' } & Invertible)
  | { readonly kind: 'comment'; readonly text: string }
  /** `-m tcp` without a condition: the header must be in the packet, so a later fragment does not match. */
  | { readonly kind: 'transport-header'; readonly protocol: 'tcp' | 'udp' | 'sctp' | 'dccp' }
  | ({ readonly kind: 'source-port' | 'destination-port'; readonly protocol: 'tcp' | 'udp' | 'sctp' | 'dccp'; readonly ports: PortRange } & Invertible)
  | ({ readonly kind: 'multiport'; readonly which: 'source' | 'destination' | 'either'; readonly ports: readonly PortRange[] } & Invertible)
  /** Flag bits as on the wire: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32. */
  | ({ readonly kind: 'tcp-flags'; readonly mask: number; readonly compare: number } & Invertible)
  | ({ readonly kind: 'icmp-type'; readonly family: Family; readonly type: number | 'any'; readonly codes: PortRange } & Invertible)
  | ({ readonly kind: 'mark' | 'connmark'; readonly value: number; readonly mask: number } & Invertible)
  | ({ readonly kind: 'conntrack-state'; readonly states: readonly ConnectionState[]; readonly spelling: 'conntrack' | 'state' } & Invertible)
  | ({ readonly kind: 'conntrack-status'; readonly statuses: readonly ('NONE' | 'EXPECTED' | 'SEEN_REPLY' | 'ASSURED' | 'CONFIRMED')[] } & Invertible)
  | ({ readonly kind: 'conntrack-tuple'; readonly field: 'ctorigsrc' | 'ctorigdst' | 'ctreplsrc' | 'ctrepldst'; readonly prefix: Prefix } & Invertible)
  | ({ readonly kind: 'conntrack-port'; readonly field: 'ctorigsrcport' | 'ctorigdstport' | 'ctreplsrcport' | 'ctrepldstport'; readonly ports: PortRange } & Invertible)
  | { readonly kind: 'conntrack-direction'; readonly direction: 'ORIGINAL' | 'REPLY' }
  | ({ readonly kind: 'address-type'; readonly which: 'source' | 'destination'; readonly types: readonly AddressType[]; readonly limit: 'in' | 'out' | null } & Invertible)
  | ({ readonly kind: 'address-range'; readonly which: 'source' | 'destination'; readonly from: Address; readonly to: Address } & Invertible)
  | ({ readonly kind: 'mac-source'; readonly mac: Mac } & Invertible)
  | ({ readonly kind: 'physdev'; readonly test: 'in' | 'out'; readonly name: string } & Invertible)
  | ({ readonly kind: 'physdev-is'; readonly test: 'in' | 'out' | 'bridged' } & Invertible)
  /** `returnNomatch`: of a set with nets the members that say `nomatch` match, and no others. */
  | ({ readonly kind: 'set'; readonly name: string; readonly directions: readonly ('src' | 'dst')[]; readonly returnNomatch?: boolean } & Invertible)
  /** `probability` from 0 to 1. */
  | ({ readonly kind: 'statistic-random'; readonly probability: number } & Invertible)
  | ({ readonly kind: 'statistic-nth'; readonly every: number; readonly packet: number } & Invertible)
  /** `sameTtl`: --rttl. Without a `mask` the whole address counts. */
  | ({ readonly kind: 'recent'; readonly action: 'set' | 'rcheck' | 'update' | 'remove'; readonly name: string; readonly seconds: number | null; readonly hitcount: number | null; readonly reap: boolean; readonly sameTtl?: boolean; readonly side: 'source' | 'dest'; readonly mask?: Address } & Invertible)
  | { readonly kind: 'limit'; readonly text: string }
  | { readonly kind: 'hashlimit'; readonly text: string }
  | ({ readonly kind: 'length'; readonly lengths: PortRange } & Invertible)
  | { readonly kind: 'ttl'; readonly compare: 'eq' | 'ne' | 'lt' | 'gt'; readonly value: number }
  | ({ readonly kind: 'dscp'; readonly value: number } & Invertible)
  | ({ readonly kind: 'packet-type'; readonly type: 'unicast' | 'broadcast' | 'multicast' } & Invertible)
  | ({ readonly kind: 'owner'; readonly text: string } & Invertible)
  | ({ readonly kind: 'tcpmss'; readonly values: PortRange } & Invertible)
  | ({ readonly kind: 'rpfilter'; readonly text: string } & Invertible)
  | { readonly kind: 'unknown'; readonly name: string; readonly text: string };

/** An address and port range for NAT; `null` leaves that part as it is. */
export interface NatRange {
  readonly from: Address | null;
  readonly to: Address | null;
  readonly ports: PortRange | null;
  readonly random: boolean;
  readonly randomFully: boolean;
  readonly persistent: boolean;
}

export type Target =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  /** `via` is `goto` for -g. */
  | { readonly kind: 'jump'; readonly chain: string; readonly via: 'jump' | 'goto' }
  /** `with` as iptables-save spells it: `icmp-port-unreachable`, `tcp-reset`, `icmp6-adm-prohibited` … */
  | { readonly kind: 'reject'; readonly with: string }
  | { readonly kind: 'dnat' | 'snat'; readonly range: NatRange }
  | { readonly kind: 'masquerade' | 'redirect'; readonly ports: PortRange | null; readonly random: boolean; readonly randomFully: boolean }
  | { readonly kind: 'netmap'; readonly prefix: Prefix }
  /** mark = (mark & ~mask) ^ value, as --set-xmark value/mask. */
  | { readonly kind: 'mark'; readonly value: number; readonly mask: number }
  | { readonly kind: 'connmark'; readonly action: 'set' | 'save' | 'restore'; readonly value: number; readonly mask: number; readonly nfmask: number; readonly ctmask: number }
  | { readonly kind: 'ct'; readonly notrack: boolean; readonly zone: number | null; readonly text: string }
  | { readonly kind: 'log'; readonly spelling: 'LOG' | 'NFLOG' | 'TRACE'; readonly text: string }
  | { readonly kind: 'tcpmss'; readonly value: number | 'clamp' }
  | { readonly kind: 'ttl'; readonly action: 'set' | 'inc' | 'dec'; readonly value: number }
  | { readonly kind: 'dscp'; readonly value: number }
  | { readonly kind: 'unknown'; readonly name: string; readonly text: string };

export interface Rule {
  readonly matches: readonly Match[];
  /** `null`: a rule without a target only counts. */
  readonly target: Target | null;
  /** The rule as iptables-save prints it, from `-A CHAIN` on, without counters. */
  readonly text: string;
  readonly origin: Origin;
}

export interface Chain {
  readonly name: string;
  /** `null` on a user chain. */
  readonly policy: 'ACCEPT' | 'DROP' | null;
  readonly rules: readonly Rule[];
  readonly origin: Origin;
}

/** What keeps iptables' rules in the kernel: x_tables, or nf_tables for iptables-nft. It asks both, at the same hooks. */
export type Ruleset = 'legacy' | 'nft';

/** As `iptables -V` names them behind its version. */
export const RULESET_NAMES: Readonly<Record<Ruleset, string>> = { legacy: 'iptables-legacy', nft: 'iptables-nft' };

export const otherRuleset = (ruleset: Ruleset): Ruleset => (ruleset === 'legacy' ? 'nft' : 'legacy');

export interface Table {
  readonly family: Family;
  readonly name: TableName;
  /** Only where a namespace has rules in both: two tables of one family and name then differ in it. */
  readonly ruleset?: Ruleset;
  readonly chains: readonly Chain[];
  readonly origin: Origin;
}

/** Built-in chains in the kernel's order of registration, as iptables-save lists them. */
export const BUILTIN_CHAINS: Readonly<Record<TableName, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** One direction of a flow. ICMP has its type, code and identifier where others have ports. */
export interface ConntrackTuple {
  readonly source: Address;
  readonly destination: Address;
  /** TCP, UDP, SCTP and DCCP only. */
  readonly ports: { readonly source: number; readonly destination: number } | null;
  readonly icmp: { readonly type: number; readonly code: number; readonly id: number } | null;
}

/** A flow that a node already knows, as `conntrack -L` prints it; a trace that belongs to it never asks the nat rules. */
export interface ConntrackRecord {
  readonly family: Family;
  /** The IP protocol number. */
  readonly protocol: number;
  /** As the connection's first packet came, and as its replies come. */
  readonly original: ConntrackTuple;
  readonly reply: ConntrackTuple;
  /** `ESTABLISHED`, `SYN_SENT` …; `null` where the protocol has no states. */
  readonly state: string | null;
  /** No `[UNREPLIED]` is printed. */
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly mark: number;
  /** 0 where no zone is printed; `zone-orig=` and `zone-reply=` stand for one direction. */
  readonly zones: { readonly original: number; readonly reply: number };
  readonly text: string;
  readonly origin: Origin;
}
