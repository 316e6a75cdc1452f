/** What folds: every block of more than a line, and comments of several lines at the top of a file. */
import type { Range } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';
import { walk } from '../syntax/cursor.ts';

export interface FoldingRange extends Range {
  readonly kind: 'block' | 'comment';
}

/** From the line of `{` to the line before `}`: `end` is behind the last character that folds. */
export function foldingRanges(snapshot: Snapshot): readonly FoldingRange[] {
  const ranges: FoldingRange[] = [...commentBlocks(snapshot.text)];
  for (const { node, start } of walk(snapshot.tree)) {
    if (node.block === null) continue;
    const from = start + node.block.offset;
    const brace = from + node.block.width - (node.block.closed ? 1 : 0);
    const end = snapshot.text.lastIndexOf('\n', brace - 1);
    if (end > from && (node.block.children.length > 0 || end > snapshot.text.indexOf('\n', from))) ranges.push({ kind: 'block', start: from, end });
  }
  return ranges.sort((a, b) => a.start - b.start);
}

function* commentBlocks(text: string): Iterable<FoldingRange> {
  for (const match of text.matchAll(/^[ \t]*#.*(?:\n[ \t]*#.*)+/gm)) yield { kind: 'comment', start: match.index, end: match.index + match[0].length };
}
