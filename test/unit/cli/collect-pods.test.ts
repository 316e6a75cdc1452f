/** What `k8snet collect` finds in pods: a node whose pods are real network namespaces, in a user namespace of its own. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COLLECT_SCRIPT } from '../../../cli/src/collect-script.ts';
import { nodeIo } from '../../../cli/src/node-io.ts';
import { importFolder } from '../../../server/src/language/import/import.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { startStandIn } from './api-stand-in.ts';

const home = mkdtempSync(path.join(tmpdir(), 'k8snet-pods-'));
afterAll(() => { rmSync(home, { recursive: true }); });

/** containerd's files of a sandbox, as far as they tell of its resolv.conf; and what a mesh does to one pod. */
const NODE = `#!/bin/sh
exec unshare --user --map-root-user --net --mount sh -ec '
mount -t tmpfs none /run
bundle=/run/containerd/io.containerd.runtime.v2.task/k8s.io/5a
mkdir -p /run/netns /run/5a $bundle
add() {
  ip netns add $1
  # An address is tentative for a while otherwise.
  ip netns exec $1 sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
  ip link add v$1 type veth peer name eth0 netns $1
  ip -n $1 addr add $2 dev eth0
  ip -n $1 link set eth0 up
  ip link set v$1 up
  ip -n $1 route add default via 10.0.14.1
}
add cni-1 10.0.14.15/24
add cni-2 10.0.14.21/24
add cni-3 10.0.14.99/24
ip netns exec cni-2 sysctl -qw net.ipv4.conf.eth0.rp_filter=1
ip netns exec cni-2 iptables-nft -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001
: >/run/netns/left-over
echo "nameserver 10.96.0.77" >/run/5a/resolv.conf
cat >$bundle/config.json <<CONFIG
{"ociVersion":"1.1.0","process":{"env":["PASSWORD=hunter2"]},"mounts":[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/etc/resolv.conf","type":"bind","source":"/run/5a/resolv.conf","options":["rbind"]}],"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/var/run/netns/cni-1"}]}}
CONFIG
exec "$0"
' "$2"
`;

const pod = (namespace: string, name: string, ip: string, phase = 'Running') => ({
  kind: 'Pod', apiVersion: 'v1', metadata: { name, namespace }, spec: { nodeName: 'host1', containers: [{ name: 'c' }] }, status: { phase, podIP: ip, podIPs: [{ ip }] },
});
const NODES = [{ kind: 'Node', apiVersion: 'v1', metadata: { name: 'host1' }, spec: { podCIDR: '10.0.14.0/24', podCIDRs: ['10.0.14.0/24'] }, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.11' }] } }];
const PODS = [
  pod('shop', 'web-1', '10.0.14.15'), pod('test', 'web-1', '10.0.14.21'), pod('shop', 'old', '10.0.14.15', 'Succeeded'), pod('shop', 'lost', '10.0.14.77'),
];

async function collected(folder: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const server = await startStandIn({ objects: { nodes: NODES, pods: PODS }, toolsOf: () => '' });
  const [script, node] = [path.join(home, 'collect.sh'), path.join(home, 'node')];
  writeFileSync(script, COLLECT_SCRIPT);
  writeFileSync(node, NODE);
  chmodSync(node, 0o755);
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, HOME: home, KUBECTL: `kubectl --server=${server.url} --kubeconfig=/dev/null`, K8SNET_SSH: node, ...environment };
  const said = await new Promise<string>((resolve) => { execFile('/bin/sh', [script, folder], { env }, (_, stdout, stderr) => { resolve(stdout + stderr); }); });
  server.close();
  return said;
}

describe('the pods of a node', { timeout: 60_000 }, () => {
  const folder = path.join(home, 'dump');
  const read = (name: string): string => readFileSync(path.join(folder, 'pods', name), 'utf8');
  let said = '';
  beforeAll(async () => { said = await collected(folder, {}); }, 60_000);

  it('have a file each, called for their namespace and name, which their addresses tell', () => {
    expect(readdirSync(path.join(folder, 'pods')).sort()).toEqual(['shop_web-1.txt', 'test_web-1.txt']);
    expect(read('shop_web-1.txt')).toMatch(/^# ip addr\n(.*\n)+ {4}inet 10\.0\.14\.15\/24 .*\n(.*\n)+# ip route\ndefault via 10\.0\.14\.1 dev eth0 \n/);
    expect(read('test_web-1.txt')).toContain('inet 10.0.14.21/24');
  });

  it('tell their resolv.conf, and what differs from a new network namespace', () => {
    expect(read('shop_web-1.txt').split('\n').filter((l) => l.startsWith('# '))).toEqual(['# ip addr', '# ip route', '# ip -6 route', '# cat /etc/resolv.conf']);
    expect(read('shop_web-1.txt')).toContain('\nnameserver 10.96.0.77\n');
    expect(read('test_web-1.txt')).toContain('\n# sysctl -a\nnet.ipv4.conf.eth0.rp_filter = 1\n');
    expect(read('test_web-1.txt')).toContain('\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\n');
  });

  it('are missed where they are not found, and nothing else is', () => {
    expect(said.split('\n').filter((l) => l.startsWith('warning'))).toEqual(['warning: node host1: shop/lost was not looked into']);
  });

  it('keep to themselves what a container runtime told them', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => /\.\w+$/.test(f));
    expect(files.filter((f) => readFileSync(path.join(folder, f), 'utf8').includes('hunter2'))).toEqual([]);
  });

  it('are imported as theirs', () => {
    const opened = nodeIo().openFolder(folder);
    if ('problem' in opened) throw new Error(opened.problem);
    const { text, notes } = importFolder(opened, '');
    expect(notes.filter((n) => n.file.startsWith('pods/') && n.severity !== 'information')).toEqual([]);
    expect(text).toContain('pod test/web-1 on host1 {\n  addresses from "pods/test_web-1.txt"\n  routes from "pods/test_web-1.txt"\n  iptables from "pods/test_web-1.txt"\n  sysctl from "pods/test_web-1.txt"\n}');
    const io = nodeIo();
    const readFile = (named: string): string | undefined => { const got = io.readFile(path.join(folder, named)); return 'text' in got ? got.text : undefined; };
    const spec = createSnapshot({ file: 'c.k8snet', text: text ?? '', readFile, listFolder: opened.listFolder }).spec();
    expect(spec.pods.find((p) => p.namespace === 'test')?.captured.tables?.map((t) => t.name)).toEqual(['nat']);
    expect(spec.pods.find((p) => p.name === 'old')?.captured ?? {}).toEqual({});
  });
});

it('no pod is looked into where that is not wanted', { timeout: 60_000 }, async () => {
  const folder = path.join(home, 'nodes only');
  const said = await collected(folder, { K8SNET_PODS: 'no' });
  expect(said).toBe(`Gathered into ${folder}.\n`);
  expect(existsSync(path.join(folder, 'pods'))).toBe(false);
  expect(existsSync(path.join(folder, 'nodes/host1/ip-addr.txt'))).toBe(true);
});
