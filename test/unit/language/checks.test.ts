/** What the checks must say, and above all what they must not say: no false alarm on what real clusters have. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPrefix, ipv4, networkOf, overlaps } from '../../../engine/src/net/address.ts';
import type { Prefix } from '../../../engine/src/net/address.ts';
import { snapshotOf } from './fixtures.ts';

const LAN = 'network lan 192.168.93.0/24 { gateway 192.168.93.254 }\n';
const slugs = (text: string): string[] => snapshotOf(text).diagnostics.map((d) => d.slug);
const node = (body: string): string => `${LAN}node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24\n${body}\n}\n`;
const routes = (...lines: readonly string[]): string => node(`routes {\n${lines.join('\n')}\n}`);
const iptables = (...lines: readonly string[]): string => node(`iptables {\n${lines.join('\n')}\n}`);

describe('networks', () => {
  it('docker0 may have the same subnet on every node', () => {
    expect(slugs(`${LAN}node a { address 192.168.93.1/24 on lan; interface docker0 172.17.0.1/16 }\nnode b { address 192.168.93.2/24 on lan; interface docker0 172.17.0.1/16 }\n`)).toEqual([]);
  });

  it('two devices of one node may not', () => {
    expect(slugs(`${LAN}node a { address 192.168.93.1/24 on lan; interface docker0 172.17.0.1/16; interface br-1 172.17.5.1/24 }\n`)).toEqual(['overlapping-cidrs']);
  });

  it("cni0 may carry the node's own lease", () => {
    expect(slugs(node('interface cni0 10.244.1.1/24; interface flannel.1 10.244.1.0/32'))).toEqual([]);
  });

  it('docker0 in the default pod network is told where it stands, without a cluster statement', () => {
    const { diagnostics } = snapshotOf(`${LAN}node a { address 192.168.93.1/24 on lan; interface docker0 10.244.0.1/16 }\n`);
    expect(diagnostics.map((d) => d.message)).toEqual(['The subnet 10.244.0.0/16 of a\'s docker0 overlaps the default pod-cidr 10.244.0.0/16: an address in both has two ways to go; move one of them']);
  });

  it('an overlap is told once, where the later of the two stands, with the earlier beside it', () => {
    const text = 'network a 10.0.0.0/16\nnetwork b 10.0.5.0/24\nnetwork c 10.1.0.0/16\n';
    const { diagnostics } = snapshotOf(text);
    expect(diagnostics.map((d) => text.slice(d.start, d.end))).toEqual(['10.0.5.0/24']);
    expect(diagnostics[0]?.related.map((r) => text.slice(r.start, r.end))).toEqual(['10.0.0.0/16']);
  });

  it('are found to overlap exactly where two of them do', () => {
    const prefix = fc.tuple(fc.nat(255), fc.integer({ min: 4, max: 12 })).map(([n, bits]): Prefix => networkOf({ address: ipv4(0xc600_0000 + (n << 8)), length: 12 + bits }));
    fc.assert(fc.property(fc.array(prefix, { minLength: 1, maxLength: 12 }), (prefixes) => {
      const text = prefixes.map((p, i) => `network n${i} ${formatPrefix(p)}`).join('\n');
      const expected = prefixes.flatMap((p, i) => (prefixes.some((q, j) => j !== i && overlaps(p, q)) ? [i] : []));
      const told = new Set(snapshotOf(text).diagnostics.flatMap((d) => [d, ...d.related].map((r) => text.slice(0, r.start).split('\n').length - 1)));
      // Every overlap is told; of a heap of overlapping networks each is named at least once.
      expect([...told].sort((a, b) => a - b)).toEqual(expected);
    }), { numRuns: 300, seed: 4 });
  });

  it('a thousand nodes with the same docker0 and overlapping leases take no quadratic time', () => {
    const text = `cluster { pod-cidr 10.0.0.0/8 }\n${LAN}${Array.from({ length: 4000 }, (_, i) => `node n${i} { interface docker0 172.17.0.1/16; pod-cidr 10.0.0.0/24 }`).join('\n')}\n`;
    const start = performance.now();
    expect(slugs(text)).toHaveLength(1000);
    expect(performance.now() - start).toBeLessThan(4000);
  });
});

describe('addresses', () => {
  it("an external may lie in a network, and a host-network pod has its node's address", () => {
    expect(slugs(`${LAN}external printer 192.168.93.9\nnode a { address 192.168.93.1/24 on lan }\npod web on a { host-network }\npod dns on a { host-network; ip 192.168.93.1 }\n`)).toEqual([]);
  });

  it('are judged by the subnets of their own family', () => {
    expect(slugs(`${LAN}node a { address 192.168.93.1/24 on lan; pod-cidr 10.244.1.0/24, fd00:10:244:1::/64 }\npod p on a { ip 10.244.1.5, fd00:10:244:1::5 }\npod q on a { ip 10.244.1.6, fd00:10:244:2::6 }\n`)).toEqual(['address-outside-subnet', 'address-outside-subnet']);
    expect(slugs(`cluster { pod-cidr 10.244.0.0/16, fd00:10:244::/48 }\n${LAN}node a { address 192.168.93.1/24 on lan; pod-cidr 10.244.1.0/24, fd00:10:244:1::/64 }\npod q on a { ip fd00:10:244:2::6 }\n`)).toEqual(['address-outside-subnet']);
  });

  it('the suggestion is an address that nobody has', () => {
    const text = `${node('')}pod a on host1 { ip 10.244.1.2 }\npod b on host1 { ip 10.244.9.9 }\n`;
    expect(snapshotOf(text).diagnostics[0]?.fixes[0]?.edits[0]?.text).toBe('10.244.1.3');
  });

  it.each(['10.244.1.0', '10.244.1.1', '10.244.1.255'])('%s of a lease is no pod\'s', (ip) => {
    expect(slugs(`${node('')}pod a on host1 { ip ${ip} }\n`)).toEqual(['reserved-address']);
  });
});

describe('routes', () => {
  it.each([
    ['a gateway on a connected subnet', ['default via 192.168.93.254 dev eth0', '192.168.93.0/24 dev eth0 scope link']],
    ['a gateway on the subnet that the interface has', ['default via 192.168.93.254 dev eth0']],
    ["flannel's onlink gateways", ['10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink']],
    ['a link-local IPv6 gateway', ['default via fe80::1 dev eth0 metric 1024']],
    ['a route without a gateway', ['10.9.0.0/16 dev eth0 scope link', 'unreachable 10.8.0.0/16']],
    ['a gateway behind a link route of its own', ['10.9.9.9 dev eth0 scope link', 'default via 10.9.9.9 dev eth0']],
  ])('no word of %s', (_, lines) => {
    expect(slugs(routes(...lines))).toEqual([]);
  });

  it.each([
    ['a gateway on no subnet', ['default via 10.9.9.9 dev eth0'], ['gateway-not-on-link']],
    ['a gateway on another device', ['default via 192.168.93.254 dev cni0'], ['gateway-not-on-link']],
    ['a gateway that only a gateway leads to', ['10.9.0.0/16 via 192.168.93.1 dev eth0', 'default via 10.9.9.9 dev eth0'], ['gateway-not-on-link']],
    ['a device that is not there', ['10.9.0.0/16 dev eth9 scope link'], ['unknown-device']],
  ])('tells of %s', (_, lines, expected) => {
    expect(slugs(routes(...lines))).toEqual(expected);
  });

  it('bridge ports have names that nobody declares', () => {
    expect(slugs(routes('10.9.0.0/16 dev veth1234abcd scope link'))).toEqual([]);
  });
});

describe('iptables', () => {
  it.each([
    ['empty canaries', ['*nat', ':KUBE-PROXY-CANARY - [0:0]', ':KUBE-KUBELET-CANARY - [0:0]', 'COMMIT']],
    ['KUBE-MARK-DROP, which waits for somebody to jump there', ['*nat', ':KUBE-MARK-DROP - [0:0]', '-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000', 'COMMIT']],
    ['a chain reached through others', ['*filter', '-A FORWARD -j A', '-A A -j B', '-A B -j RETURN', 'COMMIT']],
    ['one chain jumped to twice, which is no loop', ['*filter', '-A FORWARD -j A', '-A FORWARD -j B', '-A A -j B', '-A B -j RETURN', 'COMMIT']],
    ['DNAT under OUTPUT and MASQUERADE under POSTROUTING', ['*nat', '-A OUTPUT -j D', '-A D -j DNAT --to-destination 192.0.2.1', '-A POSTROUTING -j M', '-A M -j MASQUERADE', 'COMMIT']],
    ['several tables', ['*filter', '-A FORWARD -j ACCEPT', 'COMMIT', '*nat', '-A POSTROUTING -j MASQUERADE', 'COMMIT']],
  ])('no word of %s', (_, lines) => {
    expect(slugs(iptables(...lines))).toEqual([]);
  });

  it.each([
    ['a canary with rules', ['*nat', '-A KUBE-PROXY-CANARY -j RETURN', 'COMMIT'], ['unreached-chain']],
    ['only the head of what nothing reaches', ['*filter', '-A A -j B', '-A B -j RETURN', 'COMMIT'], ['unreached-chain']],
    ['a circle apart from everything: once as a loop, once as unreached', ['*filter', '-A A -j B', '-A B -j A', 'COMMIT'], ['unreached-chain', 'jump-loop']],
    ['a chain that jumps to itself', ['*filter', '-A FORWARD -j A', '-A A -j A', 'COMMIT'], ['jump-loop']],
    ['DNAT in filter', ['*filter', '-A FORWARD -j DNAT --to-destination 192.0.2.1', 'COMMIT'], ['wrong-table']],
    ['MASQUERADE in a chain that PREROUTING leads to', ['*nat', '-A PREROUTING -j M', '-A M -j MASQUERADE', 'COMMIT'], ['wrong-table']],
    ['a jump into another table', ['*nat', '-A POSTROUTING -j M', '-A M -j MASQUERADE', 'COMMIT', '*filter', '-A FORWARD -j M', 'COMMIT'], ['unknown-chain']],
    ['a device that is not there', ['*filter', '-A FORWARD -i eth7 -j ACCEPT', 'COMMIT'], ['unknown-device']],
  ])('tells of %s', (_, lines, expected) => {
    expect(slugs(iptables(...lines))).toEqual(expected);
  });

  it('two blocks of one node are one table: chains of the other count', () => {
    expect(slugs(node('iptables {\n*nat\n-A PREROUTING -j A\nCOMMIT\n}\niptables {\n*nat\n-A A -j RETURN\nCOMMIT\n}'))).toEqual([]);
  });

  it('a chain of 20,000 jumps neither overflows nor takes long', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => `-A C${i} -j C${i + 1}`);
    expect(slugs(iptables('*filter', '-A FORWARD -j C0', ...chain, '-A C20000 -j RETURN', 'COMMIT'))).toEqual([]);
  }, 20_000);
});

describe('services', () => {
  const pods = `${node('')}pod a on host1 { ip 10.244.1.5; labels app=a, tier=web }\n`;

  it('an external name, a headless service and hand-written endpoints need no selector', () => {
    expect(slugs(`${pods}service e { external-name example.com }\nservice h { cluster-ip None; selector app=a }\nservice m { cluster-ip 10.96.0.9; port 80; endpoints 10.244.1.5:8080 }\n`)).toEqual([]);
  });

  it('every label of a selector counts, and the namespace', () => {
    expect(slugs(`${pods}service s { cluster-ip 10.96.0.9; port 80; selector app=a, tier=web }\n`)).toEqual([]);
    expect(slugs(`${pods}service s { cluster-ip 10.96.0.9; port 80; selector app=a, tier=db }\n`)).toEqual(['selector-selects-nothing']);
    expect(slugs(`${pods}service other/s { cluster-ip 10.96.0.9; port 80; selector app=a }\n`)).toEqual(['selector-selects-nothing']);
  });

  it('one port and several protocols are several ports', () => {
    expect(slugs(`${pods}service s { cluster-ip 10.96.0.9; port dns 53/UDP; port dns-tcp 53/TCP; selector app=a }\n`)).toEqual([]);
    expect(slugs(`${pods}service s { cluster-ip 10.96.0.9; port dns 53/UDP; port dns 54/UDP; selector app=a }\n`)).toEqual(['duplicate-name']);
  });
});

describe('parties of expectations', () => {
  const file = `${node('')}external example.com 203.0.113.7\npod shop/web on host1 { ip 10.244.1.5; labels a=b; listen 80 }\npod client on host1 { ip 10.244.1.6 }\nservice shop/api { cluster-ip 10.96.0.9; port 80; selector a=b }\n`;

  it.each(['shop/web', 'pod/shop/web', 'client', 'host1', 'node/host1', 'shop/api', 'service/shop/api', 'api.shop', 'api.shop.svc', 'api.shop.svc.cluster.local', 'example.com', 'external/example.com', '10.244.1.5', '[2001:db8::1]:80', '2001:db8::1'])('%s is known', (party) => {
    expect(slugs(`${file}expect client -> ${party} delivered\n`)).toEqual([]);
  });

  it.each(['web', 'api', 'api.shopp', 'node/client', 'nowhere.example', 'shop/nobody'])('%s is not', (party) => {
    expect(slugs(`${file}expect client -> ${party} delivered\n`)).toEqual(['unknown-party']);
  });

  it.each([
    ['web.shop.svc.cluster.locla', 'web.shop.svc.cluster.local'],
    ['web.shpo.svc', 'web.shop.svc'],
    ['web.default.svc.cluster.local', 'web.shop.svc.cluster.local'],
    ['web', 'shop/web'],
  ])('%s is taken for %s, in the form of what was written', (written, meant) => {
    const here = `${LAN}node host1 { address 192.168.93.1/24 on lan }\nservice shop/web { cluster-ip 10.96.0.9; port 80 }\n`;
    const { diagnostics } = snapshotOf(`${here}expect host1 -> ${written}:80 rejected\n`);
    expect(diagnostics.find((d) => d.slug === 'unknown-party')?.message).toContain(`did you mean '${meant}'?`);
  });

  it("a short name is looked up in the sender's namespace", () => {
    expect(slugs(`${file}expect shop/web -> api:80 delivered\n`)).toEqual([]);
  });
});

