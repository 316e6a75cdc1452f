import { defineDiagnostic, replacement } from './define.ts';
import { didYouMean } from '../bind/did-you-mean.ts';

export const badValue = defineDiagnostic<{ readonly problem: string; readonly instead: string | undefined }>({
  code: 'K8N1010',
  slug: 'bad-value',
  severity: 'error',
  message: (p) => p.problem + didYouMean(p.instead),
  fix: (p, at) => replacement(p.instead, at),
});
