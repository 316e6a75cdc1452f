/** IPv6 (RFC 8200). Extension headers stay payload: nothing that is simulated sends any. */
import { addressBytes, be16, be32, concat, readAddress, u16, u32, u8 } from './bytes.ts';
import type { Ipv6Header } from './headers.ts';
import { layerOfProtocol } from './ipv4.ts';
import { problemsOf, shortOf } from './layer.ts';
import type { DecodeContext, DecodeResult } from './layer.ts';

const LENGTH = 40;

export const encodeIpv6 = (header: Ipv6Header, body: Uint8Array): Uint8Array =>
  concat(
    be32((6 << 28) | (header.trafficClass << 20) | header.flowLabel), be16(body.length), [header.nextHeader, header.hopLimit],
    addressBytes(header.source, 6), addressBytes(header.destination, 6), body,
  );

export function decodeIpv6(bytes: Uint8Array, context: DecodeContext): DecodeResult {
  if (bytes.length < LENGTH) return shortOf('an IPv6 header', LENGTH, bytes);
  const first = u32(bytes, 0);
  if (first >>> 28 !== 6) return `the IPv6 header has version ${first >>> 28}`;
  const body = u16(bytes, 4);
  const header: Ipv6Header = {
    header: 'ipv6', source: readAddress(bytes, 8, 6), destination: readAddress(bytes, 24, 6),
    nextHeader: u8(bytes, 6), hopLimit: u8(bytes, 7), trafficClass: (first >>> 20) & 255, flowLabel: first & 0xfffff,
  };
  const problems = problemsOf(
    [!context.quoted && LENGTH + body > bytes.length + context.missing, `the IPv6 packet says ${LENGTH + body} bytes and ${bytes.length} are there`],
  );
  return { header, length: LENGTH, body, next: layerOfProtocol(header.nextHeader), problems };
}
