/** The repairs that diagnostics carry, as code actions. */
import { CodeActionKind } from 'vscode-languageserver';
import type { CodeAction, CodeActionParams } from 'vscode-languageserver';
import type { Diagnostic, Range } from '../language/diagnostics/define.ts';
import type { OpenDocument } from './documents.ts';
import { diagnosticOf, editOf, offsetsOf } from './to-lsp.ts';

const touches = (a: Range, b: Range): boolean => a.start <= b.end && b.start <= a.end;

/** Of the diagnostics that the range touches; a diagnostic's first repair is the preferred one where it is the only. */
export function quickFixes(document: OpenDocument, all: readonly Diagnostic[], { range, context }: CodeActionParams, pageUri: string | undefined): readonly CodeAction[] {
  const wanted = context.only === undefined || context.only.some((kind) => kind === '' || kind === CodeActionKind.QuickFix);
  if (!wanted) return [];
  const at = offsetsOf(document, range);
  return all.filter((d) => touches(d, at)).flatMap((d) => d.fixes.map((fix) => ({
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [diagnosticOf(document, document.uri, pageUri, d)],
    isPreferred: d.fixes.length === 1,
    edit: { changes: { [document.uri]: fix.edits.map((edit) => editOf(document, edit)) } },
  })));
}
