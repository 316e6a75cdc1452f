/** The trace panel from the editor's side: what opens it, where, what it posts, and how it follows the file. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { PartnersParams } from '../../../server/src/lsp/protocol.ts';
import type { FromPanel } from '../../../webview/src/protocol.ts';
import { api, edit, openFile, placeOf } from './workspace.ts';
import { until } from './until.ts';

const panelTab = (): vscode.Tab | undefined => vscode.window.tabGroups.all.flatMap((group) => group.tabs).find((tab) => tab.label.startsWith('Trace: '));

describe('the trace panel', () => {
  let document: vscode.TextDocument;
  let listening: vscode.Disposable;
  const posted: FromPanel[] = [];

  before(async () => {
    listening = (await api()).onPanelMessage((message) => posted.push(message));
    document = await openFile('article.k8snet');
  });
  after(() => {
    listening.dispose();
  });

  const lines = (): readonly number[] => posted.flatMap((message) => (message.type === 'annotations' ? [message.annotations.map((a) => a.line)] : [])).at(-1) ?? [];

  it('opens beside the editor, which keeps the focus, once a partner is chosen', async () => {
    const party: PartnersParams = { uri: document.uri.toString(), kind: 'pod', party: 'pod1' };
    const done = vscode.commands.executeCommand('k8snet.traceTo', party);
    // Nothing in the interface tells a suite that the list is open: accepting is tried until the panel is there.
    await until('the panel', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return panelTab();
    });
    await done;
    assert.match(panelTab()?.label ?? '', /^Trace: pod1 → /);
    assert.notEqual(panelTab()?.group.viewColumn, vscode.ViewColumn.One);
    assert.equal(vscode.window.tabGroups.activeTabGroup.viewColumn, vscode.ViewColumn.One);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), document.uri.toString());
  });

  it('says that it is ready, and which lines took part in the trace', async () => {
    await until('ready', () => posted.some((message) => message.type === 'ready'));
    await until('annotations', () => lines().length > 0);
    for (const line of lines()) assert.ok(line >= 1 && line <= document.lineCount, `line ${line}`);
    // The first partner offered is the one service, so its chains are among them.
    for (const rule of ['-A PREROUTING', '-A KUBE-SERVICES', '-A KUBE-SVC-TCOU7JCQXEZGVUNU', '-A KUBE-SEP-L5MHPWJPDKD7XIFG']) {
      assert.ok(lines().includes(placeOf(document, rule).line + 1), rule);
    }
  });

  it('follows the file while it is edited', async () => {
    const before = lines();
    posted.length = 0;
    await edit(document, new vscode.Position(0, 0), '# one line more\n');
    await until('annotations one line further down', () => lines().length > 0 && JSON.stringify(lines()) === JSON.stringify(before.map((line) => line + 1)));
    await vscode.commands.executeCommand('undo');
    await until('annotations where they were', () => JSON.stringify(lines()) === JSON.stringify(before));
  });

  it('takes another question in the same panel', async () => {
    const party: PartnersParams = { uri: document.uri.toString(), kind: 'pod', party: 'pod2' };
    const before = JSON.stringify(lines());
    const done = vscode.commands.executeCommand('k8snet.traceTo', party);
    await until('the new title', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return panelTab()?.label.startsWith('Trace: pod2 → ');
    });
    await done;
    assert.equal(vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter((tab) => tab.label.startsWith('Trace: ')).length, 1);
    await until('the notes of the other trace', () => JSON.stringify(lines()) !== before);
  });

  it('is asked from the palette too: for the sender, then for the receiver', async () => {
    await openFile('dual-stack.k8snet');
    const done = vscode.commands.executeCommand('k8snet.trace');
    await until('the question about the other file', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return panelTab()?.label.startsWith('Trace: client → ');
    });
    await done;
    await until('its notes', () => posted.some((message) => message.type === 'annotations' && message.annotations.some((a) => a.file === 'dual-stack.k8snet')));
    await openFile('article.k8snet');
  });

  it('follows its file to another name', async () => {
    const folder = vscode.Uri.joinPath(document.uri, '..');
    const [before, after] = [vscode.Uri.joinPath(folder, 'dual-stack.k8snet'), vscode.Uri.joinPath(folder, 'renamed.k8snet')];
    const rename = async (from: vscode.Uri, to: vscode.Uri): Promise<void> => {
      posted.length = 0;
      const change = new vscode.WorkspaceEdit();
      change.renameFile(from, to);
      assert.ok(await vscode.workspace.applyEdit(change));
      const name = to.path.slice(folder.path.length + 1);
      await until(`notes for ${name}`, () => posted.some((message) => message.type === 'annotations' && message.annotations.some((a) => a.file === name)));
    };
    await rename(before, after);
    await rename(after, before);
  });

  it('closes, and the editor stays as it was', async () => {
    const tab = panelTab();
    assert.ok(tab);
    await vscode.window.tabGroups.close(tab);
    assert.equal(panelTab(), undefined);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), document.uri.toString());
  });
});
