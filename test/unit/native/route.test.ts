import { describe, expect, test } from 'vitest';
import { formatAddress, formatPrefix } from '../../../engine/src/net/address.ts';
import { printRoute } from '../../../server/src/language/native/print.ts';
import { readRoutes } from '../../../server/src/language/native/route.ts';

const dump = (text: string) => text.split('\n').map((line, i) => ({ text: line.trim(), at: { file: 'x', line: i + 1 } }));
const read = (text: string) => readRoutes(dump(text));
const one = (text: string) => {
  const { routes, problems } = read(text);
  expect(problems).toEqual([]);
  expect(routes).toHaveLength(1);
  return routes[0]!;
};

describe('ip route', () => {
  test('a gateway, a device, a protocol and a metric, whatever the blanks between', () => {
    const route = one('default via 192.168.93.254  dev eno16777984  proto static  metric 100 ');
    expect(formatPrefix(route.destination)).toBe('0.0.0.0/0');
    expect(route).toMatchObject({ type: 'unicast', table: 254, protocol: 'static', metric: 100, scope: 'global', source: null, mtu: null });
    expect(route.nexthops).toHaveLength(1);
    expect(formatAddress(route.nexthops[0]!.via!)).toBe('192.168.93.254');
    expect(route.nexthops[0]!.device).toBe('eno16777984');
    expect(route.origin).toEqual({ kind: 'captured', at: { file: 'x', line: 1 } });
    expect(printRoute(route)).toBe('default via 192.168.93.254 dev eno16777984 proto static metric 100');
  });
  test('a bare address is a host route, in both families', () => {
    expect(one('10.0.5.7 dev cni0').destination.length).toBe(32);
    expect(one('fd00::7 dev cni0 metric 1024 pref medium').destination.length).toBe(128);
  });
  test('the family of a default route is told by its gateway, its source or the router preference', () => {
    expect(one('default via fe80::1 dev eth0 proto ra metric 1024 expires 1789sec hoplimit 64 pref medium').destination.address.family).toBe(6);
    expect(one('default dev tun0 metric 1024 pref medium').destination.address.family).toBe(6);
    expect(one('default dev tun0 scope link').destination.address.family).toBe(4);
  });
  test('an IPv4 route through an IPv6 gateway stays an IPv4 route', () => {
    const route = one('default via inet6 fe80::1 dev eth0');
    expect(route.destination.address.family).toBe(4);
    expect(route.nexthops[0]!.via!.family).toBe(6);
    expect(printRoute(route)).toBe('default via inet6 fe80::1 dev eth0');
  });
  test('a local route printed without its table is in the local table', () => {
    expect(one('local 10.0.5.1 dev cni0 proto kernel scope host src 10.0.5.1').table).toBe(255);
    expect(one('local default dev lo table 100').table).toBe(100);
    expect(one('10.0.0.0/8 dev eth0 table 1001').table).toBe(1001);
  });
  test('routes that refuse have no nexthop', () => {
    expect(one('unreachable default dev lo metric 4294967295 error -101 pref medium')).toMatchObject({ type: 'unreachable', nexthops: [] });
    expect(one('blackhole 10.9.0.0/16 metric 5')).toMatchObject({ type: 'blackhole', metric: 5, nexthops: [] });
  });
  test('nexthop lines belong to the route above, in order and with their weights', () => {
    const route = one('default proto static \n\tnexthop via 10.0.0.1 dev eth0 weight 1 \n\tnexthop via 10.0.0.2 dev eth1 weight 3 onlink ');
    expect(route.nexthops.map((n) => [n.device, n.weight, n.onlink])).toEqual([['eth0', 1, false], ['eth1', 3, true]]);
    expect(printRoute(route)).toBe('default proto static\n\tnexthop via 10.0.0.1 dev eth0 weight 1\n\tnexthop via 10.0.0.2 dev eth1 weight 3 onlink');
  });
  test('a default route takes its family from the nexthop lines under it', () => {
    const route = one('default proto static metric 1024 \n\tnexthop via fe80::1 dev eth0 weight 1 \n\tnexthop via fe80::2 dev eth1 weight 1 ');
    expect(route.destination.address.family).toBe(6);
    expect(route.nexthops).toHaveLength(2);
  });
  test('ip -o prints the nexthops on one line', () => {
    expect(one('default proto static \\\tnexthop via 10.0.0.1 dev eth0 weight 1 \\\tnexthop via 10.0.0.2 dev eth1 weight 2').nexthops.map((n) => n.device)).toEqual(['eth0', 'eth1']);
  });
  test('a dead nexthop is left out with a warning', () => {
    const { routes, problems } = read('10.1.0.0/16 proto static\n\tnexthop via 10.0.0.1 dev eth0 weight 1 dead linkdown\n\tnexthop via 10.0.0.2 dev eth1 weight 1');
    expect(routes[0]!.nexthops.map((n) => n.device)).toEqual(['eth1']);
    expect(problems).toMatchObject([{ line: 1, severity: 'warning', code: 'not-modelled' }]);
  });
  test('metrics, locks and flags that do not change the way are read over', () => {
    expect(one('10.1.0.0/16 via 10.0.0.1 dev eth0 onlink linkdown mtu lock 1400 advmss 1360 initcwnd 10')).toMatchObject({ mtu: 1400, nexthops: [{ onlink: true }] });
    expect(one('10.1.0.0/16 tos 0x10 via 10.0.0.1 dev eth0')).toMatchObject({ tos: 16 });
    expect(one('10.1.0.0/16 nhid 12 via 10.0.0.1 dev eth0 proto bgp src 10.0.0.9').protocol).toBe('bgp');
  });
  test('an unknown word is marked itself, and the rest of the route stands', () => {
    const { routes, problems } = read('10.0.0.0/16 via 10.0.14.1 dve eth0 metric 7');
    expect(problems).toMatchObject([{ line: 0, offset: 26, length: 3, code: 'unknown-word', suggestion: 'dev' }]);
    expect(routes[0]).toMatchObject({ metric: 7 });
  });
  test.each([
    ['10.0.0.0/33 dev eth0', 0, 11, 'bad-value'],
    ['defualt via 10.0.0.1', 0, 7, 'bad-value'],
    ['10.0.0.0/16 via 10.0.0.256 dev eth0', 16, 10, 'bad-value'],
    ['10.0.0.0/16 dev', 12, 3, 'missing-value'],
    ['10.0.0.0/16 dev eth0 scope wide', 27, 4, 'bad-value'],
    ['10.0.0.0/16 dev eth0 table blue', 27, 4, 'bad-value'],
    ['10.0.0.0/16 encap mpls 20 via 10.0.0.1', 12, 5, 'not-modelled'],
    ['fd00::/64 from fd01::/64 via fe80::1 dev eth0', 10, 4, 'not-modelled'],
    ['nexthop via 10.0.0.1 dev eth0', 0, 29, 'not-a-dump-line'],
    ['unreachable', 0, 11, 'missing-value'],
  ])('%s: the problem is on the very word', (text, offset, length, code) => {
    expect(read(text).problems).toMatchObject([{ line: 0, offset, length, code }]);
  });
});
