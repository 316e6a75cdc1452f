/**
 * What a diagnostic is. Each stands in a file of its own, with a page in docs/diagnostics; `registry.ts` lists them.
 */
import type { TextEdit } from '../syntax/tree.ts';

export type Severity = 'error' | 'warning' | 'information';

/** A place in a file that the `.k8snet` file names: a Kubernetes object, or a word of one. */
export interface Elsewhere {
  /** As in a source reference. */
  readonly file: string;
  /** From 1, as is the column. */
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** Offsets in UTF-16 units; `end` is behind the last. */
export interface Range {
  readonly start: number;
  readonly end: number;
  /** What the range stands for, where that is in another file: then the range is where that file is named. */
  readonly elsewhere?: Elsewhere;
}

/** An edit of this file, or of a dump that it takes `from` another: then `file` is named as there, and the offsets are of that file's text. */
export interface FixEdit extends TextEdit {
  readonly file?: string;
}

export interface Fix {
  readonly title: string;
  readonly edits: readonly FixEdit[];
}

export interface Related extends Range {
  readonly message: string;
}

export interface Diagnostic extends Range {
  readonly code: string;
  readonly slug: string;
  readonly severity: Severity;
  readonly message: string;
  /** The other places that it is about, in the same file. */
  readonly related: readonly Related[];
  readonly fixes: readonly Fix[];
}

export interface Definition<P> {
  readonly code: string;
  /** The page's name: docs/diagnostics/SLUG.md. */
  readonly slug: string;
  readonly severity: Severity;
  readonly message: (p: P) => string;
  /** The repairs that an editor offers; `at` is where the diagnostic stands. */
  readonly fix?: (p: P, at: Range) => readonly Fix[];
}

/** What a node's captured state differs in, put into words by the engine. */
export interface DriftReport {
  readonly sentence: string;
  readonly fixes: readonly Fix[];
}

export const defineDiagnostic = <P>(definition: Definition<P>): Definition<P> => definition;

/** A message begins like a sentence, unless it begins with a name or with what the user wrote. */
const asSentence = (message: string): string => message.replace(/^(?:the|pod|service|network|external|node|interface|port|cluster)\b(?!['’])/, (word) => word.charAt(0).toUpperCase() + word.slice(1));

export function report<P>(definition: Definition<P>, p: P, at: Range, related: readonly Related[] = []): Diagnostic {
  const { code, slug, severity } = definition;
  const { start, end, elsewhere } = at;
  const message = shortened(asSentence(definition.message(p)));
  const places = related.map((r) => (r.elsewhere === undefined ? r : { ...r, message: placeOf(r.elsewhere) + r.message }));
  if (elsewhere === undefined) return { code, slug, severity, message, start, end, related: places, fixes: definition.fix?.(p, at) ?? [] };
  // Another file's text is not ours to edit.
  return { code, slug, severity, message: placeOf(elsewhere) + message, start, end, elsewhere, related: places, fixes: [] };
}

const placeOf = ({ file, line, column }: Elsewhere): string => `${file}:${line}:${column}: `;

/** A message may quote a word of the file, and a word may be a pasted blob. */
const shortened = (message: string): string => message.length <= 200 ? message : message.replace(/\S{100,}/g, (word) => `${word.slice(0, 40)}…${word.slice(-10)}`);

/** A fix of one edit. */
export const fixOf = (title: string, at: Range, text: string): Fix => ({ title, edits: [{ start: at.start, end: at.end, text }] });

/** `replace with 'X'`, where there is an X. */
export const replacement = (suggestion: string | undefined, at: Range): readonly Fix[] =>
  suggestion === undefined ? [] : [fixOf(`Replace with '${suggestion}'`, at, suggestion)];

const shiftRange = <R extends Pick<Range, 'start' | 'end'>>(r: R, by: number): R => ({ ...r, start: r.start + by, end: r.end + by });

/** Diagnostics are cached relative to the statement that they stand in. */
export const shifted = (d: Diagnostic, by: number): Diagnostic => by === 0 ? d : ({
  ...shiftRange(d, by),
  related: d.related.map((r) => shiftRange(r, by)),
  fixes: d.fixes.map((f) => ({ title: f.title, edits: f.edits.map((e) => (e.file === undefined ? shiftRange(e, by) : e)) })),
});
