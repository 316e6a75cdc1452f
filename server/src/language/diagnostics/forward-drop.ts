import type { DriftReport } from './define.ts';
import { defineDiagnostic } from './define.ts';

export const forwardDrop = defineDiagnostic<DriftReport>({
  code: 'K8N6005',
  slug: 'forward-drop',
  severity: 'warning',
  message: (p) => p.sentence,
  fix: (p) => p.fixes,
});
