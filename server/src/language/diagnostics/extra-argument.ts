import { defineDiagnostic, fixOf } from './define.ts';

/** `from`: the end of what stands before it. */
export const extraArgument = defineDiagnostic<{ readonly text: string; readonly keyword: string; readonly usage: string; readonly from: number }>({
  code: 'K8N1009',
  slug: 'extra-argument',
  severity: 'error',
  message: (p) => `'${p.text}' is too much for '${p.keyword}': write ${p.usage}`,
  fix: (p, at) => [fixOf(`Remove '${p.text}'`, { start: p.from, end: at.end }, '')],
});
