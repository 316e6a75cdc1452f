/** k8snet: Import Cluster…: a folder of dumps becomes a file in that folder, which is then opened. */
import { Uri, window, workspace } from 'vscode';
import type { LogOutputChannel } from 'vscode';
import type { ImportResult } from '../../server/src/lsp/protocol.ts';
import type { Server } from './server.ts';

/** `folder`: of the explorer's menu; a person chooses it otherwise. */
export async function importCluster(server: Server, log: LogOutputChannel, folder: unknown): Promise<void> {
  const chosen = folder instanceof Uri ? folder : await chooseFolder();
  if (chosen === undefined) return;
  if (chosen.scheme !== 'file') {
    void window.showErrorMessage(`Only folders of this machine's disk can be imported: ${chosen.toString(true)} is none.`);
    return;
  }
  const result = await server.importFolder(chosen);
  if (result === null) {
    void window.showErrorMessage('The folder could not be imported; the log of k8snet says why.');
    return;
  }
  tell(log, chosen, result);
  if (result.text === null) {
    void window.showWarningMessage('There is nothing to import in this folder: neither Kubernetes objects nor dumps of nodes. "k8snet collect" prints a script that gathers them.');
    return;
  }
  const file = await freeName(chosen);
  try {
    await workspace.fs.writeFile(file, new TextEncoder().encode(result.text));
  } catch (error) {
    void window.showErrorMessage(`${file.fsPath} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  // Not a preview, which the first dump that is looked at would replace.
  await window.showTextDocument(file, { preview: false });
  const told = result.notes.filter((note) => note.severity !== 'information').length;
  if (told === 0) return;
  const show = 'Show';
  if (await window.showWarningMessage(`${told === 1 ? 'One thing' : `${told} things`} of the folder could not be used or understood.`, show) === show) log.show();
}

async function chooseFolder(): Promise<Uri | undefined> {
  const [folder] = await window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false, openLabel: 'Import', title: 'The folder of the dumps' }) ?? [];
  return folder;
}

function tell(log: LogOutputChannel, folder: Uri, { notes }: ImportResult): void {
  for (const { severity, file, line, message } of notes) {
    const text = `${Uri.joinPath(folder, file).fsPath}:${line === null ? '' : `${line}:`} ${message}`;
    if (severity === 'information') log.info(text);
    else log.warn(text);
  }
}

/** Nothing is written over. */
async function freeName(folder: Uri): Promise<Uri> {
  for (let n = 1; ; n++) {
    const file = Uri.joinPath(folder, n === 1 ? 'cluster.k8snet' : `cluster-${n}.k8snet`);
    try {
      await workspace.fs.stat(file);
    } catch {
      return file;
    }
  }
}
