/** Runs the benches and prints their rows. */
import { coldStart } from './cold-start.ts';
export { readingTimes } from './iptables-read.ts';
export { synthesisTimes } from './synthesis.ts';
import { iptablesReading } from './iptables-read.ts';
import { keystroke } from './keystroke.ts';
import { packageSize } from './package-size.ts';
import { fullRecord } from './full-record.ts';
import { recompiling } from './recompile.ts';
import { reparsing } from './reparse.ts';
import { synthesis } from './synthesis.ts';
import { topologyMemory } from './topology-memory.ts';
import { verdict } from './verdict.ts';
import type { Bench, Row, Setting } from './row.ts';

const BENCHES: readonly Bench[] = [coldStart, keystroke, reparsing, iptablesReading, fullRecord, recompiling, verdict, synthesis, topologyMemory, packageSize];

/** The exit code: 1 where a bench fails to run. A goal that is missed is printed, not judged: machines are noisy. */
export async function run(options: Setting & { readonly json: boolean; readonly words: readonly string[] }): Promise<number> {
  const chosen = BENCHES.filter((bench) => options.words.length === 0 || options.words.some((word) => bench.name.includes(word)));
  for (const bench of chosen) for (const row of await bench.rows(options)) console.log(options.json ? JSON.stringify(row) : line(row));
  return chosen.length === 0 ? 2 : 0;
}

function line(row: Row): string {
  const mark = row.holds === null ? ' ' : row.holds ? '✓' : '✗';
  const ratio = row.ratio === null ? '' : `, ${row.ratio.toFixed(2)} × ${row.against ?? ''}`;
  return `${mark} ${row.name}: ${row.value.toPrecision(4)} ${row.unit}${ratio}${row.goal === null ? '' : ` (goal ${row.goal})`}`;
}
