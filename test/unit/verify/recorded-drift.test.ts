/** Every kind of deviation, planted in every host of the recorded cluster: what is told, at which line, and that each fix settles it. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DumpFolder } from '../../../server/src/language/import/folder.ts';
import { importFolder } from '../../../server/src/language/import/import.ts';
import type { Diagnostic, Fix } from '../../../server/src/language/diagnostics/define.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const RECORDED = new URL('../../fixtures/recorded/', import.meta.url).pathname;
const listFolder: DumpFolder['listFolder'] = (p) => readdirSync(RECORDED + p, { withFileTypes: true }).map((e) => ({ name: e.name, kind: e.isDirectory() ? 'folder' : 'file' }));
const read = (p: string): string => readFileSync(RECORDED + p, 'utf8');
const IMPORTED = importFolder({ listFolder, readFile: (p) => ({ text: read(p) }) }, '').text ?? '';
const FILE = 'cluster.k8snet';

type Files = ReadonlyMap<string, string>;

const opened = (files: Files): Snapshot => createSnapshot({ file: FILE, text: files.get(FILE) ?? IMPORTED, listFolder, readFile: (p) => files.get(p) ?? read(p) });

const driftIn = (files: Files): readonly Diagnostic[] => opened(files).driftDiagnostics().filter((d) => d.slug !== 'partial-dump');

/** A fix edits the file, and dumps in files of their own. */
function applied(files: Files, { edits }: Fix): Files {
  const after = new Map(files);
  for (const file of new Set(edits.map((e) => e.file ?? FILE))) {
    const before = file === FILE ? (files.get(FILE) ?? IMPORTED) : (files.get(file) ?? read(file));
    const own = edits.filter((e) => (e.file ?? FILE) === file).sort((a, b) => b.start - a.start);
    after.set(file, own.reduce((text, e) => text.slice(0, e.start) + e.text + text.slice(e.end), before));
  }
  return after;
}

const HOSTS = { host1: '10.0.14', host2: '10.0.5', host3: '10.0.0' } as const;
type Host = keyof typeof HOSTS;
const otherThan = (host: Host): Host => (host === 'host1' ? 'host2' : 'host1');

interface Plant {
  readonly dump: string;
  readonly change: (text: string, host: Host) => string;
  readonly code: string;
  readonly severity: 'warning' | 'information';
  /** In the line that is named; where nothing of it is left, the dump alone is. */
  readonly at: RegExp | null;
  /** Fixes of either side. */
  readonly either: boolean;
}

const without = (text: string, gone: (line: string) => boolean): string => text.split('\n').filter((line) => !gone(line)).join('\n');
const flannel1 = (text: string, mtu: number): string => text.replace(/^(\d+: flannel\.1: .* mtu )\d+/m, `$1${mtu}`);

const PLANTS: Readonly<Record<string, Plant>> = {
  'a missing route of a lease': { dump: 'ip-route-all', change: (t, h) => without(t, (l) => l.startsWith(`${HOSTS[otherThan(h)]}.0/24 `)), code: 'K8N6001', severity: 'warning', at: null, either: false },
  'a route of a lease by another device': { dump: 'ip-route-all', change: (t, h) => t.replace(new RegExp(`^${HOSTS[otherThan(h)]}\\.0/24 .*$`, 'm'), (l) => l.replace(/dev \S+/, 'dev docker0')), code: 'K8N6001', severity: 'warning', at: /dev docker0 onlink/, either: false },
  'a route of a lease that nobody has': { dump: 'ip-route-all', change: (t) => `10.0.77.0/24 via 10.0.77.0 dev flannel.1 onlink \n${t}`, code: 'K8N6002', severity: 'information', at: /10\.0\.77\.0/, either: false },
  'a missing neighbour of a lease': { dump: 'ip-neigh', change: (t, h) => without(t, (l) => l.startsWith(`${HOSTS[otherThan(h)]}.0 dev flannel.1`)), code: 'K8N6001', severity: 'warning', at: null, either: false },
  'a stale MAC of a neighbour': { dump: 'ip-neigh', change: (t, h) => t.replace(new RegExp(`^(${HOSTS[otherThan(h)]}\\.0 dev flannel.1 lladdr) \\S+`, 'm'), '$1 6a:8c:10:00:00:77'), code: 'K8N6001', severity: 'warning', at: /6a:8c:10:00:00:77/, either: true },
  'a missing FDB entry': { dump: 'bridge-fdb', change: (t, h) => without(t, (l) => l.startsWith(`6a:8c:10:00:00:0${otherThan(h).slice(4)} dev flannel.1 dst`)), code: 'K8N6001', severity: 'warning', at: null, either: false },
  'a stale MAC in the FDB': { dump: 'bridge-fdb', change: (t, h) => t.replace(`6a:8c:10:00:00:0${otherThan(h).slice(4)} dev flannel.1 dst`, '6a:8c:10:00:00:77 dev flannel.1 dst'), code: 'K8N6001', severity: 'warning', at: /6a:8c:10:00:00:77/, either: true },
  'a stale address in the FDB': { dump: 'bridge-fdb', change: (t, h) => t.replace(new RegExp(`^(6a:8c:10:00:00:0${otherThan(h).slice(4)} dev flannel.1 dst) \\S+`, 'm'), '$1 192.168.93.99'), code: 'K8N6001', severity: 'warning', at: /192\.168\.93\.99/, either: true },
  'missing masquerade': { dump: 'iptables-save', change: (t) => without(t, (l) => l.startsWith('-A') && l.includes('FLANNEL-POSTRTG')), code: 'K8N6001', severity: 'warning', at: /^\*nat/, either: false },
  'one missing rule of the masquerading': { dump: 'iptables-save', change: (t) => without(t, (l) => l.startsWith('-A FLANNEL-POSTRTG -s 10.0.0.0/16 ! -d 224')), code: 'K8N6001', severity: 'warning', at: /^\*nat/, either: false },
  'a missing endpoint': { dump: 'iptables-save', change: (t) => without(t, (l) => l.includes('KUBE-SEP-') && (/10\.0\.14\.21/.test(l) || /"default\/web:http -> 10\.0\.14\.21:8080"/.test(l))), code: 'K8N6001', severity: 'warning', at: /KUBE-SVC-/, either: false },
  'a rule left over of a service that is gone': { dump: 'iptables-save', change: (t) => t.replace(/^-A KUBE-SERVICES /m, '-A KUBE-SERVICES -d 10.16.9.9/32 -p tcp -m comment --comment "default/gone:http cluster IP" -m tcp --dport 80 -j RETURN\n$&'), code: 'K8N6002', severity: 'information', at: /10\.16\.9\.9/, either: false },
  'missing forwarding, where FORWARD accepts': { dump: 'iptables-save', change: (t) => without(t, (l) => l.startsWith('-A') && l.includes('FLANNEL-FWD')), code: 'K8N6002', severity: 'information', at: /^\*filter/, either: false },
  'missing forwarding, where FORWARD drops': { dump: 'iptables-save', change: (t) => without(t, (l) => l.startsWith('-A') && l.includes('FLANNEL-FWD')).replace(/^(\*filter\n(?::.*\n)*?:FORWARD )ACCEPT/m, '$1DROP'), code: 'K8N6005', severity: 'warning', at: /^:FORWARD DROP/, either: true },
  'an ACCEPT in the shadow of a REJECT': { dump: 'iptables-save', change: (t) => t.replace(/^-A FORWARD .*FLANNEL-FWD$/m, '-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n$&'), code: 'K8N6004', severity: 'warning', at: /FLANNEL-FWD/, either: false },
  'an MTU above what the tunnel carries': { dump: 'ip-link', change: (t) => flannel1(t, 1500), code: 'K8N6001', severity: 'warning', at: /flannel\.1/, either: true },
  'an MTU below it': { dump: 'ip-link', change: (t) => flannel1(t, 1400), code: 'K8N6002', severity: 'information', at: /flannel\.1/, either: true },
  'forwarding that is off': { dump: 'sysctl', change: (t) => t.replace(/^net\.ipv4\.ip_forward = 1$/m, 'net.ipv4.ip_forward = 0'), code: 'K8N6001', severity: 'warning', at: /ip_forward/, either: false },
};

describe.each(Object.entries(PLANTS))('%s', (_, plant) => {
  it.each(Object.keys(HOSTS) as Host[])('of %s is told with its line, and settled by each fix', (host) => {
    const dumps = plant.dump === 'ip-link' ? ['ip-link', 'ip-addr'] : [plant.dump];
    const files = new Map(dumps.map((dump) => {
      const path = `nodes/${host}/${dump}.txt`;
      const changed = plant.change(read(path), host);
      expect(changed).not.toBe(read(path));
      return [path, changed] as const;
    }));
    const found = driftIn(files);
    expect(found.map((d) => [d.code, d.severity])).toEqual([[plant.code, plant.severity]]);
    const [drift] = found;
    if (drift === undefined) return;
    const [, file = '', line = '0'] = /^(\S+?):(\d+): /.exec(drift.message) ?? [];
    expect([...files.keys()]).toContain(file);
    if (plant.at === null) expect(drift.message).toMatch(/ lacks? .*`[^`]+`/);
    else expect(files.get(file)?.split('\n')[Number(line) - 1]).toMatch(plant.at);
    const [first, ...others] = drift.fixes.map((fix) => applied(files, fix));
    expect(first === undefined ? ['no fix'] : driftIn(first).map((d) => d.message)).toEqual([]);
    expect(others.length > 0).toBe(plant.either);
    // The other side may differ on other nodes: what was told here is settled.
    for (const after of others) expect(driftIn(after).filter((d) => d.message.startsWith(`${file}:${line}: `) && d.code === drift.code)).toEqual([]);
    for (const after of [first, ...others]) expect(after === undefined ? [] : opened(after).diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  });
});
