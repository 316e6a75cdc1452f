/** Makes a repair where its lines stand: in the document, or in the dumps that it names. One edit, which one undo takes back. */
import { Range, Uri, window, workspace, WorkspaceEdit } from 'vscode';
import type { FileEdits, RepairParams } from '../../server/src/lsp/protocol.ts';
import { reveal } from './reveal.ts';
import type { Server } from './server.ts';

export async function applyRepair(server: Server, document: Uri, revision: number, repair: RepairParams['repair']): Promise<void> {
  const files = await server.repair(document, revision, repair);
  if (files === null) {
    void window.showInformationMessage('This repair cannot be made here: the file has changed since, or the lines stand in a Kubernetes object or in JSON, which only their own programs write.');
    return;
  }
  const changed = files.find(hasChanged);
  if (changed !== undefined) {
    void window.showInformationMessage(`${workspace.asRelativePath(Uri.parse(changed.uri))} has changed since this repair was found: apply it again when the panel has followed.`);
    return;
  }
  const change = new WorkspaceEdit();
  for (const { uri, edits } of files) {
    for (const { range, newText } of edits) change.replace(Uri.parse(uri), new Range(range.start.line, range.start.character, range.end.line, range.end.character), newText);
  }
  if (!(await workspace.applyEdit(change))) {
    void window.showErrorMessage('The editor refused the edits of the repair: is the file read-only?');
    return;
  }
  await showDump(document, files);
}

/** The edits are of one version; of a file that was not open, of what is on the disk. */
function hasChanged({ uri, version }: FileEdits): boolean {
  const open = workspace.textDocuments.find((document) => document.uri.toString() === Uri.parse(uri).toString());
  return version === null ? open?.isDirty === true : open?.version !== version;
}

/** What was changed in another file is shown: the document itself looks as before. */
async function showDump(document: Uri, files: readonly FileEdits[]): Promise<void> {
  const [first] = files;
  const [edit] = first?.edits ?? [];
  if (first === undefined || edit === undefined || files.some(({ uri }) => Uri.parse(uri).toString() === document.toString())) return;
  // What is added behind a line begins with its end.
  await reveal(Uri.parse(first.uri), edit.range.start.line + (edit.newText.startsWith('\n') ? 2 : 1));
}
