import { dumpsOf, reportInDump } from '../bind/dumps.ts';
import type { DumpProblem } from '../native/dump.ts';
import type { Check } from './check.ts';
import type { Definition } from './define.ts';
import { defineDiagnostic, replacement } from './define.ts';
import { notModelled } from './not-modelled.ts';
import { policyOnUserChain, userChainPolicy } from './policy-on-user-chain.ts';
import { unknownMatch } from './unknown-match.ts';

export interface DumpProblemParams {
  readonly message: string;
  readonly instead: string | undefined;
}

/** What the tool that printed the dump would never print, or would refuse. */
export const badDump = defineDiagnostic<DumpProblemParams>({
  code: 'K8N3001',
  slug: 'bad-dump',
  severity: 'error',
  message: (p) => p.message,
  fix: (p, at) => replacement(p.instead, at),
});

function definitionOf(problem: DumpProblem): Definition<DumpProblemParams> {
  if (problem.code === 'unknown-match' || problem.code === 'unknown-target') return unknownMatch;
  return problem.severity === 'warning' ? notModelled : badDump;
}

export const checkDumps: Check = function* ({ model, files }) {
  for (const dump of dumpsOf(model, files)) {
    for (const problem of dump.content.problems) {
      const policy = userChainPolicy(dump.content, problem);
      if (policy !== null) yield reportInDump(dump, policyOnUserChain, policy, problem);
      else yield reportInDump(dump, definitionOf(problem), { message: problem.message, instead: problem.suggestion ?? undefined }, problem);
    }
  }
};
