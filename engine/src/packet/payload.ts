/** Bytes behind the last header. */
import { concat, fromHex, toHex } from './bytes.ts';
import type { PayloadHeader } from './headers.ts';

/** Byte n is n, as ping(8) fills its packets behind the time stamp. */
const filler = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 255);

/** Where `hex` has less than `length` bytes, filler follows: what a quote or a short capture has cut off. */
export function encodePayload(header: PayloadHeader): Uint8Array {
  if (header.hex === undefined) return filler(header.length);
  const known = fromHex(header.hex);
  return concat(known.subarray(0, header.length), filler(header.length).subarray(known.length));
}

/** @param missing bytes that belong here and are not there */
export function decodePayload(bytes: Uint8Array, missing: number): PayloadHeader {
  const plain = filler(bytes.length).every((byte, i) => byte === bytes[i]);
  const length = bytes.length + missing;
  return plain ? { header: 'payload', length } : { header: 'payload', length, hex: toHex(bytes) };
}
