import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePacket } from '../../../engine/src/packet/codec.ts';
import type { PacketHeaders } from '../../../engine/src/packet/headers.ts';
import { encodePcapng } from '../../../engine/src/packet/pcapng.ts';
import { captureOf } from '../../../engine/src/trace/capture.ts';
import { frames } from './packets.ts';
import { ipv4, pingTrace, serviceTrace, tunTrace } from './sample-trace.ts';
import { complaints, fields } from './tshark.ts';

describe('a trace as a capture', () => {
  it('is decoded by tshark without a complaint', () => {
    for (const trace of [pingTrace, tunTrace, serviceTrace]) expect(complaints(captureOf(trace))).toEqual([]);
  });

  it('shows the encapsulated ping as the article does', () => {
    const rows = fields(captureOf(pingTrace), 'frame.interface_name', 'frame.protocols', 'udp.dstport', 'vxlan.vni', 'ip.src', 'ip.ttl', 'frame.len');
    expect(rows[3]).toEqual(['host1/root/eth0', 'eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:icmp:data', '8472', '1', '192.168.93.212,10.0.14.15', '64,63', '148']);
    expect(rows[0]).toEqual(['host1/default/pod1/eth0', 'eth:ethertype:ip:icmp:data', '', '', '10.0.14.15', '64', '98']);
  });

  it('has one interface for each device, and numbers the hops through request and reply', () => {
    const rows = fields(captureOf(pingTrace), 'frame.interface_name', 'frame.comment');
    expect(rows).toHaveLength(12);
    expect(new Set(rows.map(([name]) => name)).size).toBe(8);
    expect(rows[2]).toEqual(['host1/root/flannel.1', 'request, hop 3']);
    expect(rows[11]).toEqual(['host1/default/pod1/eth0', 'reply, hop 12']);
  });

  it('has the second packet behind the reply', () => {
    const first = pingTrace.branches[0]!;
    const second = { outcome: 'dropped', reason: null, hops: first.request.hops.slice(0, 2) } as const;
    const comments = fields(captureOf({ ...pingTrace, branches: [{ ...first, second }] }), 'frame.comment').map(([comment]) => comment);
    expect(comments.slice(11)).toEqual(['reply, hop 12', 'second packet, hop 13', 'second packet, hop 14']);
  });

  it('says which branch a packet belongs to', () => {
    const comments = fields(captureOf(serviceTrace), 'frame.comment').map(([comment]) => comment);
    expect(comments[0]).toBe('branch 1 of 2, request, hop 1');
    expect(comments.at(-1)).toBe('branch 2 of 2, request, hop 3');
  });

  it('has times that only grow', () => {
    for (const trace of [pingTrace, serviceTrace]) {
      const times = fields(captureOf(trace), 'frame.time_epoch').map(([time]) => Number(time));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(new Set(times).size).toBe(times.length);
    }
  });

  it('carries bare IP on a tun device', () => {
    const rows = fields(captureOf(tunTrace), 'frame.interface_name', 'frame.protocols');
    expect(rows[0]).toEqual(['host1/root/flannel0', 'raw:ip:icmp:data']);
  });

  it('tells received from sent', () => {
    expect(fields(captureOf(pingTrace), 'frame.packet_flags_direction').slice(0, 2)).toEqual([['2'], ['1']]
      .map(([code]) => [`0x0000000${code}`]));
  });
});

describe('what the codecs write', () => {
  const capture = (packets: readonly PacketHeaders[]): Uint8Array =>
    encodePcapng([{ name: 'any', link: 'ethernet' }], packets.map((headers, i) =>
      ({ interface: 0, direction: 'in', time: i * 1_000_000, bytes: encodePacket(headers), comment: 'ü → ✓' })));
  const frame = { header: 'ethernet', source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02', etherType: 0x0800 } as const;
  const v6 = (nextHeader: number) => ({ header: 'ipv6', source: 'fd00::1', destination: 'fd00::2', nextHeader, hopLimit: 255, trafficClass: 0, flowLabel: 0 }) as const;
  const frame6 = { ...frame, etherType: 0x86dd } as const;
  const dns = { header: 'udp', sourcePort: 40000, destinationPort: 4000, checksum: true } as const;

  it('has checksums that tshark agrees with, in both families', () => {
    const packets: PacketHeaders[] = [
      [frame, ipv4('10.0.0.1', '10.0.0.2', 17, 64), dns, { header: 'payload', length: 13 }],
      [frame6, v6(17), dns, { header: 'payload', length: 13 }],
      [frame, ipv4('10.0.0.1', '10.0.0.2', 6, 64), { header: 'tcp', sourcePort: 1, destinationPort: 2, sequence: 1, acknowledgement: 0, flags: ['SYN'], window: 1, mss: 1460 }],
      [frame6, v6(6), { header: 'tcp', sourcePort: 1, destinationPort: 2, sequence: 1, acknowledgement: 0, flags: ['SYN'], window: 1 }],
      [frame, ipv4('10.0.0.1', '10.0.0.2', 132, 64), { header: 'sctp', sourcePort: 3, destinationPort: 4, verificationTag: 0, chunk: 'INIT' }],
      [frame6, v6(132), { header: 'sctp', sourcePort: 4, destinationPort: 3, verificationTag: 1, chunk: 'INIT ACK' }],
      [frame, ipv4('10.0.0.2', '10.0.0.1', 132, 64), { header: 'sctp', sourcePort: 5, destinationPort: 6, verificationTag: 1, chunk: 'ABORT' }],
      [frame6, v6(58), { header: 'icmpv6', type: 128, code: 0, identifier: 1, sequence: 1 }, { header: 'payload', length: 56 }],
      [frame6, v6(58), { header: 'icmpv6', type: 135, code: 0, target: 'fd00::2' }],
      [frame6, v6(58), { header: 'icmpv6', type: 136, code: 0, target: 'fd00::2' }],
      [frame6, v6(58), { header: 'icmpv6', type: 1, code: 4 }, v6(17), dns, { header: 'payload', length: 1400 }],
      [frame, ipv4('10.0.0.2', '10.0.0.1', 1, 64), { header: 'icmp', type: 3, code: 3 }, ipv4('10.0.0.1', '10.0.0.2', 17, 63), dns, { header: 'payload', length: 20 }],
      [{ ...frame, etherType: 0x0806 }, { header: 'arp', operation: 'request', senderMac: frame.source, senderAddress: '10.0.0.1', targetMac: '00:00:00:00:00:00', targetAddress: '10.0.0.2' }],
    ];
    expect(complaints(capture(packets))).toEqual([]);
    const status = fields(capture(packets), 'ip.checksum.status', 'udp.checksum.status', 'tcp.checksum.status', 'sctp.checksum.status', 'icmp.checksum.status', 'icmpv6.checksum.status');
    // 1 is "good"; a quote in an error is checked as well where it is whole.
    const verdicts = status.flat().flatMap((cell) => cell.split(',')).filter((cell) => cell !== '');
    expect(verdicts.length).toBeGreaterThanOrEqual(17);
    expect(verdicts.filter((verdict) => verdict === '0')).toEqual([]);
  });

  it('any frame that is encoded has no checksum that tshark finds wrong', () => {
    // tshark also sums the cut quote of an error, over the bytes that are left.
    const cut = (headers: PacketHeaders): boolean =>
      headers.some((each, i) => each.header.startsWith('icmp') && headers[i + 1]?.header.startsWith('ip') === true && encodePacket(headers.slice(i + 1)).length > 548);
    const many = fc.sample(frames, { numRuns: 300, seed: 7 }).filter((headers) => !cut(headers));
    const status = fields(capture(many), 'ip.checksum.status', 'udp.checksum.status', 'tcp.checksum.status', 'sctp.checksum.status', 'icmp.checksum.status', 'icmpv6.checksum.status');
    const verdicts = status.flat().flatMap((cell) => cell.split(',')).filter((cell) => cell !== '');
    expect(verdicts.filter((verdict) => verdict === '1').length).toBeGreaterThan(300);
    expect(status.flatMap((row, i) => (row.some((cell) => cell.split(',').includes('0')) ? [{ row, packet: many[i] }] : []))).toEqual([]);
  });
});
