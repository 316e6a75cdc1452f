import { defineDiagnostic } from './define.ts';

/** The list ends here, so that a broken file stays usable. */
export const moreProblems = defineDiagnostic<{ readonly count: number }>({
  code: 'K8N1017',
  slug: 'more-problems',
  severity: 'error',
  message: (p) => `${p.count} more problem${p.count === 1 ? '' : 's'} behind this one: they are shown when some are mended`,
});
