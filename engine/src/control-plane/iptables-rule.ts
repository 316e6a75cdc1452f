/**
 * Builds iptables rules as records together with the text that iptables-save prints for them. Parts come in the order of
 * that text: `-s`, `-d`, `-p`, then the extensions in the order in which the program gave them.
 */
import { memo } from '../memo.ts';
import { formatPrefix, hostPrefix } from '../net/address.ts';
import type { Address, Family, Prefix } from '../net/address.ts';
import type { AddressType, ConnectionState, Match, Rule, TableName, Target } from '../topology/netfilter.ts';
import type { Origin } from '../topology/origin.ts';

export interface Part {
  readonly match: Match;
  readonly text: string;
}

/** A rule and the chain that it stands in. */
export interface Placed {
  readonly table: TableName;
  readonly chain: string;
  readonly rule: Rule;
}

export type L4 = 'tcp' | 'udp' | 'sctp';

const PROTOCOL_NUMBER: Readonly<Record<L4, number>> = { tcp: 6, udp: 17, sctp: 132 };

export const source = (prefix: Prefix): Part => ({ match: { kind: 'source', prefix, inverted: false }, text: `-s ${formatPrefix(prefix)}` });
/** `text` is the address alone. */
export const sourceHost = (address: Address, text: string): Part => ({ match: { kind: 'source', prefix: hostPrefix(address), inverted: false }, text: `-s ${text}/${address.family === 4 ? 32 : 128}` });
export const notSource = (prefix: Prefix): Part => ({ match: { kind: 'source', prefix, inverted: true }, text: `! -s ${formatPrefix(prefix)}` });
export const destination = (prefix: Prefix): Part => ({ match: { kind: 'destination', prefix, inverted: false }, text: `-d ${formatPrefix(prefix)}` });
export const notDestination = (prefix: Prefix): Part => ({ match: { kind: 'destination', prefix, inverted: true }, text: `! -d ${formatPrefix(prefix)}` });
export const inInterface = (name: string): Part => ({ match: { kind: 'in-interface', name, inverted: false }, text: `-i ${name}` });
export const notInInterface = (name: string): Part => ({ match: { kind: 'in-interface', name, inverted: true }, text: `! -i ${name}` });
export const outInterface = (name: string): Part => ({ match: { kind: 'out-interface', name, inverted: false }, text: `-o ${name}` });
export const notOutInterface = (name: string): Part => ({ match: { kind: 'out-interface', name, inverted: true }, text: `! -o ${name}` });
/** Made once for each protocol, as what follows is: a node's rules repeat them by the ten thousand. */
export const protocol = memo((name: L4): Part => ({ match: { kind: 'protocol', protocol: PROTOCOL_NUMBER[name], inverted: false }, text: `-p ${name}` }));
/** `-m tcp` alone: kube-proxy names the protocol's extension even where it tests no more. */
export const extension = memo((name: L4): Part => ({ match: { kind: 'transport-header', protocol: name }, text: `-m ${name}` }));
export const comment = (text: string): Part => ({ match: { kind: 'comment', text }, text: `-m comment --comment "${text.replaceAll('"', '\\"')}"` });

export const destinationPort = (name: L4, port: number): Part => ({
  match: { kind: 'destination-port', protocol: name, ports: { from: port, to: port }, inverted: false },
  text: `-m ${name} --dport ${port}`,
});

const RANK: Readonly<Record<string, number>> = { source: 0, destination: 1, 'in-interface': 2, 'out-interface': 3, protocol: 4 };

/** What iptables-save prints before the extensions: source, destination, devices, protocol. */
export function inSaveOrder(parts: readonly Part[]): readonly Part[] {
  const rank = (part: Part | undefined): number => RANK[part?.match.kind ?? ''] ?? 5;
  const sorted = parts.every((part, i) => i === 0 || rank(parts[i - 1]) <= rank(part));
  return sorted ? parts : [...parts].sort((a, b) => rank(a) - rank(b));
}

/** At most 15. */
export const destinationPorts = (ports: readonly number[]): Part => ({
  match: { kind: 'multiport', which: 'destination', ports: ports.map((port) => ({ from: port, to: port })), inverted: false },
  text: `-m multiport --dports ${ports.join(',')}`,
});

const hex = (n: number): string => `0x${n.toString(16)}`;

const markMatch = (value: number, inverted: boolean): Match => ({ kind: 'mark', value, mask: value, inverted });

export const marked = (value: number): Part => ({ match: markMatch(value, false), text: `-m mark --mark ${hex(value)}/${hex(value)}` });
export const notMarked = (value: number): Part => ({ match: markMatch(value, true), text: `-m mark ! --mark ${hex(value)}/${hex(value)}` });

const stateMatch = (states: readonly ConnectionState[], inverted: boolean): Match => ({ kind: 'conntrack-state', states, spelling: 'conntrack', inverted });

export const inState = (...states: readonly ConnectionState[]): Part => ({ match: stateMatch(states, false), text: `-m conntrack --ctstate ${states.join(',')}` });
export const notInState = (...states: readonly ConnectionState[]): Part => ({
  match: stateMatch(states, true),
  text: `-m conntrack ! --ctstate ${states.join(',')}`,
});

export const addressType = (which: 'source' | 'destination', type: AddressType): Part => ({
  match: { kind: 'address-type', which, types: [type], limit: null, inverted: false },
  text: `-m addrtype --${which === 'source' ? 'src' : 'dst'}-type ${type}`,
});

const FULL_MASK: Readonly<Record<Family, string>> = { 4: '255.255.255.255', 6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' };

export const recentCheck = (name: string, seconds: number, family: Family): Part => ({
  match: { kind: 'recent', action: 'rcheck', name, seconds, hitcount: null, reap: true, side: 'source', inverted: false },
  text: `-m recent --rcheck --seconds ${seconds} --reap --name ${name} --mask ${FULL_MASK[family]} --rsource`,
});

export const recentSet = (name: string, family: Family): Part => ({
  match: { kind: 'recent', action: 'set', name, seconds: null, hitcount: null, reap: false, side: 'source', inverted: false },
  text: `-m recent --set --name ${name} --mask ${FULL_MASK[family]} --rsource`,
});

/**
 * One in `of`. kube-proxy writes ten decimals (pkg/proxy/iptables/proxier.go: computeProbability) and the kernel keeps 31
 * bits, which is why iptables-save prints 0.33333333349 for a third.
 */
export const probability = memo((of: number): Part => {
  const kept = Math.round(Number((1 / of).toFixed(10)) * 0x8000_0000) / 0x8000_0000;
  return { match: { kind: 'statistic-random', probability: kept, inverted: false }, text: `-m statistic --mode random --probability ${kept.toFixed(11)}` };
});

export interface TargetPart {
  readonly target: Target;
  readonly text: string;
}

export const accept: TargetPart = { target: { kind: 'accept' }, text: '-j ACCEPT' };
export const drop: TargetPart = { target: { kind: 'drop' }, text: '-j DROP' };
export const returns: TargetPart = { target: { kind: 'return' }, text: '-j RETURN' };
export const jump = (chain: string): TargetPart => ({ target: { kind: 'jump', chain, via: 'jump' }, text: `-j ${chain}` });
export const masquerade: TargetPart = { target: { kind: 'masquerade', ports: null, random: false, randomFully: false }, text: '-j MASQUERADE' };
export const masqueradeRandomFully: TargetPart = {
  target: { kind: 'masquerade', ports: null, random: false, randomFully: true },
  text: '-j MASQUERADE --random-fully',
};
export const orMark = (value: number): TargetPart => ({ target: { kind: 'mark', value, mask: value }, text: `-j MARK --set-xmark ${hex(value)}/${hex(value)}` });
export const xorMark = (value: number): TargetPart => ({ target: { kind: 'mark', value, mask: 0 }, text: `-j MARK --set-xmark ${hex(value)}/0x0` });

export function rejectPort(family: Family): TargetPart {
  const type = family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable';
  return { target: { kind: 'reject', with: type }, text: `-j REJECT --reject-with ${type}` };
}

/** `to` is the text of address and port, brackets around IPv6. */
export const dnat = (address: Address, port: number, to: string): TargetPart => ({
  target: { kind: 'dnat', range: { from: address, to: address, ports: { from: port, to: port }, random: false, randomFully: false, persistent: false } },
  text: `-j DNAT --to-destination ${to}`,
});

/** iptables-save leaves out `-s 0.0.0.0/0` (iptables/iptables.c: save_ipv4_addr). */
const isEvery = (match: Match): boolean => (match.kind === 'source' || match.kind === 'destination') && match.prefix.length === 0 && !match.inverted;

/** A rule of `chain`; without a target it only counts. No list grows by one: that takes room for 17, in 100,000 rules. */
export function ruleOf(chain: string, parts: readonly Part[], target: TargetPart | null, origin: Origin): Rule {
  const told = parts.some((part) => isEvery(part.match)) ? parts.filter((part) => !isEvery(part.match)) : parts;
  const texts = told.map((part) => part.text);
  const words = target === null ? ['-A', chain, ...texts] : ['-A', chain, ...texts, target.text];
  return { matches: told.map((part) => part.match), target: target?.target ?? null, text: words.join(' '), origin };
}

export const place = (table: TableName, chain: string, parts: readonly Part[], target: TargetPart | null, origin: Origin): Placed => ({
  table, chain, rule: ruleOf(chain, parts, target, origin),
});
