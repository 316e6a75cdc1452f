import { defineDiagnostic } from './define.ts';

export const repeatedStatement = defineDiagnostic<{ readonly keyword: string; readonly place: string }>({
  code: 'K8N1012',
  slug: 'repeated-statement',
  severity: 'error',
  message: (p) => `'${p.keyword}' stands twice ${p.place}; the first holds: remove one of them`,
});
