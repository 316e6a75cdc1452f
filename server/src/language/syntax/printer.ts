/**
 * The formatter. It keeps the lines and the columns that the author aligned, and sets what has no meaning: indentation,
 * blanks around braces and at the ends of lines, empty lines. A dump moves as a whole, with its own indentation inside.
 */
import { bodySpan, createLineIndex, lineOf, problemsOf, walk } from './cursor.ts';
import type { LineIndex, Located } from './cursor.ts';
import { parse } from './parser.ts';
import { CLOSE, isBlank, lineIndentation } from './scanner.ts';
import type { BlockNode, FileNode } from './tree.ts';

const INDENT = 2;

interface Layout {
  readonly text: string;
  readonly index: LineIndex;
  /** How many blocks each line stands in. */
  readonly depth: number[];
  /** Columns added to a line's own, for the lines of dumps; absent for all others. */
  readonly inner: Map<number, number>;
  /** Where a blank is missing. */
  readonly blanks: Set<number>;
}

/**
 * The formatted text. A text with a syntax problem is given back as it is, for its structure is not known; and so is
 * one whose strange indentation decided what its braces mean, for it would then mean something else.
 */
export function format(file: FileNode, text: string): string {
  if (problemsOf(file, 1).length > 0) return text;
  const result = layOutFile(file, text);
  return sameWords(file, parse(result)) ? result : text;
}

function sameWords(a: FileNode | BlockNode, b: FileNode | BlockNode): boolean {
  return a.children.length === b.children.length && a.children.every((child, index) => {
    const other = b.children[index];
    if (other?.kind !== child.kind) return false;
    if (child.block !== null ? other.block === null || !sameWords(child.block, other.block) : other.block !== null) return false;
    if (child.kind === 'line' || other.kind === 'line') return child.kind === 'line' && other.kind === 'line' && child.text === other.text;
    return child.tokens.length === other.tokens.length && child.tokens.every((token, at) => token.text === other.tokens[at]?.text);
  });
}

function layOutFile(file: FileNode, text: string): string {
  const index = createLineIndex(text);
  const layout: Layout = { text, index, depth: index.starts.map(() => 0), inner: new Map(), blanks: new Set() };
  for (const located of walk(file)) if (located.node.block !== null) layOut(layout, located);
  const lines: string[] = [];
  for (let line = 0; line < index.starts.length; line++) {
    const content = lineText(layout, line);
    if (content !== '' || (lines.length > 0 && lines.at(-1) !== '')) lines.push(content);
  }
  while (lines.at(-1) === '') lines.pop();
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const newline = /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
  return mark + lines.map((line) => line + newline).join('');
}

function layOut(layout: Layout, located: Located): void {
  const { text, index } = layout;
  const body = bodySpan(located);
  if (body === null) return;
  const first = lineOf(index, body.start) + 1;
  const last = lineOf(index, body.end) - (beginsLine(layout, body.end) ? 1 : 0);
  for (let line = first; line <= last; line++) layout.depth[line] = (layout.depth[line] ?? 0) + 1;
  if (located.node.block?.mode === 'verbatim') keepInnerIndentation(layout, first, last);
  if (body.end === body.start) return;
  for (const at of [body.start - 1, body.start, body.end]) {
    const before = text.charCodeAt(at - 1);
    if (!isBlank(before) && !isBlank(text.charCodeAt(at)) && lineOf(index, at - 1) === lineOf(index, at) && !endsLine(text, at)) layout.blanks.add(at);
  }
}

/** Whether only blanks and closing braces stand before `offset` on its line. */
function beginsLine({ text, index }: Layout, offset: number): boolean {
  const start = index.starts[lineOf(index, offset)] ?? 0;
  for (let at = start; at < offset; at++) if (!isBlank(text.charCodeAt(at)) && text.charCodeAt(at) !== CLOSE) return false;
  return true;
}

function endsLine(text: string, offset: number): boolean {
  const code = text.charCodeAt(offset);
  return offset >= text.length || code === 0x0a;
}

/** Continuation lines, as `ip addr` indents them, stay as far behind the others as they were. */
function keepInnerIndentation(layout: Layout, first: number, last: number): void {
  const columns = new Map<number, number>();
  for (let line = first; line <= last; line++) {
    const { start, end } = contentOf(layout, line);
    if (end > start) columns.set(line, lineIndentation(layout.text, start));
  }
  const least = Math.min(...columns.values());
  for (const [line, column] of columns) layout.inner.set(line, column - least);
}

function contentOf({ text, index }: Layout, line: number): { readonly start: number; readonly end: number } {
  let start = index.starts[line] ?? 0;
  let end = (index.starts[line + 1] ?? text.length + 1) - 1;
  if (start === 0 && text.startsWith('\ufeff')) start = 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  return { start, end };
}

function lineText(layout: Layout, line: number): string {
  const { start, end } = contentOf(layout, line);
  if (start === end) return '';
  const columns = INDENT * (layout.depth[line] ?? 0) + (layout.inner.get(line) ?? 0);
  let content = ' '.repeat(columns);
  let from = start;
  for (let at = start; at < end; at++) {
    if (!layout.blanks.has(at)) continue;
    content += `${layout.text.slice(from, at)} `;
    from = at;
  }
  return content + layout.text.slice(from, end);
}
