/** Ethernet II (RFC 894): destination, source, type. No frame check sequence: captures have none. */
import { be16, concat, macBytes, readMac, u16 } from './bytes.ts';
import type { EthernetHeader } from './headers.ts';
import { shortOf } from './layer.ts';
import type { DecodeResult, Layer } from './layer.ts';

const LENGTH = 14;

export const ETHER_TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

export const encodeEthernet = (header: EthernetHeader, body: Uint8Array): Uint8Array =>
  concat(macBytes(header.destination), macBytes(header.source), be16(header.etherType), body);

export function decodeEthernet(bytes: Uint8Array): DecodeResult {
  if (bytes.length < LENGTH) return shortOf('an Ethernet header', LENGTH, bytes);
  const etherType = u16(bytes, 12);
  const header: EthernetHeader = { header: 'ethernet', source: readMac(bytes, 6), destination: readMac(bytes, 0), etherType };
  return { header, length: LENGTH, body: null, next: layerOf(etherType), problems: [] };
}

function layerOf(etherType: number): Layer {
  switch (etherType) {
    case ETHER_TYPE.ipv4: return 'ipv4';
    case ETHER_TYPE.ipv6: return 'ipv6';
    case ETHER_TYPE.arp: return 'arp';
    default: return 'payload';
  }
}
