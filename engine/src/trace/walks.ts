/**
 * Which events of a netfilter walk changed nothing: a jump into a chain where no rule applied, back to the caller, and
 * a policy that lets the packet on. On a node with kube-proxy they are most of a hop's steps.
 */
import type { Step } from './model.ts';

/** Indices into `steps`. */
export function withoutEffect(steps: readonly Step[]): ReadonlySet<number> {
  const idle = new Set<number>();
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i];
    if (step?.stage !== 'netfilter') continue;
    if (step.event === 'policy' && step.verdict === 'ACCEPT') idle.add(i);
    const end = endOfIdleWalk(steps, i);
    if (end === null) continue;
    for (let k = i; k <= end; k++) idle.add(k);
    i = end;
  }
  return idle;
}

/** The chain that a rule's verdict leads into; `null` where the verdict is another. */
export function jumpTarget(step: Step): string | null {
  if (step.stage !== 'netfilter' || step.event !== 'rule') return null;
  return /^(?:jump|goto) (\S+)$/.exec(step.verdict)?.[1] ?? null;
}

/** The index of the chain's return where only such walks lie between; `null` where a rule did something. */
function endOfIdleWalk(steps: readonly Step[], jump: number): number | null {
  const start = steps[jump];
  const chain = start === undefined ? null : jumpTarget(start);
  if (chain === null) return null;
  for (let i = jump + 1; i < steps.length; i++) {
    const step = steps[i];
    if (step?.stage !== 'netfilter') return null;
    // A rule whose target is RETURN ends the chain as its end does.
    if (step.chain === chain && step.verdict === 'RETURN') return i;
    const inner = endOfIdleWalk(steps, i);
    if (inner === null) return null;
    // The end of a chain that was gone to leads to where this one was called from.
    if (step.verdict.startsWith('goto ')) return inner;
    i = inner;
  }
  return null;
}
