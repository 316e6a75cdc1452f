import { defineDiagnostic, replacement } from './define.ts';

export const hostBitsSet = defineDiagnostic<{ readonly problem: string; readonly instead: string }>({
  code: 'K8N1014',
  slug: 'host-bits-set',
  severity: 'warning',
  message: (p) => `${p.problem}: the network is ${p.instead}`,
  fix: (p, at) => replacement(p.instead, at),
});
