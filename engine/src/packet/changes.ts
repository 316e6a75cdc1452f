/** What became of a packet from one interface to the next, header by header. */
import type { Header, PacketHeaders } from './headers.ts';

export interface HeaderPair {
  readonly header: Header;
  /** The same header as it was before; `null`: an encapsulation put this one there. */
  readonly old: Header | null;
}

/**
 * Each header of `packet` with the same one of `before`. Tunnels add and remove headers outside, so the two packets are
 * laid on each other from the innermost header outwards.
 */
export const headerPairs = (before: PacketHeaders, packet: PacketHeaders): readonly HeaderPair[] =>
  packet.map((header, i) => {
    const old = before[before.length - (packet.length - i)];
    return { header, old: old?.header === header.header ? old : null };
  });

/** The headers of `before` that are gone from the outside. */
export const headersRemoved = (before: PacketHeaders, packet: PacketHeaders): PacketHeaders => before.slice(0, Math.max(0, before.length - packet.length));

/** Headers are flat records of one key order: what prints alike is alike. */
export const sameHeader = ({ header, old }: HeaderPair): boolean => old !== null && JSON.stringify(old) === JSON.stringify(header);
