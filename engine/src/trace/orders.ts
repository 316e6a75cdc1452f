/**
 * A node with rules in iptables-legacy and in iptables-nft: where it may matter which of the two the kernel asks first,
 * the flow is traced in every order. One answer to all of them is the answer; else it cannot be told.
 */
import { MAX_ORDERS } from '../data-plane/budgets.ts';
import { REGISTRATION } from '../data-plane/netfilter/rulesets.ts';
import type { SharedHook } from '../data-plane/netfilter/rulesets.ts';
import { kernel } from '../data-plane/run-state.ts';
import { otherRuleset, RULESET_NAMES } from '../topology/netfilter.ts';
import type { Ruleset } from '../topology/netfilter.ts';
import type { Answer, Branch, Hop, Journey, Reason, Step } from './model.ts';
import { reason } from './reasons.ts';

/** Who is asked first, by `sharedHookKey`; `USUAL` at any other hook. */
export type Orders = ReadonlyMap<string, Ruleset>;

export const USUAL: Ruleset = 'legacy';

export interface InOrder {
  readonly branches: readonly Branch[];
  /** The hooks where the order was asked for, by `sharedHookKey`. */
  readonly met: ReadonlyMap<string, SharedHook>;
}

export function inEveryOrder(branchesIn: (orders: Orders) => InOrder): readonly Branch[] {
  const usual = branchesIn(new Map());
  if (usual.met.size === 0) return usual.branches;
  const fates = fatesOf(usual.branches);
  const open = flipped(new Map(), usual);
  for (let tried = 1; ; tried++) {
    const next = open.pop();
    if (next === undefined) return usual.branches;
    if (tried >= MAX_ORDERS) return [undecided(usual.branches, next.where, 'there are more orders than are worth trying')];
    const other = branchesIn(next.orders);
    if (!sameFates(fates, fatesOf(other.branches))) return [undecided(usual.branches, next.where, difference(usual.branches, other.branches))];
    open.push(...flipped(next.orders, other));
  }
}

interface Flipped {
  readonly orders: Orders;
  readonly where: SharedHook;
}

/** Each hook that was met for the first time the other way round, those before it as they were: every combination comes once. */
function flipped(orders: Orders, { met }: InOrder): Flipped[] {
  const before = new Map(orders);
  const found: Flipped[] = [];
  for (const [key, where] of met) {
    if (before.has(key)) continue;
    found.push({ where, orders: new Map([...before, [key, otherRuleset(USUAL)]]) });
    before.set(key, USUAL);
  }
  return found;
}

/** What the sender and the receiver see of a branch. The port that a random one is picked for may be any. */
const fateOf = ({ outcome, deliveredTo, seenAs, answer: { kind, from, type, code }, reply, second, supposing }: Branch): string =>
  JSON.stringify([outcome, deliveredTo, seenAs?.address, kind, from, type, code, reply?.outcome, second?.outcome, supposing]);

function fatesOf(branches: readonly Branch[]): ReadonlyMap<string, number> {
  const fates = new Map<string, number>();
  for (const branch of branches) fates.set(fateOf(branch), (fates.get(fateOf(branch)) ?? 0) + branch.probability);
  return fates;
}

const EXACT = 1e-9;

const sameFates = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean =>
  a.size === b.size && [...a].every(([fate, probability]) => Math.abs((b.get(fate) ?? -1) - probability) < EXACT);

function difference(usual: readonly Branch[], other: readonly Branch[]): string {
  const [one, two] = [usual, other].map((branches, i) => {
    const known = new Set([usual, other][1 - i]?.map(fateOf));
    const own = branches.find((branch) => !known.has(fateOf(branch))) ?? branches[0];
    return own === undefined ? '' : fateText(own);
  });
  return one === two ? 'with the other first the packets fare otherwise' : `with ${RULESET_NAMES[USUAL]} first the packet is ${one ?? ''}, with ${RULESET_NAMES[otherRuleset(USUAL)]} first ${two ?? ''}`;
}

function fateText({ outcome, deliveredTo, seenAs, answer }: Branch): string {
  const seen = seenAs === null ? '' : ` as one from ${seenAs.address}`;
  return `${outcome}${deliveredTo === null ? '' : ` to ${deliveredTo.name}${seen}`}${ANSWERED[answer.kind]}`;
}

const ANSWERED: Readonly<Record<Answer['kind'], string>> = { reply: ' and answered', reset: ' and answered with a reset', icmp: ' and answered with an ICMP error', none: '' };

const NO_ANSWER: Answer = { kind: 'none', from: null, type: null, code: null, ttl: null };

/** The first branch as far as it is known: to the hook where the orders part. */
function undecided(branches: readonly Branch[], where: SharedHook, because: string): Branch {
  const [first] = branches;
  if (first === undefined) throw new Error('a trace without a branch');
  const why = reason('ruleset-order', { where: where.ns.label, what: `${where.hook} of ${where.table.table.name}`, rule: because });
  const base = { ...first, probability: 1, supposing: [], answer: NO_ANSWER };
  const end = { outcome: 'undecided', reason: why } as const;
  const { second, ...unseconded } = base;
  const request = cutAt(first.request.hops, where, why);
  if (request !== null) return { ...unseconded, ...end, deliveredTo: null, seenAs: null, request: { hops: request }, reply: null };
  const reply = cutJourney(first.reply, where, why);
  if (reply !== null) return { ...unseconded, reply: { ...end, hops: reply } };
  const later = cutJourney(second ?? null, where, why);
  if (later !== null) return { ...base, answer: first.answer, second: { ...end, hops: later } };
  return { ...unseconded, ...end, deliveredTo: null, seenAs: null, request: { hops: first.request.hops.map((hop, i, hops) => (i < hops.length - 1 ? hop : { ...hop, steps: [...hop.steps, leftOpen(why)] })) }, reply: null };
}

const leftOpen = (why: Reason): Step => ({ stage: 'undecided', reason: why, sentence: why.sentence, source: kernel(REGISTRATION) });

const cutJourney = (journey: Journey | null, where: SharedHook, why: Reason): readonly Hop[] | null => (journey === null ? null : cutAt(journey.hops, where, why));

/** `null` where the order was not asked for on this way. */
function cutAt(hops: readonly Hop[], { ns, table, hook }: SharedHook, why: Reason): readonly Hop[] | null {
  const isThere = (step: Step | undefined): boolean => step?.stage === 'netfilter' && step.hook === hook && step.table === table.table.name;
  for (const [i, hop] of hops.entries()) {
    if (hop.host !== ns.host.name || hop.namespace !== ns.namespace.name) continue;
    const at = hop.steps.findIndex((step, n) => step.stage === 'assumption' && 'because' in step.source && step.source.because === REGISTRATION && isThere(hop.steps[n + 1]));
    if (at >= 0) return [...hops.slice(0, i), { ...hop, steps: [...hop.steps.slice(0, at), leftOpen(why)] }];
  }
  return null;
}
