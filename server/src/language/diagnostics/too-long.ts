import { defineDiagnostic } from './define.ts';

export const tooLong = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1005',
  slug: 'too-long',
  severity: 'error',
  message: (p) => p.message,
});
