/** UDP (RFC 768). */
import { be16, concat, put16, u16, u8 } from './bytes.ts';
import { partialChecksum, transportChecksum } from './checksum.ts';
import type { IpHeader } from './checksum.ts';
import type { UdpHeader } from './headers.ts';
import { PROTOCOL } from './ipv4.ts';
import { problemsOf, shortOf } from './layer.ts';
import type { DecodeContext, DecodeResult, Layer } from './layer.ts';

const LENGTH = 8;

export function encodeUdp(header: UdpHeader, body: Uint8Array, ip: IpHeader | null): Uint8Array {
  const bytes = concat(be16(header.sourcePort), be16(header.destinationPort), be16(LENGTH + body.length), [0, 0], body);
  if (!header.checksum || ip === null) return bytes;
  // A sum of 0 is sent as all ones: 0 says that there is none.
  put16(bytes, 6, header.partialChecksum === true ? partialChecksum(ip, PROTOCOL.udp, bytes.length) : transportChecksum(ip, PROTOCOL.udp, bytes) || 0xffff);
  return bytes;
}

export function decodeUdp(bytes: Uint8Array, context: DecodeContext): DecodeResult {
  if (bytes.length < LENGTH) return shortOf('a UDP header', LENGTH, bytes);
  const length = u16(bytes, 4);
  if (length < LENGTH) return `the UDP header says ${length} bytes`;
  const checksum = u16(bytes, 6) !== 0;
  const whole = bytes.length >= length && context.missing === 0;
  const right = !whole || !checksum || context.ip === null || transportChecksum(context.ip, PROTOCOL.udp, bytes.subarray(0, length)) === 0;
  const partial = !right && u16(bytes, 6) === partialChecksum(context.ip, PROTOCOL.udp, length);
  const header: UdpHeader = {
    header: 'udp', sourcePort: u16(bytes, 0), destinationPort: u16(bytes, 2), checksum, ...(partial ? { partialChecksum: true } : {}),
  };
  const problems = problemsOf(
    [length > bytes.length + context.missing, `the UDP datagram says ${length} bytes and ${bytes.length} are there`],
    [!right && !partial, 'the UDP checksum is wrong'],
  );
  return { header, length: LENGTH, body: length - LENGTH, next: layerOf(header, bytes.subarray(LENGTH), context), problems };
}

function layerOf(header: UdpHeader, body: Uint8Array, context: DecodeContext): Layer {
  if (context.vxlanPorts.includes(header.destinationPort)) return 'vxlan';
  const version = u8(body, 0) >>> 4;
  return context.ipPorts.includes(header.destinationPort) && (version === 4 || version === 6) ? 'ip' : 'payload';
}
