/**
 * The rules of a long chain by what tells them apart: a whole address or a single port. A cluster of 5,000 services has
 * as many rules in one chain, and of those a packet can match one. The kernel asks them all (ip_tables.c: ipt_do_table);
 * leaving out what cannot match, in the same order, hits exactly the same rules.
 */
import { bitsOf } from '../../net/address.ts';
import type { Address, Prefix } from '../../net/address.ts';
import type { Chain, Rule } from '../../topology/netfilter.ts';
import { destinationPortOf } from '../packet.ts';
import type { Packet } from '../packet.ts';

/** Numbers of rules in order, each list with `NO_RULE` at its end. */
export interface ChainIndex {
  readonly byDestination: ReadonlyMap<number, Int32Array> | null;
  readonly byPort: ReadonlyMap<number, Int32Array> | null;
  readonly bySource: ReadonlyMap<number, Int32Array> | null;
  readonly rest: Int32Array;
}

export const NO_RULE = 0x7fffffff;
export const NO_RULES = Int32Array.of(NO_RULE);

/** Shorter chains are asked rule by rule. */
const LONG = 6;

const indexes = new WeakMap<Chain, ChainIndex>();

/** `null` for a short chain. Kept by the chain's record, which never changes. */
export function chainIndex(chain: Chain): ChainIndex | null {
  if (chain.rules.length < LONG) return null;
  const known = indexes.get(chain);
  if (known !== undefined) return known;
  const made = indexOf(chain.rules);
  indexes.set(chain, made);
  return made;
}

/** The rules that the packet may match, in order; `null`: all of them. */
export function candidates(chain: Chain, packet: Packet): readonly number[] | null {
  const index = chainIndex(chain);
  if (index === null) return null;
  const port = destinationPortOf(packet);
  const byDestination = index.byDestination?.get(hostHash(packet.ip.destination)) ?? NO_RULES;
  const bySource = index.bySource?.get(hostHash(packet.ip.source)) ?? NO_RULES;
  const byPort = (port === null ? undefined : index.byPort?.get(port)) ?? NO_RULES;
  const { rest } = index;
  const merged: number[] = [];
  for (let r = 0, d = 0, s = 0, p = 0; ; ) {
    const rule = Math.min(rest[r] as number, byDestination[d] as number, bySource[s] as number, byPort[p] as number);
    if (rule === NO_RULE) return merged;
    merged.push(rule);
    if (rule === rest[r]) r++;
    else if (rule === byDestination[d]) d++;
    else if (rule === bySource[s]) s++;
    else p++;
  }
}

/** Equal for equal addresses; an index over it holds every rule that could match, and perhaps others. */
export const hostHash = ({ words }: Address): number => words[3] ^ Math.imul(words[2], 0x9e3779b1) ^ Math.imul(words[1], 0x85ebca6b) ^ Math.imul(words[0], 0xc2b2ae35);

function indexOf(rules: readonly Rule[]): ChainIndex {
  const byDestination = new Map<number, number[]>();
  const byPort = new Map<number, number[]>();
  const bySource = new Map<number, number[]>();
  const rest: number[] = [];
  const add = (map: Map<number, number[]>, key: number, i: number): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [i]);
    else list.push(i);
  };
  for (const [i, { matches }] of rules.entries()) {
    const destination = matches.find((m) => m.kind === 'destination' && isHost(m));
    const port = matches.find((m) => m.kind === 'destination-port' && !m.inverted && m.ports.from === m.ports.to);
    const source = matches.find((m) => m.kind === 'source' && isHost(m));
    if (destination?.kind === 'destination') add(byDestination, hostHash(destination.prefix.address), i);
    else if (port?.kind === 'destination-port') add(byPort, port.ports.from, i);
    else if (source?.kind === 'source') add(bySource, hostHash(source.prefix.address), i);
    else rest.push(i);
  }
  return { byDestination: closed(byDestination), byPort: closed(byPort), bySource: closed(bySource), rest: ended(rest) };
}

const isHost = (m: { readonly prefix: Prefix; readonly inverted: boolean }): boolean => !m.inverted && m.prefix.length === bitsOf(m.prefix.address.family);

const ended = (list: readonly number[]): Int32Array => Int32Array.from([...list, NO_RULE]);

const closed = (map: ReadonlyMap<number, readonly number[]>): ReadonlyMap<number, Int32Array> | null =>
  map.size === 0 ? null : new Map([...map].map(([key, list]) => [key, ended(list)]));
