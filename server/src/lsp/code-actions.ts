/** The repairs that diagnostics carry, as code actions. */
import { CodeActionKind } from 'vscode-languageserver';
import type { CodeAction, CodeActionParams } from 'vscode-languageserver';
import type { Diagnostic, Fix } from '../language/diagnostics/define.ts';
import { fixableAt } from '../language/features/quick-fixes.ts';
import type { OpenDocument } from './documents.ts';
import { fileEdits } from './file-edits.ts';
import type { OpenDumps } from './open-dumps.ts';
import { diagnosticOf, offsetsOf } from './to-lsp.ts';

/** What a code action carries until it is chosen: which fix of which analysis it is. */
interface Chosen {
  readonly uri: string;
  readonly revision: number;
  readonly code: string;
  readonly start: number;
  readonly title: string;
}

/** Without their edits, which are made when one is chosen. `verified`: the second group of diagnostics, as far as it is known. A diagnostic's only repair is preferred. */
export function codeActions(document: OpenDocument, verified: readonly Diagnostic[], { range, context }: CodeActionParams, pageUri: string | undefined): CodeAction[] {
  const wanted = context.only === undefined || context.only.some((kind) => kind === '' || kind === CodeActionKind.QuickFix);
  if (!wanted) return [];
  const { uri, revision } = document;
  return fixableAt(document.snapshot, offsetsOf(document, range), verified).flatMap((d) => d.fixes.map(({ title }) => ({
    title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [diagnosticOf(document, uri, pageUri, d)],
    isPreferred: d.fixes.length === 1,
    data: { uri, revision, code: d.code, start: d.start, title } satisfies Chosen,
  })));
}

export const isChosen = (data: unknown): data is Chosen =>
  typeof data === 'object' && data !== null && 'uri' in data && typeof data.uri === 'string' && 'revision' in data && 'code' in data && 'start' in data && 'title' in data;

/** With its edits; without them where the file or a dump has changed since: what it was made of stands elsewhere now. */
export function resolvedAction(action: CodeAction, document: OpenDocument, verified: readonly Diagnostic[], dumps: OpenDumps): CodeAction {
  const data: unknown = action.data;
  if (!isChosen(data) || data.revision !== document.revision) return action;
  const fix = fixOf(data, document, verified);
  const files = fix === undefined ? null : fileEdits(document, fix.edits, dumps);
  return files === null ? action : { ...action, edit: { documentChanges: files.map(({ uri, version, edits }) => ({ textDocument: { uri, version }, edits: [...edits] })) } };
}

const fixOf = ({ code, start, title }: Chosen, { snapshot }: OpenDocument, verified: readonly Diagnostic[]): Fix | undefined =>
  [...snapshot.diagnostics, ...verified].filter((d) => d.code === code && d.start === start).flatMap((d) => d.fixes).find((fix) => fix.title === title);
