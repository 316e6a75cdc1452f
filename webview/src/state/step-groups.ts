/** A hop's steps with its walks through chains where nothing applied folded into one line each. */
import type { Step } from '../../../engine/src/trace/model.ts';
import { jumpTarget, withoutEffect } from '../../../engine/src/trace/walks.ts';

export interface StepGroup {
  /** What was walked in vain; empty for a step that stands for itself. */
  readonly summary: string;
  readonly steps: readonly Step[];
}

export function groupsOf(steps: readonly Step[]): readonly StepGroup[] {
  const idle = withoutEffect(steps);
  const groups: { summary: string; steps: Step[] }[] = [];
  let open: Step[] | null = null;
  for (const [i, step] of steps.entries()) {
    if (!idle.has(i)) {
      open = null;
      groups.push({ summary: '', steps: [step] });
    } else if (open === null) {
      open = [step];
      groups.push({ summary: ' ', steps: open });
    } else open.push(step);
  }
  return groups.map((group) => (group.summary === '' ? group : { ...group, summary: summaryOf(group.steps) }));
}

/** "FORWARD: nothing applies in KUBE-PROXY-FIREWALL, KUBE-FORWARD; the policy is ACCEPT." */
function summaryOf(steps: readonly Step[]): string {
  const hooks = new Set(steps.flatMap((step) => (step.stage === 'netfilter' ? [step.hook] : [])));
  const chains = new Set(steps.flatMap((step) => jumpTarget(step) ?? []));
  const accepted = steps.some((step) => step.stage === 'netfilter' && step.event === 'policy');
  const words = [...(chains.size > 0 ? [`nothing applies in ${[...chains].join(', ')}`] : []), ...(accepted ? ['the policy is ACCEPT'] : [])];
  return `${[...hooks].join(', ')}: ${words.join('; ')}.`;
}
