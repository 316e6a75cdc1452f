/** SCTP (RFC 9260): the common header and the one chunk that opens or refuses an association. */
import { be16, be32, concat, u16, u32, u8 } from './bytes.ts';
import { crc32c } from './checksum.ts';
import type { SctpHeader } from './headers.ts';
import { problemsOf, shortOf } from './layer.ts';
import type { DecodeContext, DecodeResult } from './layer.ts';

const LENGTH = 12;

/** Initiate tag, advertised window, outbound and inbound streams, initial TSN: an association that Linux would open. */
const INITIATION = [...be32(1), ...be32(106_496), ...be16(10), ...be16(65_535), ...be32(1)];
/** Parameter 7, the state cookie, which an INIT ACK must carry (RFC 9260 section 3.3.3). */
const COOKIE = [...be16(7), ...be16(8), ...be32(1)];

/** Whole chunks: type, flags, length, content. */
const CHUNKS: Readonly<Record<SctpHeader['chunk'], Uint8Array>> = {
  INIT: concat([1, 0], be16(4 + INITIATION.length), INITIATION),
  'INIT ACK': concat([2, 0], be16(4 + INITIATION.length + COOKIE.length), INITIATION, COOKIE),
  ABORT: concat([6, 0], be16(4)),
};
const NAMES = ['INIT', 'INIT ACK', 'ABORT'] as const;

export function encodeSctp(header: SctpHeader, body: Uint8Array): Uint8Array {
  const bytes = concat(be16(header.sourcePort), be16(header.destinationPort), be32(header.verificationTag), be32(0), CHUNKS[header.chunk], body);
  bytes.set(littleEndian(crc32c(bytes)), 8);
  return bytes;
}

/** The one field of all headers here that is not in network byte order (RFC 9260 appendix A). */
const littleEndian = (n: number): readonly number[] => [...be32(n)].reverse();

export function decodeSctp(bytes: Uint8Array, context: DecodeContext): DecodeResult {
  if (bytes.length < LENGTH + 4) return shortOf('an SCTP header with a chunk', LENGTH + 4, bytes);
  const chunk = NAMES.find((name) => CHUNKS[name][0] === u8(bytes, LENGTH));
  if (chunk === undefined) return `SCTP chunk type ${u8(bytes, LENGTH)} is none of ${NAMES.join(', ')}`;
  const length = LENGTH + CHUNKS[chunk].length;
  if (bytes.length < length) return shortOf(`an SCTP ${chunk}`, length, bytes);
  const header: SctpHeader = {
    header: 'sctp', sourcePort: u16(bytes, 0), destinationPort: u16(bytes, 2), verificationTag: u32(bytes, 4), chunk,
  };
  const problems = problemsOf(
    [context.missing === 0 && !checksumHolds(bytes), 'the SCTP checksum is wrong'],
    [CHUNKS[chunk].some((byte, i) => byte !== u8(bytes, LENGTH + i)), `the parameters of the SCTP ${chunk} are left out`],
  );
  return { header, length, body: null, next: 'payload', problems };
}

function checksumHolds(bytes: Uint8Array): boolean {
  const blank = bytes.slice();
  blank.fill(0, 8, 12);
  return littleEndian(crc32c(blank)).every((byte, i) => byte === u8(bytes, 8 + i));
}
