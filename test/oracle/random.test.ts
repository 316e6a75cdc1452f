/**
 * Random clusters, the same ones in every run: what the kernel did with each question is what the simulator says. Needs
 * root and two processors; a failure prints the smallest file and question that still differ.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { newCoverage, table } from './coverage.ts';
import { describeCase, disagreements } from './driver.ts';
import { startKernel } from './kernel.ts';
import { randomCase } from './random-cluster.ts';

const WORKERS = 2;
const RUNS = 150;
const SEED = 20_261_122;
const MINUTES = 60_000;

const coverage = newCoverage();

/** Questions that had to go through each before the comparison says anything; about a third of what a run has. */
const ENOUGH: Readonly<Record<string, Readonly<Record<string, number>>>> = {};

describe('random clusters in the kernel', () => {
  it.concurrent.each(Array.from({ length: WORKERS }, (_, i) => i))('part %i', async (part) => {
    const kernel = startKernel(part);
    const property = fc.asyncProperty(randomCase, async (one) => {
      const found = await disagreements(kernel, one, coverage);
      if (found.length > 0) throw new Error(describeCase(one.text, found));
    });
    await fc.assert(property, { seed: SEED + part, numRuns: RUNS, interruptAfterTimeLimit: 8 * MINUTES, markInterruptAsFailure: true });
    kernel.stop();
  }, 10 * MINUTES);

  afterAll(() => {
    process.stdout.write(`${table(coverage)}\n`);
    const few = Object.entries(ENOUGH).flatMap(([group, features]) => Object.entries(features).flatMap(([feature, least]) => {
      const n = coverage.groups.get(group)?.get(feature) ?? 0;
      return n >= least ? [] : [`${group} ${feature}: ${n} of ${least}`];
    }));
    expect(few).toEqual([]);
  });
});
