// Programs that npm does not carry: the browser that drives the editor in tests, and the oracles that the engine is checked against.
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { run, SetupError, step } from './step.mjs';

/** Debian's package, and a program that it brings. */
const NEEDED = [
  { package: 'chromium', program: 'chromium' },
  { package: 'tshark', program: 'tshark' },
  { package: 'iproute2', program: 'ip' },
  { package: 'iptables', program: 'iptables-restore' },
  { package: 'ipset', program: 'ipset' },
  { package: 'conntrack', program: 'conntrack' },
  { package: 'kubernetes-client', program: 'kubectl' },
  { package: 'shellcheck', program: 'shellcheck' },
];

// Debian keeps iptables and its like in sbin, which is on root's path only.
const FOLDERS = [...new Set([...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin', '/usr/bin'])];

function installed(program) {
  return FOLDERS.some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const mayInstall = () => process.getuid?.() === 0 && existsSync('/etc/debian_version') && installed('apt-get');

export async function ensureSystem() {
  const missing = NEEDED.filter(({ program }) => !installed(program)).map((need) => need.package);
  if (missing.length === 0) return;
  if (!mayInstall()) {
    throw new SetupError(`The tests need programs that are not installed: ${missing.join(', ')}.\n` +
      `On Debian or Ubuntu: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}\n` +
      'Elsewhere install the packages that bring them, then run the same command again.');
  }
  const apt = { env: { DEBIAN_FRONTEND: 'noninteractive' }, wayOut: 'Mend what apt-get says, then run the same command again.' };
  await step(`Debian packages: ${missing.join(', ')}`, async () => {
    await run('apt-get', ['update', '-q'], apt);
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], apt);
  });
}
