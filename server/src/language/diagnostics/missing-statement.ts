import { defineDiagnostic } from './define.ts';

export const missingStatement = defineDiagnostic<{ readonly what: string; readonly statement: string }>({
  code: 'K8N1011',
  slug: 'missing-statement',
  severity: 'error',
  message: (p) => `${p.what} has no '${p.statement.split(' ')[0] ?? ''}': add ${p.statement}`,
});
