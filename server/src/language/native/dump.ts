/** What every reader of a dump takes and gives: lines in, records and problems out. */
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';

/** One line of a dump, without indentation and newline (`LineNode.text`). */
export interface DumpLine {
  readonly text: string;
  readonly at: SourceRef;
}

export type DumpProblemCode =
  /** A word that this place of the format does not have. */
  | 'unknown-word'
  | 'missing-value'
  | 'bad-value'
  | 'unclosed-quote'
  /** Text that the tool never prints here, such as a command. */
  | 'not-a-dump-line'
  | 'unknown-option'
  | 'ambiguous-option'
  | 'duplicate-option'
  | 'conflicting-options'
  | 'missing-option'
  | 'not-invertible'
  /** `--dport` without `-p tcp`. */
  | 'protocol-needed'
  /** iptables itself has no such match module. */
  | 'no-such-match'
  /** iptables has it, k8snet does not model it: a trace that depends on it ends undecided. */
  | 'unknown-match'
  | 'unknown-target'
  /** State that k8snet reads and cannot use. */
  | 'not-modelled'
  | 'rule-outside-table'
  | 'unknown-table'
  | 'duplicate-table'
  | 'undeclared-chain'
  | 'duplicate-chain'
  | 'no-commit';

/** Offsets are within the line's text. */
export interface LineProblem {
  readonly offset: number;
  readonly length: number;
  readonly code: DumpProblemCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** What to write instead of the marked text; `null` where nothing is near. */
  readonly suggestion: string | null;
}

export interface DumpProblem extends LineProblem {
  /** Index into the lines that were read. */
  readonly line: number;
}

/** Where a name stands in its line. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Remark {
  readonly severity?: 'error' | 'warning';
  readonly suggestion?: string | null;
}

/** Takes down what is wrong with one line. */
export type Report = (span: Span, code: DumpProblemCode, message: string, remark?: Remark) => void;

export function reporter(): { readonly problems: LineProblem[]; readonly report: Report } {
  const problems: LineProblem[] = [];
  const report: Report = (span, code, message, remark) => {
    const { severity = 'error', suggestion = null } = remark ?? {};
    problems.push({ offset: span.offset, length: span.length, code, severity, message, suggestion });
  };
  return { problems, report };
}

export const onLine = (problems: readonly LineProblem[], line: number): DumpProblem[] => problems.map((problem) => ({ ...problem, line }));
