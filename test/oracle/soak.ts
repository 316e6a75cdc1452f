/** Random cases for as long as wanted: `--count N --seed S`. Prints each disagreement, shrunk, and goes on with the next seed. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { newCoverage, table } from './coverage.ts';
import { describeCase, disagreements } from './driver.ts';
import { startKernel } from './kernel.ts';
import { randomCase } from './random-cluster.ts';

const BATCH = 25;

const { values } = parseArgs({ options: { count: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' }, 'no-shrink': { type: 'boolean', default: false }, workers: { type: 'string', default: String(Math.min(os.availableParallelism(), 4)) } } });
const count = Number(values.count);
const coverage = newCoverage();
let begun = 0;
let failed = 0;
let judged = 0;

async function work(processor: number): Promise<void> {
  const kernel = startKernel(processor);
  while (begun * BATCH < count) {
    const seed = Number(values.seed) * 100_000 + begun++;
    const property = fc.asyncProperty(randomCase, async (one) => {
      judged++;
      const found = await disagreements(kernel, one, coverage);
      if (found.length > 0) throw new Error(describeCase(one.text, found));
    });
    const result = await fc.check(property, { seed, numRuns: BATCH, endOnFailure: values['no-shrink'], interruptAfterTimeLimit: 60_000 });
    if (result.failed && !result.interrupted) {
      failed++;
      const error = result.errorInstance instanceof Error ? result.errorInstance.message : 'no error';
      process.stdout.write(`seed ${seed}: a disagreement, after ${result.numShrinks} shrinks\n${error}\n\n`);
    }
    process.stderr.write(`${judged} judged, ${failed} batches with a disagreement\n`);
  }
  kernel.stop();
}

await Promise.all(Array.from({ length: Number(values.workers) }, (_, i) => work(i)));
process.stdout.write(`${table(coverage)}\n${judged} topologies judged, ${failed} batches of ${BATCH} with a disagreement\n`);
process.exitCode = failed === 0 ? 0 : 1;
