#!/usr/bin/env node
// Type-check, lint, layers and dead code: everything that judges the sources without running them.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const bin = (name) => path.join(root, 'node_modules/.bin', name);

const checks = [
  ['types', 'tsc', ['-b']],
  ['lint', 'eslint', ['.', '--max-warnings', '0']],
  ['layers', 'depcruise', ['engine', 'server', 'client', 'webview', 'cli', '--config', '.dependency-cruiser.cjs', '--output-type', 'err']],
  ['dead code', 'knip', []],
];

let failed = 0;
for (const [name, program, args] of checks) {
  const start = performance.now();
  const result = spawnSync(bin(program), args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  const good = result.status === 0;
  console.log(`${good ? '✓' : '✗'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  if (good) continue;
  failed++;
  console.log(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
}
process.exitCode = failed === 0 ? 0 : 1;
