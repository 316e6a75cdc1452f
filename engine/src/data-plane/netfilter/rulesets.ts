/**
 * Two rulesets at one hook. x_tables and nf_tables register at the same priorities, and of equals the one that was
 * registered later is asked first (net/netfilter/core.c: nf_hook_entries_grow; for nat nf_nat_core.c:
 * nf_nat_register_fn, which uses the same). No dump tells when that was, so where it matters both orders are tried.
 */
import { perRecord } from '../../memo.ts';
import type { Match, Target } from '../../topology/netfilter.ts';
import { RULESET_NAMES } from '../../topology/netfilter.ts';
import type { Hook } from '../../trace/model.ts';
import type { CompiledNamespace, CompiledTable } from '../compile.ts';
import { emptyJourney, kernel, step, withSkb } from '../run-state.ts';
import type { Run, Skb } from '../run-state.ts';
import { walkTable } from './chain.ts';
import type { Position } from './matches/match.ts';
import { halfAt, settled } from './nat.ts';

/** Where a namespace has rules in both. */
export interface SharedHook {
  readonly ns: CompiledNamespace;
  readonly table: CompiledTable;
  readonly hook: Hook;
}

/** What an order that is taken for granted comes from. */
export const REGISTRATION = 'the order in which hooks were registered';

/** The chain has something to say at the hook. */
export function isAsked({ chains }: CompiledTable, hook: Hook): boolean {
  const chain = chains.get(hook);
  return chain !== undefined && (chain.rules.length > 0 || chain.policy === 'DROP');
}

/** A table and the other ruleset's of the same name, in the order in which the kernel asks them. */
export function inTurn(run: Run, ns: CompiledNamespace, table: CompiledTable, skb: Skb, at: Position): readonly CompiledTable[] {
  const { other } = table;
  if (other === null) return [table];
  const asked = [table, other].filter((each) => isAsked(each, at.hook));
  if (asked.length < 2 || !orderMatters(effectOf(run, ns, table, skb, at), effectOf(run, ns, other, skb, at))) return asked;
  const first = run.firstAsked({ ns, table, hook: at.hook });
  const name = table.table.name;
  step(run, {
    stage: 'assumption', source: kernel(REGISTRATION),
    sentence: `${ns.label} has rules for ${at.hook} of ${name} in both ${RULESET_NAMES.legacy} and ${RULESET_NAMES.nft}; here ${RULESET_NAMES[first]} is taken to be asked first, and the other order comes to the same end.`,
  });
  return first === table.table.ruleset ? asked : [other, table];
}

/** What a table makes of a packet before the other one saw it. `ended`: with an answer, or not known how. */
type Effect = 'none' | 'dropped' | 'ended' | 'translated' | 'other';

/** A packet that one of the two leaves alone meets the other as it came, whichever is first; what the first ends or translates, the second never sees. */
function orderMatters(a: Effect, b: Effect): boolean {
  if (a === 'none') return b === 'other';
  if (b === 'none') return a === 'other';
  return a !== 'dropped' || b !== 'dropped';
}

function effectOf(run: Run, ns: CompiledNamespace, table: CompiledTable, skb: Skb, at: Position): Effect {
  if (!isPlain(table, at.hook)) return 'other';
  const asked = { chance: false };
  const { tracked } = skb;
  const entry = tracked?.entry ?? null;
  const apart = tracked === null || entry === null ? skb : withSkb(skb, { tracked: { ...tracked, entry: { ...entry } } });
  const choose = (): number => {
    asked.chance = true;
    return 0;
  };
  const trial: Run = { ...run, choose, queue: [], answers: [], journey: emptyJourney(), watch: null };
  const verdict = walkTable(trial, ns, table, apart, at);
  if (asked.chance) return 'other';
  if (verdict.kind === 'ended') return trial.answers.length === 0 && trial.journey.ends[0]?.outcome === 'dropped' ? 'dropped' : 'ended';
  const after = apart.tracked?.entry ?? null;
  if (table.table.name === 'nat' && after !== null && settled(after, halfAt(at.hook))) return 'translated';
  const isSame = verdict.skb.packet === skb.packet && verdict.skb.mark === skb.mark && verdict.skb.tracked === apart.tracked && after?.mark === entry?.mark;
  return isSame ? 'none' : 'other';
}

/** They count packets, throw dice or remember what they saw: asking them to see what would come of it changes what comes of it. */
const REMEMBERS: readonly Match['kind'][] = ['recent', 'limit', 'hashlimit', 'statistic-random', 'statistic-nth', 'owner', 'unknown'];

const changesMore = (target: Target | null): boolean => target?.kind === 'unknown';

/** Whether a walk that begins at the hook's chain can be tried without a trace of it. */
const isPlain = perRecord((table: CompiledTable, hook: Hook): boolean => {
  const seen = new Set<string>();
  const open: string[] = [hook];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const { matches, target } of table.chains.get(name)?.rules ?? []) {
      if (changesMore(target) || matches.some((m) => REMEMBERS.includes(m.kind))) return false;
      if (target?.kind === 'jump') open.push(target.chain);
    }
  }
  return true;
});

export const sharedHookKey = ({ ns, table, hook }: SharedHook): string => `${ns.index} ${table.table.family} ${table.table.name} ${hook}`;
