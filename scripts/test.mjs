#!/usr/bin/env node
// `npm test`: sets up what is missing, runs every test, and ends with one line that counts them all.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { packageExtension } from './package.mjs';
import { main, root, setUp } from './setup.mjs';

const VITEST_REPORT = path.join(root, '.cache/vitest.json');

/** Runs a command with its output shown; gives its exit code and what it printed. */
function show(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
      process.stdout.write(chunk);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** A test that was skipped, left to do, or never loaded counts as failed: nothing passes by not running. */
async function unit() {
  rmSync(VITEST_REPORT, { force: true });
  const { code } = await show(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`]);
  const report = JSON.parse(readFileSync(VITEST_REPORT, 'utf8'));
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  const failed = report.numFailedTests + report.numPendingTests + report.numTodoTests + unloaded;
  return { passed: report.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
}

/** A script whose last line is `N passed, N failed`. */
async function counted(script) {
  const { code, output } = await show(process.execPath, [script]);
  const counts = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  if (counts === null) return { passed: 0, failed: 1 };
  const failed = Number(counts[2]);
  return { passed: Number(counts[1]), failed: failed === 0 && code !== 0 ? 1 : failed };
}

await main(async () => {
  await setUp('test');
  mkdirSync(path.join(root, '.cache'), { recursive: true });
  const parts = [
    ['units, fixtures, oracles', unit],
    ['the extension in its host', () => counted('test/e2e/extension.mjs')],
    ['a journey in the browser', async () => {
      await packageExtension();
      return counted('test/e2e/journey.mjs');
    }],
  ];
  const total = { passed: 0, failed: 0 };
  const summary = [];
  for (const [name, run] of parts) {
    console.log(`\n== ${name}`);
    const { passed, failed } = await run();
    total.passed += passed;
    total.failed += failed;
    summary.push(`${failed === 0 ? '✓' : '✗'} ${name}: ${passed} passed, ${failed} failed`);
  }
  console.log(`\n${summary.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
});
