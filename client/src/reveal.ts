/** Opens the line that caused what a person clicked on, in the column where its file already stands. */
import { Range, TextEditorRevealType, ViewColumn, window } from 'vscode';
import type { Uri } from 'vscode';

/** `line` from 1; a file that has grown shorter or is gone since the trace is no reason to fail. */
export async function reveal(uri: Uri, line: number): Promise<void> {
  const open = window.visibleTextEditors.find((editor) => editor.document.uri.toString() === uri.toString());
  const first = Math.max(0, line - 1);
  const at = new Range(first, 0, first, 0);
  try {
    const editor = await window.showTextDocument(uri, { viewColumn: open?.viewColumn ?? ViewColumn.One, selection: at });
    editor.revealRange(at, TextEditorRevealType.InCenterIfOutsideViewport);
  } catch (error) {
    void window.showErrorMessage(`The line cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
  }
}
