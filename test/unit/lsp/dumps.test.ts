/** Dumps in files of their own, as an editor has them: open, edited, mended. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startClient } from './client.ts';
import type { TestClient } from './client.ts';

const TEXT = `cluster { pod-cidr 10.244.0.0/16; service-cidr 10.96.0.0/12 }
network lan 192.168.93.0/24
node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24; fdb from "host 1.fdb" }
node host2 { address 192.168.93.213/24 on lan; pod-cidr 10.244.2.0/24; vtep-mac 3e:11:d2:88:40:6b }
`;
const GOOD = '3e:11:d2:88:40:6b dev flannel.1 dst 192.168.93.213 self permanent\n';
const STALE = GOOD.replace('6b', '99');

interface Resolved {
  readonly title: string;
  readonly edit?: { readonly documentChanges: readonly { readonly textDocument: { readonly uri: string; readonly version: number | null }; readonly edits: readonly { readonly newText: string; readonly range: { readonly start: { readonly line: number } } }[] }[] };
}

describe('a dump in a file of its own', () => {
  let folder: string;
  let base: string;
  let client: TestClient;
  const document = (): string => `${base}/demo.k8snet`;
  const dump = (): string => `${base}/host%201.fdb`;

  beforeEach(async () => {
    folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'k8snet-dumps-')));
    base = pathToFileURL(folder).href;
    client = await startClient();
  });
  afterEach(async () => {
    await client.end();
    rmSync(folder, { recursive: true, force: true });
    expect(client.errors).toEqual([]);
  });

  const codes = (): readonly unknown[] => client.published.filter((p) => p.uri === document()).at(-1)?.diagnostics.map((d) => d.code) ?? [];
  const until = (wanted: readonly string[]): Promise<void> => vi.waitFor(() => { expect(codes()).toEqual(wanted); }, 5000);
  const opened = (text: string): Promise<void> => client.connection.sendNotification('textDocument/didOpen', { textDocument: { uri: dump(), languageId: 'plaintext', version: 7, text } });
  const replaced = (version: number, text: string): Promise<void> => client.connection.sendNotification('textDocument/didChange', { textDocument: { uri: dump(), version }, contentChanges: [{ text }] });

  async function mended(): Promise<{ readonly offered: Resolved; readonly resolve: () => Promise<Resolved> }> {
    const range = client.published.filter((p) => p.uri === document()).at(-1)!.diagnostics[0]!.range;
    const [offered] = await client.connection.sendRequest<Resolved[]>('textDocument/codeAction', { textDocument: { uri: document() }, range, context: { diagnostics: [] } });
    return { offered: offered!, resolve: () => client.connection.sendRequest<Resolved>('codeAction/resolve', offered!) };
  }

  test('is mended in that file', async () => {
    writeFileSync(path.join(folder, 'host 1.fdb'), `01:00:5e:00:00:01 dev eth0 self permanent\n${STALE}`);
    await client.open(document(), TEXT);
    await until(['K8N6001']);
    const { offered, resolve } = await mended();
    expect(offered.edit).toBeUndefined();
    expect((await resolve()).edit?.documentChanges).toEqual([{
      textDocument: { uri: dump(), version: null },
      edits: [{ newText: GOOD.trim(), range: { start: { line: 1, character: 0 }, end: { line: 1, character: GOOD.length - 1 } } }],
    }]);
  });

  test('counts as it stands in the editor, saved or not', async () => {
    writeFileSync(path.join(folder, 'host 1.fdb'), GOOD);
    await client.open(document(), TEXT);
    await vi.waitFor(() => {
      expect(client.synced).toEqual(['didOpen', 'didChange', 'didClose'].map((name) => [`textDocument/${name}`, [{ scheme: 'file', pattern: `${folder}/host 1.fdb` }]]));
    });
    await opened(GOOD);
    await replaced(8, STALE);
    await until(['K8N6001']);
    const { resolve } = await mended();
    expect((await resolve()).edit?.documentChanges[0]?.textDocument).toEqual({ uri: dump(), version: 8 });
    await replaced(9, GOOD);
    await until([]);
    await replaced(10, STALE);
    await until(['K8N6001']);
    // What was not saved is gone with its editor.
    await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: dump() } });
    await until([]);
  });

  test('that changed since a fix was offered is left alone', async () => {
    writeFileSync(path.join(folder, 'host 1.fdb'), STALE);
    await client.open(document(), TEXT);
    await until(['K8N6001']);
    const { resolve } = await mended();
    await opened(STALE);
    const before = client.changed.length;
    await replaced(8, `01:00:5e:00:00:01 dev eth0 self permanent\n${STALE}`);
    await vi.waitFor(() => { expect(client.changed.length).toBeGreaterThan(before); });
    expect((await resolve()).edit).toBeUndefined();
  });

  test('that is deleted is missing, and found again when it is back', async () => {
    const file = path.join(folder, 'host 1.fdb');
    writeFileSync(file, GOOD);
    await client.open(document(), TEXT);
    await until([]);
    rmSync(file);
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: dump(), type: 3 }] });
    await vi.waitFor(() => { expect(codes()).toHaveLength(1); });
    writeFileSync(file, GOOD);
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: dump(), type: 1 }] });
    await until([]);
  });
});

describe('a document without a folder', () => {
  test('has its language all the same, and is told to be saved before it names files', async () => {
    const client = await startClient();
    await client.open('untitled:Untitled-1', 'node host1 {\n  pod-cidr 10.244.1.0/24\n  fdb from "host1.fdb"\n}\nobjects from "*.yaml"\n');
    await vi.waitFor(() => {
      expect(client.published.at(-1)?.diagnostics.filter((d) => d.code === 'K8N1016').map((d) => d.message)).toEqual([
        '"host1.fdb" cannot be read: it is looked for beside this file, which is not in a folder of this machine; save it there first',
        '"*.yaml" cannot be read: it is looked for beside this file, which is not in a folder of this machine; save it there first',
      ]);
    });
    await client.end();
    expect(client.errors).toEqual([]);
  });
});

describe('a workspace folder that is added later', () => {
  test('lets its documents read files above their own folder', async () => {
    const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'k8snet-folders-')));
    mkdirSync(path.join(folder, 'clusters'));
    writeFileSync(path.join(folder, 'clusters/host1.fdb'), GOOD);
    writeFileSync(path.join(folder, 'real.fdb'), GOOD);
    symlinkSync(path.join(folder, 'real.fdb'), path.join(folder, 'clusters/linked.fdb'));
    const client = await startClient();
    const uri = pathToFileURL(path.join(folder, 'clusters/demo.k8snet')).href;
    await client.open(uri, TEXT.replace('host 1.fdb', 'linked.fdb'));
    const codes = (): readonly unknown[] => client.published.filter((p) => p.uri === uri).at(-1)?.diagnostics.map((d) => d.code) ?? [];
    await vi.waitFor(() => { expect(codes()).toEqual(['K8N1016']); });
    await client.connection.sendNotification('workspace/didChangeWorkspaceFolders', { event: { added: [{ uri: pathToFileURL(folder).href, name: 'all' }], removed: [] } });
    await vi.waitFor(() => { expect(codes()).toEqual([]); }, 3000);
    await client.end();
    expect(client.errors).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });
});
