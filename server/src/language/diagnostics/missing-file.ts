import { rangeIn } from '../bind/file-model.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

export const missingFile = defineDiagnostic<{ readonly path: string; readonly because: 'not found' | 'outside' }>({
  code: 'K8N1016',
  slug: 'missing-file',
  severity: 'error',
  message: (p) => p.because === 'outside'
    ? `"${p.path}" leaves the folder of this file: name a file in it or below it`
    : `"${p.path}" cannot be read: no such file beside this one`,
});

/** Files named by `from "FILE"` that cannot be read. */
export const checkFiles: Check = function* ({ model, files }) {
  for (const placed of model.declarations) {
    const { declaration } = placed;
    if (declaration.kind !== 'node' && declaration.kind !== 'pod' && declaration.kind !== 'network') continue;
    for (const { from } of declaration.captures) {
      if (from === null) continue;
      const reading = files.read(from.value);
      if (!reading.ok) yield report(missingFile, { path: from.value, because: reading.because }, rangeIn(placed, from));
    }
  }
};
