import fc from 'fast-check';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c, internetChecksum } from '../../../engine/src/packet/checksum.ts';
import { decodePacket, encodePacket, inspectPacket } from '../../../engine/src/packet/codec.ts';
import type { PacketHeaders } from '../../../engine/src/packet/headers.ts';
import { frames, ipPackets } from './packets.ts';
import { readPcap } from './pcap.ts';

const captures = path.resolve(import.meta.dirname, '../../fixtures/captures');
const onBridge = readPcap(path.join(captures, 'ping-pod1-pod2-on-cni0.pcap'));
const onLan = readPcap(path.join(captures, 'ping-pod1-pod2-on-the-lan.pcap'));

describe('packets that a real cluster sent', () => {
  it.each([['on cni0', onBridge], ['on the LAN', onLan]])('are read without a problem and give the same bytes again, %s', (_, packets) => {
    expect(packets).toHaveLength(4);
    for (const bytes of packets) {
      const { headers, problems } = inspectPacket(bytes);
      expect(problems).toEqual([]);
      expect(encodePacket(headers)).toEqual(bytes);
    }
  });

  it('reads the encapsulated ping as tshark does', () => {
    const names = decodePacket(onLan[0]!).map((each) => each.header);
    expect(names).toEqual(['ethernet', 'ipv4', 'udp', 'vxlan', 'ethernet', 'ipv4', 'icmp', 'payload']);
    // Values read from `tshark -V` of the same file.
    expect(decodePacket(onLan[0]!)).toMatchObject([
      { source: 'ca:47:17:4d:9f:29', destination: '46:5c:29:a7:13:d7', etherType: 0x0800 },
      { source: '192.168.93.212', destination: '192.168.93.213', protocol: 17, ttl: 64, id: 0xf189, dontFragment: false },
      { sourcePort: 36744, destinationPort: 8472, checksum: true, partialChecksum: true },
      { vni: 1, flags: 0x0800 },
      { source: '6a:8c:10:00:00:01', destination: '6a:8c:10:00:00:02' },
      { source: '10.0.14.15', destination: '10.0.5.150', protocol: 1, ttl: 63, id: 0x5987, dontFragment: true },
      { type: 8, code: 0, identifier: 0x4d37, sequence: 1 },
      { length: 56 },
    ]);
  });

  it('a checksum that is left to the device is told from a wrong one', () => {
    const bytes = onLan[0]!.slice();
    bytes[14 + 20 + 6]! ^= 1;
    expect(inspectPacket(bytes).problems).toEqual([{ layer: 'udp', offset: 34, message: 'the UDP checksum is wrong' }]);
  });

  it('notices every byte that changes under a checksum', () => {
    const whole = onBridge[0]!;
    for (let at = 14; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at]! ^= 0x10;
      expect(inspectPacket(bytes).problems, `byte ${at}`).not.toEqual([]);
    }
  });

  it('keeps the headers that a cut packet still has', () => {
    const { headers, problems } = inspectPacket(onLan[0]!.subarray(0, 14 + 20 + 8 + 8 + 14 + 7));
    expect(headers.map((each) => each.header)).toEqual(['ethernet', 'ipv4', 'udp', 'vxlan', 'ethernet', 'payload']);
    expect(problems.map((each) => each.layer)).toEqual(['ipv4', 'ipv4']);
    expect(problems[0]!.message).toContain('134 bytes');
  });
});

describe('headers and bytes', () => {
  it('a frame comes back as it was', () => {
    fc.assert(fc.property(frames, (headers) => {
      const back = inspectPacket(encodePacket(headers));
      expect(back.problems).toEqual([]);
      expect(back.headers).toEqual(headers);
    }), { numRuns: 300 });
  });

  it('a bare IP packet comes back as it was', () => {
    fc.assert(fc.property(ipPackets, (headers) => {
      const back = inspectPacket(encodePacket(headers), { link: 'ip' });
      expect(back.problems).toEqual([]);
      expect(back.headers).toEqual(headers);
    }), { numRuns: 300 });
  });

  it('the bytes of what was read are the bytes that were read', () => {
    fc.assert(fc.property(frames, (headers) => {
      const bytes = encodePacket(headers);
      expect(encodePacket(decodePacket(bytes))).toEqual(bytes);
    }), { numRuns: 300 });
  });

  it('any bytes give headers, and the rest as payload', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('ethernet' as const, 'ip' as const), (bytes, link) => {
      const { headers } = inspectPacket(bytes, { link });
      expect(headers.slice(0, -1).every((each) => each.header !== 'payload')).toBe(true);
    }), { numRuns: 2000 });
  });

  it('a frame that is cut or changed anywhere is still read', () => {
    const hurt = fc.tuple(frames, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(fc.property(hurt, ([headers, cut, at, value]) => {
      const bytes = encodePacket(headers);
      bytes[at % bytes.length] = value;
      expect(inspectPacket(bytes.subarray(0, cut % bytes.length)).headers).toBeInstanceOf(Array);
    }), { numRuns: 1000 });
  });
});

describe('checksums', () => {
  it('the example of RFC 1071 section 3', () => {
    expect(internetChecksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xffff - 0xddf2);
  });

  it('an odd byte counts as the high half of a word', () => {
    expect(internetChecksum(Uint8Array.of(0x12, 0x34, 0x56))).toBe(0xffff - (0x1234 + 0x5600));
  });

  it("CRC-32C's check value", () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });
});

describe('an ICMP error', () => {
  const big: PacketHeaders = [
    { header: 'ethernet', source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02', etherType: 0x0800 },
    { header: 'ipv4', source: '10.0.14.1', destination: '10.0.14.15', protocol: 1, ttl: 64, tos: 0xc0, id: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0 },
    { header: 'icmp', type: 3, code: 4, mtu: 1450 },
    { header: 'ipv4', source: '10.0.14.15', destination: '10.0.5.150', protocol: 1, ttl: 64, tos: 0, id: 2, dontFragment: true, moreFragments: false, fragmentOffset: 0 },
    { header: 'icmp', type: 8, code: 0, identifier: 7, sequence: 1 },
    { header: 'payload', length: 1423 },
  ];

  it('is 576 bytes long as the kernel sends it, and its quote still says the length of the packet', () => {
    const bytes = encodePacket(big);
    expect(bytes).toHaveLength(14 + 576);
    expect((bytes[14 + 20 + 8 + 2]! << 8) | bytes[14 + 20 + 8 + 3]!).toBe(20 + 8 + 1423);
    expect(inspectPacket(bytes)).toEqual({ headers: big, problems: [] });
  });
});

describe('what a record cannot keep', () => {
  it('IPv4 options are left out, and said to be', () => {
    const bytes = encodePacket([
      { header: 'ipv4', source: '10.0.0.1', destination: '10.0.0.2', protocol: 253, ttl: 64, tos: 0, id: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0 },
      { header: 'payload', length: 4, hex: '01010100' },
    ]);
    bytes[0] = 0x46;
    bytes[10] = bytes[11] = 0;
    const sum = internetChecksum(bytes.subarray(0, 24));
    bytes.set([sum >>> 8, sum & 255], 10);
    const { headers, problems } = inspectPacket(bytes, { link: 'ip' });
    expect(headers.map((each) => each.header)).toEqual(['ipv4']);
    expect(problems.map((each) => each.message)).toEqual(['4 bytes of IPv4 options are left out']);
  });

  it('a fragment is IP and payload: its transport header speaks of more than itself', () => {
    const whole = onBridge[0]!;
    const first: PacketHeaders = [
      { header: 'ipv4', source: '10.0.0.1', destination: '10.0.0.2', protocol: 1, ttl: 64, tos: 0, id: 9, dontFragment: false, moreFragments: true, fragmentOffset: 0 },
      { header: 'payload', length: 16, hex: Buffer.from(whole.subarray(34, 50)).toString('hex') },
    ];
    expect(inspectPacket(encodePacket(first), { link: 'ip' })).toEqual({ headers: first, problems: [] });
  });

  it('a header that names an impossible address is a bug of its maker', () => {
    expect(() => encodePacket([{ header: 'ipv6', source: '10.0.0.1', destination: '::1', nextHeader: 59, hopLimit: 1, trafficClass: 0, flowLabel: 0 }])).toThrow('10.0.0.1');
  });
});
