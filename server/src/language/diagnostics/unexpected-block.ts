import { defineDiagnostic } from './define.ts';

export const unexpectedBlock = defineDiagnostic<{ readonly keyword: string; readonly usage: string }>({
  code: 'K8N1013',
  slug: 'unexpected-block',
  severity: 'error',
  message: (p) => `'${p.keyword}' takes no block: write ${p.usage}`,
});
