// Hostile clusters, rules and packets against the engine for as long as wanted: npm run fuzz -- --minutes 60 [--seed S].
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } } });
process.exitCode = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/fuzz/hostile-packets.test.ts', '--disable-console-intercept=true'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, K8SNET_FUZZ_MINUTES: values.minutes, K8SNET_FUZZ_SEED: values.seed },
}).status ?? 1;
