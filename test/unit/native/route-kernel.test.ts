/** What the kernel and iproute2 print of routes and rules that they were given, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readPolicyRules } from '../../../server/src/language/native/policy-rule.ts';
import { printNeighbour, printPolicyRule, printRoute } from '../../../server/src/language/native/print.ts';
import { readNeighbours } from '../../../server/src/language/native/neighbour.ts';
import { readRoutes } from '../../../server/src/language/native/route.ts';

const ISOLATED = process.getuid?.() === 0 ? ['-n'] : ['-Urn'];

const shell = (script: string) => spawnSync('unshare', [...ISOLATED, 'sh', '-es'], { input: script, encoding: 'utf8' });

const SET_UP = `ip link set lo up
ip link add eth0 type veth peer name eth1
ip link set eth0 up
ip link set eth1 up
ip addr add 192.168.93.212/24 dev eth0
ip addr add fd00:93::212/64 dev eth0 nodad
ip route add default via 192.168.93.254 proto static metric 100
ip route add 10.0.0.0/16 dev eth0
ip route add 10.0.5.0/24 via 10.0.5.0 dev eth0 onlink
ip route add 10.1.0.0/16 proto static nexthop via 192.168.93.1 weight 3 nexthop dev eth1 weight 1
ip route add 10.2.0.7 via 192.168.93.1 src 192.168.93.212 mtu 1400
ip route add 10.3.0.0/16 tos 0x10 via 192.168.93.1
ip route add blackhole 10.4.0.0/16 metric 5
ip route add unreachable 10.5.0.0/16 table 100
ip route add local default dev lo table 100
ip route add 10.6.0.0/16 via inet6 fe80::1 dev eth0
ip route add 10.7.0.0/16 scope host dev eth1
ip -6 route add default via fd00:93::fe
ip -6 route add fd00:5::/64 via fe80::1 dev eth0 metric 7 proto static
ip -6 route add fd00:6::/64 nexthop via fd00:93::1 weight 1 nexthop via fd00:93::2 weight 2
ip -6 route add blackhole fd00:7::/64
ip rule add not from 10.0.0.0/8 to 10.9.0.1 fwmark 0x1/0xff iif eth0 lookup 100 pref 50
ip rule add from all lookup main suppress_prefixlength 0 pref 60
ip rule add ipproto tcp oif eth1 prohibit pref 70
ip rule add goto 32766 pref 80
ip neigh add 192.168.93.9 lladdr 0a:58:0a:00:05:96 dev eth0 nud permanent
ip neigh add fd00:93::9 lladdr 0a:58:0a:00:05:97 dev eth0 nud stale
`;

const show = (command: string) => {
  const { stdout, stderr, status } = shell(`${SET_UP}${command}`);
  if (status !== 0) throw new Error(stderr);
  const raw = stdout.split('\n').filter((line) => line !== '');
  return { raw, lines: raw.map((line, i) => ({ text: line.trim(), at: { file: 'x', line: i + 1 } })) };
};

/** Flags and error numbers that are read over, and blanks. */
const plain = (line: string) => line.replace(/ (linkdown|error -?\d+)(?= |$)/g, '').replace(/ +/g, ' ').replace(/ $/, '');

describe.runIf(shell('ip link').status === 0)('iproute2', () => {
  test.each(['ip -4 route show table all', 'ip -6 route show table all'])('%s is read without a problem and printed the same', (command) => {
    const { raw, lines } = show(command);
    const { routes, problems } = readRoutes(lines);
    expect(problems).toEqual([]);
    expect(routes.flatMap((route) => printRoute(route).split('\n'))).toEqual(raw.map(plain));
  });
  test('ip rule', () => {
    const { raw, lines } = show('ip rule');
    const { rules, problems } = readPolicyRules(lines);
    expect(problems).toEqual([]);
    expect(rules.map(printPolicyRule)).toEqual(raw.map(plain));
  });
  test.each(['ip -4 neigh', 'ip -6 neigh'])('%s', (command) => {
    const { raw, lines } = show(command);
    const { neighbours, problems } = readNeighbours(lines);
    expect(problems).toEqual([]);
    expect(neighbours.map(printNeighbour)).toEqual(raw.map(plain));
  });
});
