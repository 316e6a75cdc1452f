/** The packets of a classic little-endian capture file with time stamps in microseconds, as tcpdump writes it. */
import { readFileSync } from 'node:fs';

export function readPcap(path: string): Uint8Array[] {
  const file = readFileSync(path);
  if (file.readUInt32LE(0) !== 0xa1b2c3d4 || file.readUInt32LE(20) !== 1) throw new Error(`${path} is no Ethernet capture`);
  const packets: Uint8Array[] = [];
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8);
    packets.push(new Uint8Array(file.subarray(at + 16, at + 16 + length)));
    at += 16 + length;
  }
  return packets;
}
