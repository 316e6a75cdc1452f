import { defineDiagnostic, fixOf } from './define.ts';

export const unopenedBlock = defineDiagnostic<{ readonly message: string; readonly end: number }>({
  code: 'K8N1020',
  slug: 'unopened-block',
  severity: 'error',
  message: (p) => p.message,
  fix: (_, at) => [fixOf('Open the block', { start: at.end, end: at.end }, ' {')],
});
