import type { DriftReport } from './define.ts';
import { defineDiagnostic } from './define.ts';

export const harmlessDrift = defineDiagnostic<DriftReport>({
  code: 'K8N6002',
  slug: 'harmless-drift',
  severity: 'information',
  message: (p) => p.sentence,
  fix: (p) => p.fixes,
});
