/** Random cases for as long as wanted: `--count N --seed S`, `--nft` for rules in nftables. Prints each disagreement, shrunk, and what was compared. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { newCoverage, table } from './coverage.ts';
import { judgeRandom } from './driver.ts';

const BATCH = 50;

const { values } = parseArgs({ options: { count: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' }, nft: { type: 'boolean', default: false }, 'no-shrink': { type: 'boolean', default: false }, workers: { type: 'string', default: String(Math.min(os.availableParallelism(), 4)) } } });
const count = Number(values.count);
const coverage = newCoverage();
let failed = 0;

for (let begun = 0; begun < count; begun += BATCH) {
  const found = await judgeRandom({ seed: Number(values.seed) * 100_000 + begun, count: Math.min(BATCH, count - begun), workers: Number(values.workers), shrink: !values['no-shrink'], tables: values.nft ? 'nft' : 'legacy' }, coverage);
  failed += found.length;
  for (const text of found) process.stdout.write(`${text}\n\n`);
  process.stderr.write(`${Math.min(begun + BATCH, count)} judged, ${failed} with a disagreement\n`);
}
process.stdout.write(`${table(coverage)}\n${count} topologies judged, ${failed} with a disagreement\n`);
process.exitCode = failed === 0 ? 0 : 1;
