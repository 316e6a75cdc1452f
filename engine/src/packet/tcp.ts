/** TCP (RFC 9293) with the one option that changes on the way, the maximum segment size; where it is, those that Linux sends with it follow. */
import { be16, be32, concat, put16, u16, u32, u8 } from './bytes.ts';
import { partialChecksum, transportChecksum } from './checksum.ts';
import type { IpHeader } from './checksum.ts';
import type { TcpHeader } from './headers.ts';
import { PROTOCOL } from './ipv4.ts';
import { problemsOf, shortOf } from './layer.ts';
import type { DecodeContext, DecodeResult } from './layer.ts';

const LENGTH = 20;
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const;
const MSS_OPTION = [2, 4] as const;

/** SACK permitted, timestamps, no operation and window scale 7: with the MSS all that a SYN of Linux has (tcp_options_write). */
const WITH_MSS = [4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7];
const WITH_MSS_KINDS = [1, 3, 4, 8];

export function encodeTcp(header: TcpHeader, body: Uint8Array, ip: IpHeader | null): Uint8Array {
  const options = header.mss === undefined ? [] : [...MSS_OPTION, ...be16(header.mss), ...WITH_MSS];
  const flags = FLAGS.reduce((bits, flag, i) => (header.flags.includes(flag) ? bits | (1 << i) : bits), 0);
  const bytes = concat(
    be16(header.sourcePort), be16(header.destinationPort), be32(header.sequence), be32(header.acknowledgement),
    [((LENGTH + options.length) / 4) << 4, flags], be16(header.window), [0, 0, 0, 0], options, body,
  );
  if (ip === null) return bytes;
  put16(bytes, 16, header.partialChecksum === true ? partialChecksum(ip, PROTOCOL.tcp, bytes.length) : transportChecksum(ip, PROTOCOL.tcp, bytes));
  return bytes;
}

export function decodeTcp(bytes: Uint8Array, context: DecodeContext): DecodeResult {
  if (bytes.length < LENGTH) return shortOf('a TCP header', LENGTH, bytes);
  const length = (u8(bytes, 12) >>> 4) * 4;
  if (length < LENGTH) return `the TCP header says ${length} bytes`;
  if (bytes.length < length) return shortOf('a TCP header with options', length, bytes);
  const options = optionsOf(bytes.subarray(LENGTH, length));
  const bits = u8(bytes, 13);
  const right = context.missing > 0 || context.ip === null || transportChecksum(context.ip, PROTOCOL.tcp, bytes) === 0;
  const partial = !right && u16(bytes, 16) === partialChecksum(context.ip, PROTOCOL.tcp, bytes.length);
  const header: TcpHeader = {
    header: 'tcp', sourcePort: u16(bytes, 0), destinationPort: u16(bytes, 2),
    sequence: u32(bytes, 4), acknowledgement: u32(bytes, 8),
    flags: FLAGS.filter((_, i) => (bits & (1 << i)) !== 0), window: u16(bytes, 14),
    ...(options.mss === null ? {} : { mss: options.mss }),
    ...(partial ? { partialChecksum: true } : {}),
  };
  const problems = problemsOf(
    [!right && !partial, 'the TCP checksum is wrong'],
    [options.leftOut.length > 0, `TCP options of kind ${options.leftOut.join(', ')} are left out`],
    [(u8(bytes, 12) & 15) !== 0 || bits > 63, 'the TCP flags CWR and ECE and the reserved bits are left out'],
    [u16(bytes, 18) !== 0, 'the TCP urgent pointer is left out'],
  );
  return { header, length, body: null, next: 'payload', problems };
}

/** The options by kind; `leftOut` are those that the record has no place for. */
function optionsOf(bytes: Uint8Array): { readonly mss: number | null; readonly leftOut: readonly number[] } {
  let mss: number | null = null;
  const leftOut: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = u8(bytes, at);
    const length = kind <= 1 ? 1 : u8(bytes, at + 1);
    if (kind === MSS_OPTION[0] && length === MSS_OPTION[1] && at + length <= bytes.length && mss === null) mss = u16(bytes, at + 2);
    else if (mss === null || !WITH_MSS_KINDS.includes(kind)) leftOut.push(kind);
    // An end of list, or a length that leads nowhere.
    if (kind === 0 || length === 0) break;
    at += length;
  }
  return { mss, leftOut };
}
