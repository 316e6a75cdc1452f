#!/usr/bin/env node
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = new URL('../../dist/cli.js', import.meta.url);

if (existsSync(program)) await import(program.href);
else {
  process.stderr.write(`k8snet is not built yet: run "npm install" and "npm run build" in ${path.resolve(root)}, then this command again.\n`);
  process.exitCode = 2;
}
