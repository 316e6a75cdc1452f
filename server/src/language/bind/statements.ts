/** The statements of a block, each with its grammar; what the block does not take is reported. */
import type { Diagnostic, Range } from '../diagnostics/define.ts';
import { report, shifted } from '../diagnostics/define.ts';
import { misplacedStatement } from '../diagnostics/misplaced-statement.ts';
import { repeatedStatement } from '../diagnostics/repeated-statement.ts';
import { unknownKeyword } from '../diagnostics/unknown-keyword.ts';
import type { BlockNode, LineNode, StatementNode } from '../syntax/tree.ts';
import { closest } from '../../../../engine/src/closest.ts';
import type { Decoded, Located } from './decode.ts';
import { decode, saysWord, tokenRange, valuesOf } from './decode.ts';
import type { ContextName } from './grammar.ts';
import { GRAMMAR, contextsOf, placeOf, statementOf } from './grammar.ts';
import type { ValueKind, ValueTypes } from './values.ts';

export interface PlacedNode<N> {
  readonly node: N;
  /** Of the node's start. */
  readonly offset: number;
}

/** A statement inside a declaration. */
export interface Statement extends PlacedNode<StatementNode> {
  readonly decoded: Decoded;
}

/** The children of a block whose owner starts at `offset`. */
export function childrenOf(block: BlockNode, offset: number): PlacedNode<StatementNode | LineNode>[] {
  let at = offset + block.offset + (block.opened ? 1 : 0);
  return block.children.map((node) => {
    const placed = { node, offset: at };
    at += node.width;
    return placed;
  });
}

/** From the first word to the end of the words or the block, where the node starts at `offset`. */
export function extentOf(node: StatementNode, offset: number): Range {
  const last = node.tokens.at(-1);
  const end = node.block === null ? (last === undefined ? node.leading : tokenRange(last).end) : node.block.offset + node.block.width;
  return { start: offset + node.leading, end: offset + end };
}

/** What is wrong with a statement whose first word the context does not take. */
export function unknownStatement(node: StatementNode, context: ContextName): Diagnostic[] {
  const [first] = node.tokens;
  // A character that is none of a text's own has been told of already.
  if (first === undefined || node.problems.some((p) => p.code === 'unexpected-character' && p.offset >= first.offset && p.offset < first.offset + first.text.length)) return [];
  const elsewhere = contextsOf(first.text);
  const place = placeOf(context);
  if (elsewhere.length > 0) return [report(misplacedStatement, { keyword: first.text, place, belongs: elsewhere.map(placeOf) }, tokenRange(first))];
  const allowed = GRAMMAR[context].map((s) => s.keyword);
  return [report(unknownKeyword, { word: first.text, place, allowed, instead: closest(first.text, allowed) }, tokenRange(first))];
}

/** Statements of `owner`'s block by keyword. `out` takes what is wrong, relative to the declaration. */
export class Statements {
  private readonly byKeyword = new Map<string, Statement[]>();
  /** False where a word was not understood, or the block is broken: what seems to be missing may be that. */
  understood = true;

  constructor(owner: PlacedNode<StatementNode>, private readonly context: ContextName, out: Diagnostic[]) {
    if (owner.node.block === null || owner.node.block.mode !== 'statements') return;
    for (const { node, offset } of childrenOf(owner.node.block, owner.offset)) {
      if (node.kind === 'statement') this.add(node, offset, out);
    }
  }

  private add(node: StatementNode, offset: number, out: Diagnostic[]): void {
    const put = (ds: readonly Diagnostic[]): void => void out.push(...ds.map((d) => shifted(d, offset)));
    const keyword = node.tokens[0]?.text;
    if (keyword === undefined) return;
    const grammar = statementOf(this.context, keyword);
    if (grammar === undefined) {
      this.understood = false;
      return put(unknownStatement(node, this.context));
    }
    const decoded = decode(node, grammar);
    put(decoded.diagnostics);
    const before = this.byKeyword.get(keyword);
    if (before === undefined) this.byKeyword.set(keyword, [{ node, offset, decoded }]);
    else if (grammar.times === 'many') before.push({ node, offset, decoded });
    else {
      const first = before[0]?.decoded.keyword ?? decoded.keyword;
      const by = before[0]?.offset ?? 0;
      const related = { start: first.start + by, end: first.end + by, message: `the first '${keyword}'` };
      const at = { start: decoded.keyword.start + offset, end: decoded.keyword.end + offset };
      out.push(report(repeatedStatement, { keyword, place: placeOf(this.context) }, at, [related]));
    }
  }

  all(keyword: string): readonly Statement[] {
    return this.byKeyword.get(keyword) ?? [];
  }

  has(keyword: string): boolean {
    return this.byKeyword.has(keyword);
  }

  values<K extends ValueKind>(keyword: string, kind: K): Located<ValueTypes[K]>[] {
    return this.all(keyword).flatMap((s) => s.decoded.grammar.arguments.flatMap((a) => (a.kind === kind ? valuesOf(s.decoded, a.label, kind, s.offset) : [])));
  }

  value<K extends ValueKind>(keyword: string, kind: K): Located<ValueTypes[K]> | null {
    return this.values(keyword, kind)[0] ?? null;
  }

  plain<K extends ValueKind>(keyword: string, kind: K): ValueTypes[K] | null {
    return this.value(keyword, kind)?.value ?? null;
  }

  says(keyword: string, word: string): boolean {
    return this.all(keyword).some((s) => saysWord(s.decoded, word));
  }
}
