import { defineDiagnostic } from './define.ts';

export const missingArgument = defineDiagnostic<{ readonly keyword: string; readonly argument: string; readonly usage: string }>({
  code: 'K8N1008',
  slug: 'missing-argument',
  severity: 'error',
  message: (p) => `'${p.keyword}' lacks ${p.argument}: write ${p.usage}`,
});
