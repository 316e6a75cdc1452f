/** `k8snet trace --flows`: many questions in one run, one line each way. */
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import { ask, unanswered } from './ask.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { sayErrors } from './load.ts';

/** `path` is `-` for stdin. Empty lines are passed over, and have no line in the output. */
export async function traceFlows(snapshot: Snapshot, path: string, io: Io): Promise<ExitCode> {
  const text = path === '-' ? await io.readInput() : readFlows(path, io);
  sayErrors(snapshot, io);
  let bad = 0;
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const answer = answerTo(snapshot, line, i + 1);
    if ('error' in answer) bad++;
    await io.out(`${JSON.stringify(answer)}\n`);
  }
  if (bad > 0) io.err(`k8snet trace: ${bad} ${bad === 1 ? 'question' : 'questions'} could not be asked; the "error" of the line says why.\n`);
  return bad > 0 ? EXIT.errors : EXIT.clean;
}

function readFlows(path: string, io: Io): string {
  const content = io.readFile(path);
  if ('problem' in content) throw new UsageError(content.problem);
  return content.text;
}

function answerTo(snapshot: Snapshot, line: string, number: number) {
  const { from, to, problem } = questionOf(line);
  if (problem !== null) return { from, to, error: `line ${number}: ${problem}` };
  const answer = ask(snapshot, { from, to });
  return 'error' in answer ? { from, to, error: unanswered(answer) } : answer;
}

type Question =
  | { readonly from: string; readonly to: string; readonly problem: null }
  | { readonly from: string | null; readonly to: string | null; readonly problem: string };

function questionOf(line: string): Question {
  const value = parsed(line);
  if (value === undefined) return { from: null, to: null, problem: 'this is no JSON; write {"from": "pod1", "to": "pod2"}' };
  const from = textField(value, 'from');
  const to = textField(value, 'to');
  return from === null || to === null ? { from, to, problem: '"from" and "to" must both be texts' } : { from, to, problem: null };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function textField(value: unknown, name: string): string | null {
  const field: unknown = typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : null;
  return typeof field === 'string' ? field : null;
}
