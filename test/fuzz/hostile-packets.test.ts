/** No topology, no ruleset and no packet makes the engine throw or run for ever: `npm run fuzz -- --minutes 60` goes on for as long as wanted. */
import { expect, test } from 'vitest';
import { askHostileWorld } from './hostile-packets.ts';
import type { Tally } from './hostile-packets.ts';

/** In CI a fixed number of worlds; a soak goes on from its seed until its time is over. */
const WORLDS = 120;
const MINUTES = Number(process.env['K8SNET_FUZZ_MINUTES'] ?? 0);
const SEED = Number(process.env['K8SNET_FUZZ_SEED'] ?? 1);
const REPORT_EVERY = 1_000;

test('hostile clusters, rules and packets: everything ends by name', () => {
  const tally: Tally = { packets: 0, ends: new Map() };
  const begun = Date.now();
  let worlds = 0;
  let slowest = { seed: 0, took: 0 };
  while (MINUTES === 0 ? worlds < WORLDS : Date.now() - begun < MINUTES * 60_000) {
    const seed = SEED + worlds++;
    const start = Date.now();
    askHostileWorld(seed, tally);
    if (Date.now() - start > slowest.took) slowest = { seed, took: Date.now() - start };
    if (MINUTES > 0 && worlds % REPORT_EVERY === 0) process.stdout.write(`${worlds} worlds, ${tally.packets} branches, slowest ${slowest.took} ms (seed ${slowest.seed})\n`);
  }
  if (MINUTES > 0) {
    const ends = [...tally.ends].sort((a, b) => b[1] - a[1]).map(([code, n]) => `  ${String(n).padStart(9)}  ${code}`);
    process.stdout.write(`${worlds} worlds, ${tally.packets} branches, slowest ${slowest.took} ms (seed ${slowest.seed}), ${Math.round(process.memoryUsage().rss / 1e6)} MB\n${ends.join('\n')}\n`);
  }
  // A fuzzer whose packets all end at the first step would show nothing.
  expect(tally.ends.size).toBeGreaterThan(20);
  expect(tally.ends.get('delivered')).toBeGreaterThan(100);
}, (MINUTES + 10) * 60_000);
