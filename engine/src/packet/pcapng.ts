/** pcapng (draft-ietf-opsawg-pcapng): a section header, a description of every interface, a block for every packet. */
import { concat, utf8 } from './bytes.ts';

export interface CaptureInterface {
  /** `host1/root/flannel.1` */
  readonly name: string;
  /** `ip`: a device without link layer (tun). */
  readonly link: 'ethernet' | 'ip';
}

export interface CapturedPacket {
  /** Index into the interfaces. */
  readonly interface: number;
  readonly direction: 'in' | 'out';
  /** Since 1970, in microseconds. */
  readonly time: number;
  readonly bytes: Uint8Array;
  readonly comment: string;
}

const LINK_TYPE = { ethernet: 1, ip: 101 } as const;
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const OPTION = { end: 0, comment: 1, ifName: 2, userApplication: 4, flags: 2, timestampResolution: 9 } as const;
/** epb_flags, bits 0 and 1. */
const DIRECTION = { in: 1, out: 2 } as const;

/** A capture file, little-endian. */
export const encodePcapng = (interfaces: readonly CaptureInterface[], packets: readonly CapturedPacket[]): Uint8Array =>
  concat(sectionHeader(), ...interfaces.map(interfaceDescription), ...packets.map(enhancedPacket));

const le16 = (n: number): readonly number[] => [n & 255, (n >>> 8) & 255];

const le32 = (n: number): readonly number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];

const padded = (bytes: Uint8Array): Uint8Array => concat(bytes, new Uint8Array(-bytes.length & 3));

function block(type: number, body: Uint8Array): Uint8Array {
  const length = le32(body.length + 12);
  return concat(le32(type), length, body, length);
}

const option = (code: number, value: Uint8Array): Uint8Array => concat(le16(code), le16(value.length), padded(value));

const END_OF_OPTIONS = le32(OPTION.end);

const sectionHeader = (): Uint8Array =>
  // Byte order magic, version 1.0, a section length that is not said.
  block(SECTION_HEADER, concat(le32(0x1a2b3c4d), le16(1), le16(0), le32(0xffffffff), le32(0xffffffff), option(OPTION.userApplication, utf8('k8snet')), END_OF_OPTIONS));

const interfaceDescription = (described: CaptureInterface): Uint8Array =>
  block(INTERFACE_DESCRIPTION, concat(
    le16(LINK_TYPE[described.link]), le16(0), le32(0),
    option(OPTION.ifName, utf8(described.name)), option(OPTION.timestampResolution, Uint8Array.of(6)), END_OF_OPTIONS,
  ));

function enhancedPacket(packet: CapturedPacket): Uint8Array {
  const length = le32(packet.bytes.length);
  return block(ENHANCED_PACKET, concat(
    le32(packet.interface), le32(Math.floor(packet.time / 0x1_0000_0000)), le32(packet.time % 0x1_0000_0000), length, length,
    padded(packet.bytes),
    option(OPTION.flags, Uint8Array.from(le32(DIRECTION[packet.direction]))), option(OPTION.comment, utf8(packet.comment)), END_OF_OPTIONS,
  ));
}
