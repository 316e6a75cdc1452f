import { defineDiagnostic } from './define.ts';

export const twoRulesets = defineDiagnostic<{ readonly owner: string; readonly other: string }>({
  code: 'K8N6006',
  slug: 'two-rulesets',
  severity: 'warning',
  message: (p) => `${p.owner} has rules of ${p.other} besides these, and the kernel asks both, where a trace knows only what is pasted here: flush one of the two on the node`,
});
