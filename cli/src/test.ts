/** `k8snet test`: whether the expectations of files hold. */
import { explanationLines } from '../../engine/src/verify/explanation-text.ts';
import type { Verdict } from '../../engine/src/verify/model.ts';
import { readArguments } from './command.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { errorsOf, load, sayErrors } from './load.ts';

const HELP = `k8snet test FILE…

Traces every "expect" statement of the files and says which hold. One that does not says what happened instead and,
where it is known, why, and what to change so that it holds.

Exit codes: 0 all hold, 1 one does not or a file has errors, 2 wrong usage or a file that cannot be read.
`;

export const test: Command = { name: 'test', usage: 'FILE…', summary: 'says which "expect" statements hold, and how to mend what does not', help: HELP, run };

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { positionals } = readArguments(args, {});
  let passed = 0;
  let failed = 0;
  let broken = false;
  for (const snapshot of load(positionals, io)) {
    sayErrors(snapshot, io);
    broken ||= errorsOf(snapshot).length > 0;
    for (const verdict of snapshot.verdicts()) {
      if (verdict.passed) passed++;
      else failed++;
      await io.out(linesOf(verdict));
    }
  }
  await io.out(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || broken ? EXIT.errors : EXIT.clean;
}

function linesOf(verdict: Verdict): string {
  const { text, at } = verdict.expectation;
  const head = `${verdict.passed ? 'pass' : 'FAIL'} ${at.file}:${at.line}: ${text}`;
  const { explanation } = verdict;
  const said = explanation?.causes.map((c) => c.sentence) ?? [];
  // The causes stand in lines of their own.
  const what = said.reduce((sentence, cause) => sentence.replace(`: ${cause}`, '.').replace(` ${cause}`, ''), verdict.sentence ?? '');
  return [head, ...[what, ...(explanation === null ? [] : explanationLines(explanation))].filter((line) => line !== '').map((line) => `     ${line}`), ''].join('\n');
}
