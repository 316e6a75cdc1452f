/**
 * Offsets for the position-independent tree: walking it with absolute offsets, finding what stands at one, and lines
 * and columns (in UTF-16 units, as editors count).
 */
import type { BlockNode, FileNode, LineNode, StatementNode, SyntaxProblem, TextEdit, Token } from './tree.ts';

/** A node with where it begins in the text, its leading included. */
export interface Located<Node extends StatementNode | LineNode = StatementNode | LineNode> {
  readonly node: Node;
  readonly start: number;
}

/** A range of the text, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The children of a file, or of the block of the node that begins at `start`. */
export function* childrenOf(parent: FileNode | Located): Generator<Located> {
  const block = blockOf(parent);
  let start = block === null ? 0 : block.start + (block.node.opened ? 1 : 0);
  const children = 'kind' in parent ? parent.children : block?.node.children ?? [];
  for (const node of children) {
    yield { node, start };
    start += node.width;
  }
}

function blockOf(parent: FileNode | Located): { readonly node: BlockNode; readonly start: number } | null {
  if ('kind' in parent || parent.node.block === null) return null;
  return { node: parent.node.block, start: parent.start + parent.node.block.offset };
}

/** Every node of the tree in the order of the text, parents before their children. */
export function* walk(parent: FileNode | Located): Generator<Located> {
  for (const child of childrenOf(parent)) {
    yield child;
    if (child.node.block !== null) yield* walk(child);
  }
}

/** Only the statements among the children; a dump's lines are none. */
export function* statementsOf(parent: FileNode | Located): Generator<Located<StatementNode>> {
  for (const { node, start } of childrenOf(parent)) if (node.kind === 'statement') yield { node, start };
}

/** From the first word (of a line: its text) to the end of the last word or of the block; without leading and comment. */
export function spanOf({ node, start }: Located): Span {
  const head = headSpan({ node, start });
  return node.block === null ? head : { start: head.start, end: start + node.block.offset + node.block.width };
}

/** The words without the block. */
export function headSpan({ node, start }: Located): Span {
  const from = start + node.leading;
  if (node.kind === 'line') return { start: from, end: from + node.text.length };
  const last = node.tokens.at(-1);
  if (last !== undefined) return { start: from, end: start + last.offset + last.text.length };
  const problem = node.problems[0];
  return { start: from, end: problem === undefined ? from : start + problem.offset + problem.length };
}

export function tokenSpan(owner: Located, token: Token): Span {
  const start = owner.start + token.offset;
  return { start, end: start + token.text.length };
}

/** What is between the braces of a node's block, or null. */
export function bodySpan({ node, start }: Located): Span | null {
  const { block } = node;
  if (block === null) return null;
  const open = start + block.offset;
  return { start: open + (block.opened ? 1 : 0), end: open + block.width - (block.closed ? 1 : 0) };
}

/**
 * The nodes around `offset`, outermost first: each of them but the last holds it between its braces. At a border the
 * node before the offset is taken, where the cursor stands after typing; an offset in the blanks before a statement
 * belongs to that statement's node, see `inLeading`.
 */
export function pathAt(file: FileNode, offset: number): readonly Located[] {
  const path: Located[] = [];
  let parent: FileNode | Located = file;
  for (;;) {
    const found = childAt(parent, offset);
    if (found === null) return path;
    path.push(found);
    const body = bodySpan(found);
    if (body === null || offset < body.start || offset > body.end) return path;
    parent = found;
  }
}

function childAt(parent: FileNode | Located, offset: number): Located | null {
  let before: Located | null = null;
  for (const child of childrenOf(parent)) {
    const end = child.start + child.node.width;
    if (offset < child.start) break;
    // Behind a newline or a `;` the node before has nothing more to say.
    if (offset < end) return offset === child.start && before !== null && spanOf(before).end === offset ? before : child;
    before = child;
  }
  return before !== null && spanOf(before).end === offset ? before : null;
}

/** True where `offset` is among the blanks and comments before the node, and so in the block around it. */
export function inLeading({ node, start }: Located, offset: number): boolean {
  return offset < start + node.leading;
}

/**
 * The innermost node between whose braces `offset` stands, or the file: the context in which a new statement would
 * stand there.
 */
export function enclosing(file: FileNode, offset: number): FileNode | Located {
  let innermost: FileNode | Located = file;
  for (const located of pathAt(file, offset)) {
    const body = bodySpan(located);
    if (body !== null && offset >= body.start && offset <= body.end) innermost = located;
  }
  return innermost;
}

/** The token that `offset` is in or at either end of; the one behind a border is preferred where both touch. */
export function tokenAt(owner: Located<StatementNode>, offset: number): Token | null {
  let found: Token | null = null;
  for (const token of owner.node.tokens) {
    const { start, end } = tokenSpan(owner, token);
    if (offset >= start && offset <= end && (found === null || token.kind !== 'comma')) found = token;
  }
  return found;
}

/** A problem with the place in the text that it is at. */
export interface LocatedProblem extends Span {
  readonly problem: SyntaxProblem;
}

/** Problems in the order of the text, at most `limit` of them. */
export function problemsOf(file: FileNode, limit: number): readonly LocatedProblem[] {
  const found: LocatedProblem[] = [];
  const add = (problem: SyntaxProblem, start: number) => found.push({ problem, start: start + problem.offset, end: start + problem.offset + problem.length });
  for (const problem of file.problems) add(problem, 0);
  const visit = (children: BlockNode['children'], from: number): void => {
    let start = from;
    for (const node of children) {
      if (found.length >= limit) return;
      for (const problem of node.problems) add(problem, start);
      if (node.block !== null) visit(node.block.children, start + node.block.offset + (node.block.opened ? 1 : 0));
      start += node.width;
    }
  };
  visit(file.children, 0);
  return found.sort((a, b) => a.start - b.start).slice(0, limit);
}

export interface Position {
  /** From 0. */
  readonly line: number;
  readonly character: number;
}

/** Where the lines of a text begin. */
export interface LineIndex {
  readonly starts: readonly number[];
  readonly length: number;
}

export function createLineIndex(text: string): LineIndex {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return { starts, length: text.length };
}

/** The index after an edit, without reading the text again. */
export function updateLineIndex(old: LineIndex, edit: TextEdit): LineIndex {
  const delta = edit.text.length - (edit.end - edit.start);
  const kept = lineOf(old, edit.start) + 1;
  const resumed = lineOf(old, edit.end) + 1;
  const starts = old.starts.slice(0, kept);
  for (let at = edit.text.indexOf('\n'); at >= 0; at = edit.text.indexOf('\n', at + 1)) starts.push(edit.start + at + 1);
  for (let line = resumed; line < old.starts.length; line++) starts.push((old.starts[line] ?? 0) + delta);
  return { starts, length: old.length + delta };
}

/** The line, from 0, that `offset` is on. */
export function lineOf(index: LineIndex, offset: number): number {
  let low = 0;
  let high = index.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((index.starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function positionAt(index: LineIndex, offset: number): Position {
  const clamped = Math.max(0, Math.min(offset, index.length));
  const line = lineOf(index, clamped);
  return { line, character: clamped - (index.starts[line] ?? 0) };
}

/** The offset of a position; one beyond its line's end is taken back to it. */
export function offsetAt(index: LineIndex, position: Position): number {
  const start = index.starts[position.line];
  if (start === undefined) return position.line < 0 ? 0 : index.length;
  const end = index.starts[position.line + 1] ?? index.length + 1;
  return Math.max(start, Math.min(start + position.character, end - 1));
}
