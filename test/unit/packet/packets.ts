/** Arbitrary packets that could be on a wire: every header names the one that follows. */
import fc from 'fast-check';
import { formatAddress, formatMac } from '../../../engine/src/net/address.ts';
import type { Mac } from '../../../engine/src/net/address.ts';
import type { Header, PacketHeaders } from '../../../engine/src/packet/headers.ts';

const word = fc.integer({ min: 0, max: 0xffffffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u8 = fc.integer({ min: 0, max: 0xff });
const mac = fc.integer({ min: 0, max: 0xffff_ffff_ffff }).map((n) => formatMac(n as Mac));
const v4 = word.map((n) => formatAddress({ family: 4, words: [0, 0, 0, n] }));
const v6 = fc.tuple(word, word, word, word).map((words) => formatAddress({ family: 6, words }));

/** The ports behind which tunnels are looked for. */
const TUNNELS = [8472, 4789, 8285];
const port = u16.filter((n) => !TUNNELS.includes(n));

const isFiller = (bytes: Uint8Array): boolean => bytes.every((byte, i) => byte === (i & 255)) || bytes.every((byte) => byte === 0);
const payload: fc.Arbitrary<PacketHeaders> = fc.oneof(
  fc.constant([]),
  fc.integer({ min: 1, max: 1400 }).map((length) => [{ header: 'payload', length } as const]),
  fc.uint8Array({ minLength: 1, maxLength: 64 }).filter((bytes) => !isFiller(bytes))
    .map((bytes) => [{ header: 'payload', length: bytes.length, hex: Buffer.from(bytes).toString('hex') } as const]),
);

interface Content {
  readonly protocol: number;
  readonly headers: PacketHeaders;
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const;

const udp: fc.Arbitrary<Content> = fc.tuple(
  fc.record({ header: fc.constant('udp' as const), sourcePort: u16, destinationPort: port, checksum: fc.boolean() }), payload,
).map(([header, rest]) => ({ protocol: 17, headers: [header, ...rest] }));

const tcp: fc.Arbitrary<Content> = fc.tuple(
  fc.record(
    { header: fc.constant('tcp' as const), sourcePort: u16, destinationPort: u16, sequence: word, acknowledgement: word,
      flags: fc.subarray([...FLAGS]), window: u16, mss: u16 },
    { requiredKeys: ['header', 'sourcePort', 'destinationPort', 'sequence', 'acknowledgement', 'flags', 'window'] },
  ), payload,
).map(([header, rest]) => ({ protocol: 6, headers: [header as Header, ...rest] }));

const sctp: fc.Arbitrary<Content> = fc.record({
  header: fc.constant('sctp' as const), sourcePort: u16, destinationPort: u16, verificationTag: word,
  chunk: fc.constantFrom('INIT', 'INIT ACK', 'ABORT' as const),
}).map((header) => ({ protocol: 132, headers: [header as Header] }));

const echo = (family: 4 | 6): fc.Arbitrary<Content> => fc.tuple(
  fc.record({ type: fc.constantFrom(...(family === 4 ? [0, 8] : [128, 129])), code: fc.constant(0), identifier: u16, sequence: u16 }), payload,
).map(([fields, rest]) => ({ protocol: family === 4 ? 1 : 58, headers: [{ header: family === 4 ? 'icmp' : 'icmpv6', ...fields }, ...rest] }));

const neighbour: fc.Arbitrary<Content> = fc.record({ type: fc.constantFrom(135, 136), target: v6 })
  .map(({ type, target }) => ({ protocol: 58, headers: [{ header: 'icmpv6', type, code: 0, target }] }));

const plain = (family: 4 | 6): fc.Arbitrary<Content> =>
  fc.oneof(udp, tcp, sctp, echo(family), ...(family === 6 ? [neighbour] : []));

function ip4(content: fc.Arbitrary<Content>): fc.Arbitrary<PacketHeaders> {
  const fields = fc.record({ source: v4, destination: v4, ttl: u8, tos: u8, id: u16, dontFragment: fc.boolean() });
  return fc.tuple(fields, content).map(([f, { protocol, headers }]) =>
    [{ header: 'ipv4', ...f, protocol, moreFragments: false, fragmentOffset: 0 }, ...headers]);
}

function ip6(content: fc.Arbitrary<Content>): fc.Arbitrary<PacketHeaders> {
  const fields = fc.record({ source: v6, destination: v6, hopLimit: u8, trafficClass: u8, flowLabel: fc.integer({ min: 0, max: 0xfffff }) });
  return fc.tuple(fields, content).map(([f, { protocol, headers }]) => [{ header: 'ipv6', ...f, nextHeader: protocol }, ...headers]);
}

/** An error and the whole packet that caused it. */
const error4: fc.Arbitrary<Content> = fc.tuple(
  fc.oneof(
    fc.record({ type: fc.constantFrom(3, 11), code: fc.constantFrom(0, 1, 3) }),
    fc.record({ type: fc.constant(3), code: fc.constant(4), mtu: u16 }),
    fc.record({ type: fc.constant(5), code: fc.constantFrom(0, 1), gateway: v4 }),
  ),
  ip4(plain(4)),
).map(([fields, quote]) => ({ protocol: 1, headers: [{ header: 'icmp', ...fields }, ...quote] }));

const error6: fc.Arbitrary<Content> = fc.tuple(
  fc.oneof(
    fc.record({ type: fc.constantFrom(1, 3, 4), code: fc.constantFrom(0, 1) }),
    fc.record({ type: fc.constant(2), code: fc.constant(0), mtu: word }),
  ),
  ip6(plain(6)),
).map(([fields, quote]) => ({ protocol: 58, headers: [{ header: 'icmpv6', ...fields }, ...quote] }));

export const ipPackets: fc.Arbitrary<PacketHeaders> = fc.oneof(ip4(plain(4)), ip6(plain(6)), ip4(error4), ip6(error6));

const framed = (packets: fc.Arbitrary<PacketHeaders>): fc.Arbitrary<PacketHeaders> =>
  fc.tuple(mac, mac, packets).map(([source, destination, packet]) =>
    [{ header: 'ethernet', source, destination, etherType: packet[0]?.header === 'ipv4' ? 0x0800 : 0x86dd }, ...packet]);

const tunnel = (destinationPort: number, inside: fc.Arbitrary<PacketHeaders>): fc.Arbitrary<PacketHeaders> => {
  const content: fc.Arbitrary<Content> = fc.tuple(u16, fc.boolean(), inside)
    .map(([sourcePort, checksum, headers]) => ({ protocol: 17, headers: [{ header: 'udp', sourcePort, destinationPort, checksum }, ...headers] }));
  return framed(fc.oneof(ip4(content), ip6(content)));
};

const vxlan = fc.tuple(fc.integer({ min: 0, max: 0xffffff }), framed(ipPackets))
  .map(([vni, frame]): PacketHeaders => [{ header: 'vxlan', vni, flags: 0x0800 }, ...frame]);

const arp = fc.tuple(mac, mac, fc.constantFrom('request', 'reply' as const), v4, v4).map(([a, b, operation, from, to]): PacketHeaders => [
  { header: 'ethernet', source: a, destination: b, etherType: 0x0806 },
  { header: 'arp', operation, senderMac: a, senderAddress: from, targetMac: b, targetAddress: to },
]);

/** Ethernet frames: plain, ARP, VXLAN, and flannel's udp backend. */
export const frames: fc.Arbitrary<PacketHeaders> = fc.oneof(framed(ipPackets), arp, tunnel(8472, vxlan), tunnel(8285, ipPackets));
