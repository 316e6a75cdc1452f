/** The script of `k8snet collect`, interrupted while it waits for its pods. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { COLLECT_SCRIPT } from '../../../cli/src/collect-script.ts';
import { startStandIn } from './api-stand-in.ts';

const home = mkdtempSync(path.join(tmpdir(), 'k8snet-interrupted-'));
afterAll(() => { rmSync(home, { recursive: true }); });

const node = (name: string) => ({ kind: 'Node', apiVersion: 'v1', metadata: { name }, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } });

async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => { setTimeout(resolve, 20); });
}

it.each([['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const)('leaves no pod and no temporary file behind at %s', { timeout: 60_000 }, async (signal, status) => {
  const server = await startStandIn({ objects: { nodes: [node('a'), node('b')] }, toolsOf: () => '', stuck: true });
  const temporary = mkdtempSync(path.join(home, 'tmp-'));
  const script = path.join(home, 'collect.sh');
  writeFileSync(script, COLLECT_SCRIPT);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: temporary, KUBECTL: `kubectl --server=${server.url} --kubeconfig=/dev/null` };
  // In a process group of its own, which is what a terminal sends Ctrl-C to.
  const running = spawn('/bin/sh', [script, path.join(home, 'dump')], { env, detached: true, stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => { running.on('exit', (code) => { resolve(code); }); });
  const [first, second] = ['-1', '-2'];
  await until(() => server.created.length === 2 && server.requests.some((r) => r.startsWith('GET ') && r.endsWith(first)));
  const { pid } = running;
  if (pid === undefined) throw new Error('it did not start');
  process.kill(-pid, signal);
  // Somebody in a hurry, at each moment of its end.
  const hurry = setInterval(() => { spawn('/bin/kill', [`-${signal.slice(3)}`, '--', `-${pid}`], { stdio: 'ignore' }); }, 100);
  expect(await ended).toBe(status);
  clearInterval(hurry);
  expect(server.deleted.map((name) => name.slice(-2))).toEqual([first, second]);
  expect(readdirSync(temporary)).toEqual([]);
  server.close();
});
