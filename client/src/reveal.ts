/** Opens the line that caused what a person clicked on, in the column where its file already stands. */
import { Range, TextEditorRevealType, ViewColumn, window } from 'vscode';
import type { Uri } from 'vscode';

/** `line` from 1. */
export async function reveal(uri: Uri, line: number): Promise<void> {
  const open = window.visibleTextEditors.find((editor) => editor.document.uri.toString() === uri.toString());
  const at = new Range(line - 1, 0, line - 1, 0);
  const editor = await window.showTextDocument(uri, { viewColumn: open?.viewColumn ?? ViewColumn.One, selection: at });
  editor.revealRange(at, TextEditorRevealType.InCenterIfOutsideViewport);
}
