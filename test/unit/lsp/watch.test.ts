import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startClient } from './client.ts';
import type { TestClient } from './client.ts';

const TEXT = `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24; routes from "host1.routes" }
`;

describe('a dump in a file of its own', () => {
  let folder: string;
  let client: TestClient;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'k8snet-watch-'));
    client = await startClient();
  });
  afterEach(async () => {
    await client.end();
    rmSync(folder, { recursive: true, force: true });
    expect(client.errors).toEqual([]);
  });

  test('is read, watched, and read again when it changes', async () => {
    const dump = path.join(folder, 'host1.routes');
    const base = pathToFileURL(folder).href;
    writeFileSync(dump, 'default via 192.168.93.254 dev eth0\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212\n');
    await client.open(`${base}/demo.k8snet`, TEXT);
    await vi.waitFor(() => { expect(client.published.at(-1)?.diagnostics).toEqual([]); });
    await vi.waitFor(() => { expect(client.watched).toEqual([[{ globPattern: { baseUri: base, pattern: 'host1.routes' } }]]); });

    writeFileSync(dump, 'default via nowhere dev eth0\n');
    utimesSync(dump, 2_000_000_000, 2_000_000_000);
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: `${base}/host1.routes`, type: 2 }] });
    await vi.waitFor(() => { expect(client.published.at(-1)?.diagnostics).not.toEqual([]); });
  });

  test('that is missing is a diagnostic, until it is there', async () => {
    const base = pathToFileURL(folder).href;
    await client.open(`${base}/demo.k8snet`, TEXT);
    await vi.waitFor(() => { expect(client.published.at(-1)?.diagnostics.map((d) => d.range.start.line)).toEqual([1]); });
    writeFileSync(path.join(folder, 'host1.routes'), 'default via 192.168.93.254 dev eth0\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212\n');
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: `${base}/host1.routes`, type: 1 }] });
    await vi.waitFor(() => { expect(client.published.at(-1)?.diagnostics).toEqual([]); });
  });
});
