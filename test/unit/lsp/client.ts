/** A client of the language server in the same process: LSP over two streams. */
import { PassThrough } from 'node:stream';
import { createConnection, createProtocolConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import type { InitializeResult, ProtocolConnection, PublishDiagnosticsParams } from 'vscode-languageserver/node';
import { CHANGED_NOTIFICATION } from '../../../server/src/lsp/protocol.ts';
import type { ChangedParams } from '../../../server/src/lsp/protocol.ts';
import { serve } from '../../../server/src/lsp/server.ts';

export interface TestClient {
  readonly connection: ProtocolConnection;
  readonly initialized: InitializeResult;
  readonly published: readonly PublishDiagnosticsParams[];
  readonly changed: readonly ChangedParams[];
  /** The watchers that the server asked for, one registration each. */
  readonly watched: readonly unknown[];
  /** The further documents that it asked to be told of: the method, and which. */
  readonly synced: readonly unknown[];
  /** What the server logged as an error. */
  readonly errors: readonly string[];
  open(uri: string, text: string): Promise<void>;
  end(): Promise<void>;
}

/** A client that can watch files, and tell of documents in any language. */
export async function startClient(initializationOptions: unknown = {}): Promise<TestClient> {
  const there = new PassThrough();
  const back = new PassThrough();
  const server = createConnection(new StreamMessageReader(there), new StreamMessageWriter(back));
  serve(server);
  server.listen();
  const connection = createProtocolConnection(new StreamMessageReader(back), new StreamMessageWriter(there));
  const published: PublishDiagnosticsParams[] = [];
  const changed: ChangedParams[] = [];
  const errors: string[] = [];
  const watched: unknown[] = [];
  const synced: unknown[] = [];
  connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => void published.push(params));
  connection.onNotification(CHANGED_NOTIFICATION, (params: ChangedParams) => void changed.push(params));
  connection.onNotification('window/logMessage', ({ type, message }: { type: number; message: string }) => {
    if (type === 1) errors.push(message);
  });
  connection.onRequest('client/registerCapability', ({ registrations }: { registrations: { method: string; registerOptions: { watchers: unknown; documentSelector: unknown } }[] }) => {
    for (const { method, registerOptions } of registrations) {
      if (method === 'workspace/didChangeWatchedFiles') watched.push(registerOptions.watchers);
      else synced.push([method, registerOptions.documentSelector]);
    }
  });
  connection.onRequest('client/unregisterCapability', () => undefined);
  connection.listen();
  const capabilities = { textDocument: { synchronization: { dynamicRegistration: true } }, workspace: { workspaceFolders: true, didChangeWatchedFiles: { dynamicRegistration: true, relativePatternSupport: true } } };
  const initialized = await connection.sendRequest<InitializeResult>('initialize', { processId: null, rootUri: null, workspaceFolders: null, capabilities, initializationOptions });
  await connection.sendNotification('initialized', {});
  return {
    connection, initialized, published, changed, watched, synced, errors,
    open: (uri, text) => connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'k8snet', version: 1, text } }),
    end: async () => {
      await connection.sendRequest('shutdown');
      connection.dispose();
      server.dispose();
    },
  };
}
