/** Reading a large iptables-save against what iptables-legacy-restore --test takes on it, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DUMP_READERS } from '../../server/src/language/bind/dump-formats.ts';
import { linesOfFile } from '../../server/src/language/bind/dump-lines.ts';
import { median } from './row.ts';
import type { Bench, Row } from './row.ts';

/** As many letters as kube-proxy's hashes have, another for every number. */
const hashed = (n: number): string => (Math.imul(n, 2_654_435_761) >>> 0).toString(32).toUpperCase().padStart(16, 'QXZ');

/** The nat table of a node with so many services of two endpoints each, as kube-proxy writes it: eleven lines a service. */
function savedServices(services: number): string {
  const chains: string[] = [];
  const entries: string[] = [];
  const rules: string[] = [];
  for (let i = 0; i < services; i++) {
    const name = `apps/web-${i}:http`;
    const address = `10.96.${i >> 8}.${i & 255}`;
    const chain = `KUBE-SVC-${hashed(3 * i)}`;
    chains.push(chain);
    entries.push(`-A KUBE-SERVICES -d ${address}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j ${chain}`);
    rules.push(`-A ${chain} ! -s 10.244.0.0/16 -d ${address}/32 -p tcp -m comment --comment "${name} cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`);
    for (const k of [0, 1]) {
      const endpoint = `10.244.${(2 * i + k) >> 8}.${(2 * i + k) & 255}`;
      const separate = `KUBE-SEP-${hashed(3 * i + 1 + k)}`;
      chains.push(separate);
      rules.push(`-A ${chain} -m comment --comment "${name} -> ${endpoint}:8080" ${k === 0 ? '-m statistic --mode random --probability 0.50000000000 ' : ''}-j ${separate}`);
      rules.push(`-A ${separate} -s ${endpoint}/32 -m comment --comment "${name}" -j KUBE-MARK-MASQ`);
      rules.push(`-A ${separate} -p tcp -m comment --comment "${name}" -m tcp -j DNAT --to-destination ${endpoint}:8080`);
    }
  }
  const builtin = ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'].map((chain) => `:${chain} ACCEPT [0:0]`);
  return ['*nat', ...builtin, ...['KUBE-MARK-MASQ', 'KUBE-SERVICES', ...chains].map((chain) => `:${chain} - [0:0]`), '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000', ...entries, ...rules, 'COMMIT', ''].join('\n');
}

/** Milliseconds of processor time: others on the machine are not counted. */
function processorTime(f: () => unknown): number {
  const before = process.cpuUsage();
  f();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const isolated = process.getuid?.() === 0 ? '-n' : '-Urn';

/** The same of `iptables-legacy-restore --test`; `null` where it cannot run here. */
function restoreTime(file: string, lock: string): number | null {
  const script = `export XTABLES_LOCKFILE=${lock}; iptables-legacy-restore --test ${file} || exit 1; times`;
  const { stdout, status } = spawnSync('unshare', [isolated, 'sh', '-c', script], { encoding: 'utf8' });
  const children = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout);
  if (status !== 0 || children === null) return null;
  const [, userMinutes = '0', user = '0', systemMinutes = '0', system = '0'] = children;
  return 1_000 * (60 * (Number(userMinutes) + Number(systemMinutes)) + Number(user) + Number(system));
}

export const iptablesReading: Bench = {
  name: 'iptables-save',
  rows: ({ smoke }): readonly Row[] => {
    const text = savedServices(smoke ? 100 : 5_000);
    const lines = text.split('\n').length - 1;
    const rounds = smoke ? 2 : 15;
    const read = (): number => DUMP_READERS.iptables(linesOfFile(text), (i) => ({ file: 'x', line: i + 1 })).problems.length;
    if (read() > 0) throw new Error('the large iptables-save is not understood');
    const folder = mkdtempSync(path.join(tmpdir(), 'k8snet-bench-'));
    const file = path.join(folder, 'iptables-save.txt');
    writeFileSync(file, text);
    const times: number[] = [];
    const restores: number[] = [];
    for (let i = 0; i < 2 * rounds; i++) {
      const own = processorTime(read);
      const theirs = restoreTime(file, path.join(folder, 'lock'));
      // The first half warms up.
      if (i >= rounds) {
        times.push(own);
        if (theirs !== null) restores.push(theirs);
      }
    }
    rmSync(folder, { recursive: true });
    const value = median(times);
    const ratio = restores.length === 0 || smoke ? null : value / median(restores);
    return [{ name: `read ${lines} lines of iptables-save`, value, unit: 'ms', ratio, against: ratio === null ? null : 'iptables-legacy-restore --test', goal: '< 0.33 ×', holds: ratio === null ? null : ratio < 1 / 3 }];
  },
};
