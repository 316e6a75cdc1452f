#!/usr/bin/env node
// Bundles the programs of the package into dist/: the extension, the language server, the panel and its simulator, the
// command line.
// `--watch` rebuilds on change; `--dev` keeps names and source maps.
import { build, context } from 'esbuild';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { languageAlias } from './language-alias.mjs';

const root = path.resolve(import.meta.dirname, '..');
const watch = process.argv.includes('--watch');
const dev = watch || process.argv.includes('--dev');

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: !dev,
  sourcemap: dev ? 'linked' : false,
  legalComments: 'none',
  logLevel: 'warning',
  target: 'es2022',
};
const node = { ...common, platform: 'node', target: 'node20', alias: languageAlias };

const programs = [
  { ...node, entryPoints: ['client/src/extension.ts'], outfile: 'dist/extension.cjs', format: 'cjs', external: ['vscode'] },
  { ...node, entryPoints: ['server/src/lsp/main.ts'], outfile: 'dist/server.cjs', format: 'cjs' },
  { ...common, platform: 'browser', entryPoints: ['webview/src/main.ts'], outfile: 'dist/webview.js', format: 'esm' },
  { ...common, platform: 'browser', entryPoints: ['webview/src/simulator/worker.ts'], outfile: 'dist/simulator.js', format: 'iife' },
  { ...node, entryPoints: ['cli/src/main.ts'], outfile: 'dist/cli.js', format: 'esm' },
];

await mkdir(path.join(root, 'dist'), { recursive: true });
if (watch) {
  for (const program of programs) await (await context(program)).watch();
  console.log('watching; Ctrl+C ends it');
} else await Promise.all(programs.map((program) => build(program)));
