import type { FileLookup } from '../bind/capture-content.ts';
import type { ObjectsDeclaration } from '../bind/declarations.ts';
import type { Placed } from '../bind/file-model.ts';
import { withFiles } from '../bind/dumps.ts';
import { rangeIn } from '../bind/file-model.ts';
import type { Check } from './check.ts';
import type { Diagnostic } from './define.ts';
import { defineDiagnostic, report } from './define.ts';
import { ALONE } from './suspects.ts';

export const missingFile = defineDiagnostic<{ readonly path: string; readonly because: 'not found' | 'outside' | 'no folder' | 'no match' }>({
  code: 'K8N1016',
  slug: 'missing-file',
  severity: 'error',
  message: (p) => {
    switch (p.because) {
      case 'outside': return `"${p.path}" leaves the folder of this file: name a file in it or below it`;
      case 'not found': return `"${p.path}" cannot be read: no such file beside this one`;
      case 'no folder': return `"${p.path}" cannot be read: it is looked for beside this file, which is not in a folder of this machine; save it there first`;
      case 'no match': return `"${p.path}" matches no file beside this one: '*' stands for a part of one name, '**' for folders`;
    }
  },
});

/** Files named by `from "FILE"` that cannot be read. */
export const checkFiles: Check = function* ({ model, files }) {
  for (const placed of withFiles(model.declarations, ALONE)) {
    const { declaration } = placed;
    if (declaration.kind === 'objects') yield* missingObjects({ declaration, offset: placed.offset }, files);
    if (declaration.kind !== 'node' && declaration.kind !== 'pod' && declaration.kind !== 'network') continue;
    for (const { from } of declaration.captures) {
      if (from === null) continue;
      const reading = files.read(from.value);
      if (!reading.ok) yield report(missingFile, { path: from.value, because: reading.because }, rangeIn(placed, from));
    }
  }
};

function* missingObjects(placed: Placed<ObjectsDeclaration>, files: FileLookup): Iterable<Diagnostic> {
  for (const pattern of placed.declaration.patterns) {
    const found = files.list(pattern.value);
    if (found === null || found.length === 0) yield report(missingFile, { path: pattern.value, because: found === null ? 'outside' : files.hasFolder ? 'no match' : 'no folder' }, rangeIn(placed, pattern));
    for (const path of found ?? []) {
      const reading = files.read(path);
      if (!reading.ok) yield report(missingFile, { path, because: reading.because }, rangeIn(placed, pattern));
    }
  }
}
