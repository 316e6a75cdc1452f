/** `k8snet trace --flows`: many questions in one run, one line each way. */
import type { Branch, Trace } from '../../engine/src/trace/model.ts';
import type { Question } from '../../engine/src/trace/party.ts';
import type { ExplainedTrace } from '../../engine/src/verify/explanation.ts';
import { isAnswered } from '../../engine/src/verify/situation.ts';
import type { Snapshot } from '../../server/src/language/snapshot.ts';
import { ask, unanswered, why } from './ask.ts';
import { EXIT, UsageError } from './io.ts';
import type { ExitCode, Io } from './io.ts';
import { sayErrors } from './load.ts';

/** `path` is `-` for stdin. Empty lines are passed over, and have no line in the output. */
export async function traceFlows(snapshot: Snapshot, path: string, io: Io): Promise<ExitCode> {
  const text = path === '-' ? await io.readInput() : readFlows(path, io);
  sayErrors(snapshot, io);
  const explainFirst = explainer(snapshot);
  let bad = 0;
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const answer = answerTo(snapshot, line, i + 1);
    if ('error' in answer) bad++;
    await io.out(`${JSON.stringify('error' in answer ? answer : explainFirst(answer.question, answer.trace))}\n`);
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
  const { from, to, size, problem } = questionOf(line);
  if (problem !== null) return { from, to, error: `line ${number}: ${problem}` };
  const question = { from, to, ...(size === null ? {} : { size }) };
  const trace = ask(snapshot, question);
  return 'error' in trace ? { from, to, error: unanswered(trace) } : { question, trace };
}

/** Ends of different kinds that are explained in one run: each takes dozens of traces. */
const MOST_EXPLAINED = 20;

/** Of the flows that end alike, for one reason at one place by one line, the first is explained. */
function explainer(snapshot: Snapshot): (question: Question, trace: Trace) => ExplainedTrace {
  const seen = new Set<string>();
  return (question, trace) => {
    const failing = trace.branches.find((b) => b.probability > 0 && !isAnswered(b));
    const kind = failing === undefined ? null : kindOf(failing);
    if (kind === null || seen.has(kind) || seen.size >= MOST_EXPLAINED) return trace;
    seen.add(kind);
    const explanation = why(snapshot, question);
    return explanation === null ? trace : { ...trace, explanation };
  };
}

function kindOf(branch: Branch): string {
  const journey = branch.outcome !== 'delivered' ? { ...branch.request, reason: branch.reason } : branch.answer.kind === 'reply' ? branch.second : branch.reply;
  const last = journey?.hops.at(-1);
  const source = last?.steps.at(-1)?.source;
  return [branch.outcome, branch.answer.kind, journey?.reason?.code, last?.host, last?.namespace, source?.file, source?.line].join('\n');
}

type Line =
  | { readonly from: string; readonly to: string; readonly size: number | null; readonly problem: null }
  | { readonly from: string | null; readonly to: string | null; readonly size: null; readonly problem: string };

function questionOf(line: string): Line {
  const value = parsed(line);
  if (value === undefined) return { from: null, to: null, size: null, problem: 'this is no JSON; write {"from": "pod1", "to": "pod2"}' };
  const from = textField(value, 'from');
  const to = textField(value, 'to');
  if (from === null || to === null) return { from, to, size: null, problem: '"from" and "to" must both be texts' };
  const size = field(value, 'size') ?? null;
  return size === null || (typeof size === 'number' && Number.isInteger(size)) ? { from, to, size, problem: null } : { from, to, size: null, problem: '"size" must be a number of bytes' };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const field = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined);

function textField(value: unknown, name: string): string | null {
  const found = field(value, name);
  return typeof found === 'string' ? found : null;
}
