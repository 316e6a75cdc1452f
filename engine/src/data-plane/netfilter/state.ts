/** What netfilter remembers from one packet of a run to the next, beside its flows. */
import type { SocketOwner } from './matches/owner.ts';

export interface NetfilterState {
  /** Lists of the recent match, by namespace and name, then family and address. */
  readonly recent: Map<string, Map<string, RecentEntry>>;
  /** What a limiter still lets through, by namespace: a rule's own by its match, a shared one by its name. */
  readonly limiters: Map<number, Map<object | string, { left: number }>>;
  /** By namespace and kind of id: what this run takes for granted of the process that sends there. */
  readonly owners: Map<string, SocketOwner>;
  /** Sets that a rule of this run has changed, by namespace and name. */
  readonly changedSets: Set<string>;
  /** Clauses behind "if": what this run supposes beyond the usual. */
  readonly supposing: string[];
}

export interface RecentEntry {
  readonly ttl: number;
  /** How often the address was seen, all in the same moment. */
  readonly hits: number;
}

export const emptyNetfilterState = (): NetfilterState => ({ recent: new Map(), limiters: new Map(), owners: new Map(), changedSets: new Set(), supposing: [] });
