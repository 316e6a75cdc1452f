/** A document that names Kubernetes objects: what is wrong in them is told where they stand, and names lead there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startClient } from './client.ts';
import type { TestClient } from './client.ts';

let client: TestClient;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'k8snet objects-'));
  client = await startClient();
});
afterEach(async () => {
  await client.end();
  rmSync(folder, { recursive: true });
});

const uriOf = (name: string): string => pathToFileURL(path.join(folder, name)).href;

const NODE = 'apiVersion: v1\nkind: Node\nmetadata: { name: host1 }\nspec: { podCIDR: 10.244.1.0/24, colour: red }\nstatus: { addresses: [{ type: InternalIP, address: 192.168.0.1 }] }\n';
const TEXT = 'network lan 192.168.0.0/24\nobjects from "*.yaml"\npod a on host1 { ip 10.244.1.5 }\n';

test('publishes what is wrong in an object at its token, takes it back when that is mended or the document is closed', async () => {
  writeFileSync(path.join(folder, 'the nodes.yaml'), NODE);
  await client.open(uriOf('demo.k8snet'), TEXT);
  const there = (): unknown => client.published.filter((p) => p.uri === uriOf('the nodes.yaml')).at(-1)?.diagnostics.map((d) => [d.severity, d.range, d.message]);
  await vi.waitFor(() => {
    expect(there()).toEqual([[2, { start: { line: 3, character: 32 }, end: { line: 3, character: 38 } }, 'Node.spec.colour is not known here: it is taken to change nothing']]);
  });
  expect(client.published.filter((p) => p.uri === uriOf('demo.k8snet')).at(-1)?.diagnostics.map((d) => d.message)).toEqual([expect.stringMatching(/^the nodes\.yaml:4:33: Node\.spec\.colour/)]);
  writeFileSync(path.join(folder, 'the nodes.yaml'), NODE.replace(', colour: red', ''));
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: uriOf('the nodes.yaml'), type: 2 }] });
  await vi.waitFor(() => { expect(there()).toEqual([]); });
  writeFileSync(path.join(folder, 'new.yaml'), 'kind: Secret\napiVersion: v1\n');
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: uriOf('new.yaml'), type: 1 }] });
  const inNew = (): unknown => client.published.filter((p) => p.uri === uriOf('new.yaml')).at(-1)?.diagnostics.length;
  await vi.waitFor(() => { expect(inNew()).toBe(1); });
  await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: uriOf('demo.k8snet') } });
  await vi.waitFor(() => { expect(inNew()).toBe(0); });
});

test('goes from a name to the object that has it', async () => {
  writeFileSync(path.join(folder, 'nodes.yaml'), NODE);
  await client.open(uriOf('demo.k8snet'), TEXT);
  const found = await client.connection.sendRequest('textDocument/definition', { textDocument: { uri: uriOf('demo.k8snet') }, position: { line: 2, character: 11 } });
  expect(found).toEqual([{ uri: uriOf('nodes.yaml'), range: { start: { line: 0, character: 0 }, end: { line: 0, character: 14 } } }]);
});

test('imports a folder, and reads nothing outside of it', async () => {
  writeFileSync(path.join(folder, 'nodes.yaml'), NODE.replace(', colour: red', ''));
  const { text, notes } = await client.connection.sendRequest<{ text: string; notes: readonly unknown[] }>('k8snet/import', { folder: pathToFileURL(folder).href });
  expect(notes).toEqual([]);
  expect(text).toMatch(/objects from "nodes\.yaml"/);
  expect(await client.connection.sendRequest('k8snet/import', { folder: 'untitled:x' })).toEqual({ text: null, notes: [] });
});
