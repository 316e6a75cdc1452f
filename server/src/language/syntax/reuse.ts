/**
 * Re-use of the tree of the text before an edit.
 *
 * Why it is sound: the parse of a node depends on the text from its start to the end of the line where it ends, and
 * ahead of that no further than the first word of the next node (the end of a block looks there); it depends on the text
 * before it only through the context of its list and its line. So of each list that the edit reaches:
 * - the nodes whose successor still ends before the line of the edit are kept (`keptPrefix`);
 * - where parsing arrives, behind the edit, at the beginning of a line where an old node began, that node and all behind
 *   it are kept with the end of the list (`splice`);
 * - what lies between is parsed again, each with its old node at hand so that its block is re-used in the same way.
 */
import { lineIndentation } from './scanner.ts';
import type { BlockNode, LineNode, StatementNode, SyntaxProblem, TextEdit, Token } from './tree.ts';

export interface Change {
  readonly oldText: string;
  /** Where the line begins on which the edit begins. */
  readonly line: number;
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
  readonly delta: number;
}

/** What the parse of a list depends on besides its text. */
export interface ListContext {
  /** `declaration` is the block of a statement at the top of the file; `table` a block inside a dump. */
  readonly kind: 'file' | 'declaration' | 'statements' | 'dump' | 'json' | 'table';
  readonly depth: number;
  /** Columns: an outer declaration that is indented no further ends the list. */
  readonly limit: number;
}

type Child = StatementNode | LineNode;

/** A list of the old tree, with offsets of the old text, and how far it has been looked through. */
export interface OldList {
  readonly children: readonly Child[];
  readonly start: number;
  /** Where its `}` stands, or where it ended without. */
  readonly end: number;
  readonly trailing: number;
  readonly closed: boolean;
  readonly context: ListContext;
  index: number;
  /** Where the child at `index` begins. */
  at: number;
}

export interface OldNode {
  readonly node: Child;
  readonly start: number;
  /** Of the list that the node stands in. */
  readonly context: ListContext;
}

interface Position {
  readonly text: string;
  at: number;
}

export function createChange(oldText: string, edit: TextEdit): Change {
  return {
    oldText, line: edit.start === 0 ? 0 : oldText.lastIndexOf('\n', edit.start - 1) + 1, start: edit.start, oldEnd: edit.end,
    newEnd: edit.start + edit.text.length, delta: edit.text.length - (edit.end - edit.start),
  };
}

/** The list of all of a file. */
export function fileList(children: readonly Child[], width: number, trailing: number, context: ListContext): OldList {
  return { children, start: 0, end: width, trailing, closed: false, context, index: 0, at: 0 };
}

/** The old list of the block that a node had, if it stood in the same context: then its text is read the same way. */
export function innerList(change: Change, old: OldNode, context: ListContext): OldList | null {
  const { node, start } = old;
  const { block } = node;
  if (block === null) return null;
  const limit = Math.max(old.context.limit, lineIndentation(change.oldText, start + node.leading));
  const oldKind = block.mode === 'statements' ? (old.context.kind === 'file' ? 'declaration' : 'statements') : (node.kind === 'line' ? 'table' : beginsJson(block) ? 'json' : 'dump');
  if (limit !== context.limit || oldKind !== context.kind || old.context.depth + 1 !== context.depth) return null;
  const from = start + block.offset;
  const begin = from + (block.opened ? 1 : 0);
  const end = from + block.width - (block.closed ? 1 : 0);
  return { children: block.children, start: begin, end, trailing: block.trailing, closed: block.closed, context, index: 0, at: begin };
}

const beginsJson = ({ children: [first] }: BlockNode): boolean => first?.kind === 'line' && /^[[{]/.test(first.text);

/** The nodes that the edit cannot have reached from behind; moves `position` behind them. */
export function keptPrefix(change: Change, old: OldList, position: Position): Child[] {
  if (position.at !== old.start || old.start > change.start) return [];
  let reached = 0;
  let at = old.start;
  let kept = old.start;
  let previous = 0;
  for (const child of old.children) {
    at += child.width;
    if (at > change.line) break;
    reached++;
    kept += previous;
    previous = child.width;
  }
  // The last node that ends before the line of the edit may have looked into it.
  if (reached < 2) return [];
  old.index = reached - 1;
  old.at = kept;
  position.at = kept;
  return old.children.slice(0, reached - 1);
}

/** Moves to the first old child whose first word stands at `offset` of the old text or behind. */
function seek(old: OldList, offset: number): Child | undefined {
  let child = old.children[old.index];
  while (child !== undefined && old.at + child.leading < offset) {
    old.at += child.width;
    old.index++;
    child = old.children[old.index];
  }
  return child;
}

/** The old children from the one that began where `position` is now, if all of them lie behind the edit; moves to the end of the list. */
export function splice(change: Change, old: OldList, position: Position): readonly Child[] | null {
  const oldAt = position.at - change.delta;
  if (position.at === 0 || position.at < change.newEnd || oldAt <= old.start || oldAt < change.oldEnd) return null;
  if (position.text.charCodeAt(position.at - 1) !== 0x0a || change.oldText.charCodeAt(oldAt - 1) !== 0x0a) return null;
  const child = seek(old, oldAt);
  if (child === undefined || old.at !== oldAt) return null;
  position.at = old.end + change.delta;
  return old.children.slice(old.index);
}

/** The old node whose first word now stands at `first`. */
export function oldNodeAt(change: Change, old: OldList, first: number): OldNode | null {
  if (first >= change.newEnd) {
    const node = seek(old, first - change.delta);
    if (node !== undefined && old.at + node.leading === first - change.delta) return { node, start: old.at, context: old.context };
  }
  if (first > change.start) return null;
  const node = seek(old, first);
  return node !== undefined && old.at + node.leading === first ? { node, start: old.at, context: old.context } : null;
}

/** The old array where the new one holds the same nodes. */
export function adoptChildren(old: readonly Child[], children: readonly Child[]): readonly Child[] {
  return old.length === children.length && old.every((child, index) => child === children[index]) ? old : children;
}

/** The old block where the new one is the same. */
export function adoptBlock(old: BlockNode | null, block: BlockNode): BlockNode {
  return old !== null && old.children === block.children && old.offset === block.offset && old.width === block.width
    && old.trailing === block.trailing && old.closed === block.closed && old.opened === block.opened && old.mode === block.mode ? old : block;
}

/** The old statement where the new one is the same. */
export function adoptStatement(old: Child | undefined, node: StatementNode): StatementNode {
  return old?.kind === 'statement' && old.width === node.width && old.leading === node.leading && old.block === node.block
    && sameTokens(old.tokens, node.tokens) && sameProblems(old.problems, node.problems) ? old : node;
}

/** The old line where the new one is the same. */
export function adoptLine(old: Child | undefined, node: LineNode): LineNode {
  return old?.kind === 'line' && old.width === node.width && old.leading === node.leading && old.block === node.block
    && old.text === node.text && old.header === node.header && sameProblems(old.problems, node.problems) ? old : node;
}

function sameTokens(a: readonly Token[], b: readonly Token[]): boolean {
  return a.length === b.length && a.every((token, index) => {
    const other = b[index];
    return other !== undefined && token.text === other.text && token.offset === other.offset && token.kind === other.kind;
  });
}

function sameProblems(a: readonly SyntaxProblem[], b: readonly SyntaxProblem[]): boolean {
  return a.length === b.length && a.every((problem, index) => {
    const other = b[index];
    return other !== undefined && problem.code === other.code && problem.offset === other.offset
      && problem.length === other.length && problem.message === other.message;
  });
}
