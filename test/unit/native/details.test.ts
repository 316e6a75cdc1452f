/** Lines that few nodes print, each read to what it says. */
import { describe, expect, test } from 'vitest';
import { readFdbLine } from '../../../server/src/language/native/fdb.ts';
import { readLinks } from '../../../server/src/language/native/interface.ts';
import { readNeighbourLine } from '../../../server/src/language/native/neighbour.ts';
import { readSysctlLine } from '../../../server/src/language/native/sysctl.ts';

const links = (text: string) => readLinks(text.split('\n').map((line, i) => ({ text: line.trim(), at: { file: 'x', line: i + 1 } })));

describe('sysctl', () => {
  test.each([
    ['net.ipv4.ip_forward = 1', 'net.ipv4.ip_forward', '1'],
    ['net/ipv4/conf/eth0.5/forwarding = 1', 'net.ipv4.conf.eth0/5.forwarding', '1'],
    ['/proc/sys/net/ipv4/ip_forward = 1', 'net.ipv4.ip_forward', '1'],
    ['/proc/sys/net/ipv4/conf/flannel.1/rp_filter:0', 'net.ipv4.conf.flannel/1.rp_filter', '0'],
    ['/proc/sys/net/ipv4/conf/eth0:1/rp_filter:2', 'net.ipv4.conf.eth0:1.rp_filter', '2'],
    ['net.ipv4.tcp_rmem = 4096\t131072\t6291456', 'net.ipv4.tcp_rmem', '4096\t131072\t6291456'],
  ])('%s', (text, name, value) => {
    expect(readSysctlLine(text)).toEqual({ sysctl: { name, value }, problems: [] });
  });
  test.each(["sysctl: permission denied on key 'net.ipv4.tcp_fastopen_key'", 'dev.cdrom.info = ', '# net.ipv4.ip_forward = 0', 'net.ipv4.ip_local_reserved_ports = ', 'error: "net.bridge.bridge-nf-call-iptables" is an unknown key', '* Applying /etc/sysctl.d/99-sysctl.conf ...'])('%s says nothing of the network', (text) => {
    expect(readSysctlLine(text)).toEqual({ sysctl: null, problems: [] });
  });
  test('a device with a dot in its name, written with dots, is told with the spelling that sysctl takes', () => {
    expect(readSysctlLine('net.ipv4.conf.flannel.1.forwarding = 1')).toMatchObject({ sysctl: null, problems: [{ code: 'bad-value', severity: 'error', offset: 0, length: 34, suggestion: 'net.ipv4.conf.flannel/1.forwarding' }] });
    expect(readSysctlLine('net.ipv4.conf.flannel/1.forwarding = 1').problems).toEqual([]);
    expect(readSysctlLine('net/ipv4/conf/flannel.1/forwarding = 1')).toMatchObject({ sysctl: { name: 'net.ipv4.conf.flannel/1.forwarding' }, problems: [] });
  });
  test('a pattern of sysctl.conf is told', () => {
    expect(readSysctlLine('-net.ipv4.conf.*.rp_filter = 1')).toMatchObject({ sysctl: null, problems: [{ code: 'not-modelled', severity: 'warning', offset: 1, length: 25 }] });
  });
  test('a sysctl of the network without a value is told', () => {
    expect(readSysctlLine('net.ipv4.ip_forward =').problems).toMatchObject([{ code: 'missing-value', offset: 0, length: 19 }]);
  });
});

describe('ip link', () => {
  test('the namespace of the other end of a pair', () => {
    const { interfaces, problems } = links('12: veth1@if3: <UP> mtu 1500 master cni0\n    link/ether 0a:00:00:00:00:05 brd ff:ff:ff:ff:ff:ff link-netns pod1\n    veth\n    bridge_slave state forwarding hairpin on isolated on');
    expect(problems).toEqual([]);
    expect(interfaces).toMatchObject([{ name: 'veth1', linkNamespace: 'pod1', peerIndex: 3, port: { master: 'cni0', hairpin: true, isolated: true } }]);
  });
  test('the ports of a bridge as `bridge -d link` prints them', () => {
    const { interfaces, problems } = links('4: v0@v1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state forwarding priority 32 cost 2 \n    hairpin on guard off root_block off fastleave off learning on flood off isolated off locked off ');
    expect(problems).toEqual([]);
    expect(interfaces).toMatchObject([{ name: 'v0', device: null, port: { master: 'br0', hairpin: true, learning: true, flood: false, isolated: false } }]);
  });
  test.each(['bond mode balance-rr miimon 0', 'vlan protocol 802.1Q id 5 <REORDER_HDR>', 'wireguard addrgenmode none'])('a device of a kind that is not modelled is named: %s', (detail) => {
    const { interfaces, problems } = links(`7: x0: <UP> mtu 1500\n    link/ether 0a:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n    ${detail}`);
    expect(problems).toMatchObject([{ line: 2, offset: 0, length: detail.split(' ')[0]!.length, code: 'not-modelled', severity: 'warning' }]);
    expect(interfaces).toMatchObject([{ device: { kind: 'unknown' } }]);
  });
});

test('`ip -s neigh` and `bridge -s fdb` print how long ago an entry was used', () => {
  expect(readNeighbourLine('10.0.0.2 dev v1 lladdr 0a:00:00:00:00:01  used 0/0/0probes 0 PERMANENT')).toMatchObject({ neighbour: { state: 'permanent', device: 'v1' }, problems: [] });
  expect(readFdbLine('0a:00:00:00:00:03 dev v0 used 0/0 master br0 static')).toMatchObject({ entry: { device: 'v0', master: 'br0' }, problems: [] });
});
