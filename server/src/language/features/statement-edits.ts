/** A statement of a declaration replaced, added or removed, in the style in which the block is written. */
import type { Edit, Owner } from '../../../../engine/src/verify/explanation.ts';
import { rangeIn } from '../bind/file-model.ts';
import type { FileModel, Placed } from '../bind/file-model.ts';
import { fullName } from '../bind/names.ts';
import type { PlacedNode } from '../bind/statements.ts';
import { childrenOf, extentOf } from '../bind/statements.ts';
import type { Declaration } from '../bind/declarations.ts';
import type { Range } from '../diagnostics/define.ts';
import type { StatementNode, TextEdit } from '../syntax/tree.ts';

interface Text {
  readonly file: string;
  readonly text: string;
  readonly model: FileModel;
}

/** `null` where the declaration stands in another file, or lacks the block that is meant and nothing says how to open it. */
export function statementEdits(input: Text, { owner, inside, keyword, at, text, opening }: Extract<Edit, { kind: 'statement' }>): readonly TextEdit[] | null {
  const opened = opening === undefined || text === null ? null : `${opening} { ${text} }`;
  const declared = declarationOf(input.model, owner);
  if (opened !== null && owner.kind === 'cluster' && input.model.declarations.every((p) => p.declaration.kind !== 'cluster')) return declarationEdits(input, `cluster { ${opened} }`);
  if (declared === undefined || (at !== null && at.file !== input.file)) return null;
  const block = inside === null ? declared : childOf(declared, (node) => node.tokens[0]?.text === inside || node.tokens[1]?.text === inside || (inside === 'eth0' && node.tokens[0]?.text === 'address'));
  if (block === undefined) return opened === null ? null : [addition(input.text, declared, opened)];
  const lineOf = (offset: number): number => input.text.slice(0, offset).split('\n').length;
  const isAt = (node: StatementNode, offset: number): boolean => at === null || lineOf(offset + node.leading) === at.line;
  if (keyword === 'interface' && text !== null) return deviceEdits(block, text, isAt);
  const wanted = childOf(block, (node, offset) => node.tokens[0]?.text === keyword && isAt(node, offset));
  if (wanted !== undefined) return [text === null ? statementRemoval(input.text, extentOf(wanted.node, wanted.offset)) : { ...extentOf(wanted.node, wanted.offset), text }];
  return text === null ? null : [addition(input.text, block, text)];
}

/** A device's own words, in the short form where it is written so; its block stays. */
function deviceEdits(node: PlacedNode<StatementNode>, text: string, isAt: (node: StatementNode, offset: number) => boolean): readonly TextEdit[] | null {
  const name = text.split(' ')[1];
  const isShort = (each: StatementNode): boolean => name === 'eth0' && each.tokens[0]?.text === 'address';
  const found = childOf(node, (each, offset) => (isShort(each) || (each.tokens[0]?.text === 'interface' && each.tokens[1]?.text === name)) && isAt(each, offset));
  if (found === undefined) return null;
  const { start, end } = extentOf(found.node, found.offset);
  const { block } = found.node;
  return [{ start, end: block === null ? end : found.offset + block.offset, text: `${isShort(found.node) ? text.replace('interface eth0', 'address') : text}${block === null ? '' : ' '}` }];
}

/** At the end of the file. */
export function declarationEdits({ text }: Pick<Text, 'text'>, declaration: string): readonly TextEdit[] {
  const end = text.length;
  return [{ start: end, end, text: `${text === '' || text.endsWith('\n') ? '' : '\n'}${declaration}\n` }];
}

function declarationOf(model: FileModel, owner: Owner): PlacedNode<StatementNode> | undefined {
  const placed = model.declarations.find((p) => p.declaration.kind === owner.kind && nameOf(p.declaration) === owner.name);
  return placed === undefined || isElsewhere(placed) ? undefined : { node: placed.declaration.node, offset: placed.offset };
}

const isElsewhere = (placed: Placed<Declaration>): boolean => rangeIn(placed, placed.declaration).elsewhere !== undefined;

function nameOf(declaration: Declaration): string | undefined {
  switch (declaration.kind) {
    case 'cluster': return '';
    case 'pod':
    case 'service':
    case 'network-policy':
      return declaration.name === null ? undefined : fullName(declaration.name.value);
    case 'node':
    case 'network':
    case 'external':
    case 'namespace':
      return declaration.name?.value;
    case 'expect':
    case 'objects':
      return undefined;
  }
}

function childOf(owner: PlacedNode<StatementNode>, is: (node: StatementNode, offset: number) => boolean): PlacedNode<StatementNode> | undefined {
  for (const { node, offset } of owner.node.block === null ? [] : childrenOf(owner.node.block, owner.offset)) {
    if (node.kind === 'statement' && is(node, offset)) return { node, offset };
  }
  return undefined;
}

/** With its line, where nothing else stands on it; else with the `;` that parts it from its neighbour. */
export function statementRemoval(text: string, at: Range): TextEdit {
  const start = text.lastIndexOf('\n', at.start - 1) + 1;
  const newline = text.indexOf('\n', at.end);
  const end = newline < 0 ? text.length : newline + 1;
  if (text.slice(start, at.start).trim() === '' && /^\s*(#.*)?$/.test(text.slice(at.end, end))) return { start, end, text: '' };
  const behind = /^[ \t]*;[ \t]*/.exec(text.slice(at.end))?.[0];
  if (behind !== undefined) return { start: at.start, end: at.end + behind.length, text: '' };
  const before = /[ \t]*;[ \t]*$/.exec(text.slice(0, at.start))?.[0] ?? '';
  return { start: at.start - before.length, end: at.end, text: '' };
}

function addition(text: string, owner: PlacedNode<StatementNode>, statement: string): TextEdit {
  const { node, offset } = owner;
  const { block } = node;
  if (block === null) {
    const { end } = extentOf(node, offset);
    return { start: end, end, text: ` { ${statement} }` };
  }
  const last = [...childrenOf(block, offset)].reverse().find((c) => c.node.kind === 'statement' && c.node.tokens.length > 0);
  const brace = offset + block.offset + (block.opened ? 1 : 0);
  if (last?.node.kind !== 'statement') return { start: brace, end: brace, text: ` ${statement} ` };
  const { start, end } = extentOf(last.node, last.offset);
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const indentation = text.slice(lineStart, start);
  return indentation.trim() === '' ? { start: end, end, text: `\n${indentation}${statement}` } : { start: end, end, text: `; ${statement}` };
}
