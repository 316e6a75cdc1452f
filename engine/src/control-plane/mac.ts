/** The MACs of devices whose MAC nobody said: the same for the same name in every run. */
import type { Address, Mac } from '../net/address.ts';
import { stableHash } from './hash.ts';

/** A locally administered unicast MAC (02:…) from 40 bits of the name's hash. */
export function inventedMac(name: string): Mac {
  const low = stableHash(name);
  const high = stableHash(`${name}#`) & 0xff;
  return (0x0200_0000_0000 + high * 0x1_0000_0000 + low) as Mac;
}

/**
 * As the CNI bridge plugin makes it from a pod's IPv4 address: `0a:58:` and the four bytes (containernetworking
 * plugins, pkg/utils/hwaddr). A pod without IPv4 gets an invented one.
 */
export function podMac(addresses: readonly Address[], name: string): Mac {
  const v4 = addresses.find((a) => a.family === 4);
  return v4 === undefined ? inventedMac(name) : ((0x0a58_0000_0000 + v4.words[3]) as Mac);
}

/** RFC 4291, appendix A: the link-local address with the EUI-64 of the MAC. */
export function linkLocal(mac: Mac): Address {
  const high = Math.floor(mac / 0x100_0000);
  const low = mac % 0x100_0000;
  return {
    family: 6,
    words: [0xfe80_0000, 0, ((((high ^ 0x02_0000) << 8) >>> 0) | 0xff) >>> 0, (0xfe00_0000 | low) >>> 0],
  };
}
