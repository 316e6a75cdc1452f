/** What became of a packet from one interface to the next, header by header. */
import type { Header, PacketHeaders } from './headers.ts';

export interface HeaderChange {
  readonly header: Header;
  /** `added`: an encapsulation put it there. */
  readonly change: 'same' | 'changed' | 'added';
  /** Fields that differ, with what they were: `ttl` 64. */
  readonly was: readonly { readonly field: string; readonly value: string }[];
}

/**
 * Each header of `packet` against the same one of `before`. Tunnels add and remove headers outside, so the two packets
 * are laid on each other from the innermost header outwards.
 */
export function headerChanges(before: PacketHeaders | null, packet: PacketHeaders): readonly HeaderChange[] {
  return packet.map((header, i) => {
    if (before === null) return { header, change: 'same', was: [] };
    const old = before[before.length - (packet.length - i)];
    if (old?.header !== header.header) return { header, change: 'added', was: [] };
    const was = differences(old, header);
    return { header, change: was.length === 0 ? 'same' : 'changed', was };
  });
}

/** How many headers of `before` are gone from the outside. */
export const headersRemoved = (before: PacketHeaders | null, packet: PacketHeaders): number =>
  before === null ? 0 : Math.max(0, before.length - packet.length);

function differences(old: Header, header: Header): HeaderChange['was'] {
  const [a, b] = [entriesOf(old), entriesOf(header)];
  const fields = [...new Set([...a.keys(), ...b.keys()])];
  return fields.filter((field) => a.get(field) !== b.get(field)).map((field) => ({ field, value: a.get(field) ?? 'absent' }));
}

const entriesOf = (header: Header): ReadonlyMap<string, string> =>
  new Map(Object.entries(header).map(([field, value]: [string, unknown]) => [field, Array.isArray(value) ? value.join(' ') : String(value)]));
