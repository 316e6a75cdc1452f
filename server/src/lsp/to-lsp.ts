/** Between the language's offsets and LSP's positions. No other file knows positions. */
import { DiagnosticSeverity } from 'vscode-languageserver';
import type * as lsp from 'vscode-languageserver';
import type { Diagnostic, Range, Severity } from '../language/diagnostics/define.ts';
import type { TextEdit } from '../language/syntax/tree.ts';
import { lineAt } from './lines.ts';
import type { LineStarts } from './lines.ts';

/** A text with its lines: what a conversion needs. */
export interface Lined {
  readonly text: string;
  readonly starts: LineStarts;
}

export function positionAt({ starts, text }: Lined, offset: number): lsp.Position {
  const inside = Math.min(Math.max(offset, 0), text.length);
  const line = lineAt(starts, inside);
  return { line, character: inside - (starts[line] ?? 0) };
}

/** A position behind the end of its line stands for the line's end, as LSP has it. */
export function offsetAt({ starts, text }: Lined, { line, character }: lsp.Position): number {
  const start = starts[line];
  if (start === undefined) return text.length;
  let end = starts[line + 1] ?? text.length;
  while (end > start && /[\r\n]/.test(text.charAt(end - 1))) end--;
  return Math.min(start + character, end);
}

export const rangeOf = (lined: Lined, { start, end }: Range): lsp.Range => ({ start: positionAt(lined, start), end: positionAt(lined, end) });

export const offsetsOf = (lined: Lined, range: lsp.Range): Range => ({ start: offsetAt(lined, range.start), end: offsetAt(lined, range.end) });

export const editOf = (lined: Lined, edit: TextEdit): lsp.TextEdit => ({ range: rangeOf(lined, edit), newText: edit.text });

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
};

export const severityOf = (d: Diagnostic): DiagnosticSeverity => SEVERITIES[d.severity];

/** `pageUri`: where the pages are, with `{slug}` for a page's name. */
export function diagnosticOf(lined: Lined, uri: string, pageUri: string | undefined, d: Diagnostic): lsp.Diagnostic {
  return {
    range: rangeOf(lined, d),
    severity: severityOf(d),
    code: d.code,
    source: 'k8snet',
    message: d.message,
    ...(pageUri === undefined ? {} : { codeDescription: { href: pageUri.replace('{slug}', d.slug) } }),
    ...(d.related.length === 0 ? {} : { relatedInformation: d.related.map((r) => ({ location: { uri, range: rangeOf(lined, r) }, message: r.message })) }),
  };
}

/** A change as the client sends it: a range of the text before it, or the whole text. */
export function changeOf(lined: Lined, change: lsp.TextDocumentContentChangeEvent): TextEdit {
  if (!('range' in change)) return { start: 0, end: lined.text.length, text: change.text };
  return { ...offsetsOf(lined, change.range), text: change.text };
}
