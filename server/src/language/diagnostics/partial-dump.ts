import type { DriftReport } from './define.ts';
import { defineDiagnostic } from './define.ts';

export const partialDump = defineDiagnostic<DriftReport>({
  code: 'K8N6003',
  slug: 'partial-dump',
  severity: 'information',
  message: (p) => p.sentence,
  fix: (p) => p.fixes,
});
