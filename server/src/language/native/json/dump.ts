/** A dump of `-j`: JSON records to the lines of the tool, and the problems of those lines back to their tokens. */
import type { DumpProblem, LineProblem } from '../dump.ts';
import type { JsonAt, JsonNode } from './json-text.ts';
import { readJson } from './json-text.ts';
import type { Strange, Transcript } from './transcript.ts';

export type JsonFormat = (record: JsonNode, path: string, strange: Strange[]) => readonly Transcript[];

export interface TranscribedLine {
  readonly text: string;
  /** Index of the dump's line where the record begins. */
  readonly line: number;
}

export interface JsonDump {
  readonly lines: readonly TranscribedLine[];
  /** Of the JSON itself and of its names. */
  readonly problems: readonly DumpProblem[];
  /** A problem of a transcribed line, at the token that it came from. */
  readonly place: (line: number, problem: LineProblem) => DumpProblem;
}

/** Whether a dump is JSON: its first character tells. */
export const isJson = (lines: readonly { readonly text: string }[]): boolean => /^[[{]/.test(lines.find((line) => line.text.trim() !== '')?.text.trim() ?? '');

export function readJsonDump(lines: readonly { readonly text: string }[], format: JsonFormat): JsonDump {
  const text = lines.map((line) => line.text).join('\n');
  const starts: number[] = [];
  for (let at = 0, i = 0; i < lines.length; at += (lines[i]?.text.length ?? 0) + 1, i++) starts.push(at);
  const { root, problem } = readJson(text);
  const strange: Strange[] = [];
  const transcripts = recordsOf(root).flatMap(({ record, path }) => format(record, path, strange));
  const problems = strange.map((s) => placed(starts, s, { code: s.severity === 'error' ? 'bad-value' : 'not-modelled', severity: s.severity, message: at(s.path, s.message) }));
  if (problem !== null) problems.push(placed(starts, problem, { code: 'not-a-dump-line', severity: 'error', message: problem.message }));
  return {
    lines: transcripts.map((t) => ({ text: t.text, line: lineOf(starts, t.at.start) })),
    problems,
    place: (line, found) => {
      const transcript = transcripts[line];
      const piece = transcript?.pieces.find((p) => found.offset >= p.from && found.offset < p.to) ?? transcript?.at ?? { start: 0, end: 0 };
      const path = transcript?.pieces.find((p) => p === piece)?.path ?? transcript?.path ?? '';
      return placed(starts, piece, { code: found.code, severity: found.severity, message: at(path, found.message) });
    },
  };
}

/** `ip -j` prints a list of records; a record alone is taken too. Empty objects stand for what was filtered out. */
function recordsOf(root: JsonNode | null): { readonly record: JsonNode; readonly path: string }[] {
  if (root === null) return [];
  const records = root.kind === 'array' ? root.items.map((record, i) => ({ record, path: `[${i}]` })) : [{ record: root, path: '' }];
  return records.filter(({ record }) => record.kind !== 'object' || record.members.length > 0);
}

const at = (path: string, message: string): string => `In \`${path}\`: ${message}`;

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A token stands on one line; of an object over several lines its `{` is marked. */
function placed(starts: readonly number[], token: JsonAt, what: Pick<DumpProblem, 'code' | 'severity' | 'message'>): DumpProblem {
  const line = lineOf(starts, token.start);
  const wide = lineOf(starts, Math.max(token.start, token.end - 1)) !== line || token.end - token.start > 60;
  return { ...what, line, offset: token.start - (starts[line] ?? 0), length: wide ? 1 : token.end - token.start, suggestion: null };
}
