import type { DriftReport } from './define.ts';
import { defineDiagnostic } from './define.ts';

export const shadowedAccept = defineDiagnostic<DriftReport>({
  code: 'K8N6004',
  slug: 'shadowed-accept',
  severity: 'warning',
  message: (p) => p.sentence,
  fix: (p) => p.fixes,
});
