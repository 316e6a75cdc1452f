/** The immediate diagnostics of one version: everything that can be told without building the topology. */
import type { CheckInput } from './check.ts';
import type { Diagnostic } from './define.ts';
import { report } from './define.ts';
import { moreProblems } from './more-problems.ts';
import { CHECKS } from './registry.ts';

export const MOST_DIAGNOSTICS = 1000;

export function diagnose(input: CheckInput): readonly Diagnostic[] {
  const found = [...input.model.diagnostics];
  for (const check of CHECKS) for (const diagnostic of check(input)) found.push(diagnostic);
  return inOrder(found);
}

/** By place, then by code; at most 1,000, the last of which says how many more there are. */
export function inOrder(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const sorted = [...found].sort((a, b) => a.start - b.start || a.end - b.end || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
  const [last] = sorted.slice(MOST_DIAGNOSTICS - 1);
  if (last === undefined || sorted.length === MOST_DIAGNOSTICS) return sorted;
  return [...sorted.slice(0, MOST_DIAGNOSTICS - 1), report(moreProblems, { count: sorted.length - MOST_DIAGNOSTICS + 1 }, last)];
}
