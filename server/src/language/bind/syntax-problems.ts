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

const DEFINITIONS: Readonly<Record<SyntaxProblem['code'], Definition<{ readonly message: string; readonly end: number }>>> = {
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
  const block = node.kind === 'file' ? null : node.block;
  const end = block === null ? node.width : block.offset + block.width - block.trailing;
  return node.problems.map((p) => report(DEFINITIONS[p.code], { message: p.message, end }, { start: p.offset, end: p.offset + p.length }));
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
