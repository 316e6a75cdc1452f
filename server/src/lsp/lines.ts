/** Where the lines of a text begin, kept up to date by edits: the language speaks in offsets, LSP in lines and columns. */

/** Offsets of the lines' first characters, ascending; the first is 0. */
export type LineStarts = readonly number[];

const LF = 10;
const CR = 13;

/** Appends the starts of the lines that begin behind `from` and not behind `to`. LSP ends lines at \n, \r\n and \r. */
function scan(text: string, from: number, to: number, into: number[]): void {
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === LF || (c === CR && text.charCodeAt(i + 1) !== LF)) into.push(i + 1);
  }
}

export function lineStartsOf(text: string): LineStarts {
  const starts = [0];
  scan(text, 0, text.length, starts);
  return starts;
}

/** The line, from 0, that `offset` stands on. */
export function lineAt(starts: LineStarts, offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * After `start` to `end` of the old text became `inserted` characters of `text`. Scans again from the line before the
 * edit, because \r and \n on its two sides may now be one line end, or two.
 */
export function editLineStarts(starts: LineStarts, start: number, end: number, inserted: number, text: string): LineStarts {
  const first = Math.max(0, lineAt(starts, start) - 1);
  const behind = lineAt(starts, end) + 1;
  const shift = inserted - (end - start);
  const edited = starts.slice(0, first + 1);
  const nextOld = starts[behind];
  scan(text, starts[first] ?? 0, nextOld === undefined ? text.length : nextOld + shift - 1, edited);
  for (let i = behind; i < starts.length; i++) edited.push((starts[i] ?? 0) + shift);
  return edited;
}
