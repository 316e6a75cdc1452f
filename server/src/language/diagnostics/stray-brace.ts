import { defineDiagnostic, fixOf } from './define.ts';

export const strayBrace = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1003',
  slug: 'stray-brace',
  severity: 'error',
  message: (p) => p.message,
  fix: (_, at) => [fixOf('Remove the brace', at, '')],
});
