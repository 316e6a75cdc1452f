import { defineDiagnostic, fixOf } from './define.ts';

/** `end`: behind the last line of the block. */
export const unclosedBlock = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1002',
  slug: 'unclosed-block',
  severity: 'error',
  message: (p) => p.message,
  fix: (p) => [fixOf('Close the block', { start: p.end, end: p.end }, '}\n')],
});
