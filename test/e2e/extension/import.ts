/** k8snet: Import Cluster… on a folder of dumps: the recorded cluster, in the workspace. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { until } from './until.ts';
import { api, diagnosticsWhen, edit, errorsIn } from './workspace.ts';

describe('import of a cluster', () => {
  it('writes a file beside the dumps, opens it, and it is clean; its dumps are watched', async () => {
    await api();
    const workspace = vscode.workspace.workspaceFolders?.[0]?.uri;
    assert.ok(workspace);
    const folder = vscode.Uri.joinPath(workspace, 'dump');
    // The message at the end waits for a click that nobody makes.
    void vscode.commands.executeCommand('k8snet.importCluster', folder);
    const document = await until('the imported file', () => vscode.window.visibleTextEditors.find((e) => e.document.uri.path === `${folder.path}/cluster.k8snet`)?.document);
    assert.match(document.getText(), /objects from "objects\/\*\.json"/);
    assert.match(document.getText(), /iptables from "nodes\/host1\/iptables-save\.txt"/);
    // An error of ours shows that the file has been analysed; without it there is none.
    await edit(document, new vscode.Position(0, 0), 'nonsense\n');
    await diagnosticsWhen(document, 'the error', (all) => errorsIn(all).length === 1);
    await vscode.commands.executeCommand('undo');
    await diagnosticsWhen(document, 'no error', (all) => errorsIn(all).length === 0);
    const stray = vscode.Uri.joinPath(folder, 'objects/secret.json');
    await vscode.workspace.fs.writeFile(stray, new TextEncoder().encode('{ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "x" } }'));
    const [secret] = errorsIn(await diagnosticsWhen(document, 'the Secret in a new file', (all) => errorsIn(all).length === 1));
    assert.match(secret?.message ?? '', /objects\/secret\.json:1:\d+: a Secret is never read/);
    await vscode.workspace.fs.delete(stray);
    await diagnosticsWhen(document, 'no Secret', (all) => errorsIn(all).length === 0);
  });
});
