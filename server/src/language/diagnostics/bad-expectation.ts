import { defineDiagnostic, replacement } from './define.ts';

export const badExpectation = defineDiagnostic<{ readonly problem: string; readonly instead: string | undefined }>({
  code: 'K8N1015',
  slug: 'bad-expectation',
  severity: 'error',
  message: (p) => p.problem,
  fix: (p, at) => replacement(p.instead, at),
});
