/** A random node: its devices, and what it printed of its rules, routes and settings. */
import fc from 'fast-check';
import { vethName } from '../../engine/src/control-plane/cni.ts';
import { ipsetLines, oneOf } from './random-matches.ts';
import { iptablesText } from './random-rules.ts';
import { both, familiesOf, gateway, has4, has6, hostAddress, podAddress, podName, podSubnet, podsOf, range, seldom, vocabulary } from './random-shape.ts';
import type { Shape } from './random-shape.ts';

export type Flannel = 'vxlan' | 'vxlan direct' | 'vxlan odd' | 'host-gw' | 'vxlan network' | 'none';

const block = (name: string, lines: readonly string[]): string => (lines.length === 0 ? '' : [`  ${name} {`, ...lines.map((line) => `    ${line}`), '  }'].join('\n'));

const sysctls = (s: Shape): fc.Arbitrary<string> =>
  fc.subarray([
    ...(has4(s) ? [
      'net.ipv4.conf.all.rp_filter = 1', 'net.ipv4.conf.all.rp_filter = 2', 'net.ipv4.conf.cni0.rp_filter = 1', 'net.ipv4.conf.eth0.rp_filter = 2', 'net.ipv4.conf.eth0.rp_filter = 1',
      'net.ipv4.ip_forward = 0', 'net.bridge.bridge-nf-call-iptables = 0', 'net.ipv4.conf.all.route_localnet = 0', 'net.ipv4.conf.all.route_localnet = 1', 'net.ipv4.conf.eth0.forwarding = 0',
      'net.ipv4.icmp_echo_ignore_all = 1', 'net.ipv4.ip_default_ttl = 128', 'net.ipv4.conf.all.accept_local = 1', 'net.ipv4.conf.cni0.accept_local = 1',
    ] : []),
    ...(has6(s) ? ['net.bridge.bridge-nf-call-ip6tables = 0', 'net.ipv6.conf.all.forwarding = 0', 'net.ipv6.icmp.echo_ignore_all = 1'] : []),
  ], { minLength: 1, maxLength: 3 }).map((lines) => block('sysctl', lines));

const tunnelOf = (flannel: Flannel, family: 4 | 6): string => `${family === 4 ? 'flannel' : 'flannel-v6'}.${flannel === 'vxlan odd' ? 7 : 1}`;
const isTunnelled = (flannel: Flannel): boolean => flannel === 'vxlan' || flannel === 'vxlan odd' || flannel === 'vxlan network';

/** What flannel makes of another node's lease, here and there with a fault. */
function leaseRoute(node: number, family: 4 | 6, flannel: Flannel): fc.Arbitrary<string> {
  const subnet = podSubnet(family, node);
  const direct = `${subnet} via ${hostAddress(family, node)} dev eth0`;
  const right = isTunnelled(flannel) ? `${subnet} via ${family === 4 ? `10.0.${node}.0` : `fd00:10:${node}::`} dev ${tunnelOf(flannel, family)} onlink` : direct;
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(right) },
    { weight: 1, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constant(`${right} mtu ${family === 4 ? 1300 : 1340}`) },
    { weight: 1, arbitrary: fc.constant(`${direct} metric 50`) },
    { weight: 1, arbitrary: fc.constant(`${subnet}\n      nexthop via ${hostAddress(family, node)} dev eth0 weight 1\n      nexthop via ${gateway(family)} dev eth0 weight 2`) },
  );
}

const EXTRA_ROUTES = (node: number, family: 4 | 6): readonly string[] =>
  family === 4
    ? [
        'unreachable 10.0.77.0/24', 'blackhole 10.0.78.0/24', 'prohibit 10.0.79.0/24', 'throw 10.0.80.0/24', `prohibit ${podAddress(4, 2, 1)}`, `blackhole ${podAddress(4, 1, 2)} metric 5`,
        '10.0.81.0/24 dev cni0 scope link', '10.0.82.0/24 via 192.168.93.99 dev eth0 onlink', `203.0.113.0/24 via 192.168.93.254 dev eth0 src ${hostAddress(4, node)} metric 20`, 'unreachable 203.0.113.0/24 metric 4000',
        '10.0.77.0/24 via 192.168.93.254 dev eth0 table 100', 'default via 192.168.93.254 dev eth0 table 100', 'unreachable default table 101', '10.16.0.0/16 dev cni0 scope link',
        '203.0.113.0/24\n      nexthop via 192.168.93.254 dev eth0 weight 1\n      nexthop via 192.168.93.99 dev eth0 weight 1',
      ]
    : [
        'unreachable fd00:10:77::/64 dev lo metric 1024', 'blackhole fd00:10:78::/64 dev lo metric 1024', 'prohibit fd00:10:79::/64 dev lo metric 1024', `prohibit ${podAddress(6, 2, 1)} dev lo metric 1024`,
        'fd00:10:81::/64 dev cni0 metric 1024', `2001:db8::/64 via fd00:93::254 dev eth0 src ${hostAddress(6, node)} metric 20`, 'unreachable 2001:db8::/64 dev lo metric 4000',
        'default via fd00:93::254 dev eth0 table 100 metric 1024', 'unreachable default dev lo table 101 metric 1024',
      ];

/** A whole main table: what flannel makes, with faults; then what an administrator adds. */
function routes(s: Shape, node: number, family: 4 | 6, flannel: Flannel): fc.Arbitrary<string> {
  const others = range(s.nodes).filter((n) => n !== node);
  const base = family === 4
    ? ['default via 192.168.93.254 dev eth0', `192.168.93.0/24 dev eth0 proto kernel scope link src ${hostAddress(4, node)}`, `10.0.${node}.0/24 dev cni0 proto kernel scope link src 10.0.${node}.1`]
    : ['default via fd00:93::254 dev eth0 metric 1024', 'fd00:93::/64 dev eth0 proto kernel metric 256', `fd00:10:${node}::/64 dev cni0 proto kernel metric 256`];
  return fc.tuple(fc.tuple(...others.map((n) => leaseRoute(n, family, flannel))), fc.subarray([...EXTRA_ROUTES(node, family)], { maxLength: 5 }))
    .map(([leases, more]) => block('routes', [...base, ...leases.filter((l) => l !== ''), ...more]));
}

/** As `ip rule` and `ip -6 rule` print them, one dump below the other. */
const policyRules = (s: Shape): fc.Arbitrary<string> =>
  fc.tuple(...familiesOf(s).map((family) =>
    fc.subarray(family === 4
      ? [
          '100: from 10.0.1.0/24 lookup 100', '101: from all to 10.0.2.0/24 lookup 101', '102: from all fwmark 0x10/0xff lookup 100', '103: from all iif cni0 lookup 100', '104: not from 10.0.0.0/16 lookup 101',
          '105: from all to 10.0.78.0/24 prohibit', '106: from all to 10.0.1.12 blackhole', '107: from all to 203.0.113.9 unreachable', `108: from ${podAddress(4, 1, 1)} lookup main suppress_prefixlength 0`, '109: from all ipproto udp lookup 100',
        ]
      : [
          '100: from fd00:10:1::/64 lookup 100', '101: from all to fd00:10:2::/64 lookup 101', '102: from all fwmark 0x10/0xff lookup 100', '103: from all iif cni0 lookup 100', '104: not from fd00:10::/32 lookup 101',
          '105: from all to fd00:10:78::/64 prohibit', '106: from all to fd00:10:1::12 blackhole', '107: from all to 2001:db8::9 unreachable', `108: from ${podAddress(6, 1, 1)} lookup main suppress_prefixlength 0`,
        ], { minLength: 1, maxLength: 3 })
      .map((lines) => family === 4
        ? ['0: from all lookup local', ...lines, '32766: from all lookup main', '32767: from all lookup default']
        : ['0: from all lookup local', ...lines, '32766: from all lookup main']),
  )).map((lines) => block('rules', lines.flat()));

const neighbours = (node: number, s: Shape): fc.Arbitrary<string> =>
  fc.subarray([
    ...range(s.nodes).filter((n) => n !== node).map((n) => `10.0.${n}.0 dev flannel.1 lladdr 02:00:00:00:0${node}:9${n} PERMANENT`),
    `10.0.${node}.11 dev cni0 lladdr 02:00:00:00:00:77 PERMANENT`, `192.168.93.254 dev eth0 lladdr 02:00:00:00:00:66 PERMANENT`,
  ], { maxLength: 2 }).map((lines) => ['  neighbours {', ...lines.map((line) => `    ${line}`), '  }'].join('\n'));

const FLAGS = '<BROADCAST,MULTICAST,UP,LOWER_UP>';

/** Ports of cni0 that are isolated, do not hairpin or are narrow; a tunnel with another setting. */
function links(s: Shape, node: number, flannel: Flannel): fc.Arbitrary<string> {
  const ports = podsOf(s).filter(([n]) => n === node).map(([n, pod]) =>
    fc.option(fc.record({ mtu: oneOf([1450, 1450, 1400, 1500]), hairpin: oneOf(['on', 'off']), isolated: oneOf(['on', 'on', 'off']) }), { freq: 3, nil: null }).map((p) => {
      const name = vethName(`default/${podName(n, pod)}`);
      return p === null ? [] : [`${10 + pod}: ${name}@if2: ${FLAGS} mtu ${p.mtu} qdisc noqueue master cni0 state UP`, '    veth', `    bridge_slave state forwarding hairpin ${p.hairpin} isolated ${p.isolated} learning on flood on`];
    }));
  const tunnel = flannel === 'vxlan' && has4(s)
    ? fc.option(fc.record({ mtu: oneOf([1450, 1450, 1400, 1430]), vni: oneOf([1, 1, 1, 2]), port: oneOf([8472, 8472, 8472, 4789]), df: oneOf(['', '', ' df set', ' df inherit']), checksum: oneOf(['udpcsum', 'noudpcsum']), learning: oneOf(['nolearning', 'nolearning', 'learning']) }), { freq: 2, nil: null }).map((t) =>
        t === null ? [] : [`4: flannel.1: ${FLAGS} mtu ${t.mtu} qdisc noqueue state UNKNOWN`, `    vxlan id ${t.vni} local ${hostAddress(4, node)} dev eth0 srcport 0 0 dstport ${t.port} ${t.learning} ageing 300 ${t.checksum}${t.df}`])
    : fc.constant([]);
  return fc.tuple(tunnel, ...ports).map((lines) => block('links', lines.flat()));
}

/** As iptables 1.8.9 heads its dumps. */
const GENERATED = '# Generated by iptables-save v1.8.9';

export function node(s: Shape, n: number, flannel: Flannel): fc.Arbitrary<string> {
  const rulesOf = (family: 4 | 6): fc.Arbitrary<string> => {
    const one = iptablesText(vocabulary(s, family));
    const inBlock = (lines: readonly string[]): string => block(family === 4 ? 'iptables' : 'ip6tables', lines);
    const two = fc.tuple(one, one).map(([legacy, nft]) => [inBlock([`${GENERATED} on Sun Nov 22 18:30:30 2026`, ...legacy.split('\n')]), inBlock([`${GENERATED} (nf_tables) on Sun Nov 22 18:30:30 2026`, ...nft.split('\n')])].join('\n'));
    return fc.oneof({ weight: 7, arbitrary: one.map((text) => inBlock(text.split('\n'))) }, { weight: 1, arbitrary: two });
  };
  const nothing = fc.constant('');
  return fc.record({
    mac: seldom(3, fc.constant(`mac 02:00:00:00:01:0${n}`)),
    mtu: seldom(8, oneOf(['mtu 1400', 'mtu 1480'])),
    listen: seldom(3, oneOf(['  listen 80/TCP', '  listen 80/TCP, 53/UDP'])),
    sysctl: seldom(3, sysctls(s)),
    links: seldom(6, links(s, n, flannel)),
    routes4: has4(s) ? seldom(3, routes(s, n, 4, flannel)) : nothing,
    routes6: has6(s) ? seldom(3, routes(s, n, 6, flannel)) : nothing,
    rules: seldom(5, policyRules(s)),
    neighbours: has4(s) && flannel.startsWith('vxlan') ? seldom(8, neighbours(n, s)) : nothing,
    fdb: flannel === 'vxlan' ? seldom(12, oneOf(['  fdb {\n  }', '  fdb {\n    02:00:00:00:00:99 dev flannel.1 dst 192.168.93.212 self permanent\n  }'])) : nothing,
    iptables: has4(s) ? seldom(2, rulesOf(4)) : nothing,
    ip6tables: has6(s) ? seldom(2, rulesOf(6)) : nothing,
  }).map(({ mac, mtu, ...blocks }) => {
    const settings = [mac, mtu].filter((t) => t !== '');
    const rules = `${blocks.iptables}${blocks.ip6tables}`;
    const sets = rules.includes('--match-set') ? block('ipset', familiesOf(s).flatMap((family) => ipsetLines(vocabulary(s, family)))) : '';
    return [
      `node host${n} {`,
      `  address ${both(s, `${hostAddress(4, n)}/24`, `${hostAddress(6, n)}/64`)} on lan${settings.length === 0 ? '' : ` { ${settings.join('; ')} }`}`,
      `  pod-cidr ${both(s, podSubnet(4, n), podSubnet(6, n))}`,
      ...[...Object.values(blocks), sets].filter((t) => t !== ''),
      '}',
    ].join('\n');
  });
}
