/** From starting the language server's process to the first diagnostics of the article's file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import { SERVER_NODE_OPTIONS } from '../../server/src/lsp/protocol.ts';
import { median } from './row.ts';
import type { Bench, Setting } from './row.ts';

async function bareNode(): Promise<number> {
  const start = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - start;
}

async function firstDiagnostics({ root }: Setting): Promise<number> {
  const file = path.join(root, 'examples/article.k8snet');
  const start = performance.now();
  const server = spawn(process.execPath, [...SERVER_NODE_OPTIONS, path.join(root, 'dist/server.cjs'), '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  const published = new Promise<void>((resolve) => {
    connection.onNotification('textDocument/publishDiagnostics', () => resolve());
  });
  connection.onUnhandledNotification(() => undefined);
  connection.onRequest(() => null);
  connection.listen();
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
  await connection.sendNotification('initialized', {});
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri: pathToFileURL(file).href, languageId: 'k8snet', version: 1, text: readFileSync(file, 'utf8') },
  });
  await published;
  const time = performance.now() - start;
  connection.dispose();
  server.kill();
  await once(server, 'exit');
  return time;
}

export const coldStart: Bench = {
  name: 'cold start',
  rows: async (setting) => {
    const rounds = setting.smoke ? 1 : 9;
    const bare: number[] = [];
    const server: number[] = [];
    for (let i = 0; i < rounds; i++) {
      bare.push(await bareNode());
      server.push(await firstDiagnostics(setting));
    }
    const value = median(server);
    const ratio = value / median(bare);
    return [{ name: 'server start to first diagnostics, the article\'s file', value, unit: 'ms', ratio, against: 'node -e 0', goal: 'ratio <= 8', holds: ratio <= 8 }];
  },
};
