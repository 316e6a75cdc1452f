/** Import of clusters whose pods another plugin connects, or whose services another program translates: told, and no drift. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFolder } from '../../../server/src/language/import/import.ts';
import type { DumpFolder } from '../../../server/src/language/import/folder.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { root } from '../language/fixtures.ts';

const RECORDED = path.join(root, 'test/fixtures/recorded');
const NAMES = readdirSync(RECORDED, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => path.relative(RECORDED, path.join(e.parentPath, e.name)));

type Files = Readonly<Record<string, string>>;

const OF_FLANNEL = /\b(cni0|flannel\.1|veth3f\w+|FLANNEL-\w+)/;

/** The lines of flannel's and the bridge's devices, and those that belong to them. */
function without(text: string, pattern: RegExp): string {
  let gone = false;
  return text.split('\n').filter((line) => {
    if (!line.startsWith(' ')) gone = pattern.test(line);
    return !gone;
  }).join('\n');
}

/** The recorded cluster as another plugin would have it: its objects without flannel's annotations, no dump of pods. */
function cluster(changed: Readonly<Record<string, (text: string) => string>>, gone: RegExp = OF_FLANNEL): Files {
  const kept = NAMES.filter((n) => /^objects\/|^nodes\/[^/]+\/(ip-addr|ip-link|ip-route-all|ip-neigh|bridge-fdb|iptables-save)\.txt$/.test(n));
  return Object.fromEntries(kept.map((name) => {
    const text = readFileSync(path.join(RECORDED, name), 'utf8');
    if (name.startsWith('objects/')) return [name, text.replaceAll(/"flannel\.alpha[^\n]*\n/g, (line) => (line.trimEnd().endsWith(',') ? '' : '"a": "b"\n'))];
    const left = without(text, gone);
    return [name, (changed[path.basename(name)] ?? ((t) => t))(left)];
  }));
}

function imported(files: Files) {
  const folder: DumpFolder = {
    listFolder(at) {
      const start = at === '' ? '' : `${at}/`;
      const inside = Object.keys(files).filter((f) => f.startsWith(start)).map((f) => f.slice(start.length));
      return [...new Set(inside.map((f) => f.split('/')[0] ?? ''))].map((name) => ({ name, kind: inside.includes(name) ? 'file' : 'folder' }));
    },
    readFile: (p) => ({ text: files[p] ?? '' }),
  };
  const { text, notes } = importFolder(folder, '');
  const snapshot = createSnapshot({ file: 'cluster.k8snet', text: text ?? '', listFolder: folder.listFolder, readFile: (p) => files[p] });
  return { text: text ?? '', notes, codes: [...new Set(snapshot.diagnostics.map((d) => d.code))].sort() };
}

const device = (name: string) => (text: string): string => `${text}40: ${name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default \n    link/ether ee:ee:ee:ee:ee:ee brd ff:ff:ff:ff:ff:ff\n`;

const chain = (name: string) => (text: string): string => text.replace('*nat\n', `*nat\n:${name} - [0:0]\n-A POSTROUTING -j ${name}\n`);

describe.each([
  ['calico', { 'ip-addr.txt': device('cali0a1b2c3d4e5@if3') }, 'as the device cali0a1b2c3d4e5 of host1 shows'],
  ['cilium', { 'ip-addr.txt': device('cilium_host@cilium_net') }, 'as the device cilium_host of host1 shows'],
  ['kindnet', { 'iptables-save.txt': chain('KIND-MASQ-AGENT') }, 'as the chain KIND-MASQ-AGENT of host1 shows'],
  ['weave', { 'ip-addr.txt': device('weave') }, 'as the device weave of host1 shows'],
  ['aws-vpc-cni', { 'ip-addr.txt': device('eni0a1b2c3d4e5@if3') }, 'as the device eni0a1b2c3d4e5 of host1 shows'],
  ['other', {}, 'as host1 has pods, and neither cni0 nor a device of flannel'],
] as const)('pods connected by %s', (name, changed, because) => {
  const result = imported(cluster(changed));

  it('are said to be, with the sign of it, and warned of once', () => {
    expect(result.text).toMatch(new RegExp(`network-plugin ${name} +# ${because}\n`));
    expect(result.notes.filter((n) => n.message.includes(`How ${name} connects pods is not simulated`))).toHaveLength(1);
  });

  it('leave nothing of flannel to be missed', () => {
    expect(result.codes).toEqual(['K8N4008']);
  });
});

describe('services that are not iptables rules', () => {
  const KUBE_PROXY = /KUBE-(SVC|SVL|SEP|SERVICES|EXT|FW|NODEPORTS|MARK|PROXY|FORWARD|POSTROUTING|EXTERNAL)/;

  it('are IPVS where its device shows it', () => {
    const { text, codes } = imported(cluster({ 'ip-addr.txt': device('kube-ipvs0') }, KUBE_PROXY));
    expect(text).toMatch(/kube-proxy ipvs +# as the device kube-ipvs0 of host1 shows\n/);
    expect(codes).toContain('K8N4005');
    expect(codes.filter((c) => /^K8N6/.test(c) && c !== 'K8N6002')).toEqual([]);
  });

  it('are another program’s where no node has the chain that they begin in', () => {
    const { text, codes } = imported(cluster({}, KUBE_PROXY));
    expect(text).toMatch(/kube-proxy other +# as no node has the chain KUBE-SERVICES/);
    expect(codes.filter((c) => /^K8N6/.test(c) && c !== 'K8N6002')).toEqual([]);
  });

  it('are kube-proxy’s rules where a node has them, and its ConfigMap counts more than a guess', () => {
    expect(imported(cluster({}, /^$/)).text).not.toMatch(/network-plugin|kube-proxy/);
    const said = { ...cluster({}, KUBE_PROXY), 'objects/kube-proxy.json': JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'kube-proxy', namespace: 'kube-system' }, data: { 'config.conf': 'mode: nftables\n' } }) };
    expect(imported(said).text).not.toMatch(/kube-proxy (ipvs|other)/);
  });
});

it('chains of a network policy controller beside kube-proxy’s are not taken for kube-proxy’s', () => {
  const router = (text: string): string => text.replace('*filter\n', '*filter\n:KUBE-ROUTER-FORWARD - [0:0]\n').replace('-A FORWARD', '-A FORWARD -j KUBE-ROUTER-FORWARD\n-A KUBE-ROUTER-FORWARD -m mark --mark 0x20000/0x20000 -j ACCEPT\n-A FORWARD');
  expect(imported(cluster({ 'iptables-save.txt': router }, /^$/)).codes).toEqual([]);
});
