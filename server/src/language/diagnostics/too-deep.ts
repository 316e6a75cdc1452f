import { defineDiagnostic } from './define.ts';

export const tooDeep = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1019',
  slug: 'too-deep',
  severity: 'error',
  message: (p) => p.message,
});
