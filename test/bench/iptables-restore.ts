/** What iptables itself takes to read a dump: the measure of the benches of iptables' rules. */
import { spawnSync } from 'node:child_process';
import type { Family } from '../../engine/src/net/address.ts';

const isolated = process.getuid?.() === 0 ? '-n' : '-Urn';

/** Milliseconds of processor time of `iptables-legacy-restore --test`, in a network namespace of its own; `null` where it cannot run here. */
export function restoreTime(dump: string, family: Family): number | null {
  // The second line of `times` tells what the shell's children took: "0m0.573s 0m0.037s".
  const script = `export XTABLES_LOCKFILE=$(mktemp); ${family === 4 ? 'iptables' : 'ip6tables'}-legacy-restore --test; taken=$?; rm "$XTABLES_LOCKFILE"; times; exit $taken`;
  const { stdout, status } = spawnSync('unshare', [isolated, 'sh', '-c', script], { input: dump, encoding: 'utf8' });
  const [, userMinutes = '0', user = '0', systemMinutes = '0', system = '0'] = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout) ?? [];
  return status === 0 ? 1_000 * (60 * (Number(userMinutes) + Number(systemMinutes)) + Number(user) + Number(system)) : null;
}
