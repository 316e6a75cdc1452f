/**
 * Reading a large iptables-save against what iptables-legacy-restore --test takes on it. It is read as the language server
 * reads it, in a process with the server's flags; both are measured in processor time, since a wall clock shows the
 * machine's other guests as well.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { servicesOf } from '../../engine/src/control-plane/endpoints.ts';
import { nodeTables } from '../../engine/src/control-plane/iptables.ts';
import { servicePortsOf } from '../../engine/src/control-plane/kube-proxy/rules.ts';
import { planOf } from '../../engine/src/control-plane/plan.ts';
import { podsOf } from '../../engine/src/control-plane/pods.ts';
import type { Family } from '../../engine/src/net/address.ts';
import { savedTable } from '../../engine/src/topology/iptables-save.ts';
import { DUMP_READERS } from '../../server/src/language/bind/dump-formats.ts';
import { linesOfFile } from '../../server/src/language/bind/dump-lines.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { SERVER_NODE_OPTIONS } from '../../server/src/lsp/protocol.ts';
import { clusterText } from './cluster-text.ts';
import { restoreTime } from './iptables-restore.ts';
import { median } from './row.ts';
import type { Bench, Row, Setting } from './row.ts';

/** As many letters as kube-proxy's hashes have, another for every number. */
const hashed = (n: number): string => (Math.imul(n, 2_654_435_761) >>> 0).toString(32).toUpperCase().padStart(16, 'QXZ');

/** The nat table of a node with so many services of two endpoints each, with a comment in every rule, as kube-proxy writes them where there are few: eleven lines a service. */
function commented(services: number): string {
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

/** Every table of such a node as kube-proxy fills them, which leaves comments out where there are many endpoints. */
function programmed(services: number, family: Family): string {
  const plan = planOf(createSnapshot({ file: 'bench.k8snet', text: clusterText(services, family) }).spec());
  const [node] = plan.nodes.values();
  if (node === undefined) throw new Error('no node');
  const tables = nodeTables(plan, node, servicePortsOf(plan, servicesOf(plan, podsOf(plan))));
  return [...tables.filter((table) => table.family === family).flatMap((table) => savedTable(table)), ''].join('\n');
}

/** Milliseconds that each of `rounds` readings of a file takes: what the other process runs. */
export function readingTimes(file: string, family: Family, rounds: number): readonly number[] {
  v8.setFlagsFromString('--expose_gc');
  const collect = vm.runInNewContext('gc') as () => void;
  const text = readFileSync(file, 'utf8');
  return Array.from({ length: rounds }, () => {
    // So that nobody's garbage but its own is collected.
    collect();
    const before = process.cpuUsage();
    const { problems } = DUMP_READERS[family === 4 ? 'iptables' : 'ip6tables'](linesOfFile(text), (i) => ({ file: 'x', line: i + 1 }));
    const { user, system } = process.cpuUsage(before);
    if (problems.length > 0) throw new Error('the large iptables-save is not understood');
    return (user + system) / 1_000;
  });
}

function timesAsServer(file: string, family: Family, rounds: number): readonly number[] {
  const script = `const { readingTimes } = await import(${JSON.stringify(import.meta.url)}); console.log(JSON.stringify(readingTimes(${JSON.stringify(file)}, ${family}, ${rounds})));`;
  const { stdout, status, stderr } = spawnSync(process.execPath, [...SERVER_NODE_OPTIONS, '--input-type=module', '-e', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly number[];
}

function rowsOf(what: string, dump: string, family: Family, smoke: boolean): readonly Row[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'k8snet-bench-'));
  const file = path.join(folder, 'iptables-save.txt');
  writeFileSync(file, dump);
  const first: number[] = [];
  const times: number[] = [];
  const restores: number[] = [];
  for (let i = 0; i < (smoke ? 1 : 3); i++) {
    const [cold = 0, ...warm] = timesAsServer(file, family, smoke ? 2 : 16);
    first.push(cold);
    times.push(...warm.slice(smoke ? 0 : 7));
    for (let k = 0; k < (smoke ? 1 : 5); k++) restores.push(restoreTime(dump, family) ?? Number.NaN);
  }
  rmSync(folder, { recursive: true });
  const against = `${family === 4 ? 'iptables' : 'ip6tables'}-legacy-restore --test`;
  const restore = median(restores);
  const canCompare = !smoke && !Number.isNaN(restore);
  const name = `read ${dump.split('\n').length - 1} lines, ${what}`;
  const compared = (value: number): Pick<Row, 'value' | 'unit' | 'ratio' | 'against'> => ({ value, unit: 'ms of processor time', ratio: canCompare ? value / restore : null, against: canCompare ? against : null });
  return [
    { name, ...compared(median(times)), goal: '< 0.33 ×', holds: canCompare ? median(times) / restore < 1 / 3 : null },
    { name: `${name}, the first time in a new process`, ...compared(median(first)), goal: null, holds: null },
  ];
}

export const iptablesReading: Bench = {
  name: 'iptables-save',
  rows: ({ smoke }: Setting): readonly Row[] => {
    const services = smoke ? 100 : 5_000;
    return [
      ...rowsOf('a comment in every rule', commented(services), 4, smoke),
      ...rowsOf('as kube-proxy writes them', programmed(services, 4), 4, smoke),
      ...rowsOf('the same of IPv6', programmed(services, 6), 6, smoke),
    ];
  },
};
