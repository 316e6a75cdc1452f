/** k8snet: Import Cluster… on a folder of dumps: the recorded cluster, in the workspace. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { until } from './until.ts';
import { api, diagnosticsWhen, driftIn, edit, errorsIn, openFile } from './workspace.ts';

describe('import of a cluster', () => {
  it('asks for the folder where none is given, and does nothing where nobody chooses one', async () => {
    await api();
    const workspace = vscode.workspace.workspaceFolders?.[0]?.uri;
    assert.ok(workspace);
    const folder = vscode.Uri.joinPath(workspace, 'objects only');
    await vscode.workspace.fs.copy(vscode.Uri.joinPath(workspace, 'dump/objects'), folder);
    const asked: (vscode.OpenDialogOptions | undefined)[] = [];
    const answers: (vscode.Uri[] | undefined)[] = [undefined, [folder]];
    const { showOpenDialog } = vscode.window;
    const dialogs: { showOpenDialog: typeof showOpenDialog } = vscode.window;
    dialogs.showOpenDialog = (options) => {
      asked.push(options);
      return Promise.resolve(answers.shift());
    };
    try {
      await vscode.commands.executeCommand('k8snet.importCluster');
      void vscode.commands.executeCommand('k8snet.importCluster');
      const document = await until('the file of the chosen folder', () => vscode.window.visibleTextEditors.find((e) => e.document.uri.path === `${folder.path}/cluster.k8snet`)?.document);
      assert.match(document.getText(), /objects from "\*\.json"/);
    } finally {
      dialogs.showOpenDialog = showOpenDialog;
    }
    assert.deepEqual(asked.map((o) => [o?.canSelectFolders, o?.canSelectFiles]), [[true, false], [true, false]]);
  });

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

  it('names what a node lost, and its quick fix writes that into the dump; an undo there takes it back', async () => {
    const workspace = vscode.workspace.workspaceFolders?.[0]?.uri;
    assert.ok(workspace);
    const dump = vscode.Uri.joinPath(workspace, 'dump/nodes/host1/iptables-save.txt');
    const whole = new TextDecoder().decode(await vscode.workspace.fs.readFile(dump));
    const lost = whole.replace(/^-A FLANNEL-POSTRTG -s 10\.0\.0\.0\/16 ! -d .*\n/m, '');
    assert.notEqual(lost, whole);
    await vscode.workspace.fs.writeFile(dump, new TextEncoder().encode(lost));
    const document = await openFile('dump/cluster.k8snet');
    const [drift] = await diagnosticsWhen(document, 'the drift', (all) => driftIn(all).length === 1);
    assert.ok(drift);
    const [fix] = await until('its quick fix', async () => {
      const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, drift.range, vscode.CodeActionKind.QuickFix.value, 10);
      return actions.length > 0 && actions;
    });
    assert.ok(fix?.edit);
    assert.deepEqual(fix.edit.entries().map(([uri]) => uri.toString()), [dump.toString()]);
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    // It counts before it is saved.
    await diagnosticsWhen(document, 'no drift', (all) => driftIn(all).length === 0);
    const opened = await openFile('dump/nodes/host1/iptables-save.txt');
    assert.equal(opened.isDirty, true);
    await vscode.commands.executeCommand('undo');
    await diagnosticsWhen(document, 'the drift again', (all) => driftIn(all).length === 1);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await vscode.workspace.fs.writeFile(dump, new TextEncoder().encode(whole));
    await diagnosticsWhen(document, 'a node that is whole', (all) => driftIn(all).length === 0);
  });
});
