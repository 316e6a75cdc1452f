/** ICMP (RFC 792, RFC 1191), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861): what the four bytes behind the checksum mean. */
import type { Family } from '../net/address.ts';
import { addressBytes, be16, be32, concat, put16, readAddress, u16, u32, u8 } from './bytes.ts';
import { internetChecksum, transportChecksum } from './checksum.ts';
import type { IpHeader } from './checksum.ts';
import type { IcmpHeader } from './headers.ts';
import { PROTOCOL } from './ipv4.ts';
import { problemsOf, shortOf } from './layer.ts';
import type { DecodeContext, DecodeResult } from './layer.ts';

/** `plain`: an unknown type, whose every byte behind the checksum stays payload. */
type Form = 'echo' | 'error' | 'mtu' | 'redirect' | 'neighbour' | 'plain';

function formOf(header: Pick<IcmpHeader, 'header' | 'type' | 'code'>): Form {
  const { type, code } = header;
  if (header.header === 'icmp') {
    if (type === 0 || type === 8) return 'echo';
    if (type === 3) return code === 4 ? 'mtu' : 'error';
    if (type === 5) return 'redirect';
    return type === 4 || type === 11 || type === 12 ? 'error' : 'plain';
  }
  if (type === 128 || type === 129) return 'echo';
  if (type === 2) return 'mtu';
  if (type === 135 || type === 136) return 'neighbour';
  return type === 1 || type === 3 || type === 4 ? 'error' : 'plain';
}

const LENGTHS: Readonly<Record<Form, number>> = { echo: 8, error: 8, mtu: 8, redirect: 8, neighbour: 24, plain: 4 };

/** Whether the packet that caused it is quoted behind the header. */
const quotes = (form: Form): boolean => form === 'error' || form === 'mtu' || form === 'redirect';

/** icmp_send() fills at most 576 bytes, icmp6_send() at most 1280: IP header, ICMP header, the rest is the quote. */
export const quoteLimit = (header: IcmpHeader): number =>
  !quotes(formOf(header)) ? Number.POSITIVE_INFINITY : header.header === 'icmp' ? 576 - 20 - 8 : 1280 - 40 - 8;

/** A solicited neighbour advertisement that overrides, as a host sends it. */
const SOLICITED_OVERRIDE = 0x6000_0000;

const flagsOf = (type: number): number => (type === 136 ? SOLICITED_OVERRIDE : 0);

function restOf(header: IcmpHeader): readonly number[] {
  const form = formOf(header);
  switch (form) {
    case 'echo': return [...be16(header.identifier ?? 0), ...be16(header.sequence ?? 0)];
    case 'mtu': return be32(header.mtu ?? 0);
    case 'redirect': return addressBytes(header.gateway ?? '0.0.0.0', 4);
    case 'neighbour': return [...be32(flagsOf(header.type)), ...addressBytes(header.target ?? '::', 6)];
    case 'error': return be32(0);
    case 'plain': return [];
  }
}

export function encodeIcmp(header: IcmpHeader, body: Uint8Array, ip: IpHeader | null): Uint8Array {
  const bytes = concat([header.type, header.code, 0, 0], restOf(header), body.subarray(0, quoteLimit(header)));
  put16(bytes, 2, checksumOf(header.header, bytes, ip));
  return bytes;
}

/** ICMPv6's covers a pseudo header, ICMP's does not. */
const checksumOf = (kind: IcmpHeader['header'], bytes: Uint8Array, ip: IpHeader | null): number =>
  kind === 'icmp' || ip === null ? internetChecksum(bytes) : transportChecksum(ip, PROTOCOL.icmpv6, bytes);

export function decodeIcmp(kind: IcmpHeader['header'], bytes: Uint8Array, context: DecodeContext): DecodeResult {
  const name = kind === 'icmp' ? 'an ICMP message' : 'an ICMPv6 message';
  if (bytes.length < 4) return shortOf(name, 4, bytes);
  const head = { header: kind, type: u8(bytes, 0), code: u8(bytes, 1) };
  const form = formOf(head);
  const length = LENGTHS[form];
  if (bytes.length < length) return shortOf(name, length, bytes);
  const problems = problemsOf(
    [context.missing === 0 && checksumOf(kind, bytes, context.ip) !== 0, 'the ICMP checksum is wrong'],
    [u32(bytes, 4) !== fixedRest(form, head.type, bytes), 'bytes of the ICMP header that should be fixed are not kept'],
  );
  const header = { ...head, ...fieldsOf(form, bytes, kind === 'icmp' ? 4 : 6) };
  return { header, length, body: null, next: quotes(form) ? 'ip' : 'payload', problems };
}

/** What bytes 4 to 7 must be where the record does not keep them whole. */
function fixedRest(form: Form, type: number, bytes: Uint8Array): number {
  switch (form) {
    case 'error': return 0;
    case 'neighbour': return flagsOf(type);
    case 'echo': case 'mtu': case 'redirect': case 'plain': return u32(bytes, 4);
  }
}

function fieldsOf(form: Form, bytes: Uint8Array, family: Family): Partial<IcmpHeader> {
  switch (form) {
    case 'echo': return { identifier: u16(bytes, 4), sequence: u16(bytes, 6) };
    case 'mtu': return { mtu: u32(bytes, 4) };
    case 'redirect': return { gateway: readAddress(bytes, 4, family) };
    case 'neighbour': return { target: readAddress(bytes, 8, family) };
    case 'error': case 'plain': return {};
  }
}
