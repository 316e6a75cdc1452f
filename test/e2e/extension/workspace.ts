/** The workspace of the suite: a copy of the examples, and the article's file in it. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { K8snetApi } from '../../../client/src/extension.ts';
import { until } from './until.ts';

export async function openFile(name: string): Promise<vscode.TextDocument> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  assert.ok(folder);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder, name));
  await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
  return document;
}

export async function api(): Promise<K8snetApi> {
  const extension = vscode.extensions.getExtension<K8snetApi>('k8snet.k8snet');
  assert.ok(extension);
  return extension.activate();
}

/** Where `text` begins, the n-th time from 0. */
export function placeOf(document: vscode.TextDocument, text: string, n = 0): vscode.Position {
  let at = -1;
  for (let i = 0; i <= n; i++) at = document.getText().indexOf(text, at + 1);
  assert.notEqual(at, -1, `"${text}" stands in ${document.fileName}`);
  return document.positionAt(at);
}

export async function edit(document: vscode.TextDocument, at: vscode.Range | vscode.Position, text: string): Promise<void> {
  const change = new vscode.WorkspaceEdit();
  change.replace(document.uri, at instanceof vscode.Position ? new vscode.Range(at, at) : at, text);
  assert.ok(await vscode.workspace.applyEdit(change));
}

export function diagnosticsWhen(document: vscode.TextDocument, what: string, holds: (diagnostics: readonly vscode.Diagnostic[]) => boolean): Promise<readonly vscode.Diagnostic[]> {
  return until(what, () => {
    const now = vscode.languages.getDiagnostics(document.uri);
    return holds(now) && now;
  });
}

export const errorsIn = (diagnostics: readonly vscode.Diagnostic[]): readonly vscode.Diagnostic[] =>
  diagnostics.filter((d) => d.severity === vscode.DiagnosticSeverity.Error);

/** The expectations that do not hold, by their code: drift is a warning, too. */
export const expectationsIn = (diagnostics: readonly vscode.Diagnostic[]): readonly vscode.Diagnostic[] =>
  diagnostics.filter((d) => (typeof d.code === 'object' ? d.code.value : d.code) === 'K8N5001');

export const driftIn = (diagnostics: readonly vscode.Diagnostic[]): readonly vscode.Diagnostic[] =>
  diagnostics.filter((d) => (typeof d.code === 'object' ? d.code.value : d.code) === 'K8N6001');
