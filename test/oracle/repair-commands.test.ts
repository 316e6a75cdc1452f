/**
 * The commands of a repair do on a real node what the repair does in the file: a node is built from a broken dump in a
 * network namespace of its own, the commands run there, and of what its tools print then the packet arrives.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { explain } from '../../engine/src/verify/explain.ts';
import type { Explanation } from '../../engine/src/verify/explanation.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';

const ISOLATED = process.getuid?.() === 0 ? ['-n'] : ['-Urn'];
const shell = (script: string) => spawnSync('unshare', [...ISOLATED, 'sh', '-s'], { input: script, encoding: 'utf8', env: { ...process.env, XTABLES_LOCKFILE: '/dev/null' } });

const available = shell('ip link add flannel.1 type vxlan id 1 dstport 8472 && iptables-nft -t nat -S && bridge fdb show').status === 0;

const PEER_MAC = '3e:11:d2:88:40:6b';

/** What host1 holds; host2's pod `web` is asked. */
interface Dump {
  readonly routes: readonly string[];
  readonly neighbours: readonly string[];
  readonly fdb: readonly string[];
  readonly iptables: readonly string[];
  readonly sysctl: readonly string[];
  readonly rules: readonly string[];
}

const HEALTHY: Dump = {
  routes: ['default via 192.168.93.254 dev eth0', '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1', '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink', '192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212'],
  neighbours: [`10.244.2.0 dev flannel.1 lladdr ${PEER_MAC} PERMANENT`],
  fdb: [`${PEER_MAC} dev flannel.1 dst 192.168.93.213 self permanent`],
  iptables: ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', 'COMMIT'],
  sysctl: ['net.ipv4.ip_forward = 1'],
  rules: ['0:\tfrom all lookup local', '32766:\tfrom all lookup main', '32767:\tfrom all lookup default'],
};

const block = (name: string, lines: readonly string[]): string => `  ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`;

const textOf = (dump: Dump): string => `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 {
  address 192.168.93.212/24 on lan
  pod-cidr 10.244.1.0/24
${Object.entries(dump).map(([name, lines]: readonly [string, readonly string[]]) => block(name, lines)).join('')}}
node host2 { address 192.168.93.213/24 on lan; pod-cidr 10.244.2.0/24; vtep-mac ${PEER_MAC} }
pod client on host1 { ip 10.244.1.10 }
pod web on host2 { ip 10.244.2.11; listen 8080/TCP }
`;

const why = (snapshot: Snapshot): Explanation | null =>
  explain({ spec: snapshot.spec(), topology: snapshot.topology(), compiled: snapshot.compiled(), question: { from: 'client', to: 'web:8080/TCP' }, expectations: [], goal: null, wanted: 'arrival' });

const built = (dump: Dump): readonly string[] => [
  'set -e',
  'ip link set lo up',
  'ip link add eth0 type veth peer name lan0', 'ip link set lan0 up', 'ip addr add 192.168.93.212/24 dev eth0', 'ip link set eth0 up',
  'ip link add cni0 type bridge', 'ip addr add 10.244.1.1/24 dev cni0', 'ip link set cni0 up',
  'ip link add flannel.1 type vxlan id 1 local 192.168.93.212 dev eth0 dstport 8472 nolearning', 'ip addr add 10.244.1.0/32 dev flannel.1', 'ip link set flannel.1 up',
  'for d in eth0 flannel.1 cni0; do ip route flush dev $d; done',
  // Connected routes first: a gateway must be on a link.
  ...[...dump.routes].sort((a, b) => Number(a.includes(' via ')) - Number(b.includes(' via '))).map((route) => `ip route add ${route}`),
  ...dump.neighbours.map((line) => `ip neigh replace ${line.replace('PERMANENT', 'nud permanent')}`),
  ...dump.fdb.map((line) => `bridge fdb replace ${line}`),
  ...dump.sysctl.map((line) => `sysctl -qw ${line.replaceAll(' ', '')}`),
  ...dump.rules.filter((line) => /^\d{3}:/.test(line)).map((line) => `ip rule add pref ${line.replace(':\t', ' ')}`),
  "iptables-nft-restore <<'END'", ...dump.iptables, 'END',
  'iptables() { iptables-nft "$@"; }', 'iptables_restore() { iptables-nft-restore "$@"; }',
];

const printed = [
  'echo @routes', 'ip route', 'echo @neighbours', 'ip neigh show nud permanent', 'echo @fdb', 'bridge fdb show dev flannel.1 | grep dst | sed "s/ dst/ dev flannel.1 dst/"',
  'echo @iptables', 'iptables-nft-save | grep -v "^#"', 'echo @sysctl', 'sysctl net.ipv4.ip_forward', 'echo @rules', 'ip rule',
];

/** The node's own words after the commands, as a dump again. */
function after(dump: Dump, commands: readonly string[]): Dump {
  const run = commands.map((command) => command.replace(/^iptables-restore/, 'iptables_restore'));
  const { stdout, stderr, status } = shell([...built(dump), ...run, ...printed].join('\n'));
  expect(`${status} ${stderr}`).toBe('0 ');
  const parts = new Map(stdout.split(/^@/m).slice(1).map((part) => { const [name = '', ...lines] = part.split('\n'); return [name, lines.filter((l) => l !== '')] as const; }));
  return Object.fromEntries(Object.keys(dump).map((name) => [name, (parts.get(name) ?? []).map((line) => line.replace(/ $/, ''))])) as unknown as Dump;
}

const FAULTS: Readonly<Record<string, Partial<Dump>>> = {
  'a route that is missing': { routes: HEALTHY.routes.filter((r) => !r.startsWith('10.244.2.0')) },
  'a route by another host': { routes: HEALTHY.routes.map((r) => r.replace('via 10.244.2.0', 'via 10.244.9.0')) },
  'a blackhole': { routes: [...HEALTHY.routes, 'blackhole 10.244.2.0/28'] },
  'a blackhole in the place of the route': { routes: HEALTHY.routes.map((r) => (r.startsWith('10.244.2.0') ? 'blackhole 10.244.2.0/24' : r)) },
  'a neighbour with another MAC': { neighbours: [`10.244.2.0 dev flannel.1 lladdr 02:00:00:00:00:09 PERMANENT`] },
  'a neighbour that is missing': { neighbours: [] },
  'an FDB entry to another host': { fdb: [`${PEER_MAC} dev flannel.1 dst 192.168.93.99 self permanent`] },
  'an FDB entry that is missing': { fdb: [] },
  'forwarding that is off': { sysctl: ['net.ipv4.ip_forward = 0'] },
  'a rule of ip rule': { rules: [HEALTHY.rules[0] ?? '', '100:\tfrom 10.244.1.10 unreachable', ...HEALTHY.rules.slice(1)] },
  'a rule that drops': { iptables: [...HEALTHY.iptables.slice(0, -1), '-A FORWARD -d 10.244.2.11/32 -m comment --comment "it\'s \\"mine\\"" -j DROP', 'COMMIT'] },
  'a policy of DROP': { iptables: HEALTHY.iptables.map((l) => l.replace(':FORWARD ACCEPT', ':FORWARD DROP')) },
  'an ACCEPT in the shadow of a REJECT': { iptables: [...HEALTHY.iptables.slice(0, -1), '-A FORWARD -p udp -j ACCEPT', '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset', '-A FORWARD -s 10.244.0.0/16 -j ACCEPT', 'COMMIT'] },
};

describe.runIf(available)('the commands of each repair', () => {
  test.each(Object.entries(FAULTS))('mend %s', (_, fault) => {
    const dump = { ...HEALTHY, ...fault };
    const explanation = why(createSnapshot({ file: 'x.k8snet', text: textOf(dump) }));
    expect(explanation?.repairs.length).toBeGreaterThan(0);
    for (const { title, commands } of explanation?.repairs ?? []) {
      expect(commands.map((c) => c.on), title).toEqual(commands.map(() => 'host1'));
      const mended = createSnapshot({ file: 'x.k8snet', text: textOf(after(dump, commands.map((c) => c.command))) });
      expect(mended.diagnostics.filter((d) => d.severity === 'error').map((d) => d.message), title).toEqual([]);
      expect(why(mended)?.causes.map((c) => c.sentence) ?? null, `${title}\n${commands.map((c) => c.command).join('\n')}\n${mended.text}`).toBeNull();
    }
  });

  test('arrive where nothing is broken', () => {
    expect(why(createSnapshot({ file: 'x.k8snet', text: textOf(after(HEALTHY, [])) }))).toBeNull();
  });
});
