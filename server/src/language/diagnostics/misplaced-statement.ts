import { defineDiagnostic } from './define.ts';

export const misplacedStatement = defineDiagnostic<{ readonly keyword: string; readonly place: string; readonly belongs: readonly string[] }>({
  code: 'K8N1007',
  slug: 'misplaced-statement',
  severity: 'error',
  message: (p) => `'${p.keyword}' cannot stand ${p.place}: it belongs ${p.belongs.join(' or ')}`,
});
