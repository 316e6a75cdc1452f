#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = new URL('../../dist/cli.js', import.meta.url);

// Where node has it (22.8): the compiled program is kept for the next start, which is then mostly node's own.
module.enableCompileCache?.();

if (existsSync(program)) await import(program.href);
else {
  process.stderr.write(`k8snet is not built yet: run "npm install" and "npm run build" in ${path.resolve(root)}, then this command again.\n`);
  process.exitCode = 2;
}
