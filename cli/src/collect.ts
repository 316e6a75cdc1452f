/** `k8snet collect`: the script that gathers a folder of dumps from a live cluster. */
import { COLLECT_SCRIPT } from './collect-script.ts';
import type { Command } from './command.ts';
import { readArguments } from './command.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';

const HELP = `k8snet collect > collect.sh

Prints a shell script that gathers what k8snet reads of a live cluster, with kubectl and nothing else: look at it, then
  sh collect.sh dump                              makes the folder "dump"
  k8snet import dump -o dump/cluster.k8snet       makes a file of it

The script only reads. On each node a pod of a minute prints addresses, routes and rules of the node and of the pods on it, and
is deleted again. Secrets are never read, and a file with a token, key or certificate in it is deleted, with a warning. Its
first lines say what can be set.

Exit codes: 0 the script was printed, 2 wrong usage.
`;

export const collect: Command = { name: 'collect', usage: '> collect.sh', summary: 'prints the script that gathers dumps from a live cluster', help: HELP, run };

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { positionals } = readArguments(args, {});
  if (positionals.length > 0) throw new UsageError(`it takes no "${positionals[0] ?? ''}": the script is printed; write it to a file with "> collect.sh"`);
  await io.out(COLLECT_SCRIPT);
  return EXIT.clean;
}
