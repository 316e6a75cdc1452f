// Lets the kernel judge random topologies: npm run oracle -- --count N --seed S [--workers W] [--nft]. Needs root.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, '.cache/oracle');
const bundle = path.join(folder, 'soak.mjs');
mkdirSync(folder, { recursive: true });
copyFileSync(path.join(root, 'test/oracle/kernel.py'), path.join(folder, 'kernel.py'));
await build({ entryPoints: [path.join(root, 'test/oracle/soak.ts')], bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile: bundle, logLevel: 'error' });
process.exitCode = spawnSync(process.execPath, [bundle, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
