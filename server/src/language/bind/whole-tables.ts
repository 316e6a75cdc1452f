/**
 * Tables that a node's dumps hold twice. A dump that lists a table's chains is the whole table, so two of them are one
 * of iptables-legacy and one of nftables, which the kernel keeps apart, or the same twice: never one table. Excerpts are.
 */
import type { DumpText } from './dump-lines.ts';

/** By dump: the tables that an earlier one gave as a whole already. Only the first counts. */
export function tablesGivenBefore(dumps: readonly (readonly DumpText[])[]): readonly ReadonlySet<string>[] {
  if (dumps.length < 2) return dumps.map(() => NONE);
  const before = new Set<string>();
  return dumps.map((lines) => {
    const whole = wholeTables(lines);
    const again = new Set([...whole].filter((name) => before.has(name)));
    for (const name of whole) before.add(name);
    return again;
  });
}

const NONE: ReadonlySet<string> = new Set();

function wholeTables(lines: readonly DumpText[]): ReadonlySet<string> {
  const whole = new Set<string>();
  let table: string | null = null;
  for (const { text } of lines) {
    if (text.startsWith('*')) table = text.slice(1).trim();
    else if (table !== null && (text.startsWith(':') || text.startsWith('-P '))) whole.add(table);
  }
  return whole;
}
