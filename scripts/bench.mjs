#!/usr/bin/env node
// Measurements, as ratios within one run where two things can be compared. `--json`: one object a line; `--smoke`: a
// few rounds, to see that every bench still runs; words choose the benches whose names contain one of them.
import { build } from 'esbuild';
import { languageAlias } from './language-alias.mjs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
const outfile = path.join(root, '.cache/bench/run.mjs');
await build({
  absWorkingDir: root, entryPoints: ['test/bench/run.ts'], outfile, bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning', alias: languageAlias,
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
const { run } = await import(pathToFileURL(outfile).href);
process.exitCode = await run({
  root,
  json: process.argv.includes('--json'),
  smoke: process.argv.includes('--smoke'),
  words: process.argv.slice(2).filter((word) => !word.startsWith('-')),
});
