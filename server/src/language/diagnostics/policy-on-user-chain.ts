import type { CaptureContent } from '../bind/capture-content.ts';
import type { DumpProblem } from '../native/dump.ts';
import { defineDiagnostic, fixOf } from './define.ts';

/** `policyOffset`: where the policy stands, from the chain's name. */
export const policyOnUserChain = defineDiagnostic<{ readonly chain: string; readonly policy: string; readonly policyOffset: number }>({
  code: 'K8N3008',
  slug: 'policy-on-user-chain',
  severity: 'error',
  message: (p) => `Chain ${p.chain} cannot have the policy ${p.policy}: only built-in chains have one; write '-', and a last rule that says -j ${p.policy}`,
  fix: (p, at) => [fixOf("Replace the policy with '-'", { start: at.start + p.policyOffset, end: at.start + p.policyOffset + p.policy.length }, '-')],
});

/** The reader finds it with other slips in `:CHAIN` lines; here it gets its own code and fix. */
export function userChainPolicy(content: CaptureContent, problem: DumpProblem): { readonly chain: string; readonly policy: string; readonly policyOffset: number } | null {
  if (problem.code !== 'bad-value') return null;
  const [, chain, gap, policy] = /^:([^\s-!][^\s]{0,27})(\s+)(ACCEPT|DROP)(?=\s|$)/.exec(content.lines[problem.line]?.text ?? '') ?? [];
  if (chain === undefined || gap === undefined || policy === undefined || problem.offset !== 1) return null;
  return { chain, policy, policyOffset: chain.length + gap.length };
}
