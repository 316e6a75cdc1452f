/** The Internet checksum (RFC 1071) with its pseudo headers (RFC 768, RFC 8200 section 8.1), and CRC32c (RFC 9260 appendix A). */
import { addressBytes, be16, be32, concat, u8 } from './bytes.ts';
import type { Ipv4Header, Ipv6Header } from './headers.ts';

/** The checksum to store; over bytes with a right checksum in place it gives 0. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (u8(bytes, i) << 8) | u8(bytes, i + 1);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export type IpHeader = Ipv4Header | Ipv6Header;

/** The checksum of a transport segment under `ip`; the segment's own checksum field counts as it stands. */
export const transportChecksum = (ip: IpHeader, protocol: number, segment: Uint8Array): number =>
  internetChecksum(concat(pseudoHeader(ip, protocol, segment.length), segment));

/** What the kernel leaves in the field for a device to complete: the sum of the pseudo header, not inverted. */
export const partialChecksum = (ip: IpHeader, protocol: number, length: number): number =>
  ~internetChecksum(pseudoHeader(ip, protocol, length)) & 0xffff;

function pseudoHeader(ip: IpHeader, protocol: number, length: number): Uint8Array {
  const family = ip.header === 'ipv4' ? 4 : 6;
  const rest = family === 4 ? [0, protocol, ...be16(length)] : [...be32(length), 0, 0, 0, protocol];
  return concat(addressBytes(ip.source, family), addressBytes(ip.destination, family), rest);
}

/** Castagnoli's polynomial, reflected. */
const CRC32C = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC32C[(crc ^ byte) & 255] ?? 0);
  return ~crc >>> 0;
}
