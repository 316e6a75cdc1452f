/** The parser's problems as diagnostics. */
import type { Definition, Diagnostic } from '../diagnostics/define.ts';
import { report, shifted } from '../diagnostics/define.ts';
import { namelessBlock } from '../diagnostics/nameless-block.ts';
import { strayBrace } from '../diagnostics/stray-brace.ts';
import { tooDeep } from '../diagnostics/too-deep.ts';
import { tooLong } from '../diagnostics/too-long.ts';
import { unclosedBlock } from '../diagnostics/unclosed-block.ts';
import { unclosedString } from '../diagnostics/unclosed-string.ts';
import { unexpectedCharacter } from '../diagnostics/unexpected-character.ts';
import { unopenedBlock } from '../diagnostics/unopened-block.ts';
import type { FileNode, LineNode, StatementNode, SyntaxProblem } from '../syntax/tree.ts';

interface Told {
  readonly message: string;
  /** Behind the last thing in the node's block. */
  readonly end: number;
  /** How many blocks want to be closed there, the node's own and the last in it. */
  readonly unclosed: number;
}

const DEFINITIONS: Readonly<Record<SyntaxProblem['code'], Definition<Told>>> = {
  'unclosed-string': unclosedString,
  'unclosed-block': unclosedBlock,
  'unopened-block': unopenedBlock,
  'stray-brace': strayBrace,
  'nameless-block': namelessBlock,
  'too-deep': tooDeep,
  'unexpected-character': unexpectedCharacter,
  'too-long': tooLong,
};

/** Of this node alone, relative to it. */
export function syntaxDiagnostics(node: StatementNode | LineNode | FileNode): readonly Diagnostic[] {
  if (node.problems.length === 0) return [];
  const [end, unclosed] = node.kind === 'file' ? [node.width, 0] : [contentEnd(node), unclosedIn(node)];
  return node.problems.map((p) => report(DEFINITIONS[p.code], { message: p.message, end, unclosed }, { start: p.offset, end: p.offset + p.length }));
}

function contentEnd(node: StatementNode | LineNode): number {
  const { block } = node;
  if (block === null) {
    if (node.kind === 'line') return node.leading + node.text.length;
    const last = node.tokens.at(-1);
    return last === undefined ? node.leading + 1 : last.offset + last.text.length;
  }
  if (block.closed) return block.offset + block.width;
  const begin = block.offset + (block.opened ? 1 : 0);
  const last = block.children.at(-1);
  if (last === undefined) return begin;
  return begin + block.children.reduce((sum, child) => sum + child.width, 0) - last.width + contentEnd(last);
}

function unclosedIn({ block }: StatementNode | LineNode): number {
  if (block === null || block.closed) return 0;
  const last = block.children.at(-1);
  return 1 + (last === undefined ? 0 : unclosedIn(last));
}

/** Of a node and all that stands in it, known keyword or not, relative to it. */
export function syntaxDiagnosticsWithin(node: StatementNode | LineNode): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const visit = (inner: StatementNode | LineNode, offset: number): void => {
    for (const diagnostic of syntaxDiagnostics(inner)) found.push(shifted(diagnostic, offset));
    if (inner.block === null) return;
    let at = offset + inner.block.offset + (inner.block.opened ? 1 : 0);
    for (const child of inner.block.children) {
      visit(child, at);
      at += child.width;
    }
  };
  visit(node, 0);
  return found;
}
