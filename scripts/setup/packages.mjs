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

/**
 * A registry's mirror may lack packages for other platforms; npm leaves them out of the lock that it writes there, and
 * its own `npm ci` then refuses that lock. `npm install --no-save` takes the same versions from it and leaves it as it is.
 */
async function install(root) {
  const options = { cwd: root, wayOut: WAY_OUT };
  try {
    await run('npm', ['ci', '--no-audit', '--no-fund'], options);
  } catch (error) {
    if (!/Missing: \S+ from lock file/.test(error.message)) throw error;
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund'], options);
  }
}

export async function ensurePackages(root) {
  if (!complete(root)) await step('npm packages', () => install(root));
}
