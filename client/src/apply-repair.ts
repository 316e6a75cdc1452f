/** Makes a repair in its document: one edit, which one undo takes back. */
import { Range, window, workspace, WorkspaceEdit } from 'vscode';
import type { Uri } from 'vscode';
import type { RepairParams } from '../../server/src/lsp/protocol.ts';
import type { Server } from './server.ts';

export async function applyRepair(server: Server, document: Uri, version: number, repair: RepairParams['repair']): Promise<void> {
  const edits = await server.repair(document, version, repair);
  if (edits === null) {
    void window.showInformationMessage('This repair cannot be made here: the file has changed since, or the lines stand in a file that it takes its dump from.');
    return;
  }
  const change = new WorkspaceEdit();
  for (const { range, newText } of edits) change.replace(document, new Range(range.start.line, range.start.character, range.end.line, range.end.character), newText);
  if (!(await workspace.applyEdit(change))) void window.showErrorMessage('The editor refused the edits of the repair.');
}
