/** `k8snet import`: a folder of dumps as a `.k8snet` file. */
import path from 'node:path';
import type { ImportNote } from '../../server/src/language/import/folder.ts';
import { importFolder } from '../../server/src/language/import/import.ts';
import { readArguments } from './command.ts';
import type { Command } from './command.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';

const HELP = `k8snet import DIR [-o FILE]

Turns a folder of dumps into a .k8snet file that names them: what "k8snet collect" gathered, or a bare folder of what
"kubectl get … -o yaml" printed. The file stands in the folder or above it; without -o it is printed, as if it stood in the
folder. What was not understood or not used is said on stderr, with file and line.

  objects/*.json|yaml   Kubernetes objects
  nodes/HOST/*.txt      ip-addr, ip-link, ip-route-all, ip-rule, ip-neigh, bridge-fdb, iptables-save, ip6tables-save, ipset, sysctl
  pods/POD.txt          "# ip addr", "# ip route", "# cat /etc/resolv.conf" …, each with what it printed below

Exit codes: 0 everything was understood, 1 something was left out (the file is there all the same), 2 wrong usage, or nothing
to import.
`;

export const importCommand: Command = { name: 'import', usage: 'DIR [-o FILE]', summary: 'turns a folder of dumps into a .k8snet file', help: HELP, run };

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, { output: { type: 'string', short: 'o' } });
  const [dir, ...more] = positionals;
  if (dir === undefined || more.length > 0) throw new UsageError('one folder is imported; give its path');
  const folder = io.openFolder(dir);
  if ('problem' in folder) throw new UsageError(folder.problem);
  const { output } = values;
  const { text, notes } = importFolder(folder, output === undefined ? '' : wayTo(dir, output, io));
  for (const note of notes) if (output !== undefined || note.severity !== 'information') io.err(lineOf(dir, note));
  if (text === null) throw new UsageError(`there is nothing to import in ${dir}: neither Kubernetes objects nor dumps of nodes; "k8snet collect" prints a script that gathers them`);
  if (output === undefined) await io.out(text);
  else {
    const problem = io.createFile(output, text);
    if (problem !== null) throw new UsageError(problem);
    await io.out(`${output} names the dumps of ${dir}; "k8snet check ${output}" says what is wrong in it.\n`);
  }
  return notes.some((n) => n.severity === 'error') ? EXIT.errors : EXIT.clean;
}

/** A file names others in its folder or below only. */
function wayTo(dir: string, output: string, io: Io): string {
  const way = path.relative(io.realPath(path.dirname(output)), io.realPath(dir)).split(path.sep).join('/');
  if (way === '') return '';
  if (way === '..' || way.startsWith('../') || path.isAbsolute(way)) {
    throw new UsageError(`${output} cannot name the files of ${dir}, which are not below it: write the file into that folder, or above it`);
  }
  return `${way}/`;
}

const lineOf = (dir: string, { severity, file, line, message }: ImportNote): string => `${path.join(dir, file)}:${line === null ? '' : `${line}:`} ${severity}: ${message}\n`;
