// The packages of package-lock.json, in node_modules.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { run, step } from './step.mjs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {};

/**
 * npm records what it installed in node_modules/.package-lock.json. It is compared by content: times say nothing after
 * a checkout, and `npm ci` deletes node_modules, which nobody wants to happen in vain.
 */
function complete(root) {
  const installedFile = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = read(installedFile);
  return Object.entries(read(path.join(root, 'package-lock.json')))
    .filter(([where, wanted]) => where !== '' && !wanted.optional && !wanted.devOptional && !wanted.peer)
    .every(([where, wanted]) => installed[where]?.version === wanted.version && installed[where]?.integrity === wanted.integrity);
}

const WAY_OUT = 'It needs the npm registry: check the network or npm\'s proxy settings, then run the same command again.';

export async function ensurePackages(root) {
  if (!complete(root)) await step('npm packages', () => run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, wayOut: WAY_OUT }));
}
