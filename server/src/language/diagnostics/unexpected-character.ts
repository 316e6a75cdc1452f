import { defineDiagnostic } from './define.ts';

export const unexpectedCharacter = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1004',
  slug: 'unexpected-character',
  severity: 'error',
  message: (p) => p.message,
});
