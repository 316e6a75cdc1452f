/** A table while its lines are read. */
import type { Rule, TableName } from '../../../../../engine/src/topology/netfilter.ts';
import type { Origin } from '../../../../../engine/src/topology/origin.ts';

export interface DraftChain {
  readonly name: string;
  readonly policy: 'ACCEPT' | 'DROP' | null;
  rules: readonly Rule[];
  readonly origin: Origin;
  readonly declared: boolean;
}

export interface DraftTable {
  readonly name: TableName;
  readonly chains: Map<string, DraftChain>;
  readonly origin: Origin;
  /** The chain of the rule before. */
  last: DraftChain | null;
  /** Its rules that are not in its list yet: most chains have one to three, and a list that grows has room for seventeen. */
  readonly pending: Rule[];
  count: number;
  /** A `:CHAIN` line was seen: the dump lists its chains, and one that it does not list is a mistake. */
  listsChains: boolean;
}

export const draftTable = (name: TableName, origin: Origin): DraftTable => ({ name, chains: new Map(), origin, last: null, pending: [], count: 0, listsChains: false });

/** Puts the rules read so far into their chain. */
export function endChain(table: DraftTable): void {
  const { last, pending, count } = table;
  if (last !== null && count > 0) last.rules = last.rules.length === 0 ? pending.slice(0, count) : [...last.rules, ...pending.slice(0, count)];
  table.count = 0;
  table.last = null;
}
