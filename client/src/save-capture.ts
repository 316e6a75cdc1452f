/** Saves a trace's packets, which the panel made, as a capture file. */
import { Uri, window, workspace } from 'vscode';

/** `name` is what the panel proposes, with its ending. */
export async function saveCapture(document: Uri, name: string, base64: string): Promise<void> {
  const folder = document.scheme === 'untitled' ? workspace.workspaceFolders?.[0]?.uri : Uri.joinPath(document, '..');
  const plain = name.replaceAll(/[^\w.,@+-]+/g, '-');
  const target = await window.showSaveDialog({
    ...(folder === undefined ? {} : { defaultUri: Uri.joinPath(folder, plain) }),
    filters: { 'Packet captures': ['pcapng'] },
    title: 'Save the packets of this trace',
  });
  if (target === undefined) return;
  try {
    await workspace.fs.writeFile(target, Buffer.from(base64, 'base64'));
  } catch (error) {
    void window.showErrorMessage(`The capture cannot be written to ${target.fsPath}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
