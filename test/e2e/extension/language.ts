/** The language server through the editor: diagnostics, fixes, and the features that the file's names have. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { api, diagnosticsWhen, edit, errorsIn, expectationsIn, openFile, placeOf } from './workspace.ts';
import { until } from './until.ts';

const run = <T>(command: string, ...args: readonly unknown[]): Thenable<T> => vscode.commands.executeCommand<T>(command, ...args);

/** How many code actions are resolved: a fix has its edits only when it is chosen. */
const RESOLVED = 10;

const textOf = (content: vscode.Hover['contents'][number]): string => (content instanceof vscode.MarkdownString ? content.value : '');

describe('the language', () => {
  let document: vscode.TextDocument;
  let original: string;

  before(async () => {
    document = await openFile('article.k8snet');
    original = document.getText();
    await api();
  });
  afterEach(async () => {
    const all = new vscode.Range(new vscode.Position(0, 0), document.positionAt(document.getText().length));
    if (document.getText() !== original) await edit(document, all, original);
  });

  it('is recognised by the file\'s ending', () => {
    assert.equal(document.languageId, 'k8snet');
  });

  it('has no errors in the article\'s file, and one warning: an expectation that fails without masquerade', async () => {
    const found = await diagnosticsWhen(document, 'the failing expectation', (all) => expectationsIn(all).length > 0);
    assert.deepEqual(errorsIn(found), []);
    const [failing, ...others] = expectationsIn(found);
    assert.deepEqual(others, []);
    assert.equal(failing?.range.start.line, placeOf(document, 'expect pod1 -> qq.com').line);
    assert.equal(failing.source, 'k8snet');
  });

  it('shows an error while it stands, at its line, and takes it back', async () => {
    const at = placeOf(document, 'kube-proxy');
    await edit(document, new vscode.Range(at, at.translate(0, 'kube-proxy'.length)), 'kube-prxoy');
    const [error] = errorsIn(await diagnosticsWhen(document, 'the error', (all) => errorsIn(all).length === 1));
    assert.equal(error?.range.start.line, at.line);
    assert.match(error.message, /kube-prxoy/);
    await run('undo');
    await diagnosticsWhen(document, 'no error', (all) => errorsIn(all).length === 0);
  });

  it('links each code to a page of its own that opens in the editor', async () => {
    const at = placeOf(document, 'kube-proxy');
    await edit(document, new vscode.Range(at, at.translate(0, 'kube-proxy'.length)), 'kube-prxoy');
    const [error] = errorsIn(await diagnosticsWhen(document, 'the error', (all) => errorsIn(all).length === 1));
    const code = error?.code;
    assert.ok(typeof code === 'object');
    assert.match(String(code.value), /^K8N\d{4}$/);
    assert.equal(code.target.scheme, 'command');
    const [slug] = JSON.parse(decodeURIComponent(code.target.query)) as [string];
    await run(code.target.path, slug);
    const tab = await until('the page', () => vscode.window.tabGroups.all.flatMap((group) => group.tabs).find((t) => t.label.includes(`${slug}.md`)));
    await vscode.window.tabGroups.close(tab);
  });

  it('mends a misspelt word by its quick fix', async () => {
    const at = placeOf(document, 'kube-proxy');
    const wrong = new vscode.Range(at, at.translate(0, 'kube-proxy'.length));
    await edit(document, wrong, 'kube-prxoy');
    await diagnosticsWhen(document, 'the error', (all) => errorsIn(all).length === 1);
    const actions = await run<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, wrong, vscode.CodeActionKind.QuickFix.value, RESOLVED);
    const fix = actions.find((action) => action.title.includes('kube-proxy'));
    assert.ok(fix?.edit && (await vscode.workspace.applyEdit(fix.edit)));
    assert.equal(document.getText(), original);
    await diagnosticsWhen(document, 'no error', (all) => errorsIn(all).length === 0);
  });

  it('repairs the failing expectation by the rule that is missing', async () => {
    const [failing] = expectationsIn(await diagnosticsWhen(document, 'the failing expectation', (all) => expectationsIn(all).length === 1));
    assert.ok(failing);
    // The repair is known once the expectations have been traced, which is when the typing has paused.
    const repair = await until('the repair', async () =>
      (await run<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, failing.range, vscode.CodeActionKind.QuickFix.value, RESOLVED)).find((action) => action.edit));
    assert.ok(repair.edit && (await vscode.workspace.applyEdit(repair.edit)));
    assert.match(document.getText(), /MASQUERADE/);
    await diagnosticsWhen(document, 'every expectation holds', (all) => expectationsIn(all).length === 0);
  });

  it('offers "Trace to…" above every pod, node, service and external', async () => {
    const lenses = await run<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri, 100);
    const above = lenses.map((lens) => [lens.command?.title, document.lineAt(lens.range.start.line).text.trim().split(/ +/).slice(0, 2).join(' ')]);
    assert.deepEqual(above, [
      ['Trace to…', 'external qq.com'], ['Trace to…', 'node host1'], ['Trace to…', 'node host2'], ['Trace to…', 'node host3'],
      ['Trace to…', 'pod pod1'], ['Trace to…', 'pod pod2'], ['Trace to…', 'pod kube-system/kube-dns-1'], ['Trace to…', 'service kube-system/kube-dns'],
    ]);
  });

  it('tells on hover what a name stands for', async () => {
    const hovers = await run<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, placeOf(document, '10.0.0.46:53').translate(0, 2));
    assert.match(hovers.flatMap((hover) => hover.contents.map(textOf)).join('\n'), /kube-dns-1/);
  });

  it('goes from a name to its declaration, and finds the places that use it', async () => {
    const used = placeOf(document, 'expect pod1').translate(0, 'expect '.length + 1);
    const declared = placeOf(document, 'pod pod1 on host1').line;
    const definitions = await run<(vscode.Location | vscode.LocationLink)[]>('vscode.executeDefinitionProvider', document.uri, used);
    assert.deepEqual(definitions.map((d) => ('targetRange' in d ? d.targetRange : d.range).start.line), [declared]);
    const references = await run<vscode.Location[]>('vscode.executeReferenceProvider', document.uri, used);
    assert.ok(references.length >= 4, `${references.length} references`);
  });

  it('outlines the file', async () => {
    const symbols = await run<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider', document.uri);
    const names = symbols.map((symbol) => symbol.name).join('\n');
    for (const name of ['demo', 'lan', 'host1', 'pod1', 'kube-dns']) assert.match(names, new RegExp(name));
  });

  it('folds blocks', async () => {
    const folds = await run<vscode.FoldingRange[]>('vscode.executeFoldingRangeProvider', document.uri);
    assert.ok(folds.some((fold) => fold.start === placeOf(document, 'node host1 {').line));
  });

  it('completes statements and names', async () => {
    const inCluster = placeOf(document, '  kube-proxy   iptables').translate(0, 2);
    const words = await run<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, inCluster);
    const labels = words.items.map((item) => (typeof item.label === 'string' ? item.label : item.label.label));
    assert.ok(labels.includes('flannel') && labels.includes('service-cidr'), labels.join(' '));
    const onNode = placeOf(document, 'pod pod2 on host2').translate(0, 'pod pod2 on '.length);
    const nodes = await run<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, onNode);
    const names = nodes.items.map((item) => (typeof item.label === 'string' ? item.label : item.label.label));
    assert.ok(['host1', 'host2', 'host3'].every((host) => names.includes(host)), names.join(' '));
  });

  it('formats without changing what the file says', async () => {
    const at = placeOf(document, '  domain       cluster.local');
    await edit(document, at, '        ');
    const edits = await run<vscode.TextEdit[]>('vscode.executeFormatDocumentProvider', document.uri, { tabSize: 2, insertSpaces: true });
    const change = new vscode.WorkspaceEdit();
    change.set(document.uri, edits);
    assert.ok(await vscode.workspace.applyEdit(change));
    assert.match(document.lineAt(at.line).text, /^ {2}domain\b/);
  });

  it('answers again after the server has been restarted', async () => {
    await run('k8snet.restartServer');
    const at = placeOf(document, 'kube-proxy');
    await edit(document, new vscode.Range(at, at.translate(0, 'kube-proxy'.length)), 'kube-prxoy');
    await diagnosticsWhen(document, 'the error', (all) => errorsIn(all).length === 1);
  });

  it('opens the example as a new file that has lenses too', async () => {
    await run('k8snet.openExample');
    const example = await until('the example', () => vscode.window.activeTextEditor?.document);
    assert.equal(example.isUntitled, true);
    assert.equal(example.languageId, 'k8snet');
    await until('its lenses', async () => (await run<vscode.CodeLens[]>('vscode.executeCodeLensProvider', example.uri, 100)).length === 8);
    await run('workbench.action.revertAndCloseActiveEditor');
    await openFile('article.k8snet');
  });
});
