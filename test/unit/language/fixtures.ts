/**
 * Fixtures are `.k8snet` files: `$0` is the cursor, and a line such as `#   ^^^ error K8N2001` marks the columns of the
 * line above it. What begins in the first column is marked `#<-`, however wide it is.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Diagnostic, Fix } from '../../../server/src/language/diagnostics/define.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';

export const root = path.resolve(import.meta.dirname, '../../..');
const folder = path.join(root, 'test/fixtures/diagnostics');

export interface Marker {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly severity: string;
  readonly code: string;
}

export interface Fixture {
  readonly text: string;
  readonly markers: readonly Marker[];
}

const MARKER = /^#(?:( *)(\^+)|<-+) (error|warning|information) (K8N\d{4})$/;

export function readFixture(marked: string): Fixture {
  const lines: string[] = [];
  const markers: Marker[] = [];
  for (const line of marked.split('\n')) {
    const match = MARKER.exec(line);
    if (match === null) lines.push(line);
    else {
      const [, blanks = '', carets, severity = '', code = ''] = match;
      markers.push({ line: lines.length - 1, column: carets === undefined ? 0 : blanks.length + 1, length: carets?.length ?? 0, severity, code });
    }
  }
  return { text: lines.join('\n'), markers };
}

/** The diagnostics as the markers that would tell of them; one in the first column has no width. */
export function markersOf(snapshot: Snapshot, diagnostics: readonly Diagnostic[]): Marker[] {
  return diagnostics.map((d) => {
    const line = snapshot.lineOf(d.start) - 1;
    const start = snapshot.lines.starts[line] ?? 0;
    const end = Math.min(d.end, (snapshot.lines.starts[line + 1] ?? snapshot.text.length + 1) - 1);
    const column = d.start - start;
    const length = Math.max(1, end - d.start);
    return { line, column, length: column === 0 ? 0 : length, severity: d.severity, code: d.code };
  });
}

const files = path.join(folder, 'files');

export const snapshotOf = (text: string, file = 'fixture.k8snet'): Snapshot =>
  createSnapshot({
    file, text,
    readFile: (p) => (existsSync(path.join(files, p)) ? readFileSync(path.join(files, p), 'utf8') : undefined),
    listFolder: (p) => readdirSync(path.join(files, p), { withFileTypes: true }).map((e) => ({ name: e.name, kind: e.isDirectory() ? 'folder' : 'file' })),
  });

export function applyFix(text: string, fix: Fix): string {
  return [...fix.edits].sort((a, b) => b.start - a.start).reduce((t, e) => t.slice(0, e.start) + e.text + t.slice(e.end), text);
}

/** Names of the fixtures without `.k8snet`: `unknown-name`, `unknown-name.clean`, `unknown-name.fixed`. */
export const fixtureNames = (): string[] => readdirSync(folder).filter((f) => f.endsWith('.k8snet')).map((f) => f.slice(0, -'.k8snet'.length)).sort();

export const fixtureText = (name: string): string => readFileSync(path.join(folder, `${name}.k8snet`), 'utf8');

export const hasFixture = (name: string): boolean => existsSync(path.join(folder, `${name}.k8snet`));

export const example = (name: string): string => readFileSync(path.join(root, 'examples', name), 'utf8');

/** The text without its `$0`, and where that was. */
export function withCursor(text: string): { readonly text: string; readonly offset: number } {
  const offset = text.indexOf('$0');
  return { text: text.replace('$0', ''), offset };
}
