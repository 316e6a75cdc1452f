/** Folders of dumps, real and hostile, to a file that names them. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import type { DumpFolder } from '../../../server/src/language/import/folder.ts';
import type { Imported } from '../../../server/src/language/import/import.ts';
import { importFolder } from '../../../server/src/language/import/import.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import type { Observed } from '../control-plane/observed-words.ts';
import { wordsOf } from '../control-plane/observed-words.ts';
import { root } from '../language/fixtures.ts';

const RECORDED = path.join(root, 'test/fixtures/recorded');

const onDisk = (folder: string): DumpFolder => ({
  listFolder: (p) => readdirSync(path.join(folder, p), { withFileTypes: true }).map((e) => ({ name: e.name, kind: e.isDirectory() ? 'folder' : 'file' })),
  readFile: (p) => ({ text: readFileSync(path.join(folder, p), 'utf8') }),
});

/** A folder of these files, by their paths. */
function folderOf(files: Readonly<Record<string, string>>): DumpFolder {
  return {
    listFolder(folder) {
      const start = folder === '' ? '' : `${folder}/`;
      const inside = Object.keys(files).filter((f) => f.startsWith(start)).map((f) => f.slice(start.length));
      const names = [...new Set(inside.map((f) => f.split('/')[0] ?? ''))];
      return names.map((name) => ({ name, kind: inside.includes(name) ? 'file' : 'folder' }));
    },
    readFile: (p) => ({ text: files[p] ?? '' }),
  };
}

/** The imported file, opened where it would lie. */
function opened(imported: Imported, folder: DumpFolder, change: (text: string) => string = (t) => t): Snapshot {
  return createSnapshot({
    file: 'cluster.k8snet', text: change(imported.text ?? ''), listFolder: folder.listFolder,
    readFile: (p) => {
      const reading = folder.readFile(p);
      return 'text' in reading ? reading.text : undefined;
    },
  });
}

const notes = (imported: Imported, least: 'warning' | 'information' = 'warning'): string[] =>
  imported.notes.filter((n) => least === 'information' || n.severity !== 'information').map((n) => `${n.severity} ${n.file}${n.line === null ? '' : `:${n.line}`}: ${n.message}`);

describe('the recorded cluster', () => {
  const folder = onDisk(RECORDED);
  const imported = importFolder(folder, '');

  it('is imported without an error, and the file is clean', () => {
    expect(notes(imported)).toEqual([
      expect.stringMatching(/^warning observed-from-pod1\.jsonl: not used/),
      expect.stringMatching(/^warning observed-from-pod2\.jsonl: not used/),
    ]);
    expect(opened(imported, folder).diagnostics.map((d) => d.message)).toEqual([]);
  });

  it('uses every file, or says why not', () => {
    const all = readdirSync(RECORDED, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => path.relative(RECORDED, path.join(e.parentPath, e.name)));
    const named = (file: string): boolean => (imported.text ?? '').includes(`"${file}"`) || file.startsWith('objects/');
    expect(all.filter((f) => !named(f) && !imported.notes.some((n) => n.file === f))).toEqual([]);
    expect(imported.text).toContain('objects from "objects/*.json"');
  });

  it('has the nodes’ own devices, network and gateway, and the ranges that its rules and services show', () => {
    expect(imported.text).toMatch(/network lan 192\.168\.93\.0\/24 \{\n {2}gateway 192\.168\.93\.254\n\}/);
    expect(imported.text).toMatch(/interface eno16777984 192\.168\.93\.212\/24 on lan/);
    expect(imported.text).toMatch(/pod-cidr 10\.0\.0\.0\/16 +# as FLANNEL-FWD/);
    expect(imported.text).toMatch(/service-cidr 10\.16\.0\.0\/16 +# assumed/);
  });

  it('is formatted already, whatever stands before the files’ names', () => {
    expect(importFolder(folder, 'dump/').text).toContain('iptables from "dump/nodes/host1/iptables-save.txt"');
  });

  // No dump tells of the router: the recording says that it owned the internet's address, and where it sent the balancers'.
  const ROUTER = '  gateway 192.168.93.254, 203.0.113.7\n  routes {\n    198.51.100.0/24 via 192.168.93.212 dev eth0\n  }\n';
  const snapshot = opened(imported, folder, (text) => text.replace('  gateway 192.168.93.254\n', ROUTER));

  it.each(Object.entries({ pod1: '10.0.14.15', pod2: '10.0.5.150' }))('does from %s what the real kernel did', (from, client) => {
    const observed = readFileSync(path.join(RECORDED, `observed-from-${from}.jsonl`), 'utf8').trim().split('\n').map((l) => JSON.parse(l) as Observed);
    expect(observed).toHaveLength(38);
    const wrong = observed.flatMap((o) => {
      const to = `${o.dst}${o.port === 0 ? '' : `:${o.port}`}/${o.proto}`;
      const resolved = resolveQuestion(snapshot.topology(), { from, to });
      const predicted = 'error' in resolved ? [resolved.error] : runTrace(snapshot.compiled(), resolved.flow).branches.map((b) => wordsOf(b, client));
      return o.seen.every((s) => predicted.includes(s)) ? [] : [{ to, seen: o.seen, predicted }];
    });
    expect(wrong).toEqual([]);
  });
});

const NODE = 'apiVersion: v1\nkind: Node\nmetadata: { name: host1 }\nspec: { podCIDR: 10.244.1.0/24 }\nstatus: { addresses: [{ type: InternalIP, address: 192.168.0.11 }] }\n';
const OTHER = NODE.replaceAll('host1', 'host2').replaceAll('.1.0/24', '.2.0/24').replaceAll('.0.11', '.1.12');
const ADDR = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    inet 127.0.0.1/8 scope host lo
2: ens3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9000 qdisc mq state UP group default qlen 1000
    link/ether 52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.11/23 brd 192.168.1.255 scope global ens3
    inet6 fd10::11/64 scope global
3: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 8950 qdisc noqueue state UP group default qlen 1000
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
`;

describe('a bare folder of objects', () => {
  it('has a network that holds every node, marked as assumed', () => {
    const folder = folderOf({ 'nodes.yaml': `${NODE}---\n${OTHER}` });
    const imported = importFolder(folder, '');
    expect(notes(imported)).toEqual([]);
    expect(imported.text).toMatch(/assumed, from the addresses of the Node objects.*\nnetwork lan 192\.168\.0\.0\/23 \{\n {2}gateway 192\.168\.0\.1\n\}/);
    const snapshot = opened(imported, folder);
    expect(snapshot.diagnostics).toEqual([]);
    expect(snapshot.spec().nodes.map((n) => n.interfaces.map((i) => i.network))).toEqual([['lan'], ['lan']]);
  });
});

describe('nodes’ dumps without objects', () => {
  it('give the nodes, their leases and their network of both families', () => {
    const folder = folderOf({ 'nodes/host1/ip-addr.txt': ADDR, 'nodes/host1/ip-route.txt': 'default via 192.168.0.1 dev ens3\n10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1\n' });
    const imported = importFolder(folder, '');
    expect(notes(imported)).toEqual([]);
    expect(imported.text).toMatch(/network lan 192\.168\.0\.0\/23, fd10::\/64 \{\n {2}gateway 192\.168\.0\.1\n {2}mtu 9000\n\}/);
    expect(imported.text).toMatch(/interface ens3 192\.168\.0\.11\/23, fd10::11\/64 on lan\n {2}pod-cidr 10\.244\.1\.0\/24/);
    expect(opened(imported, folder).diagnostics.map((d) => d.message)).toEqual([]);
  });
});

describe('a dump whose folder is not called as the Node is', () => {
  it('is of the Node that has its address', () => {
    const folder = folderOf({ 'nodes.yaml': NODE.replace('name: host1', 'name: host1.example.com'), 'nodes/host1/ip-addr.txt': ADDR });
    const imported = importFolder(folder, '');
    expect(notes(imported, 'information')).toEqual(['information nodes/host1: it is node host1.example.com, which has its address']);
    expect(imported.text).toMatch(/node host1\.example\.com \{\n {2}interface ens3 192\.168\.0\.11\/23, fd10::11\/64 on lan\n/);
    expect(opened(imported, folder).spec().nodes.map((n) => n.name)).toEqual(['host1.example.com']);
  });

  it('is a node of its own where none has', () => {
    const folder = folderOf({ 'nodes.yaml': OTHER, 'nodes/host1/ip-addr.txt': ADDR });
    expect(notes(importFolder(folder, ''))).toEqual(['warning nodes/host1: no Node among the objects has this name or its addresses: it is a node of its own']);
  });
});

describe('a dump of a pod', () => {
  const POD = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: default }\nspec: { nodeName: host1, containers: [] }\nstatus: { podIP: 10.244.1.5, podIPs: [{ ip: 10.244.1.5 }] }\n';
  const PRINTED = '2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default\n    link/ether 0a:58:0a:f4:01:05 brd ff:ff:ff:ff:ff:ff link-netnsid 0\n    inet 10.244.1.5/24 brd 10.244.1.255 scope global eth0\n';
  const FLOW = 'tcp      6 100 ESTABLISHED src=10.244.1.5 dst=10.96.0.1 sport=4000 dport=443 src=192.168.0.11 dst=10.244.1.5 sport=6443 dport=4000 [ASSURED] mark=0 use=1';
  const from = (text: string): Snapshot => {
    const folder = folderOf({ 'all.yaml': `${NODE}---\n${POD}`, 'nodes/host1/ip-addr.txt': ADDR, 'pods/web.txt': text });
    const imported = importFolder(folder, '');
    expect(notes(imported)).toEqual([]);
    return opened(imported, folder);
  };
  const captured = (snapshot: Snapshot) => snapshot.spec().pods.find((p) => p.name === 'web')?.captured;

  it('is read for every kind of dump that it has a heading of, and for no other', () => {
    const state = captured(from(`# ip addr\n${PRINTED}# ip route\ndefault via 10.244.1.1 dev eth0\n# cat /etc/resolv.conf\n# by hand\nnameserver 10.96.0.10\nsearch team.example\noptions ndots:2\n# conntrack -L\n${FLOW}\n`));
    expect(state?.resolver).toMatchObject({ search: ['team.example'], ndots: 2 });
    expect(state?.conntrack?.map((c) => c.text)).toEqual([FLOW]);
    expect(state?.routes).toHaveLength(1);
    expect(state?.rules).toBeUndefined();
  });

  it('is what ip addr printed, where nothing heads it', () => {
    const state = captured(from(PRINTED));
    expect(state?.interfaces).toHaveLength(1);
    expect(state?.routes).toBeUndefined();
  });
});

describe('a pod’s dump whose address two pods had', () => {
  const pod = (name: string): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { nodeName: host1, containers: [{ name: c }] }\nstatus: { phase: Running, podIP: 10.244.1.9 }\n`;
  const dump = '# ip addr\n1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default\n    inet 127.0.0.1/8 scope host lo\n2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default\n    inet 10.244.1.9/24 scope global eth0\n';
  const objects = { 'nodes.yaml': NODE, 'pods.yaml': `${pod('a')}---\n${pod('b')}` };

  it('is of the one that the file is called for', () => {
    expect(importFolder(folderOf({ ...objects, 'pods/default_b.txt': dump }), '').text).toContain('pod b on host1 {\n  addresses from "pods/default_b.txt"');
  });

  it('is left out where its name tells nothing', () => {
    expect(notes(importFolder(folderOf({ ...objects, 'pods/x.txt': dump }), ''))).toContain('warning pods/x.txt: left out: several pods among the objects could be its');
  });
});

it('the service network is no wider than the cluster IPs where pods live in the default one', () => {
  const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { clusterIP: 10.96.3.1, ports: [{ port: 80 }] }\n';
  const inside = (cidr: string): string => importFolder(folderOf({ 'nodes.yaml': NODE.replace(/10\.244\.1\.0\/24/g, cidr), 'service.yaml': service }), '').text ?? '';
  expect(inside('10.100.1.0/24')).toMatch(/service-cidr 10\.96\.0\.0\/16 +# assumed/);
  expect(inside('10.244.1.0/24')).not.toContain('service-cidr');
});

describe('what is not understood', () => {
  it('is named with file and line', () => {
    const imported = importFolder(folderOf({ 'nodes.yaml': NODE, 'nodes/host1/ip-route.txt': 'default via 192.168.0.1 dev ens3\nnonsense here\n', 'nodes/host1/lsmod.txt': 'x', 'notes.odt': 'x', 'pods/lost.txt': '# ip addr\n' }), '');
    expect(notes(imported)).toEqual(expect.arrayContaining([
      expect.stringMatching(/^error nodes\/host1\/ip-route\.txt:2: /),
      expect.stringMatching(/^warning nodes\/host1\/lsmod\.txt: not used/),
      expect.stringMatching(/^warning notes\.odt: not used/),
      expect.stringMatching(/^warning pods\/lost\.txt: left out: no pod among the objects/),
    ]));
  });

  it('is not the other of two rulesets: both are read, and stay apart', () => {
    const files = {
      'nodes.yaml': NODE,
      'nodes/host1/iptables-save.txt': '# Generated by iptables-save v1.8.9 (nf_tables) on Sun Nov 22 18:30:30 2026\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.1/32 -j DROP\nCOMMIT\n',
      'nodes/host1/iptables-legacy-save.txt': '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.2/32 -j DROP\nCOMMIT\n',
    };
    const imported = importFolder(folderOf(files), '');
    expect(notes(imported)).toEqual([]);
    expect(imported.text).toContain('iptables from "nodes/host1/iptables-save.txt"');
    expect(imported.text).toContain('iptables from "nodes/host1/iptables-legacy-save.txt"');
    const tables = createSnapshot({ file: 'x.k8snet', text: imported.text ?? '', readFile: (path) => files[path as keyof typeof files] }).topology().hosts.find((h) => h.name === 'host1')?.namespaces[0]?.tables ?? [];
    expect(tables.filter((t) => t.name === 'filter' && t.family === 4).map((t) => `${t.ruleset ?? ''} ${t.chains.find((c) => c.name === 'INPUT')?.rules[0]?.text ?? ''}`).sort()).toEqual(['legacy -A INPUT -s 192.0.2.2/32 -j DROP', 'nft -A INPUT -s 192.0.2.1/32 -j DROP']);
  });

  it.each([
    ['a JSON web token', 'args: --token=eyJhbGciOiJSUzI1NiIsImtpZCI6.eyJpc3MiOiJrdWJlcm5ldGVz.c2lnbmF0dXJlLW9mLWl0\n'],
    ['a private key', 'x: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIE\n'],
    ['a certificate', 'ca.crt: |\n  -----BEGIN CERTIFICATE-----\n'],
    ['a key or certificate in base64', 'client-key: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=\n'],
    ['a credential', 'users:\n- user:\n    token: c3VwZXJzZWNyZXR0b2tlbg\n'],
    ['a credential', 'users:\n- name: x\n  user:\n    client-key-data: MIIEpAIBAAKCAQEAxyzxyz\n'],
    ['a credential', 'x: kubeadm join 192.0.2.1:6443 --token abcdef.0123456789abcdef\n'],
    ['a credential', 'metadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {"data":"{\\"password\\":\\"correct-horse-battery\\"}"}\n'],
    ['a credential', 'Environment:\n  DB_PASSWORD:  correct-horse-battery\n'],
    ['a credential', 'env: ["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"]\n'],
    ['a credential', '{"data":{".dockerconfigjson":"eyJhdXRocyI6eyJyZWdpc3RyeSI6e319fQ=="}}\n'],
    ['a credential', 'headers: ["Authorization: Basic dXNlcjpwYXNzd29yZA=="]\n'],
    ['a key of AWS', 'env: ["KEY=AKIAIOSFODNN7EXAMPLE"]\n'],
    ['a token of GitHub', 'repo: ghp_0123456789abcdefghijklmnopqrstuvwxyz\n'],
    ['a password in a URL', 'DATABASE: "postgres://app:hunter2@db.shop:5432/app"\n'],
    ['a bearer token', 'env: "Authorization: Bearer 0123456789abcdef0123"\n'],
    ['a Secret', 'apiVersion: v1\nkind: Secret\nmetadata: { name: x }\n'],
  ])('%s is refused, and the file is not named', (what, text) => {
    const imported = importFolder(folderOf({ 'nodes.yaml': NODE, 'stray.yaml': `# first\n${text}` }), '');
    expect(notes(imported)).toEqual([expect.stringMatching(new RegExp(`^error stray\\.yaml:\\d+: refused: this line holds ${what};`))]);
    expect(imported.text).not.toContain('stray');
    expect(imported.text).not.toContain('*.yaml');
  });

  it('is not what only looks like a credential', () => {
    const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: kube-proxy }\ndata:\n  kubeconfig.conf: |\n    users:\n    - name: default\n      user:\n        tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token\n    # token: /var/run/secrets/kubernetes.io/serviceaccount/token\n    # automountServiceAccountToken: false, tokenExpirationSeconds: 3607, --token-ttl=24h0m0s --token-auth-file=/etc/kubernetes/tokens.csv\n    # imageID: docker-pullable://nginx:1.25@sha256:0123456789abcdef https://192.0.2.1:6443/api PASSWORD_FILE=/run/secrets/the-password\n    # password authentication-is-configured-elsewhere\n';
    expect(notes(importFolder(folderOf({ 'nodes.yaml': NODE, 'kube-proxy.yaml': config }), ''))).toEqual([]);
  });

  it.each([
    ['an empty folder', {}],
    ['one with nothing of a cluster in it', { 'a.txt': 'hello', 'b/c.bin': '\0\0' }],
  ])('%s gives no file', (_, files) => {
    expect(importFolder(folderOf(files), '').text).toBeNull();
  });

  it('takes binary files, hostile names and blanks in them without harm', () => {
    const folder = folderOf({ 'all nodes.yaml': NODE, 'x"; rm -rf.yaml': NODE, 'binary.json': '{\0}', 'nodes/host1; reboot/ip-addr.txt': ADDR, 'nodes/host1/ip-addr.txt': ADDR });
    const imported = importFolder(folder, '');
    expect(imported.text).toContain('objects from "all nodes.yaml"');
    expect(imported.text).not.toContain('rm -rf');
    expect(imported.text).not.toContain('reboot');
    expect(notes(imported)).toEqual([
      'error binary.json: left out: it is no text',
      expect.stringMatching(/^warning nodes\/host1; reboot: left out: 'host1; reboot' is no name/),
      expect.stringMatching(/^error x"; rm -rf\.yaml: left out: its name has a character/),
    ]);
    expect(opened(imported, folder).diagnostics.filter((d) => d.severity === 'error').map((d) => d.message)).toEqual([]);
  });
});
