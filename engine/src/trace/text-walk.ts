/** A table's walk at one hook in one line: the way to the rule that decided, and nothing of the chains without effect. */
import { RULESET_NAMES } from '../topology/netfilter.ts';
import type { Step } from './model.ts';
import { jumpTarget, withoutEffect } from './walks.ts';

export type WalkEvent = Extract<Step, { readonly stage: 'netfilter' }>;

export interface WalkText {
  /** `nat PREROUTING #1 → KUBE-SERVICES #1 → KUBE-SEP-L5MHPWJPDKD7XIFG #1 DNAT` */
  readonly way: string;
  /** The events that changed or ended something: what else than ACCEPT a rule or a policy said. */
  readonly deciding: readonly WalkEvent[];
  /** The ACCEPT of a rule that ended the walk. */
  readonly accepted: WalkEvent | null;
}

export interface Walk {
  readonly events: readonly WalkEvent[];
  /** What had to be taken for granted on the way. */
  readonly assumed: readonly Assumption[];
  /** Steps in all. */
  readonly length: number;
}

type Assumption = Extract<Step, { readonly stage: 'assumption' }>;

/** The walk through one table at one hook that begins at `start`. */
export function walkAt(steps: readonly Step[], start: number): Walk {
  const events: WalkEvent[] = [];
  const assumed: Assumption[] = [];
  let length = 0;
  let open: Assumption[] = [];
  for (const [i, step] of steps.slice(start).entries()) {
    const [first] = events;
    if (step.stage === 'assumption') open.push(step);
    else if (step.stage !== 'netfilter' || (first !== undefined && (first.hook !== step.hook || first.table !== step.table || first.ruleset !== step.ruleset))) break;
    else {
      events.push(step);
      assumed.push(...open);
      open = [];
      length = i + 1;
    }
  }
  return { events, assumed, length };
}

export function walkText(walk: readonly WalkEvent[]): WalkText {
  const idle = withoutEffect(walk);
  const told = walk.filter((event, i) => !idle.has(i) && !leavesChain(event));
  const last = walk.at(-1);
  const [first] = walk;
  const place = first === undefined ? '' : `${first.ruleset === undefined ? '' : `${RULESET_NAMES[first.ruleset]} `}${first.table} ${first.hook}`;
  const chains = walk.filter((event, i) => idle.has(i) && jumpTarget(event) !== null).length;
  const entered = chains === 0 ? [] : [`${chains} ${chains === 1 ? 'chain' : 'chains'}, nothing applied`];
  // Of the other tables nobody asks.
  const policy = last?.event === 'policy' && (last.table === 'filter' || last.verdict !== 'ACCEPT') ? [`policy ${last.verdict}`] : [];
  const way = told.some((event) => event.event === 'rule') ? `${wayOf(told)}${policy.map((text) => `; ${text}`).join('')}` : [...entered, ...policy].join('; ') || 'nothing applied';
  return {
    way: way.startsWith('#') ? `${place} ${way}` : `${place}: ${way}`,
    deciding: told.filter((event) => jumpTarget(event) === null && event.verdict !== 'ACCEPT' && event.verdict !== 'continue'),
    accepted: last?.event === 'rule' && last.verdict === 'ACCEPT' ? last : null,
  };
}

const leavesChain = (event: WalkEvent): boolean => event.verdict === 'RETURN';

/** `#1 → KUBE-SVC-X #1 → KUBE-MARK-MASQ #1 MARK, KUBE-SVC-X #2 → KUBE-SEP-Y #1 DNAT`; the built-in chain is named by its hook. */
function wayOf(told: readonly WalkEvent[]): string {
  let way = '';
  let before: WalkEvent | null = null;
  for (const event of told) {
    if (event.event !== 'rule') continue;
    const from = before === null ? null : jumpTarget(before);
    const separator = before === null ? '' : from === event.chain ? ' → ' : ', ';
    const chain = event.chain === event.hook || (from === null && before?.chain === event.chain) ? '' : `${event.chain} `;
    const verdict = jumpTarget(event) === null && event.verdict !== 'continue' ? ` ${event.verdict}` : '';
    way += `${separator}${chain}#${event.number ?? 0}${verdict}`;
    before = event;
  }
  return way;
}
