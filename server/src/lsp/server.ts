/** The wiring table: which feature answers which request. */
import { TextDocumentSyncKind } from 'vscode-languageserver';
import type { Connection, InitializeParams, InitializeResult } from 'vscode-languageserver';
import { captureFiles } from './capture-files.ts';
import { createDiagnoser } from './diagnose.ts';
import { createDocuments } from './documents.ts';
import { guardOf } from './guard.ts';
import type { ServerOptions } from './protocol.ts';

const CAPABILITIES: InitializeResult['capabilities'] = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
};

const isServerOptions = (value: unknown): value is ServerOptions =>
  typeof value === 'object' && value !== null && (!('pageUri' in value) || typeof value.pageUri === 'string');

export function serve(connection: Connection): void {
  let folders: readonly string[] = [];
  let options: ServerOptions = {};
  const guard = guardOf(connection);
  const documents = createDocuments(captureFiles(() => folders), guard.report);
  const diagnoser = createDiagnoser(connection, documents, guard, () => options.pageUri);

  connection.onInitialize(({ workspaceFolders, initializationOptions }: InitializeParams) => {
    folders = workspaceFolders?.map((folder) => folder.uri) ?? [];
    if (isServerOptions(initializationOptions)) options = initializationOptions;
    return { capabilities: CAPABILITIES, serverInfo: { name: 'k8snet' } };
  });
  connection.onDidOpenTextDocument(guard.heed('open', (params) => diagnoser.analysed(documents.open(params), undefined)));
  connection.onDidChangeTextDocument(guard.heed('change', (params) => {
    const changed = documents.change(params);
    if (changed !== undefined) diagnoser.analysed(changed.document, changed.edit);
  }));
  connection.onDidCloseTextDocument(guard.heed('close', ({ textDocument: { uri } }) => {
    documents.close(uri);
    diagnoser.closed(uri);
  }));
}
