/**
 * Characters, words and blanks: what the parser reads the text with. A scanner only knows where it is in the text and
 * where the current line ends; what a word means is not its business.
 */

/** Beyond this column a line is not read: no statement and no dump line is that long, but a pasted blob is. */
export const MAX_LINE = 65_536;

export const NEWLINE = 0x0a;
export const HASH = 0x23;
export const COMMA = 0x2c;
export const QUOTE = 0x22;
export const SEMICOLON = 0x3b;
export const OPEN = 0x7b;
export const CLOSE = 0x7d;
const TAB = 0x09;
const RETURN = 0x0d;
const SPACE = 0x20;
const BYTE_ORDER_MARK = 0xfeff;
const TAB_WIDTH = 4;

/** Text with a memory of the current line, so that walking forward finds each newline once. */
export interface Scanner {
  readonly text: string;
  lineStart: number;
  /** Where the newline stands, or the end of the text. */
  lineEnd: number;
}

export function createScanner(text: string): Scanner {
  const end = text.indexOf('\n');
  return { text, lineStart: 0, lineEnd: end < 0 ? text.length : end };
}

/** Makes the line around `offset` the current one. */
export function enterLine(scanner: Scanner, offset: number): void {
  if (offset >= scanner.lineStart && offset <= scanner.lineEnd) return;
  scanner.lineStart = offset === 0 ? 0 : scanner.text.lastIndexOf('\n', offset - 1) + 1;
  const end = scanner.text.indexOf('\n', offset);
  scanner.lineEnd = end < 0 ? scanner.text.length : end;
}

/** Where reading from `offset` on stops: at the line's end, or at the last column that is read (at `offset` itself where that is beyond). */
export function readableEnd(scanner: Scanner, offset: number): number {
  enterLine(scanner, offset);
  return Math.min(scanner.lineEnd, Math.max(offset, scanner.lineStart + MAX_LINE));
}

/** Blanks as Unicode has them, since text pasted from a web page brings no-break spaces; a newline is none. */
export function isBlank(code: number): boolean {
  if (code <= SPACE) return code === SPACE || code === TAB || code === RETURN;
  if (code < 0x85) return false;
  return code === 0x85 || code === 0xa0 || code === 0x1680 || (code >= 0x2000 && code <= 0x200a)
    || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000;
}

/** Ends a word: a blank, a newline or one of `{ } ; , "`. */
export function endsWord(code: number): boolean {
  return code === OPEN || code === CLOSE || code === SEMICOLON || code === COMMA || code === QUOTE
    || code === NEWLINE || isBlank(code);
}

export function skipBlanks(text: string, offset: number, end: number): number {
  let at = offset;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  return at;
}

export function trimBlanks(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

/** Blanks, newlines, comments and empty statements (`;`), from `offset` to the first thing that is none of these. */
export function skipTrivia(scanner: Scanner, offset: number): number {
  const { text } = scanner;
  let at = offset;
  if (at === 0 && text.charCodeAt(0) === BYTE_ORDER_MARK) at = 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === HASH) {
      enterLine(scanner, at);
      at = scanner.lineEnd - 1;
    } else if (code !== NEWLINE && code !== SEMICOLON && !isBlank(code)) break;
  }
  return at;
}

/** Blanks, newlines and comment lines of a dump; `;` only where entries stand on one line, before `entriesEnd`. */
export function skipDumpTrivia(scanner: Scanner, offset: number, entriesEnd: number): number {
  const { text } = scanner;
  let at = offset;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === HASH) {
      enterLine(scanner, at);
      at = scanner.lineEnd - 1;
    } else if (code !== NEWLINE && !isBlank(code) && !(code === SEMICOLON && at < entriesEnd)) break;
  }
  return at;
}

export function wordEnd(text: string, offset: number, end: number): number {
  let at = offset;
  while (at < end && !endsWord(text.charCodeAt(at))) at++;
  return at;
}

/** Behind the closing quote of the string that opens at `offset`, or -1 where the line ends first. */
export function stringEnd(text: string, offset: number, end: number): number {
  for (let at = offset + 1; at < end; at++) if (text.charCodeAt(at) === QUOTE) return at + 1;
  return -1;
}

/** Columns of blanks before `offset` on its line, or -1 where something else stands before it. */
export function indentationAt(scanner: Scanner, offset: number): number {
  enterLine(scanner, offset);
  return indentationBetween(scanner.text, scanner.lineStart, offset);
}

/** Columns of blanks at the beginning of the line around `offset`, up to it. */
export function indentationOfLine(scanner: Scanner, offset: number): number {
  enterLine(scanner, offset);
  const { text, lineStart } = scanner;
  return indentationBetween(text, lineStart, skipBlanks(text, lineStart, offset));
}

/** The same for a text that is not being read. */
export function lineIndentation(text: string, offset: number): number {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  return indentationBetween(text, start, skipBlanks(text, start, offset));
}

function indentationBetween(text: string, start: number, end: number): number {
  let columns = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === TAB) columns += TAB_WIDTH - (columns % TAB_WIDTH);
    else if (isBlank(code)) columns++;
    else if (code !== BYTE_ORDER_MARK || at !== 0) return -1;
  }
  return columns;
}

/** Control characters, invisible ones, halves of surrogate pairs: never meant in this language. */
// eslint-disable-next-line no-control-regex
const STRANGE = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ufffd-\uffff\ud800-\udfff]|\r(?!\n|$)/u;

/** The first character in the range that cannot be meant, or -1. */
export function strangeCharacter(text: string, start: number, end: number): number {
  const found = STRANGE.exec(text.slice(start, end));
  return found === null ? -1 : start + found.index;
}

/** True where the text is no text: a program or an image opened by mistake. Judged by its first thousand characters. */
export function isBinary(text: string): boolean {
  let strange = 0;
  const end = Math.min(text.length, 1_024);
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0 || code === 0xfffd || (code < SPACE && code !== NEWLINE && !isBlank(code))) strange++;
  }
  return strange * 10 > end;
}

const POOL_LIMIT = 200_000;
const pool = new Map<string, string>();

/** The one copy of a word, kept apart from the document. */
export function intern(text: string): string {
  const known = pool.get(text);
  if (known !== undefined) return known;
  if (pool.size >= POOL_LIMIT) pool.clear();
  const own = detach(text);
  pool.set(own, own);
  return own;
}

/** V8 keeps a slice of 13 characters or more as a pointer into the document, which then lives as long as the slice. */
export function detach(text: string): string {
  return text.length < 13 ? text : (JSON.parse(JSON.stringify(text)) as string);
}
