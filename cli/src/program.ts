/** Which command, and what to say where there is none. */
import { closest } from '../../engine/src/closest.ts';
import { didYouMean } from '../../server/src/language/bind/did-you-mean.ts';
import { check } from './check.ts';
import { collect } from './collect.ts';
import type { Command } from './command.ts';
import { importCommand } from './import.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { lab } from './lab.ts';
import { show } from './show.ts';
import { test } from './test.ts';
import { trace } from './trace.ts';

const COMMANDS: readonly Command[] = [check, trace, test, show, lab, importCommand, collect];

const HELP = `k8snet: what a Kubernetes network does with a packet, from a .k8snet file

${COMMANDS.map((command) => `  k8snet ${command.name} ${command.usage}\n      ${command.summary}`).join('\n')}

  k8snet COMMAND --help   what a command takes
  k8snet --version

Exit codes: 0 clean, 1 errors found, 2 wrong usage or a file that cannot be read.
`;

export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') return said(io, HELP);
  if (name === '--version') return said(io, `${io.version()}\n`);
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) {
    io.err(name === undefined ? HELP : `k8snet: ${unknown(name)}; "k8snet --help" lists the commands\n`);
    return EXIT.usage;
  }
  const end = rest.indexOf('--');
  if (rest.slice(0, end < 0 ? rest.length : end).some((each) => each === '--help' || each === '-h')) return said(io, command.help);
  try {
    return await command.run(rest, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(`k8snet ${command.name}: ${error.message}\nSee "k8snet ${command.name} --help".\n`);
    return EXIT.usage;
  }
}

async function said(io: Io, text: string): Promise<ExitCode> {
  await io.out(text);
  return EXIT.clean;
}

const unknown = (name: string): string =>
  name.startsWith('-') ? `unknown option ${name}` : `unknown command "${name}"${didYouMean(closest(name, COMMANDS.map((each) => each.name)))}`;
