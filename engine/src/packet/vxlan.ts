/** VXLAN (RFC 7348): 16 bits of flags, a group policy id that is 0, the VNI, a reserved byte. */
import { be16, be32, concat, u16, u32 } from './bytes.ts';
import type { VxlanHeader } from './headers.ts';
import { problemsOf, shortOf } from './layer.ts';
import type { DecodeResult } from './layer.ts';

const LENGTH = 8;

export const encodeVxlan = (header: VxlanHeader, body: Uint8Array): Uint8Array =>
  concat(be16(header.flags), [0, 0], be32(header.vni << 8), body);

export function decodeVxlan(bytes: Uint8Array): DecodeResult {
  if (bytes.length < LENGTH) return shortOf('a VXLAN header', LENGTH, bytes);
  const header: VxlanHeader = { header: 'vxlan', vni: u32(bytes, 4) >>> 8, flags: u16(bytes, 0) };
  const problems = problemsOf([u16(bytes, 2) !== 0 || (u32(bytes, 4) & 255) !== 0, 'reserved bytes of the VXLAN header are left out']);
  return { header, length: LENGTH, body: null, next: 'ethernet', problems };
}
