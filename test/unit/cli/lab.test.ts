import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtCli, root } from './built-cli.ts';

const cli = builtCli();

beforeAll(() => {
  cli.file('article.k8snet', readFileSync(path.join(root, 'examples/article.k8snet'), 'utf8'));
});

const lines = (text: string): string[] => text.split('\n');

/** Network and mount namespaces of its own, also for a user who is not root: nothing of the machine is touched. */
const ISOLATED = ['-Urnm', 'sh', '-euc'];

/** An echo request by a raw socket (not every machine has ping); prints who answered with which TTL. */
const PING = `
import socket, struct, sys
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.settimeout(5)
body = struct.pack('!HH', 4711, 1) + b'k8snet!!'
head = struct.pack('!BBH', 8, 0, 0)
s.sendto(struct.pack('!BBH', 8, 0, checksum(head + body)) + body, (sys.argv[1], 0))
while True:
    data, address = s.recvfrom(2048)
    kind = data[(data[0] & 15) * 4]
    if kind != 8:
        print('type', kind, 'from', address[0], 'ttl', data[8])
        break
`;

const UP_AND_DOWN = `
mount -t tmpfs none /run
mkdir /run/netns
sh lab.sh up > /dev/null
ip netns list | wc -l
ip netns exec k8snet-pod-default-pod1 python3 ping.py 10.0.5.150
sh lab.sh down
echo "$(ip netns list | wc -l) namespaces and $(ip -o link | wc -l) link are left"
`;

describe('k8snet lab', () => {
  it('builds the article\'s cluster in the real kernel, where the ping arrives as the trace says, and takes it down again', () => {
    const script = cli.run(['lab', 'article.k8snet']);
    expect(script).toMatchObject({ code: 0, err: '' });
    cli.file('lab.sh', script.out);
    cli.file('ping.py', PING);
    const run = spawnSync('unshare', [...ISOLATED, UP_AND_DOWN], { cwd: cli.folder, encoding: 'utf8', timeout: 30_000, env: { ...process.env, IPTABLES: 'iptables-legacy', IP6TABLES: 'ip6tables-legacy' } });
    expect(run.stderr).toBe('');
    const told = cli.run(['trace', 'article.k8snet', '--from', 'pod1', '--to', 'pod2']).out;
    expect(told).toContain('answer: a reply from 10.0.5.150, ttl 62\n');
    expect(run.stdout).toBe('10\ntype 0 from 10.0.5.150 ttl 62\n0 namespaces and 1 link are left\n');
  }, 60_000);

  it('does not let names and dumps of a file out of their quotes', () => {
    // No blanks, at most 15 characters: what the language takes for a device's name.
    for (const [i, attack] of ['$(>owned)', '`>owned`', "';>owned;'", '";>owned;"', '&>owned&', '\\$(>owned)', "'$(>owned)'", '$LAB-$(>owned)', '<<END', '>owned', '|tee<>owned'].entries()) {
      cli.file('hostile.k8snet', `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 {
  interface ${attack.startsWith('"') ? `'${attack}` : attack} 192.168.93.212/24 on lan
  interface eth1 192.168.95.1/24
  pod-cidr 10.244.1.0/24
  sysctl {
    net.ipv4.conf.eth1.${attack} = 1
    net.ipv4.ip_forward = ${attack}
  }
  links {
7: ${attack}: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP
    link/ether 02:00:00:00:00:07 brd ff:ff:ff:ff:ff:ff
    bridge
  }
  neighbours {
    192.168.95.9 dev ${attack} lladdr 02:00:00:00:00:09 PERMANENT
  }
  iptables {
    *filter
    :FORWARD ACCEPT [0:0]
    :${attack} - [0:0]
    -A FORWARD -i ${attack} -m comment --comment ${attack} -j ${attack}
    COMMIT
  }
  routes {
    10.9.0.0/16 dev ${attack} scope link
    10.8.0.0/16 dev eth1 scope link
  }
}
pod p on host1 { ip 10.244.1.10 }
`);
      const script = cli.run(['lab', 'hostile.k8snet']);
      expect(script.code, script.err).toBe(0);
      expect(lines(script.out).filter((line) => line.includes('owned') || line.includes('<<END')).length, attack).toBeGreaterThan(5);
      expect(tried(script.out, `case-${i}`), attack).toEqual({ problems: '', owned: false });
    }
  }, 60_000);

  it('goes by the rest of a file with errors, and tells them on stderr', () => {
    cli.file('broken.k8snet', 'node host1 { address 192.168.0.1/24 }\nnod host2 { }\n');
    const result = cli.run(['lab', 'broken.k8snet']);
    expect(result.code).toBe(0);
    expect(result.out).toContain('netns add $LAB-host1');
    expect(result.err).toMatch(/^broken\.k8snet:\d+:\d+: error K8N/);
  });

  it('prints nothing of a file that declares no node', () => {
    cli.file('nothing.k8snet', 'nod host2 { }\n');
    const result = cli.run(['lab', 'nothing.k8snet']);
    expect(result).toMatchObject({ code: 1, out: '' });
    expect(result.err).toContain('nothing.k8snet declares no node that can be built yet; mend its errors first');
  });
});

/** Runs a script with stand-ins for the programs that it calls, which only run what is to be run inside of a namespace. */
function tried(script: string, name: string): { readonly problems: string; readonly owned: boolean } {
  const folder = path.join(cli.folder, name);
  mkdirSync(path.join(folder, 'bin'), { recursive: true });
  const ip = '#!/bin/sh\nif [ "$1 $2" = "netns exec" ]; then shift 3; exec "$@"; fi\ncat > /dev/null\n';
  for (const program of ['ip', 'bridge', 'sysctl', 'tables-restore']) writeFileSync(path.join(folder, 'bin', program), program === 'sysctl' ? '#!/bin/sh\n' : ip, { mode: 0o755 });
  writeFileSync(path.join(folder, 'lab.sh'), script);
  const env = { PATH: `${path.join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, IPTABLES: 'tables', IP6TABLES: 'tables' };
  const runs = ['up', 'down'].map((what) => spawnSync('sh', ['lab.sh', what], { cwd: folder, encoding: 'utf8', timeout: 20_000, env, input: '' }));
  return { problems: runs.map((run) => `${run.status === 0 ? '' : `exit ${run.status}; `}${run.stderr}`).join(''), owned: existsSync(path.join(folder, 'owned')) };
}
