import { defineDiagnostic } from './define.ts';

export const namelessBlock = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1018',
  slug: 'nameless-block',
  severity: 'error',
  message: (p) => p.message,
});
