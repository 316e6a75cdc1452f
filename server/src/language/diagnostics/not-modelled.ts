import type { DumpProblemParams } from './bad-dump.ts';
import { defineDiagnostic, replacement } from './define.ts';

export const notModelled = defineDiagnostic<DumpProblemParams>({
  code: 'K8N3003',
  slug: 'not-modelled',
  severity: 'warning',
  message: (p) => p.message,
  fix: (p, at) => replacement(p.instead, at),
});
