/**
 * Where a block ends that lost its brace, and whether a brace that looks like an end is one. Every answer here looks
 * ahead no further than the first word of the next statement: incremental parsing counts on that (see `reuse.ts`).
 */
import {
  HASH, OPEN, SEMICOLON, endsWord, enterLine, indentationAt, skipBlanks, skipDumpTrivia, skipTrivia, wordEnd,
} from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { TOP_LEVEL_KEYWORDS, VERBATIM_KEYWORDS } from './tree.ts';

/** Statements of nodes and pods that no tool prints as the first word of a line: they end a dump that was not closed. */
const MEMBER_KEYWORDS: ReadonlySet<string> = new Set([
  'address', 'interface', 'pod-cidr', 'public-ip', 'vtep-mac', 'labels', 'listen', 'ip', 'mac', 'host-network',
  'not-ready', 'terminating', 'port', 'search', 'ndots', 'dns-policy', 'nameserver', 'hostname', 'subdomain', 'docker', 'gateway', 'mtu',
]);

/** Words that begin a line of a dump although they look like keywords. */
const DUMP_WORDS: ReadonlySet<string> = new Set([
  'default', 'local', 'broadcast', 'multicast', 'anycast', 'unreachable', 'blackhole', 'prohibit', 'throw', 'nexthop',
  'inet', 'inet6', 'create', 'add',
]);

const BRACKET = 0x5b;
const LETTER_A = 0x61;
const LETTER_Z = 0x7a;

/** The keyword-like word at `offset`, or the empty string. */
function keywordAt(text: string, offset: number): string {
  const code = text.charCodeAt(offset);
  if (!(code >= LETTER_A && code <= LETTER_Z)) return '';
  const end = wordEnd(text, offset, Math.min(text.length, offset + 24));
  return end < text.length && !endsWord(text.charCodeAt(end)) ? '' : text.slice(offset, end);
}

/**
 * Whether the block around must have ended before `offset`, because an outer declaration begins there: it is the first
 * word of its line, not indented further (`limit` columns) than the line that opened the block.
 */
export function beginsOuterDeclaration(scanner: Scanner, offset: number, limit: number): boolean {
  const { text } = scanner;
  const code = text.charCodeAt(offset);
  if (!(code >= LETTER_A && code <= LETTER_Z)) return false;
  const indentation = indentationAt(scanner, offset);
  return indentation >= 0 && indentation <= limit && TOP_LEVEL_KEYWORDS.has(keywordAt(text, offset));
}

/** The same for a dump, which a statement of the node or pod around ends as well: `iptables {`, `listen 53/UDP`. */
export function endsDump(scanner: Scanner, offset: number, limit: number): boolean {
  const { text } = scanner;
  const code = text.charCodeAt(offset);
  if (!(code >= LETTER_A && code <= LETTER_Z)) return false;
  const indentation = indentationAt(scanner, offset);
  if (indentation < 0 || indentation > limit) return false;
  const word = keywordAt(text, offset);
  if (TOP_LEVEL_KEYWORDS.has(word) || MEMBER_KEYWORDS.has(word)) return true;
  if (!VERBATIM_KEYWORDS.has(word)) return false;
  const after = skipBlanks(text, offset + word.length, scanner.lineEnd);
  return text.charCodeAt(after) === OPEN;
}

/** Whether JSON begins behind the `{` of a dump. */
export function isJsonBelow(scanner: Scanner, offset: number): boolean {
  const code = scanner.text.charCodeAt(skipDumpTrivia(scanner, offset, -1));
  return code === OPEN || code === BRACKET;
}

/** Whether a `}` inside JSON belongs to it: more of the JSON follows on its line, or it stands deeper than the block's own. */
export function isBraceOfJson(scanner: Scanner, brace: number, limit: number): boolean {
  const { text } = scanner;
  enterLine(scanner, brace);
  const after = text.charAt(skipBlanks(text, brace + 1, scanner.lineEnd));
  return [',', ']', '}'].includes(after) || indentationAt(scanner, brace) > limit;
}

/** Behind a `}` that stands alone on its line: where the next statement begins; -1 where the `}` is not alone. */
function nextAfterLoneBrace(scanner: Scanner, brace: number): number {
  const { text } = scanner;
  if (indentationAt(scanner, brace) < 0) return -1;
  enterLine(scanner, brace);
  const rest = skipBlanks(text, brace + 1, scanner.lineEnd);
  const code = text.charCodeAt(rest);
  if (rest < scanner.lineEnd && code !== HASH && code !== SEMICOLON) return -1;
  const next = skipTrivia(scanner, rest);
  return next < text.length ? next : -1;
}

/** Whether what begins at `offset` is the line of a dump and can be no statement; `indentation` is that of the statement around. */
function isDumpLine(scanner: Scanner, offset: number, indentation: number): boolean {
  const { text } = scanner;
  const word = text.slice(offset, Math.min(offset + 24, wordEnd(text, offset, text.length)));
  if (word === '') return false;
  // `-A CHAIN`, `:CHAIN ACCEPT [0:0]`, `*nat` and COMMIT are iptables-save's whatever their indentation.
  if (/^(?:-[A-Z]|:[A-Za-z]|\*[a-z]|COMMIT$)/.test(word)) return true;
  const dumpLike = DUMP_WORDS.has(word) || !/^[a-z][a-z0-9-]*$/.test(word);
  return dumpLike && indentationAt(scanner, offset) > indentation;
}

/**
 * Whether the `}` at `brace` is one too many inside a dump: more of the dump follows. `indentation` is that of the line
 * which opened the block.
 */
export function isStrayInDump(scanner: Scanner, brace: number, indentation: number): boolean {
  const next = nextAfterLoneBrace(scanner, brace);
  return next >= 0 && isDumpLine(scanner, next, indentation);
}

/** Whether the `}` at `brace` is one too many inside a declaration: an indented statement follows that is none of a file's. */
export function isStrayInDeclaration(scanner: Scanner, brace: number, indentation: number): boolean {
  const next = nextAfterLoneBrace(scanner, brace);
  return next >= 0 && isMember(scanner, next, indentation);
}

/** Whether a statement begins at `offset` that stands in a declaration and is indented like one. */
function isMember(scanner: Scanner, offset: number, indentation: number): boolean {
  const word = keywordAt(scanner.text, offset);
  return word !== '' && !TOP_LEVEL_KEYWORDS.has(word) && indentationAt(scanner, offset) > indentation;
}

/** Where the next thing begins, if nothing but a comment follows `offset` on its line; -1 elsewhere. */
function nextOnLaterLine(scanner: Scanner, offset: number): number {
  const { text } = scanner;
  enterLine(scanner, offset);
  const { lineEnd } = scanner;
  const rest = skipBlanks(text, offset, lineEnd);
  if (rest < lineEnd && text.charCodeAt(rest) !== HASH) return -1;
  const next = skipDumpTrivia(scanner, lineEnd, -1);
  return next < text.length ? next : -1;
}

/** Where the `{` stands that a statement without a block has on a later line, or -1. `behind` is where its words end. */
export function braceOnLaterLine(scanner: Scanner, behind: number): number {
  const next = nextOnLaterLine(scanner, behind);
  return next >= 0 && scanner.text.charCodeAt(next) === OPEN ? next : -1;
}

/** Whether what follows the head of a declaration can only be the block that it forgot to open. */
export function forgotToOpen(scanner: Scanner, keyword: string, behind: number, indentation: number): boolean {
  if (!TOP_LEVEL_KEYWORDS.has(keyword) || keyword === 'expect') return false;
  const next = nextOnLaterLine(scanner, behind);
  return next >= 0 && isMember(scanner, next, indentation);
}

/**
 * Whether a dump begins on the line below `behind`, which then is the end of what opened it or should have. Indentation
 * is evidence only where there is no brace; with one, `indentation` is -1.
 */
export function dumpBelow(scanner: Scanner, behind: number, indentation: number): boolean {
  const next = nextOnLaterLine(scanner, behind);
  return next >= 0 && isDumpLine(scanner, next, indentation);
}
