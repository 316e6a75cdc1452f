/** `k8snet lab`: the network of a file as a script that builds it from network namespaces. */
import { labScript } from '../../engine/src/lab/script.ts';
import { readArguments } from './command.ts';
import type { Command } from './command.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { errorsOf, load, sayErrors } from './load.ts';

const HELP = `k8snet lab FILE

Prints a shell script that builds the network of the file on any Linux, from network namespaces of its own:

  k8snet lab demo.k8snet > lab.sh
  sudo sh lab.sh up
  sudo ip netns exec k8snet-pod-default-pod1 ping 10.0.5.150
  sudo sh lab.sh down

A node's namespace is k8snet-NODE, a pod's k8snet-pod-NAMESPACE-POD. LAB=name stands for k8snet, IPTABLES and
IP6TABLES name other programs than iptables and ip6tables.

Exit codes: 0 printed, 1 nothing in the file can be built, 2 wrong usage or a file that cannot be read.
`;

export const lab: Command = { name: 'lab', usage: 'FILE', summary: 'prints a script that builds the network from Linux namespaces', help: HELP, run };

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { positionals } = readArguments(args, {});
  if (positionals.length > 1) throw new UsageError(`one file is built at a time, and ${positionals.length} are named`);
  for (const snapshot of load(positionals, io)) {
    sayErrors(snapshot, io);
    const topology = snapshot.topology();
    if (topology.hosts.length === 0) {
      io.err(`${snapshot.file} declares no node that can be built${errorsOf(snapshot).length > 0 ? ' yet; mend its errors first' : '; add one, such as "node host1 { address 192.168.0.1/24 on lan }"'}.\n`);
      return EXIT.errors;
    }
    await io.out(labScript(topology));
  }
  return EXIT.clean;
}
