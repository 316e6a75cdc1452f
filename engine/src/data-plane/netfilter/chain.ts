/**
 * One table's walk at one hook: rules in order, jumps and returns, the policy (net/ipv4/netfilter/ip_tables.c:
 * ipt_do_table). What is recorded is what the kernel's TRACE target tells: each rule that matched, the ends of chains.
 */
import { RULESET_NAMES } from '../../topology/netfilter.ts';
import type { Chain, Rule, Ruleset } from '../../topology/netfilter.ts';
import { MATCHED_RULE, MAX_CHAIN_DEPTH, MAX_RULES } from '../budgets.ts';
import type { CompiledNamespace, CompiledTable } from '../compile.ts';
import { end, sourceOf, step } from '../run-state.ts';
import type { Fate, Run, Skb } from '../run-state.ts';
import { candidates } from './chain-index.ts';
import { planOf, rulePlan } from './chain-plan.ts';
import type { ChainPlan } from './chain-plan.ts';
import { matches } from './matches/evaluate.ts';
import { changesNothing } from './matches/match.ts';
import type { Position } from './matches/match.ts';
import { applyTarget } from './targets/apply.ts';
import type { ActingTarget } from './targets/apply.ts';

export type Verdict = { readonly kind: 'accept'; readonly skb: Skb } | { readonly kind: 'ended'; readonly fate: Fate };

/** A table's walk that the packet did not survive, as it began. */
export interface EndedWalk {
  readonly run: Run;
  readonly ns: CompiledNamespace;
  readonly table: CompiledTable;
  readonly skb: Skb;
  readonly at: Position;
}

interface Frame {
  readonly chain: Chain;
  readonly plan: ChainPlan;
  /** The chains that led here by goto, which are over. */
  readonly left: readonly string[];
  /** The place of the next rule; behind the last, the chain is over. */
  next: number;
  /** Places of the rules that the packet may match; `null`: all. Nothing that the index asks for changes in a table. */
  readonly candidates: readonly number[] | null;
  asked: number;
}

const frameOf = (table: CompiledTable, chain: Chain, left: readonly string[], { packet }: Skb): Frame => ({ chain, plan: planOf(table, chain), left, next: 0, candidates: candidates(chain, packet), asked: 0 });

const NONE: readonly string[] = [];

/** The place of the next rule in a chain that was left: behind every last rule. A whole number, as every place is. */
const OVER = 0x3fff_ffff;

/** Puts `next` on the next rule that may match. */
function skip(frame: Frame): void {
  if (frame.candidates === null || frame.next === OVER) return;
  frame.next = frame.candidates[frame.asked++] ?? frame.chain.rules.length;
}

export function walkTable(run: Run, ns: CompiledNamespace, table: CompiledTable, skb: Skb, at: Position): Verdict {
  const verdict = walk(run, ns, table, skb, at);
  if (verdict.kind === 'ended') run.watch?.({ run, ns, table, skb, at });
  return verdict;
}

function walk(run: Run, ns: CompiledNamespace, table: CompiledTable, skb: Skb, at: Position): Verdict {
  const start = table.chains.get(at.hook);
  if (start === undefined) return { kind: 'accept', skb };
  const stack: Frame[] = [frameOf(table, start, NONE, skb)];
  let now = skb;
  for (;;) {
    const frame = stack[stack.length - 1];
    if (frame === undefined) return { kind: 'accept', skb: now };
    skip(frame);
    const { rules } = frame.chain;
    const rule = frame.next < rules.length ? rules[frame.next] : undefined;
    if (rule === undefined) {
      const verdict = leave(run, ns, table, stack, now, at);
      if (verdict !== null) return verdict;
      continue;
    }
    frame.next++;
    if (++run.rulesAsked > MAX_RULES) return stop(end(run, ns, now, 'too-many-rules', { what: table.table.name, rule: rule.text }, sourceOf(rule.origin)));
    const input = { run, ns, skb: now, packet: now.packet, at, rule };
    const result = matches(input, rulePlan(frame.plan, frame.next - 1, rule));
    if (result === false) continue;
    if (result !== true && changesNothing(rule)) continue;
    if (result !== true) return stop(end(run, ns, now, 'match-unknown', { rule: rule.text, what: result.unknown }, sourceOf(rule.origin)));
    const outcome = act(run, ns, table, stack, now, at, rule, frame);
    if ('verdict' in outcome) return outcome.verdict;
    now = outcome.skb;
  }
}

const stop = (fate: Fate): Verdict => ({ kind: 'ended', fate });

type Outcome = { readonly verdict: Verdict } | { readonly skb: Skb };

function act(run: Run, ns: CompiledNamespace, table: CompiledTable, stack: Frame[], skb: Skb, at: Position, rule: Rule, frame: Frame): Outcome {
  const { target } = rule;
  const event = (verdict: string): void => recordRule(run, ns, table, frame, at, rule, verdict);
  if (target === null) {
    event('continue');
    return { skb };
  }
  switch (target.kind) {
    case 'accept':
      event('ACCEPT');
      return { verdict: { kind: 'accept', skb } };
    case 'drop':
      event('DROP');
      return { verdict: stop(end(run, ns, skb, 'rule-drop', { rule: rule.text }, sourceOf(rule.origin))) };
    case 'return': {
      event('RETURN');
      frame.next = OVER;
      const verdict = leave(run, ns, table, stack, skb, at);
      return verdict === null ? { skb } : { verdict };
    }
    case 'jump': {
      event(`${target.via} ${target.chain}`);
      const problem = enter(table, stack, target.chain, target.via, skb);
      if (problem === null) return { skb };
      const what = problem === 'jump-depth' ? table.table.name : target.chain;
      return { verdict: stop(end(run, ns, skb, problem, { rule: rule.text, what }, sourceOf(rule.origin))) };
    }
    default:
      return actFurther(target, { run, ns, skb, packet: skb.packet, at, rule }, event);
  }
}

function actFurther(target: ActingTarget, input: Parameters<typeof applyTarget>[1], event: (verdict: string) => void): Outcome {
  event(targetName(target));
  const result = applyTarget(target, input);
  switch (result.kind) {
    case 'continue':
      return { skb: result.skb };
    case 'accept':
      return { verdict: { kind: 'accept', skb: result.skb } };
    case 'ended':
      return { verdict: stop(result.fate) };
  }
}

const targetName = (target: ActingTarget): string => (target.kind === 'log' ? target.spelling : target.kind === 'unknown' ? target.name : target.kind.toUpperCase());

/** The kernel refuses a table with a loop, and a jump to nowhere cannot be loaded. */
function enter(table: CompiledTable, stack: Frame[], name: string, via: 'jump' | 'goto', skb: Skb): 'chain-missing' | 'chain-loop' | 'jump-depth' | null {
  const chain = table.chains.get(name);
  if (chain === undefined) return 'chain-missing';
  if (stack.some((frame) => frame.chain.name === name || frame.left.includes(name))) return 'chain-loop';
  if (stack.length >= MAX_CHAIN_DEPTH) return 'jump-depth';
  // After a goto the chain's end leads to where the jump before it came from. The built-in chain keeps its policy.
  const over = via === 'goto' && stack.length > 1 ? stack.pop() : undefined;
  if (via === 'goto' && over === undefined) (stack[0] as Frame).next = OVER;
  stack.push(frameOf(table, chain, over === undefined ? NONE : [...over.left, over.chain.name], skb));
  return null;
}

/** The end of a chain, by its last rule or by RETURN: back to the caller, or the policy. */
function leave(run: Run, ns: CompiledNamespace, table: CompiledTable, stack: Frame[], skb: Skb, at: Position): Verdict | null {
  const frame = stack.pop();
  if (frame === undefined) return { kind: 'accept', skb };
  const { chain } = frame;
  if (stack.length > 0) {
    if (frame.next !== OVER) recordEnd(run, ns, table, chain, at, 'return', 'RETURN');
    return null;
  }
  const policy = chain.policy ?? 'ACCEPT';
  if (chain.rules.length > 0 || policy === 'DROP') recordEnd(run, ns, table, chain, at, 'policy', policy);
  if (policy === 'ACCEPT') return { kind: 'accept', skb };
  return stop(end(run, ns, skb, 'policy-drop', { what: `the chain ${chain.name} of table ${nameOf(table)}` }, sourceOf(chain.origin)));
}

/** Which of a node's two rulesets it is of, where there are two. */
const rulesetOf = ({ table: { ruleset } }: CompiledTable): { readonly ruleset?: Ruleset } => (ruleset === undefined ? {} : { ruleset });

const nameOf = ({ table: { name, ruleset } }: CompiledTable): string => (ruleset === undefined ? name : `${name}, ${RULESET_NAMES[ruleset]}`);

function recordRule(run: Run, ns: CompiledNamespace, table: CompiledTable, frame: Frame, at: Position, rule: Rule, verdict: string): void {
  const number = frame.next;
  run.rulesAsked += MATCHED_RULE;
  const { told } = rulePlan(frame.plan, number - 1, rule);
  step(run, (told[at.hook] ??= {
    stage: 'netfilter', hook: at.hook, table: table.table.name, ...rulesetOf(table), chain: frame.chain.name, event: 'rule', number, rule: rule.text, verdict,
    sentence: `Rule ${number} of ${frame.chain.name} (${nameOf(table)}) on ${ns.label} matches: ${verdict}.`,
    source: sourceOf(rule.origin),
  }));
}

function recordEnd(run: Run, ns: CompiledNamespace, table: CompiledTable, chain: Chain, at: Position, event: 'return' | 'policy', verdict: string): void {
  const { ends } = planOf(table, chain);
  step(run, (ends[at.hook] ??= {
    stage: 'netfilter', hook: at.hook, table: table.table.name, ...rulesetOf(table), chain: chain.name, event, rule: null, verdict,
    number: event === 'policy' ? null : chain.rules.length + 1,
    sentence:
      event === 'policy'
        ? `No rule of ${chain.name} (${nameOf(table)}) on ${ns.label} decides, so its policy does: ${verdict}.`
        : `The chain ${chain.name} (${nameOf(table)}) on ${ns.label} ends, and the caller goes on.`,
    source: sourceOf(chain.origin),
  }));
}
