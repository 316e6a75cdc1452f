/** The repairs that diagnostics carry, as code actions. */
import { CodeActionKind } from 'vscode-languageserver';
import type { CodeAction, CodeActionParams } from 'vscode-languageserver';
import type { Diagnostic } from '../language/diagnostics/define.ts';
import { fixableAt } from '../language/features/quick-fixes.ts';
import type { OpenDocument } from './documents.ts';
import { diagnosticOf, editOf, offsetsOf } from './to-lsp.ts';

/** `verified`: the second group of diagnostics, as far as it is known. A diagnostic's only repair is preferred. */
export function codeActions(document: OpenDocument, verified: readonly Diagnostic[], { range, context }: CodeActionParams, pageUri: string | undefined): CodeAction[] {
  const wanted = context.only === undefined || context.only.some((kind) => kind === '' || kind === CodeActionKind.QuickFix);
  if (!wanted) return [];
  return fixableAt(document.snapshot, offsetsOf(document, range), verified).flatMap((d) => d.fixes.map((fix) => ({
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [diagnosticOf(document, document.uri, pageUri, d)],
    isPreferred: d.fixes.length === 1,
    edit: { changes: { [document.uri]: fix.edits.map((edit) => editOf(document, edit)) } },
  })));
}
