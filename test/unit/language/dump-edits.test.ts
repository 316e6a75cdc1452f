/** Repairs of dumps that stand in files of their own: the edits are of those files. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fix } from '../../../server/src/language/diagnostics/define.ts';
import { importFolder } from '../../../server/src/language/import/import.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import { applyFix, root } from './fixtures.ts';

type Texts = Readonly<Record<string, string>>;

/** The texts of the dumps after the fix, which edits no other file. */
function applied(texts: Texts, fix: Fix): Texts {
  const after = { ...texts };
  for (const file of new Set(fix.edits.map((e) => e.file))) {
    if (file === undefined) throw new Error('an edit of the file itself');
    after[file] = applyFix(texts[file] ?? '', { title: '', edits: fix.edits.filter((e) => e.file === file) });
  }
  return after;
}

const CLUSTER = (dumps: string): string => `cluster { pod-cidr 10.244.0.0/16; service-cidr 10.96.0.0/12 }
network lan 192.168.93.0/24
node host1 {
  address 192.168.93.212/24 on lan
  pod-cidr 10.244.1.0/24
${dumps}
}
node host2 { address 192.168.93.213/24 on lan; pod-cidr 10.244.2.0/24; vtep-mac 3e:11:d2:88:40:6b }
`;

const open = (dumps: string, texts: Texts): Snapshot => createSnapshot({ file: 'x.k8snet', text: CLUSTER(dumps), readFile: (p) => texts[p] });

const fixesOf = (snapshot: Snapshot): readonly Fix[] => snapshot.driftDiagnostics().flatMap((d) => d.fixes);

describe('what differs in a dump of another file', () => {
  const FDB = '3e:11:d2:88:40:6b dev flannel.1 dst 192.168.93.213 self permanent';

  it('can be settled either way: in that file, or in the declaration', () => {
    const texts = { 'fdb.txt': `01:00:5e:00:00:01 dev eth0 self permanent\n${FDB.replace('6b', '99')}\n` };
    const [programs, node] = fixesOf(open('  fdb from "fdb.txt"', texts));
    expect(applied(texts, programs ?? { title: '', edits: [] })).toEqual({ 'fdb.txt': `01:00:5e:00:00:01 dev eth0 self permanent\n${FDB}\n` });
    expect(node?.edits.map((e) => [e.file, e.text])).toEqual([[undefined, 'vtep-mac 3e:11:d2:88:40:99']]);
  });

  it('is added where nothing stands yet', () => {
    const [fix] = fixesOf(open('  fdb from "fdb.txt"', { 'fdb.txt': '' }));
    expect(applied({ 'fdb.txt': '' }, fix ?? { title: '', edits: [] })).toEqual({ 'fdb.txt': `${FDB}\n` });
  });

  it('is added to its own part of a file of several dumps', () => {
    const texts = { 'host1.txt': '# bridge fdb\n01:00:5e:00:00:01 dev eth0 self permanent\n\n# sysctl -a\nnet.ipv4.ip_forward = 1\n' };
    const [fix] = fixesOf(open('  fdb from "host1.txt"', texts));
    expect(applied(texts, fix ?? { title: '', edits: [] })['host1.txt']).toBe(`# bridge fdb\n01:00:5e:00:00:01 dev eth0 self permanent\n${FDB}\n\n# sysctl -a\nnet.ipv4.ip_forward = 1\n`);
  });

  it('is told, and has no fix, where the file is what a program printed as JSON', () => {
    const snapshot = open('  fdb from "fdb.json"', { 'fdb.json': `[{"mac":"3e:11:d2:88:40:99","ifname":"flannel.1","dst":"192.168.93.213","flags":["self"],"state":"permanent"}]` });
    const [found] = snapshot.driftDiagnostics();
    expect(found?.message).toContain('3e:11:d2:88:40:99');
    expect(found?.fixes.filter((f) => f.edits.some((e) => e.file !== undefined))).toEqual([]);
  });
});

describe('the recorded cluster, imported, after a line of a dump was lost', () => {
  const RECORDED = path.join(root, 'test/fixtures/recorded');
  const read = (p: string): string => readFileSync(path.join(RECORDED, p), 'utf8');
  const listFolder = (p: string) => readdirSync(path.join(RECORDED, p), { withFileTypes: true }).map((e) => ({ name: e.name, kind: e.isDirectory() ? 'folder' as const : 'file' as const }));
  const { text } = importFolder({ listFolder, readFile: (p) => ({ text: read(p) }) }, '');
  const opened = (texts: Texts): Snapshot => createSnapshot({ file: 'cluster.k8snet', text: text ?? '', listFolder, readFile: (p) => texts[p] ?? read(p) });

  it.each([
    ['nodes/host1/iptables-save.txt', /^-A FLANNEL-POSTRTG -s 10\.0\.0\.0\/16 ! -d .*\n/m],
    ['nodes/host2/iptables-save.txt', /^-A KUBE-SEP-\S+ .*--to-destination .*\n/m],
    ['nodes/host3/iptables-save.txt', /^-A KUBE-MARK-MASQ .*\n/m],
    ['nodes/host1/ip-route-all.txt', /^10\.0\.5\.0\/24 via .*\n/m],
    ['nodes/host2/ip-neigh.txt', /^10\.0\.\d+\.0 dev flannel\.1 .*\n/m],
    ['nodes/host3/bridge-fdb.txt', /^\S+ dev flannel\.1 dst .*\n/m],
  ])('%s is whole again by the quick fix', (file, line) => {
    const whole = read(file);
    const lost = whole.replace(line, '');
    expect(lost).not.toBe(whole);
    const broken = opened({ [file]: lost });
    const [fix] = fixesOf(broken);
    expect(fix).toBeDefined();
    const mended = applied({ [file]: lost }, fix ?? { title: '', edits: [] });
    expect(Object.keys(mended)).toEqual([file]);
    expect(opened(mended).driftDiagnostics()).toEqual([]);
  });
});
