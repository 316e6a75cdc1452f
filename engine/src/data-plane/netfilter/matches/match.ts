/** What a match sees, and its three answers. */
import type { Rule } from '../../../topology/netfilter.ts';
import type { Hook } from '../../../trace/model.ts';
import type { CompiledNamespace } from '../../compile.ts';
import type { Packet } from '../../packet.ts';
import type { Run, Skb } from '../../run-state.ts';

/** Where a packet stands while a chain looks at it; no device is the empty string, as in the kernel. */
export interface Position {
  readonly hook: Hook;
  readonly input: string;
  readonly output: string;
  /** The route says that the packet is for this namespace. */
  readonly destinationLocal: boolean;
  /** The gateway, or the destination itself; for MASQUERADE. */
  readonly nextHop: Packet['ip']['destination'] | null;
}

export interface MatchInput {
  readonly run: Run;
  readonly ns: CompiledNamespace;
  readonly skb: Skb;
  readonly packet: Packet;
  readonly at: Position;
  readonly rule: Rule;
}

/** `unknown` says what the answer would depend on, and why that is not known. */
export type MatchResult = boolean | { readonly unknown: string };

export const invert = (result: boolean, match: { readonly inverted: boolean }): boolean => result !== match.inverted;

/** Whether such a rule matches makes no difference to the packet. */
export const changesNothing = (rule: Rule): boolean => rule.target === null || rule.target.kind === 'log';
