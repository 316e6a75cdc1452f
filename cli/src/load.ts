/** Files named on the command line, as snapshots of the language. */
import path from 'node:path';
import type { Diagnostic } from '../../server/src/language/diagnostics/define.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import { positionAt } from '../../server/src/language/syntax/cursor.ts';
import { UsageError } from './io.ts';
import type { Io } from './io.ts';

/** All or none: every file that cannot be read is named. */
export function load(files: readonly string[], io: Io): readonly Snapshot[] {
  if (files.length === 0) throw new UsageError('no file is named; give the path of a .k8snet file');
  const read = files.map((file) => ({ file, content: io.readFile(file) }));
  const problems = read.flatMap(({ content }) => ('problem' in content ? [content.problem] : []));
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return read.flatMap(({ file, content }) => ('text' in content ? [snapshotOf(file, content.text, io)] : []));
}

function snapshotOf(file: string, text: string, io: Io): Snapshot {
  const folder = path.dirname(file);
  const readFile = (named: string): string | undefined => {
    const content = io.readFile(path.resolve(folder, named));
    return 'text' in content ? content.text : undefined;
  };
  const listFolder = (named: string) => io.listFolder(path.resolve(folder, named));
  return createSnapshot({ file, text, readFile, listFolder });
}

export const errorsOf = (snapshot: Snapshot): readonly Diagnostic[] => snapshot.diagnostics.filter((each) => each.severity === 'error');

/** `demo.k8snet:3:7: error K8N1001: …`; line and column count from 1, columns in UTF-16 units, as editors do. */
export function diagnosticLine(snapshot: Snapshot, diagnostic: Diagnostic): string {
  const { line, column } = placeOf(snapshot, diagnostic.start);
  return `${snapshot.file}:${line}:${column}: ${diagnostic.severity} ${diagnostic.code}: ${diagnostic.message.replaceAll('\n', ' ')}\n`;
}

export function placeOf(snapshot: Snapshot, offset: number): { readonly line: number; readonly column: number } {
  const { line, character } = positionAt(snapshot.lines, offset);
  return { line: line + 1, column: character + 1 };
}

/** Says the errors where something else is the output: what is asked goes on without the statements that they are in. */
export function sayErrors(snapshot: Snapshot, io: Io): void {
  const errors = errorsOf(snapshot);
  if (errors.length === 0) return;
  for (const error of errors) io.err(diagnosticLine(snapshot, error));
  io.err(`${snapshot.file} has ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}; what is said goes by the rest of the file.\n`);
}
