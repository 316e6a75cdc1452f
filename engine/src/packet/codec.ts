/** A packet as headers, and as bytes: the walk over the codecs of the single headers. */
import { assertNever } from '../assert-never.ts';
import { decodeArp, encodeArp } from './arp.ts';
import { u8 } from './bytes.ts';
import type { IpHeader } from './checksum.ts';
import { decodeEthernet, encodeEthernet } from './ethernet.ts';
import type { Header, PacketHeaders } from './headers.ts';
import { decodeIcmp, encodeIcmp } from './icmp.ts';
import { decodeIpv4, encodeIpv4 } from './ipv4.ts';
import { decodeIpv6, encodeIpv6 } from './ipv6.ts';
import type { DecodeContext, DecodeResult, Layer, PacketProblem } from './layer.ts';
import { decodePayload, encodePayload } from './payload.ts';
import { decodeSctp, encodeSctp } from './sctp.ts';
import { decodeTcp, encodeTcp } from './tcp.ts';
import { decodeUdp, encodeUdp } from './udp.ts';
import { decodeVxlan, encodeVxlan } from './vxlan.ts';

/**
 * The bytes of a packet, lengths and checksums computed. An ICMP error's quote is cut where the kernel cuts it.
 * Throws where a header holds what no packet can (an address that is none): that is a bug of its maker.
 */
export function encodePacket(headers: PacketHeaders): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let i = headers.length - 1; i >= 0; i--) {
    const header = headers[i];
    if (header !== undefined) bytes = encodeHeader(header, bytes, headers[i - 1]);
  }
  return bytes;
}

const isIp = (header: Header | undefined): header is IpHeader => header?.header === 'ipv4' || header?.header === 'ipv6';

function encodeHeader(header: Header, body: Uint8Array, before: Header | undefined): Uint8Array {
  const ip = isIp(before) ? before : null;
  switch (header.header) {
    case 'ethernet': return encodeEthernet(header, body);
    case 'arp': return encodeArp(header, body);
    case 'ipv4': return encodeIpv4(header, body);
    case 'ipv6': return encodeIpv6(header, body);
    case 'icmp': case 'icmpv6': return encodeIcmp(header, body, ip);
    case 'udp': return encodeUdp(header, body, ip);
    case 'tcp': return encodeTcp(header, body, ip);
    case 'sctp': return encodeSctp(header, body);
    case 'vxlan': return encodeVxlan(header, body);
    case 'payload': return encodePayload(header, before);
    default: return assertNever(header);
  }
}

export interface DecodeOptions {
  /** `ip` on a device without link layer (tun); default `ethernet`. */
  readonly link?: 'ethernet' | 'ip';
  /** Default 8472 (Linux, flannel) and 4789 (IANA). */
  readonly vxlanPorts?: readonly number[];
  /** Default 8285: flannel's udp backend. */
  readonly ipPorts?: readonly number[];
}

export interface DecodedPacket {
  readonly headers: PacketHeaders;
  readonly problems: readonly PacketProblem[];
}

/** The headers of any bytes, and a payload of the rest; see `inspectPacket` for what is wrong with them. */
export const decodePacket = (bytes: Uint8Array, options: DecodeOptions = {}): PacketHeaders => inspectPacket(bytes, options).headers;

/** The frame of 60 bytes (without check sequence) that Ethernet pads to. */
const SMALLEST_FRAME = 60;

/** Headers and problems of any bytes: never throws. What cannot be read as a header is payload. */
export function inspectPacket(bytes: Uint8Array, options: DecodeOptions = {}): DecodedPacket {
  const headers: Header[] = [];
  const problems: PacketProblem[] = [];
  let context: DecodeContext = {
    ip: null, missing: 0, quoted: false, vxlanPorts: options.vxlanPorts ?? [8472, 4789], ipPorts: options.ipPorts ?? [8285],
  };
  let layer: Layer = options.link ?? 'ethernet';
  let at = 0;
  let end = bytes.length;
  while (layer !== 'payload' && (at < end || headers.length === 0)) {
    const result = decodeLayer(layer, bytes.subarray(at, end), context);
    if (typeof result === 'string') {
      problems.push({ layer, offset: at, message: result });
      break;
    }
    headers.push(result.header);
    for (const message of result.problems) problems.push({ layer, offset: at, message });
    if (isIp(result.header)) context = { ...context, ip: result.header };
    at += result.length;
    if (result.body !== null) {
      context = { ...context, missing: Math.max(0, at + result.body - end) };
      const padding = end - at - result.body;
      if (padding > 0 && bytes.length > SMALLEST_FRAME) problems.push({ layer, offset: at + result.body, message: `${padding} bytes behind the packet are left out` });
      end = Math.min(end, at + result.body);
    }
    if (result.next === 'ip' && result.header.header !== 'udp') context = { ...context, quoted: true };
    layer = result.next;
  }
  if (at < end || context.missing > 0) headers.push(decodePayload(bytes.subarray(at, end), context.missing, headers.at(-1)));
  return { headers, problems };
}

function decodeLayer(layer: Exclude<Layer, 'payload'>, bytes: Uint8Array, context: DecodeContext): DecodeResult {
  switch (layer) {
    case 'ethernet': return decodeEthernet(bytes);
    case 'arp': return decodeArp(bytes);
    case 'ip': return u8(bytes, 0) >>> 4 === 6 ? decodeIpv6(bytes, context) : decodeIpv4(bytes, context);
    case 'ipv4': return decodeIpv4(bytes, context);
    case 'ipv6': return decodeIpv6(bytes, context);
    case 'icmp': case 'icmpv6': return decodeIcmp(layer, bytes, context);
    case 'udp': return decodeUdp(bytes, context);
    case 'tcp': return decodeTcp(bytes, context);
    case 'sctp': return decodeSctp(bytes, context);
    case 'vxlan': return decodeVxlan(bytes);
    default: return assertNever(layer);
  }
}
