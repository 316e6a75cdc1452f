import { defineDiagnostic, fixOf } from './define.ts';

/** `end`: behind the last thing in the block, where `unclosed` blocks end, this one outermost. */
export const unclosedBlock = defineDiagnostic<{ readonly message: string; readonly end: number; readonly unclosed: number }>({
  code: 'K8N1002',
  slug: 'unclosed-block',
  severity: 'error',
  message: (p) => p.message,
  fix: (p) => [fixOf(p.unclosed > 1 ? 'Close the blocks' : 'Close the block', { start: p.end, end: p.end }, '\n}'.repeat(p.unclosed))],
});
