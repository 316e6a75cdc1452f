/** IPv4 (RFC 791), without options: nothing that is simulated sends any. */
import { addressBytes, be16, concat, put16, readAddress, u16, u8 } from './bytes.ts';
import { internetChecksum } from './checksum.ts';
import type { Ipv4Header } from './headers.ts';
import { problemsOf, shortOf } from './layer.ts';
import type { DecodeContext, DecodeResult, Layer } from './layer.ts';

const LENGTH = 20;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

export const PROTOCOL = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, icmpv6: 58, sctp: 132 } as const;

export function encodeIpv4(header: Ipv4Header, body: Uint8Array): Uint8Array {
  const fragment = (header.dontFragment ? DONT_FRAGMENT : 0) | (header.moreFragments ? MORE_FRAGMENTS : 0) | (header.fragmentOffset >>> 3);
  const bytes = concat(
    [0x45, header.tos], be16(LENGTH + body.length), be16(header.id), be16(fragment), [header.ttl, header.protocol, 0, 0],
    addressBytes(header.source, 4), addressBytes(header.destination, 4), body,
  );
  put16(bytes, 10, internetChecksum(bytes.subarray(0, LENGTH)));
  return bytes;
}

export function decodeIpv4(bytes: Uint8Array, context: DecodeContext): DecodeResult {
  if (bytes.length < LENGTH) return shortOf('an IPv4 header', LENGTH, bytes);
  const version = u8(bytes, 0) >>> 4;
  const length = (u8(bytes, 0) & 15) * 4;
  const total = u16(bytes, 2);
  const fragment = u16(bytes, 6);
  if (version !== 4) return `the IPv4 header has version ${version}`;
  if (length < LENGTH || total < length) return `the IPv4 header says ${length} bytes of ${total}`;
  if (bytes.length < length) return shortOf('an IPv4 header with options', length, bytes);
  const header: Ipv4Header = {
    header: 'ipv4', source: readAddress(bytes, 12, 4), destination: readAddress(bytes, 16, 4),
    protocol: u8(bytes, 9), ttl: u8(bytes, 8), tos: u8(bytes, 1), id: u16(bytes, 4),
    dontFragment: (fragment & DONT_FRAGMENT) !== 0, moreFragments: (fragment & MORE_FRAGMENTS) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
  };
  const problems = problemsOf(
    [internetChecksum(bytes.subarray(0, length)) !== 0, 'the IPv4 header checksum is wrong'],
    [length > LENGTH, `${length - LENGTH} bytes of IPv4 options are left out`],
    [(fragment & 0x8000) !== 0, 'the reserved IPv4 flag is set'],
    [!context.quoted && total > bytes.length + context.missing, `the IPv4 packet says ${total} bytes and ${bytes.length} are there`],
  );
  return { header, length, body: total - length, next: layerOf(header), problems };
}

/** A fragment's content is payload: its transport header counts bytes, and sums them, that are in other packets. */
const layerOf = (header: Ipv4Header): Layer =>
  header.moreFragments || header.fragmentOffset > 0 ? 'payload' : layerOfProtocol(header.protocol);

export function layerOfProtocol(protocol: number): Layer {
  switch (protocol) {
    case PROTOCOL.icmp: return 'icmp';
    case PROTOCOL.icmpv6: return 'icmpv6';
    case PROTOCOL.tcp: return 'tcp';
    case PROTOCOL.udp: return 'udp';
    case PROTOCOL.sctp: return 'sctp';
    case PROTOCOL.ipip: return 'ipv4';
    case PROTOCOL.ipv6: return 'ipv6';
    default: return 'payload';
  }
}
