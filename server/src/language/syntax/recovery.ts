/**
 * Where a block ends that lost its brace, and whether a brace that looks like an end is one. Every answer here looks
 * ahead no further than the first word of the next statement: incremental parsing counts on that (see `reuse.ts`).
 */
import {
  HASH, OPEN, SEMICOLON, endsWord, enterLine, indentationAt, skipBlanks, skipTrivia, wordEnd,
} from './scanner.ts';
import type { Scanner } from './scanner.ts';
import { TOP_LEVEL_KEYWORDS, VERBATIM_KEYWORDS } from './tree.ts';

/** Statements of nodes and pods that no tool prints as the first word of a line: they end a dump that was not closed. */
const MEMBER_KEYWORDS: ReadonlySet<string> = new Set([
  'address', 'interface', 'pod-cidr', 'public-ip', 'vtep-mac', 'labels', 'listen', 'ip', 'mac', 'host-network',
  'not-ready', 'search', 'ndots', 'gateway', 'mtu',
]);

/** Words that begin a line of a dump although they look like keywords. */
const DUMP_WORDS: ReadonlySet<string> = new Set([
  'default', 'local', 'broadcast', 'multicast', 'anycast', 'unreachable', 'blackhole', 'prohibit', 'throw', 'nexthop',
  'inet', 'inet6', 'create', 'add',
]);

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

/**
 * Whether the `}` at `brace` is one too many inside a dump: what follows is dump and can be no statement. `indentation`
 * is that of the line which opened the block.
 */
export function isStrayInDump(scanner: Scanner, brace: number, indentation: number): boolean {
  const next = nextAfterLoneBrace(scanner, brace);
  if (next < 0) return false;
  const { text } = scanner;
  const word = text.slice(next, Math.min(next + 24, wordEnd(text, next, text.length)));
  if (word === '') return false;
  // `-A CHAIN`, `:CHAIN ACCEPT [0:0]`, `*nat` and COMMIT are iptables-save's whatever their indentation.
  if (/^(?:-[A-Z]|:[A-Za-z]|\*[a-z]|COMMIT$)/.test(word)) return true;
  const dumpLike = DUMP_WORDS.has(word) || !/^[a-z][a-z0-9-]*$/.test(word);
  return dumpLike && indentationAt(scanner, next) > indentation;
}

/** Whether the `}` at `brace` is one too many inside a declaration: an indented statement follows that is none of a file's. */
export function isStrayInDeclaration(scanner: Scanner, brace: number, indentation: number): boolean {
  const next = nextAfterLoneBrace(scanner, brace);
  if (next < 0 || indentationAt(scanner, next) <= indentation) return false;
  const word = keywordAt(scanner.text, next);
  return word !== '' && !TOP_LEVEL_KEYWORDS.has(word);
}
