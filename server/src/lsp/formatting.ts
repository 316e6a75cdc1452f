/** Formatting: the one edit that leads from the text to the formatted text. */
import type * as lsp from 'vscode-languageserver';
import { format } from '../language/syntax/printer.ts';
import type { TextEdit } from '../language/syntax/tree.ts';
import type { OpenDocument } from './documents.ts';
import { editOf } from './to-lsp.ts';

/** What the two texts begin and end with alike stays untouched, and with it cursors and folds. */
export function difference(before: string, after: string): TextEdit | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let tail = 0;
  while (tail < shorter - start && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) };
}

export function formatting(document: OpenDocument): lsp.TextEdit[] {
  const edit = difference(document.text, format(document.snapshot.tree, document.text));
  return edit === null ? [] : [editOf(document, edit)];
}
