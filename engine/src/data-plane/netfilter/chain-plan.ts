/**
 * What the walk of a chain needs at every packet, made when a packet first comes by: each rule's matches in the order in
 * which they are asked, and what a record says of the rule at each hook.
 */
import { perRecord } from '../../memo.ts';
import type { Chain, Match, Rule } from '../../topology/netfilter.ts';
import type { Hook, Step } from '../../trace/model.ts';
import type { CompiledTable } from '../compile.ts';
import { isIpPart } from './matches/evaluate.ts';

export interface ChainPlan {
  readonly rules: (RulePlan | undefined)[];
  /** By hook: the chain's end as a record tells it. */
  readonly ends: Partial<Record<Hook, Step>>;
}

export interface RulePlan {
  /** The part that every rule has, which the kernel asks first (ip_tables.c: ip_packet_match). */
  readonly ip: readonly Match[];
  readonly rest: readonly Match[];
  /** By hook: the rule's match as a record tells it. */
  readonly told: Partial<Record<Hook, Step>>;
}

/** A chain's record may stand in the tables of several namespaces; what is told of it names one. */
export const planOf: (table: CompiledTable, chain: Chain) => ChainPlan = perRecord((): ChainPlan => ({ rules: [], ends: {} }));

export function rulePlan(plan: ChainPlan, index: number, rule: Rule): RulePlan {
  const known = plan.rules[index];
  if (known !== undefined) return known;
  const asked = rule.matches.filter((match) => match.kind !== 'comment');
  const made: RulePlan = { ip: asked.filter(isIpPart), rest: asked.filter((match) => !isIpPart(match)), told: {} };
  plan.rules[index] = made;
  return made;
}
