import type { ObjectProblemParams } from './bad-object.ts';
import { defineDiagnostic } from './define.ts';

export const secretInObjects = defineDiagnostic<ObjectProblemParams>({
  code: 'K8N3103',
  slug: 'secret-in-objects',
  severity: 'error',
  message: (p) => p.message,
});
