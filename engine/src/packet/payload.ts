/** Bytes behind the last header. */
import { concat, fromHex, toHex } from './bytes.ts';
import type { Header, PayloadHeader } from './headers.ts';

/**
 * What stands for content that nobody named: behind an echo header byte n is n, as ping(8) fills its packets behind the
 * time stamp; elsewhere zeros, which most protocols' readers take for an empty message.
 */
const filler = (length: number, before: Header | undefined): Uint8Array =>
  before?.header === 'icmp' || before?.header === 'icmpv6' ? Uint8Array.from({ length }, (_, i) => i & 255) : new Uint8Array(length);

/** Where `hex` has less than `length` bytes, filler follows: what a quote or a short capture has cut off. */
export function encodePayload(header: PayloadHeader, before: Header | undefined): Uint8Array {
  const whole = filler(header.length, before);
  if (header.hex === undefined) return whole;
  const known = fromHex(header.hex);
  return concat(known.subarray(0, header.length), whole.subarray(known.length));
}

/** @param missing bytes that belong here and are not there */
export function decodePayload(bytes: Uint8Array, missing: number, before: Header | undefined): PayloadHeader {
  const plain = filler(bytes.length, before).every((byte, i) => byte === bytes[i]);
  const length = bytes.length + missing;
  return plain ? { header: 'payload', length } : { header: 'payload', length, hex: toHex(bytes) };
}
