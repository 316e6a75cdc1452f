import type { DumpProblemParams } from './bad-dump.ts';
import { defineDiagnostic } from './define.ts';

export const unknownMatch = defineDiagnostic<DumpProblemParams>({
  code: 'K8N3002',
  slug: 'unknown-match',
  severity: 'warning',
  message: (p) => p.message,
});
