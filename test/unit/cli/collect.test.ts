/** The script of `k8snet collect`, run by the real kubectl against a stand-in of an API server, and what import makes of it. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COLLECT_SCRIPT } from '../../../cli/src/collect-script.ts';
import { nodeIo } from '../../../cli/src/node-io.ts';
import { CREDENTIALS, strayCredential } from '../../../server/src/language/import/credentials.ts';
import { importFolder } from '../../../server/src/language/import/import.ts';
import { root } from '../language/fixtures.ts';
import type { StandIn, StandInContent } from './api-stand-in.ts';
import { startStandIn } from './api-stand-in.ts';

const RECORDED = path.join(root, 'test/fixtures/recorded');
const home = mkdtempSync(path.join(tmpdir(), 'k8snet-collect-'));
const script = path.join(home, 'collect.sh');

beforeAll(() => { writeFileSync(script, COLLECT_SCRIPT); });
afterAll(() => { rmSync(home, { recursive: true }); });

interface ObjectRecord {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
}

const itemsOf = (kind: string): readonly ObjectRecord[] => (JSON.parse(readFileSync(path.join(RECORDED, `objects/${kind}.json`), 'utf8')) as { readonly items: readonly ObjectRecord[] }).items;

/** A pod as people have them: its environment and arguments are nobody's business. */
const withPrivateParts = (pod: ObjectRecord): ObjectRecord => ({
  ...pod,
  metadata: { ...pod.metadata, ...{ labels: { env: 'prod' }, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"password":"hunter2hunter2hunter2"}' } } },
  spec: { ...pod.spec, containers: [{ name: 'c', image: 'app:1', args: ['--password=hunter2'], env: [{ name: 'A', value: 'hunter2' }], ports: [{ containerPort: 8080 }] }], volumes: [{ name: 'hunter2', secret: {} }] },
});

const KUBE_PROXY = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'kube-proxy', namespace: 'kube-system' }, data: { 'config.conf': 'kind: KubeProxyConfiguration\nclusterCIDR: 10.0.0.0/16\n' } };

const OBJECTS = {
  nodes: itemsOf('nodes'), pods: itemsOf('pods').map(withPrivateParts), services: itemsOf('services'), endpointslices: itemsOf('endpointslices'),
  configmaps: [KUBE_PROXY], secrets: [{ kind: 'Secret', apiVersion: 'v1', metadata: { name: 'x', namespace: 'default' } }],
};

/** Programs that print what the recorded node's own printed. */
function toolsOf(node: string): string {
  const tools = path.join(home, 'tools', node);
  if (existsSync(tools)) return tools;
  mkdirSync(tools, { recursive: true });
  const dump = (name: string): string => path.join(RECORDED, 'nodes', node, `${name}.txt`);
  const program = (name: string, text: string): void => {
    writeFileSync(path.join(tools, name), `#!/bin/sh\n${text}\n`);
    chmodSync(path.join(tools, name), 0o755);
  };
  program('ip', `case "$*" in addr) cat ${dump('ip-addr')} ;; "-d link") cat ${dump('ip-link')} ;; "route show table all") cat ${dump('ip-route-all')} ;; rule) cat ${dump('ip-rule')} ;; neigh) cat ${dump('ip-neigh')} ;; esac`);
  program('bridge', `[ "$*" = "fdb show" ] && cat ${dump('bridge-fdb')}`);
  program('iptables-legacy-save', `cat ${dump('iptables-save')}`);
  for (const name of ['iptables-nft-save', 'iptables-save', 'ip6tables-save', 'ip6tables-legacy-save', 'ip6tables-nft-save', 'ipset']) program(name, 'true');
  program('sysctl', `cat ${dump('sysctl')}; echo kernel.hostname = x`);
  const pods = OBJECTS.pods.filter((p) => p.spec?.['nodeName'] === node).map((p) => p.metadata.name);
  program('ls', ['/proc/self/ns/net', ...pods.map((p) => `/run/netns/${p}`), '/run/netns/of-no-pod'].map((space, i) => `echo '${i} ${space}'`).join('\n'));
  program('nsenter', `space=\${1##*/}; shift; [ $space = of-no-pod ] || awk -v head="# $*" '/^# / { on = $0 == head; next } on' ${RECORDED}/pods/$space.txt`);
  return tools;
}

interface Run {
  readonly folder: string;
  readonly status: number;
  readonly said: string;
  readonly server: StandIn;
}

let runs = 0;

async function collected(content: Partial<StandInContent>, environment: Readonly<Record<string, string>> = {}): Promise<Run> {
  const server = await startStandIn({ objects: OBJECTS, toolsOf, ...content });
  const folder = path.join(home, `dump ${runs++}`);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECTL: `kubectl --server=${server.url} --kubeconfig=/dev/null`, ...environment };
  const { status, said } = await new Promise<{ status: number; said: string }>((resolve) => {
    execFile('/bin/sh', [script, folder], { env }, (error, stdout, stderr) => resolve({ status: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr }));
  });
  server.close();
  return { folder, status, said, server };
}

const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => path.relative(folder, path.join(e.parentPath, e.name))).sort();

function imported(folder: string) {
  const opened = nodeIo().openFolder(folder);
  if ('problem' in opened) throw new Error(opened.problem);
  return importFolder(opened, '');
}

it('the script is clean by shellcheck and parses in a POSIX shell', () => {
  expect(execFileSync('shellcheck', [script], { encoding: 'utf8' })).toBe('');
  execFileSync('dash', ['-n', script]);
});

it('grep finds the credentials that import refuses, in the same lines', () => {
  const lines = [
    'token: c3VwZXJzZWNyZXR0b2tlbg', '"password" : "correct-horse-battery"', '\\"token\\":\\"abcdef0123456789\\"', 'DB_PASSWORD=correct-horse-battery', '  kind: Secret', '"kind": "Secret",', 'kind: SecretStore',
    'tokenFile: /var/run/secrets/x/y/token', 'token: /var/run/secrets/x/y/token', '--token abcdef.0123456789abcdef', '--token-ttl 0123456789abcdef', 'AKIAIOSFODNN7EXAMPLE', 'xAKIAIOSFODNN7EXAMPLE', 'AAKIAIOSFODNN7EXAMPLE',
    'postgres://app:hunter2@db:5432', 'https://192.0.2.1:6443/x', 'docker-pullable://nginx:1@sha256:0', 'Basic dXNlcjpwYXNzd29yZA==', '-----BEGIN CERTIFICATE-----', 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl', '".dockerconfigjson":"eyJhdXRocyI6e319fQ=="',
  ];
  const file = path.join(home, 'lines');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const byGrep = new Set(CREDENTIALS.flatMap(({ pattern }) => spawnSync('grep', ['-nE', '-e', pattern, file], { encoding: 'utf8' }).stdout.split('\n').filter((l) => l !== '').map((l) => Number(l.split(':')[0]))));
  expect([...byGrep].sort((a, b) => a - b)).toEqual(lines.flatMap((line, i) => (strayCredential(line) === null ? [] : [i + 1])));
  expect(byGrep.size).toBe(14);
});

describe('a cluster that answers', { timeout: 120_000 }, () => {
  let run: Run;
  beforeAll(async () => {
    run = await collected({});
  }, 120_000);

  it('is gathered without a warning', () => {
    expect([run.status, run.said]).toEqual([0, `Gathered into ${run.folder}.\n`]);
  });

  it('gives the layout that import reads: the nodes’ dumps as they were printed', () => {
    const files = filesIn(run.folder);
    for (const host of ['host1', 'host2', 'host3']) {
      for (const name of ['bridge-fdb', 'ip-addr', 'ip-link', 'ip-neigh', 'ip-route-all', 'ip-rule', 'iptables-save', 'sysctl']) {
        expect(files).toContain(`nodes/${host}/${name}.txt`);
        expect(readFileSync(path.join(run.folder, `nodes/${host}/${name}.txt`), 'utf8')).toBe(readFileSync(path.join(RECORDED, `nodes/${host}/${name}.txt`), 'utf8'));
      }
    }
    expect(files.filter((f) => f.startsWith('pods/'))).toEqual(readdirSync(path.join(RECORDED, 'pods')).map((f) => `pods/${f.startsWith('coredns') ? 'kube-system' : 'default'}_${f}`).sort());
    const recordedPod = readFileSync(path.join(RECORDED, 'pods/pod1.txt'), 'utf8');
    expect(readFileSync(path.join(run.folder, 'pods/default_pod1.txt'), 'utf8')).toBe(`${recordedPod}# ip -6 route\n`);
    expect(files.filter((f) => f.startsWith('objects/'))).toEqual([
      'objects/configmap-kube-system-kube-proxy.json', 'objects/endpointslices.json', 'objects/namespaces.json', 'objects/networkpolicies.json', 'objects/nodes.json', 'objects/pods.json', 'objects/services.json',
    ]);
  });

  it('keeps what a packet meets of the objects, and nothing else of the pods', () => {
    const text = readFileSync(path.join(run.folder, 'objects/pods.json'), 'utf8');
    expect(text).not.toContain('hunter2');
    const { items } = JSON.parse(text) as { readonly items: readonly ObjectRecord[] };
    expect(items.map((p) => p.metadata.name)).toEqual(OBJECTS.pods.map((p) => p.metadata.name));
    expect(items[0]).toMatchObject({ metadata: { labels: { env: 'prod' } }, spec: { containers: [{ ports: [{ containerPort: 8080 }] }] } });
  });

  it('imports without an error or a warning', () => {
    expect(imported(run.folder).notes.filter((n) => n.severity !== 'information')).toEqual([]);
  });

  it('was only read: what was made are pods that are gone again, with few rights', () => {
    expect(run.server.requests.filter((r) => !r.startsWith('GET ')).map((r) => r.replace(/k8snet-collect-\d+-/, ''))).toEqual([
      ...['1', '2', '3'].map(() => 'POST /api/v1/namespaces/kube-system/pods'), ...['1', '2', '3'].map((n) => `DELETE /api/v1/namespaces/kube-system/pods/${n}`),
    ]);
    expect(run.server.deleted).toEqual(run.server.created.map((p) => p.metadata.name));
    expect(run.server.requests.filter((r) => r.includes('secrets'))).toEqual([]);
    const [pod] = run.server.created;
    expect(pod?.spec).toMatchObject({ hostNetwork: true, automountServiceAccountToken: false, nodeName: 'host1' });
    expect(pod?.spec.containers[0]).toMatchObject({ command: ['chroot', '/host', 'sh', '-c'], securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } });
  });
});

describe('a cluster that does not answer well', { timeout: 120_000 }, () => {
  it('is gathered as far as it goes, and what is missing is said', async () => {
    const run = await collected({
      forbidden: ['services'], garble: (log, node) => (node === 'host2' ? `${log.slice(0, 400)}\n` : log),
      objects: { ...OBJECTS, configmaps: [{ ...KUBE_PROXY, data: { 'kubeconfig.conf': 'token: eyJhbGciOiJSUzI1NiIsImtpZCI6.eyJpc3MiOiJrdWJlcm5ldGVz.c2lnbmF0dXJlLW9mLWl0' } }] },
    });
    expect(run.status).toBe(1);
    expect(run.said).toMatch(/warning: kubectl get services --all-namespaces: .*forbidden/i);
    expect(run.said).toMatch(/warning: node host2: what it printed is cut off/);
    expect(run.said).toMatch(/warning: .*configmap-kube-system-kube-proxy\.json is deleted: its line \d+ held a JSON web token/);
    const files = filesIn(run.folder);
    expect(files).toContain('nodes/host3/ip-addr.txt');
    expect(files).toContain('warnings.txt');
    expect(files.filter((f) => f.startsWith('nodes/host2') || f.includes('kube-proxy') || f.includes('services'))).toEqual([]);
    expect(run.server.deleted).toHaveLength(3);
  });

  it('is gathered by ssh where that is wanted, without a pod', async () => {
    const ssh = path.join(home, 'ssh');
    writeFileSync(ssh, `#!/bin/sh\nnode=$1\nshift\nPATH=${home}/tools/$node:/usr/bin:/bin exec "$@"\n`);
    chmodSync(ssh, 0o755);
    for (const node of ['host1', 'host2', 'host3']) toolsOf(node);
    const run = await collected({}, { K8SNET_SSH: ssh });
    expect([run.status, run.server.created]).toEqual([0, []]);
    expect(readFileSync(path.join(run.folder, 'nodes/host2/ip-route-all.txt'), 'utf8')).toBe(readFileSync(path.join(RECORDED, 'nodes/host2/ip-route-all.txt'), 'utf8'));
  });

  it('says so where nobody answers, and leaves nothing half done', async () => {
    const run = await collected({}, { KUBECTL: 'kubectl --server=http://127.0.0.1:9 --kubeconfig=/dev/null' });
    expect(run.status).toBe(1);
    expect(run.said).toMatch(/nothing was gathered/);
  });
});
