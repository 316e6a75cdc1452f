/** A dump as a text to edit: in this file, or in the file that it is taken `from`. */
import { once } from '../../../../engine/src/once.ts';
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';
import type { FileLookup } from '../bind/capture-content.ts';
import type { Capture } from '../bind/declarations.ts';
import type { Dump } from '../bind/dumps.ts';
import { rangeOfLine, wholeLine } from '../bind/dumps.ts';
import type { FixEdit, Range } from '../diagnostics/define.ts';
import type { LineIndex } from '../syntax/cursor.ts';
import { createLineIndex, lineOf } from '../syntax/cursor.ts';
import type { TextEdit } from '../syntax/tree.ts';

export interface Sheet {
  readonly dump: Dump;
  /** What the dump stands in: a file's whole text. */
  readonly text: string;
  /** A line of the dump, without its indentation; index into its lines. */
  readonly rangeOf: (index: number) => Range;
  /** The line of a source reference; `undefined` where that is no line of this dump. */
  readonly find: (at: SourceRef) => Range | undefined;
  /** Says which file an edit is of. */
  readonly edit: (edit: TextEdit) => FixEdit;
}

interface Here {
  readonly file: string;
  readonly text: string;
  readonly lines: LineIndex;
  readonly files: FileLookup;
}

/** By version and capture: a dump with many deviations is edited many times. */
const sheets = new WeakMap<Here, Map<Capture, Sheet | null>>();

/** `null` where the dump cannot be edited line by line: what `ip -j` printed, or a block that does not end. */
export function sheetOf(here: Here, dump: Dump): Sheet | null {
  const known = sheets.get(here) ?? new Map<Capture, Sheet | null>();
  sheets.set(here, known);
  const before = known.get(dump.capture);
  if (before !== undefined) return before;
  const { from } = dump.capture;
  const made = from === null ? blockSheet(here, dump) : fileSheet(here, dump, from.value);
  known.set(dump.capture, made);
  return made;
}

function blockSheet({ file, text, lines }: Here, dump: Dump): Sheet | null {
  if (dump.capture.node.block?.closed !== true) return null;
  const rangeOf = (index: number): Range => rangeOfLine(dump, wholeLine(dump.content, index));
  const byLine = once(() => new Map(dump.content.lines.map((_, i) => [lineOf(lines, rangeOf(i).start) + 1, rangeOf(i)] as const).filter(([, range]) => range.end > range.start).reverse()));
  return { dump, text, rangeOf, find: (at) => (at.file === file ? byLine().get(at.line) : undefined), edit: (edit) => edit };
}

function fileSheet({ files }: Here, dump: Dump, named: string): Sheet | null {
  const reading = files.read(named);
  const { lines } = dump.content;
  if (!reading.ok || /^[[{]/.test(lines.find((l) => l.text !== '')?.text ?? '')) return null;
  const { text, path } = reading;
  const index = once(() => createLineIndex(text));
  const rangeOf = (i: number): Range => {
    const begin = index().starts[i] ?? text.length;
    const start = begin + (/^\s*/.exec(text.slice(begin, index().starts[i + 1]))?.[0].length ?? 0);
    return { start, end: start + (lines[i]?.text.length ?? 0) };
  };
  const find = (at: SourceRef): Range | undefined => (at.file === path && (lines[at.line - 1]?.text ?? '') !== '' ? rangeOf(at.line - 1) : undefined);
  return { dump, text, rangeOf, find, edit: (edit) => ({ ...edit, file: named }) };
}
