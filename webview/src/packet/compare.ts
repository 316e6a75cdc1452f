/** What changed in a packet from one hop to the next, header by header and field by field. */
import type { Header, PacketHeaders } from '../../../engine/src/packet/headers.ts';
import { fieldsOf, titleOf } from './fields.ts';

export interface ComparedField {
  readonly name: string;
  readonly value: string;
  /** The value at the hop before, where it was another. */
  readonly was: string | null;
}

export interface ComparedHeader {
  readonly title: string;
  readonly state: 'same' | 'changed' | 'added';
  readonly fields: readonly ComparedField[];
}

export interface Comparison {
  readonly headers: readonly ComparedHeader[];
  /** Titles of headers that the hop before had on the outside, outermost first. */
  readonly removed: readonly string[];
}

/** `previous` is `null` at a journey's first hop: nothing counts as changed there. */
export function compare(previous: PacketHeaders | null, current: PacketHeaders): Comparison {
  if (previous === null) return { headers: current.map((header) => compareHeader(header, header)), removed: [] };
  const shared = sharedInside(previous, current);
  const outside = current.length - shared;
  return {
    headers: current.map((header, i) => compareHeader(i < outside ? undefined : previous[previous.length - current.length + i], header)),
    removed: previous.slice(0, previous.length - shared).map(titleOf),
  };
}

/** Tunnels put headers on the outside and take them off there, so packets are aligned from the inside. */
function sharedInside(previous: PacketHeaders, current: PacketHeaders): number {
  let shared = 0;
  while (shared < Math.min(previous.length, current.length)
    && previous[previous.length - 1 - shared]?.header === current[current.length - 1 - shared]?.header) shared++;
  return shared;
}

function compareHeader(previous: Header | undefined, current: Header): ComparedHeader {
  const before = new Map((previous === undefined ? [] : fieldsOf(previous)).map((f) => [f.name, f.value]));
  const fields = fieldsOf(current).map(({ name, value }) => {
    const was = before.get(name) ?? null;
    return { name, value, was: was === value ? null : was };
  });
  const state = previous === undefined ? 'added' : fields.some((f) => f.was !== null) ? 'changed' : 'same';
  return { title: titleOf(current), state, fields };
}
