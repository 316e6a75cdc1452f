import { describe, expect, test } from 'vitest';
import { compare } from '../../../webview/src/packet/compare.ts';
import { summaryOf } from '../../../webview/src/packet/summary.ts';
import { ethernet, ip, serviceBranch, udp, vxlan } from './fixture.ts';

const hops = serviceBranch().request.hops;
const packetAt = (number: number) => hops[number - 1]!.packet;

describe('compared with the hop before', () => {
  test('a DNAT shows in the destination only, with the value that it was', () => {
    const { headers, removed } = compare(packetAt(2), packetAt(3));
    expect(removed).toEqual([]);
    expect(headers.flatMap((header) => header.fields.filter((field) => field.was !== null).map((field) => [header.title, field.name, field.was, field.value])))
      .toEqual([['IPv4', 'destination', '10.16.0.10', '10.0.0.46']]);
  });

  test('an encapsulation adds headers outside and leaves the inner ones as they were', () => {
    const { headers } = compare(packetAt(4), packetAt(5));
    expect(headers.map((header) => [header.title, header.state])).toEqual([
      ['Ethernet', 'added'], ['IPv4', 'added'], ['UDP', 'added'], ['VXLAN', 'added'], ['Ethernet', 'same'], ['IPv4', 'same'], ['UDP', 'same'],
    ]);
  });

  test('a decapsulation names what was taken off', () => {
    expect(compare(packetAt(6), packetAt(7)).removed).toEqual(['Ethernet', 'IPv4', 'UDP', 'VXLAN']);
  });

  test('headers of other kinds at the same place are removed and added, not changed', () => {
    const { headers, removed } = compare([ethernet('a', 'b'), ip('1.1.1.1', '2.2.2.2', 64)], [ip('1.1.1.1', '2.2.2.2', 64)]);
    expect([headers.map((header) => header.state), removed]).toEqual([['same'], ['Ethernet']]);
  });

  test('nothing counts as changed at the first hop', () => {
    expect(compare(null, packetAt(1)).headers.every((header) => header.state === 'same')).toBe(true);
  });
});

describe('in one line', () => {
  test('ports, protocol and TTL are told', () => {
    expect(summaryOf(packetAt(1))).toEqual({ tunnels: [], ends: '10.0.14.15:40000 → 10.16.0.10:53', rest: 'UDP, TTL 64' });
  });

  test('a tunnel stands before what it carries', () => {
    expect(summaryOf(packetAt(5))).toEqual({ tunnels: ['VXLAN 192.168.93.212 → 192.168.93.214'], ends: '10.0.14.15:40000 → 10.0.0.46:53', rest: 'UDP, TTL 63' });
  });

  test("flannel's UDP tunnel carries bare IP", () => {
    const packet = [ethernet('a', 'b'), ip('1.1.1.1', '2.2.2.2', 64), udp(8285, 8285), ip('10.0.0.1', '10.0.0.2', 63, 1), { header: 'icmp', type: 8, code: 0 } as const];
    expect(summaryOf(packet)).toEqual({ tunnels: ['UDP tunnel 1.1.1.1 → 2.2.2.2'], ends: '10.0.0.1 → 10.0.0.2', rest: 'ICMP echo request, TTL 63' });
  });

  test('IPv6 ports stand behind brackets', () => {
    const packet = [{ header: 'ipv6', source: 'fd00::1', destination: 'fd00::2', nextHeader: 17, hopLimit: 64, trafficClass: 0, flowLabel: 0 } as const, udp(1000, 53)];
    expect(summaryOf(packet).ends).toBe('[fd00::1]:1000 → [fd00::2]:53');
  });

  test('a packet without IP is told by its link', () => {
    expect(summaryOf([ethernet('a', 'b'), { header: 'arp', operation: 'request', senderMac: 'a', senderAddress: '1.1.1.1', targetMac: 'b', targetAddress: '2.2.2.2' }]).ends).toBe('a → b');
    expect(summaryOf([vxlan()]).ends).toBe('empty');
  });
});
