import { defineDiagnostic } from './define.ts';

export const missingFile = defineDiagnostic<{ readonly path: string; readonly because: 'not found' | 'outside' }>({
  code: 'K8N1016',
  slug: 'missing-file',
  severity: 'error',
  message: (p) => p.because === 'outside'
    ? `"${p.path}" leaves the folder of this file: name a file in it or below it`
    : `"${p.path}" cannot be read: no such file beside this one`,
});
