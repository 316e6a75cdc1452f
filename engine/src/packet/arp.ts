/** ARP for IPv4 over Ethernet (RFC 826). */
import { addressBytes, be16, concat, macBytes, readAddress, readMac, u16, u32 } from './bytes.ts';
import { ETHER_TYPE } from './ethernet.ts';
import type { ArpHeader } from './headers.ts';
import { shortOf } from './layer.ts';
import type { DecodeResult } from './layer.ts';

const LENGTH = 28;
/** Hardware type Ethernet, protocol IPv4, 6 and 4 bytes an address. */
const KIND = [...be16(1), ...be16(ETHER_TYPE.ipv4), 6, 4];
const OPERATIONS = ['request', 'reply'] as const;

export const encodeArp = (header: ArpHeader, body: Uint8Array): Uint8Array =>
  concat(
    KIND, be16(OPERATIONS.indexOf(header.operation) + 1),
    macBytes(header.senderMac), addressBytes(header.senderAddress, 4),
    macBytes(header.targetMac), addressBytes(header.targetAddress, 4), body,
  );

export function decodeArp(bytes: Uint8Array): DecodeResult {
  if (bytes.length < LENGTH) return shortOf('an ARP message', LENGTH, bytes);
  const operation = OPERATIONS[u16(bytes, 6) - 1];
  if (u32(bytes, 0) !== 0x0001_0800 || u16(bytes, 4) !== 0x0604) return 'the ARP message is not about IPv4 over Ethernet';
  if (operation === undefined) return `ARP operation ${u16(bytes, 6)} is neither request nor reply`;
  const header: ArpHeader = {
    header: 'arp', operation,
    senderMac: readMac(bytes, 8), senderAddress: readAddress(bytes, 14, 4),
    targetMac: readMac(bytes, 18), targetAddress: readAddress(bytes, 24, 4),
  };
  return { header, length: LENGTH, body: 0, next: 'payload', problems: [] };
}
