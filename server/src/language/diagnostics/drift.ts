import type { DriftReport } from './define.ts';
import { defineDiagnostic } from './define.ts';

export const drift = defineDiagnostic<DriftReport>({
  code: 'K8N6001',
  slug: 'drift',
  severity: 'warning',
  message: (p) => p.sentence,
  fix: (p) => p.fixes,
});
