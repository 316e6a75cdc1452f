import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

export const emptyFile = defineDiagnostic<null>({
  code: 'K8N1021',
  slug: 'empty-file',
  severity: 'information',
  message: () => 'Nothing is declared here yet: begin with a network, and a node on it: node host1 { address 192.168.0.1/24 on lan }',
});

/** A file in which nothing is declared and nothing is wrong either: every trace in it would be asked in vain. */
export const checkContent: Check = function* ({ text, model }) {
  if (model.declarations.length > 0 || model.diagnostics.length > 0) return;
  const line = text.indexOf('\n');
  yield report(emptyFile, null, { start: 0, end: line < 0 ? text.length : line });
};
