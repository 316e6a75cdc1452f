import type { BlockNode, FileNode, LineNode, StatementNode } from '../../../server/src/language/syntax/tree.ts';

type Container = FileNode | BlockNode;

/** The tree as nested lists, without positions: what a test reasons about. */
export function outline(container: Container): readonly unknown[] {
  return container.children.map((child) => {
    const head = child.kind === 'line' ? `| ${child.text}` : child.tokens.map((token) => token.text).join(' ');
    return child.block === null ? head : [head, ...outline(child.block)];
  });
}

/** The text that a tree stands for, put together again from widths alone; throws where they do not add up. */
export function textOf(tree: FileNode, text: string): string {
  const parts: string[] = [];
  let at = 0;
  const take = (width: number) => {
    if (width < 0) throw new Error(`a width below zero at ${at}`);
    parts.push(text.slice(at, at + width));
    at += width;
  };
  const list = (children: readonly (StatementNode | LineNode)[], trailing: number) => {
    for (const child of children) node(child);
    take(trailing);
  };
  const node = (child: StatementNode | LineNode) => {
    const start = at;
    if (child.width <= child.leading) throw new Error(`a node without content at ${start}`);
    take(child.leading);
    const words = child.kind === 'line' ? [{ text: child.text, offset: child.leading }] : child.tokens;
    for (const word of words) {
      take(start + word.offset - at);
      if (text.slice(at, at + word.text.length) !== word.text) throw new Error(`the word ${word.text} is not at ${at}`);
      take(word.text.length);
    }
    if (child.block !== null) {
      take(start + child.block.offset - at);
      const open = at;
      if (child.block.opened) {
        if (text[at] !== '{') throw new Error(`no brace at ${at}`);
        take(1);
      }
      list(child.block.children, child.block.trailing);
      if (child.block.closed) {
        if (text[at] !== '}') throw new Error(`no closing brace at ${at}`);
        take(1);
      }
      if (at - open !== child.block.width) throw new Error(`a block at ${open} whose width does not fit`);
    }
    take(start + child.width - at);
  };
  list(tree.children, tree.trailing);
  if (at !== tree.width) throw new Error('the widths of the file do not add up');
  return parts.join('');
}
