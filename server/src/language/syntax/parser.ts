/**
 * Text to tree, by recursive descent. A statement ends at its line, so a mistake stays on its line; a block ends at its
 * brace, or where an outer declaration begins (`recovery.ts`). With the tree of the text before an edit at hand, blocks
 * and statements that the edit does not reach are taken from it (`reuse.ts`).
 */
import {
  beginsOuterDeclaration, braceOnLaterLine, dumpBelow, endsDump, forgotToOpen, isBraceOfJson, isJsonBelow, isStrayInDeclaration, isStrayInDump,
} from './recovery.ts';
import {
  adoptBlock, adoptChildren, adoptLine, adoptStatement, createChange, fileList, innerList, keptPrefix, oldNodeAt, splice,
} from './reuse.ts';
import type { Change, ListContext, OldList, OldNode } from './reuse.ts';
import {
  CLOSE, COMMA, HASH, OPEN, QUOTE, SEMICOLON, createScanner, detach, enterLine, indentationAt, indentationOfLine, intern, isBinary,
  isBlank, readableEnd, skipBlanks, skipDumpTrivia, skipTrivia, strangeCharacter, stringEnd, trimBlanks, wordEnd,
} from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { VERBATIM_KEYWORDS } from './tree.ts';
import type { BlockNode, FileNode, LineNode, StatementNode, SyntaxProblem, TextEdit, Token } from './tree.ts';

const MAX_DEPTH = 32;
const FILE: ListContext = { kind: 'file', depth: 0, limit: -1 };

interface Parser {
  readonly scanner: Scanner;
  readonly text: string;
  /** False where no character of the whole text is suspect, so that nobody looks again. */
  readonly suspect: boolean;
  /** The edit since the old tree, or null for a parse from nothing. */
  readonly change: Change | null;
  /** Behind what has been read. */
  at: number;
}

interface List {
  readonly children: readonly (StatementNode | LineNode)[];
  readonly trailing: number;
  /** True where `}` follows. */
  readonly closed: boolean;
}

/** The tree of a text. Never fails: what is wrong is a problem in the node where it stands. */
export function parse(text: string): FileNode {
  if (isBinary(text)) return binaryFile(text);
  const suspect = strangeCharacter(text, 0, text.length) >= 0;
  return parseFile({ scanner: createScanner(text), text, suspect, change: null, at: 0 }, null);
}

/**
 * The tree after an edit, equal to `parse(newText)`. Statements that the edit does not reach are the same objects as
 * before. `edit` holds offsets of `oldText`.
 */
export function reparse(old: FileNode, oldText: string, edit: TextEdit, newText: string): FileNode {
  if (isBinary(newText) || isBinary(oldText)) return parse(newText);
  const change = createChange(oldText, edit);
  const parser: Parser = { scanner: createScanner(newText), text: newText, suspect: true, change, at: 0 };
  return parseFile(parser, fileList(old.children, old.width, old.trailing, FILE));
}

function parseFile(parser: Parser, old: OldList | null): FileNode {
  const list = parseList(parser, FILE, -1, old);
  return { kind: 'file', width: parser.text.length, children: list.children, trailing: list.trailing, problems: [] };
}

function binaryFile(text: string): FileNode {
  const offset = Math.max(0, strangeCharacter(text, 0, text.length));
  const problem: SyntaxProblem = { code: 'unexpected-character', offset, length: 1, message: 'This is not a text file; nothing in it is read.' };
  return { kind: 'file', width: text.length, children: [], trailing: text.length, problems: [problem] };
}

function isDump(context: ListContext): boolean {
  return context.kind === 'dump' || context.kind === 'json' || context.kind === 'table';
}

/**
 * Statements or dump lines from `parser.at` to the `}` that ends them, which is left unread. Up to `entriesEnd`,
 * entries of a dump are separated by `;` (a dump opened and closed on one line); -1 elsewhere.
 */
function parseList(parser: Parser, context: ListContext, entriesEnd: number, old: OldList | null): List {
  const { scanner, text, change } = parser;
  const children = change === null || old === null ? [] : keptPrefix(change, old, parser);
  const all = (found: readonly (StatementNode | LineNode)[]) => old === null ? found : adoptChildren(old.children, found);
  for (;;) {
    const start = parser.at;
    const rest = change === null || old === null ? null : splice(change, old, parser);
    if (rest !== null) return { children: all(children.concat(rest)), trailing: old?.trailing ?? 0, closed: old?.closed ?? false };
    const first = isDump(context) ? skipDumpTrivia(scanner, start, entriesEnd) : skipTrivia(scanner, start);
    const end = listEnd(parser, context, start, first);
    if (end !== null) {
      parser.at = end.at;
      return { children: all(children), trailing: end.at - start, closed: end.closed };
    }
    const previous = change === null || old === null ? null : oldNodeAt(change, old, first);
    children.push(isDump(context)
      ? parseLine(parser, { start, first, context, previous }, entriesEnd)
      : parseStatement(parser, { start, first, context, previous }));
    if (parser.at <= first) throw new Error(`the parser stands still at ${text.length - first} characters from the end`);
  }
}

function listEnd(parser: Parser, context: ListContext, start: number, first: number): { at: number; closed: boolean } | null {
  const { scanner, text } = parser;
  if (first >= text.length) return { at: text.length, closed: false };
  if (context.kind === 'file') return null;
  if (text.charCodeAt(first) === CLOSE) {
    if (context.kind === 'json' && isBraceOfJson(scanner, first, context.limit)) return null;
    const stray = context.kind === 'dump' ? isStrayInDump(scanner, first, context.limit)
      : context.kind === 'declaration' && isStrayInDeclaration(scanner, first, context.limit);
    return stray ? null : { at: first, closed: true };
  }
  const outer = isDump(context) ? endsDump(scanner, first, context.limit) : beginsOuterDeclaration(scanner, first, context.limit);
  return outer ? { at: behindOwnLines(scanner, context, start, first), closed: false } : null;
}

/** Where an unclosed block ends: the empty lines before the outer declaration are its own, the comment above that is not. */
function behindOwnLines(scanner: Scanner, context: ListContext, start: number, first: number): number {
  const { text } = scanner;
  let at = start;
  for (;;) {
    const word = skipBlanks(text, at, first);
    if (word >= first) return at;
    const code = text.charCodeAt(word);
    if (code === HASH && indentationAt(scanner, word) <= context.limit && indentationAt(scanner, word) >= 0) return at;
    enterLine(scanner, word);
    if (scanner.lineEnd >= first) return at;
    at = scanner.lineEnd + 1;
  }
}

interface Item {
  readonly start: number;
  /** Where its first character stands. */
  readonly first: number;
  readonly context: ListContext;
  readonly previous: OldNode | null;
}

function parseStatement(parser: Parser, item: Item): StatementNode {
  const { text } = parser;
  const { start, first, previous } = item;
  const problems: SyntaxProblem[] = [];
  const tokens: Token[] = [];
  let block: BlockNode | null = null;
  if (text.charCodeAt(first) === CLOSE) strayBraces(parser, item, problems);
  else block = parseHead(parser, item, tokens, problems);
  if (block === null || block.closed) endOfStatement(parser);
  const node: StatementNode = { kind: 'statement', width: parser.at - start, leading: first - start, tokens, block, problems };
  return previous === null ? node : adoptStatement(previous.node, node);
}

/** A run of `}` that closes nothing. */
function strayBraces(parser: Parser, item: Item, problems: SyntaxProblem[]): void {
  const { scanner, text } = parser;
  const end = readableEnd(scanner, item.first);
  let behind = item.first;
  for (let at = item.first; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === CLOSE) behind = at + 1;
    else if (!isBlank(code)) break;
  }
  if (behind === item.first) behind = scanner.lineEnd;
  parser.at = behind;
  problems.push({ code: 'stray-brace', offset: item.first - item.start, length: behind - item.first, message: 'This `}` closes nothing: remove it, or add the `{` that it belongs to.' });
}

/** The words of a statement, into `tokens`, and its block. */
function parseHead(parser: Parser, item: Item, tokens: Token[], problems: SyntaxProblem[]): BlockNode | null {
  const { scanner, text } = parser;
  const { start, first } = item;
  const end = readableEnd(scanner, first);
  let at = first;
  let brace = -1;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (isBlank(code)) at++;
    else if (code === OPEN) {
      if (item.context.depth < MAX_DEPTH) {
        brace = at;
        break;
      }
      if (problems.length === 0) problems.push({ code: 'too-deep', offset: at - start, length: 1, message: `Blocks are nested deeper than ${MAX_DEPTH}: this one is not read.` });
      at++;
    } else if (code === CLOSE || code === SEMICOLON || code === HASH) break;
    else {
      const behind = tokenEnd(text, at, end, problems, start);
      const kind = code === COMMA ? 'comma' : code === QUOTE ? 'string' : 'word';
      tokens.push({ kind, text: intern(text.slice(at, behind)), offset: at - start });
      at = behind;
    }
  }
  parser.at = at;
  if (parser.suspect) noteStrange(text, start, first, at, problems);
  if (at === end && end < scanner.lineEnd) noteTooLong(parser, start, problems);
  const opening = openingOf(parser, item, tokens, brace);
  if (opening === null) return null;
  if (opening.brace >= 0 && (tokens.length === 0 || brace < 0)) {
    problems.push({ code: 'nameless-block', offset: opening.brace - start, length: 1, message: 'Write `{` at the end of the line of the statement that the block belongs to.' });
  }
  return parseBlock(parser, item, opening, problems);
}

interface Opening {
  /** Where `{` stands, or -1 where it is missing. */
  readonly brace: number;
  readonly kind: 'declaration' | 'statements' | 'dump' | 'json' | 'table';
  /** For the message where it is not closed. */
  readonly name: string;
}

/** The block that follows the words of a statement, which end at `parser.at`: at `brace`, or opened too late or not at all. */
function openingOf(parser: Parser, item: Item, tokens: readonly Token[], brace: number): Opening | null {
  const { scanner } = parser;
  const { first, context } = item;
  const last = tokens.at(-1);
  const keyword = tokens[0]?.text ?? '';
  const kind = context.kind === 'file' ? 'declaration' : VERBATIM_KEYWORDS.has(keyword) ? 'dump' : 'statements';
  if (brace >= 0) {
    // `iptable {` above rules is a dump all the same: one misspelt word, not thirty thousand unknown ones.
    const misspelt = kind === 'statements' && tokens.length === 1 && dumpBelow(scanner, brace + 1, -1);
    return { brace, kind: misspelt ? 'dump' : kind, name: nameOf(tokens) };
  }
  if (last === undefined || context.depth >= MAX_DEPTH) return null;
  const later = braceOnLaterLine(scanner, parser.at);
  if (later >= 0) return { brace: later, kind, name: nameOf(tokens) };
  const indentation = indentationOfLine(scanner, first);
  const forgotten = kind === 'declaration' ? forgotToOpen(scanner, keyword, parser.at, indentation)
    : kind === 'dump' && tokens.length === 1 && dumpBelow(scanner, parser.at, indentation);
  return forgotten ? { brace: -1, kind, name: nameOf(tokens) } : null;
}

function nameOf(tokens: readonly Token[]): string {
  return tokens.slice(0, 2).filter((token) => token.kind !== 'comma').map((token) => token.text).join(' ').slice(0, 60);
}

function tokenEnd(text: string, at: number, end: number, problems: SyntaxProblem[], start: number): number {
  const code = text.charCodeAt(at);
  if (code === COMMA) return at + 1;
  if (code !== QUOTE) return wordEnd(text, at, end);
  const closed = stringEnd(text, at, end);
  if (closed >= 0) return closed;
  // Without its quote a string ends before what ends a statement, so that the block behind it is not lost.
  let stop = at + 1;
  while (stop < end && !isStatementEnd(text.charCodeAt(stop))) stop++;
  const behind = trimBlanks(text, at, stop);
  problems.push({ code: 'unclosed-string', offset: at - start, length: behind - at, message: 'This text lacks its closing `"`.' });
  return behind;
}

function isStatementEnd(code: number): boolean {
  return code === OPEN || code === CLOSE || code === SEMICOLON;
}

function noteStrange(text: string, start: number, first: number, end: number, problems: SyntaxProblem[]): void {
  const at = strangeCharacter(text, first, end);
  if (at < 0) return;
  problems.push({ code: 'unexpected-character', offset: at - start, length: 1, message: strangeMessage(text.charCodeAt(at)) });
}

function strangeMessage(code: number): string {
  if (code === 0x0d) return 'A carriage return alone ends no line: save the file with LF or CRLF line ends.';
  if (code === 0xfffd) return 'This character was lost when the file was read: save the file as UTF-8.';
  return `The character U+${code.toString(16).toUpperCase().padStart(4, '0')} has no place here: remove it.`;
}

/** Leaves the rest of a line unread that no statement is long enough for. */
function noteTooLong(parser: Parser, start: number, problems: SyntaxProblem[]): void {
  const { scanner } = parser;
  const from = parser.at;
  problems.push({ code: 'too-long', offset: from - start, length: scanner.lineEnd - from, message: 'This line is too long: the rest of it is not read.' });
  parser.at = scanner.lineEnd;
}

/** `;`, and the comment and newline behind a statement, if nothing else follows on its line. */
function endOfStatement(parser: Parser): void {
  const { scanner, text } = parser;
  enterLine(scanner, parser.at);
  const { lineEnd } = scanner;
  let at = skipBlanks(text, parser.at, lineEnd);
  if (text.charCodeAt(at) === SEMICOLON && at < lineEnd) {
    parser.at = at + 1;
    at = skipBlanks(text, at + 1, lineEnd);
  }
  if (at < lineEnd && text.charCodeAt(at) !== HASH) return;
  parser.at = Math.min(lineEnd + 1, text.length);
}

function parseBlock(parser: Parser, item: Item, opening: Opening, problems: SyntaxProblem[]): BlockNode {
  const { scanner, text, change } = parser;
  const { brace, name } = opening;
  const opened = brace >= 0;
  const kind = opening.kind === 'dump' && opened && isJsonBelow(scanner, brace + 1) ? 'json' : opening.kind;
  const from = opened ? brace : trimBlanks(text, item.first, parser.at);
  const limit = Math.max(item.context.limit, indentationOfLine(scanner, item.first));
  const context: ListContext = { kind, depth: item.context.depth + 1, limit };
  const old = change === null || item.previous === null ? null : innerList(change, item.previous, context);
  parser.at = opened ? from + 1 : from;
  const closing = opened && isDump(context) ? closingBraceOnLine(text, parser.at, readableEnd(scanner, from)) : -1;
  // The last brace on a line of JSON is the block's where the JSON ends before it.
  const entriesEnd = kind !== 'json' || /[\]}]\s*$/.test(text.slice(Math.max(parser.at, closing - 200), Math.max(parser.at, closing))) ? closing : -1;
  const list = parseList(parser, context, entriesEnd, old);
  if (list.closed) parser.at++;
  if (!opened) problems.push({ code: 'unopened-block', offset: item.first - item.start, length: from - item.first, message: `The block of \`${name}\` lacks its \`{\`: write it at the end of this line.` });
  else if (!list.closed) {
    const what = name === '' ? 'This block' : `The block of \`${name}\``;
    problems.push({ code: 'unclosed-block', offset: from - item.start, length: 1, message: `${what} is not closed: its \`}\` is missing.` });
  }
  const mode = isDump(context) ? 'verbatim' : 'statements';
  const { children, trailing, closed } = list;
  const block: BlockNode = { kind: 'block', mode, offset: from - item.start, width: parser.at - from, opened, children, trailing, closed };
  return adoptBlock(item.previous?.node.block ?? null, block);
}

/** Where on the line a `}` stands outside quotes and comments, or -1. */
function closingBraceOnLine(text: string, from: number, end: number): number {
  if (text.charCodeAt(skipBlanks(text, from, end)) === HASH) return -1;
  let last = -1;
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const behind = stringEnd(text, at, end);
      if (behind > 0) at = behind - 1;
    } else if (code === CLOSE) last = at;
  }
  return last;
}

function parseLine(parser: Parser, item: Item, entriesEnd: number): LineNode {
  const { scanner, text } = parser;
  const { start, first, context, previous } = item;
  const problems: SyntaxProblem[] = [];
  const readable = readableEnd(scanner, first);
  const end = first < entriesEnd ? (context.kind === 'json' ? trimBlanks(text, first, entriesEnd) : entryEnd(text, first, entriesEnd)) : readable;
  const opening = context.kind === 'dump' ? tableOpening(text, first, readable) : -1;
  let block: BlockNode | null = null;
  let behind = end;
  if (opening >= 0) behind = opening;
  behind = trimBlanks(text, first, behind);
  const content = text.slice(first, behind);
  parser.at = end;
  if (parser.suspect) noteStrange(text, start, first, behind, problems);
  if (opening >= 0) block = parseBlock(parser, item, { brace: opening, kind: 'table', name: content.slice(0, 60) }, problems);
  else if (end === readable && end < scanner.lineEnd) noteTooLong(parser, start, problems);
  if (text.charCodeAt(first) === CLOSE && context.kind !== 'json') problems.push({ code: 'stray-brace', offset: first - start, length: 1, message: 'This `}` does not end the block, for more of it follows: remove it.' });
  if (block === null || block.closed) endOfLine(parser, entriesEnd);
  const kept = parser.change === null ? content : detach(content);
  const header = context.kind === 'dump' && kept.startsWith('*') ? headerIn(text.slice(start, first)) : undefined;
  const node: LineNode = { kind: 'line', width: parser.at - start, leading: first - start, text: kept, block, problems, ...(header === undefined ? {} : { header }) };
  return previous === null ? node : adoptLine(previous.node, node);
}

/** What iptables-save writes above a table, or a person who pastes what it printed. */
function headerIn(leading: string): string | undefined {
  const header = leading.split('\n').findLast((line) => /^\s*#.*tables-.*save\b/.test(line));
  return header === undefined ? undefined : detach(header.trim());
}

/** Where an entry of a dump on one line ends: at `;` or `}` outside quotes. */
function entryEnd(text: string, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const behind = stringEnd(text, at, end);
      if (behind > 0) at = behind - 1;
    } else if (code === SEMICOLON || code === CLOSE) return at;
  }
  return end;
}

/** Where the `{` of `table nat {` stands, or -1. */
function tableOpening(text: string, first: number, end: number): number {
  if (!text.startsWith('table', first) || !isBlank(text.charCodeAt(first + 5))) return -1;
  const name = skipBlanks(text, first + 5, end);
  const behind = wordEnd(text, name, end);
  const brace = skipBlanks(text, behind, end);
  return behind > name && brace < end && text.charCodeAt(brace) === OPEN ? brace : -1;
}

function endOfLine(parser: Parser, entriesEnd: number): void {
  const { text } = parser;
  if (parser.at <= entriesEnd) {
    if (text.charCodeAt(parser.at) === SEMICOLON) parser.at++;
    return;
  }
  endOfStatement(parser);
}

