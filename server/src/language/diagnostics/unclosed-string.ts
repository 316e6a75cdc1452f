import { defineDiagnostic, fixOf } from './define.ts';

export const unclosedString = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1001',
  slug: 'unclosed-string',
  severity: 'error',
  message: (p) => p.message,
  fix: (_, at) => [fixOf('Close the string', { start: at.end, end: at.end }, '"')],
});
