/** The lines of a pasted dump: of a block, with `table nat { … }` spelt as iptables-save does, or of another file. */
import type { LineNode, StatementNode } from '../syntax/tree.ts';
import { sharedBetweenTexts } from '../native/shared-lines.ts';
import { childrenOf } from './statements.ts';

/** One line; what a line of a block says is cached under its `key`. */
export interface DumpText {
  readonly text: string;
  /** Where `text` begins, from the start of the capture's statement; -1 for a line of another file. */
  readonly offset: number;
  readonly key: object;
  /** Above a `*table` of a block, the comment that names iptables-save; in another file it is a line of its own. */
  readonly header?: string;
}

/** Its closing brace commits a `table nat { … }`. */
const COMMIT = {};

const tableKeys = new WeakMap<LineNode, object>();

/** `table nat {` and its lines stand for `*nat` and the same lines. */
export function linesOfBlock(statement: StatementNode): DumpText[] {
  const lines: DumpText[] = [];
  const { block } = statement;
  if (block === null) return lines;
  for (const { node, offset } of childrenOf(block, 0)) {
    if (node.kind !== 'line' || isStrayBrace(node)) continue;
    if (node.block === null) lines.push({ text: node.text, offset: offset + node.leading, key: node, ...(node.header === undefined ? {} : { header: node.header }) });
    else {
      lines.push({ text: node.text.replace(/^table\s*/, '*'), offset: offset + node.leading, key: tableKey(node) });
      for (const inner of childrenOf(node.block, offset)) {
        if (inner.node.kind === 'line') lines.push({ text: inner.node.text, offset: inner.offset + inner.node.leading, key: inner.node });
      }
      lines.push({ text: 'COMMIT', offset: offset + node.block.offset + node.block.width - 1, key: COMMIT });
    }
  }
  return lines;
}

/** The parser has told of it already. */
const isStrayBrace = (node: LineNode): boolean => node.problems.some((problem) => problem.code === 'stray-brace');

/** The rewritten line is not the node's own text, so it has a key of its own. */
function tableKey(node: LineNode): object {
  const key = tableKeys.get(node) ?? {};
  tableKeys.set(node, key);
  return key;
}

/** Nothing is cached under the single lines of another file. */
const FILE = {};

/** `ip -c=always` writes colours even into a file. */
const COLOURS = /\p{Cc}\[[\d;]*m/gu;

const lineOfFile = sharedBetweenTexts((text): DumpText => ({ text, offset: -1, key: FILE }));

export function linesOfFile(text: string): DumpText[] {
  const lines = (text.includes('\u001b') ? text.replace(COLOURS, '') : text).split('\n');
  const line = lineOfFile(lines.length);
  return lines.map((each) => line(each.trim()));
}
