/** `k8snet check`: the diagnostics of files. */
import type { Diagnostic } from '../../server/src/language/diagnostics/define.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import { readArguments } from './command.ts';
import type { Command } from './command.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { diagnosticLine, load, placeOf } from './load.ts';

const HELP = `k8snet check FILE… [--format text|json]

Says what is wrong in the files, one line each: FILE:LINE:COLUMN: SEVERITY CODE: MESSAGE
  --format json   an array of objects instead

Exit codes: 0 no errors (warnings may be there), 1 errors, 2 wrong usage or a file that cannot be read.
`;

export const check: Command = { name: 'check', usage: 'FILE…', summary: 'says what is wrong in the files', help: HELP, run };

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, { format: { type: 'string', default: 'text' } });
  const { format } = values;
  if (format !== 'text' && format !== 'json') throw new UsageError(`--format is text or json, not "${format}"`);
  const found = load(positionals, io).flatMap((snapshot) => [...snapshot.diagnostics, ...snapshot.driftDiagnostics()].map((diagnostic) => ({ snapshot, diagnostic })));
  if (format === 'json') await io.out(`${JSON.stringify(found.map(record), null, 2)}\n`);
  else await io.out(found.map(({ snapshot, diagnostic }) => diagnosticLine(snapshot, diagnostic)).join(''));
  return found.some(({ diagnostic }) => diagnostic.severity === 'error') ? EXIT.errors : EXIT.clean;
}

/** One diagnostic as docs/command-line.md describes it. */
function record({ snapshot, diagnostic }: { readonly snapshot: Snapshot; readonly diagnostic: Diagnostic }) {
  const { code, slug, severity, message } = diagnostic;
  const [start, end] = [placeOf(snapshot, diagnostic.start), placeOf(snapshot, diagnostic.end)];
  return { file: snapshot.file, line: start.line, column: start.column, endLine: end.line, endColumn: end.column, code, slug, severity, message };
}
