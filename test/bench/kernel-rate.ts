/** Asks the kernel of this machine how many packets a second it takes over a topology; see kernel-rate.py. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { labScript, netnsOf } from '../../engine/src/lab/script.ts';
import type { Topology } from '../../engine/src/topology/model.ts';

export interface KernelQuestion {
  readonly topology: Topology;
  readonly from: Place;
  readonly to: Place;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  /** The port that the receiver listens on. */
  readonly listen: number;
  readonly newFlows: boolean;
  readonly packets: number;
}

interface Place {
  readonly host: string;
  readonly namespace: string;
}

const LAB = 'k8rate';

const netns = ({ host, namespace }: Place): string => `${LAB}-${netnsOf(host, namespace)}`;

/** Packets a second for each; `null` where the kernel cannot be asked (no root, no iptables). */
export function kernelRates(root: string, questions: readonly KernelQuestion[]): readonly (number | null)[] {
  const input = questions.map(({ topology, from, to, ...rest }) => `${JSON.stringify({ ...rest, up: labScript(topology), from: netns(from), to: netns(to) })}\n`).join('');
  const run = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', 'python3', path.join(root, 'test/bench/kernel-rate.py')], {
    input, encoding: 'utf8', timeout: 300_000, maxBuffer: 1 << 26, env: { ...process.env, LAB, IPTABLES: 'iptables-legacy', IP6TABLES: 'ip6tables-legacy' },
  });
  const lines = run.status === 0 ? run.stdout.trim().split('\n') : [];
  return questions.map((_, i) => rateOf(lines[i]));
}

function rateOf(line: string | undefined): number | null {
  if (line === undefined) return null;
  const answer = JSON.parse(line) as { readonly rate: number } | { readonly error: string };
  if ('rate' in answer) return answer.rate;
  console.error(`the kernel's rate: ${answer.error}`);
  return null;
}
