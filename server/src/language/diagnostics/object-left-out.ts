import type { ObjectProblemParams } from './bad-object.ts';
import { defineDiagnostic } from './define.ts';

/** An object that is right, and that no packet meets. */
export const objectLeftOut = defineDiagnostic<ObjectProblemParams>({
  code: 'K8N3102',
  slug: 'object-left-out',
  severity: 'information',
  message: (p) => `Left out: ${p.message}${p.more === 0 ? '' : `; and ${p.more} more such in this file`}`,
});
