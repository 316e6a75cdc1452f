/** What stands around the cursor: the context of a statement there, and the words before it on its line. */
import type { ContextName, StatementGrammar } from '../bind/grammar.ts';
import { statementOf } from '../bind/grammar.ts';
import { wordOf } from '../bind/decode.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Located } from '../syntax/cursor.ts';
import { childrenOf, enclosing, pathAt, spanOf } from '../syntax/cursor.ts';
import type { StatementNode } from '../syntax/tree.ts';

export type CursorContext =
  /** Where a statement begins: at most the word before the cursor is there. */
  | { readonly kind: 'keyword'; readonly context: ContextName }
  /** Among the words of a statement. `words` are those before the one at the cursor. */
  | { readonly kind: 'argument'; readonly context: ContextName; readonly grammar: StatementGrammar; readonly words: readonly Word[] }
  /** In a line of a pasted dump; `before` is the line up to the word at the cursor. */
  | { readonly kind: 'dump'; readonly keyword: string; readonly table: string; readonly before: string }
  | { readonly kind: 'none' };

export interface Word {
  readonly text: string;
  readonly isComma: boolean;
}

export interface AtCursor {
  readonly context: CursorContext;
  /** Of the word at the cursor: what a completion replaces. */
  readonly start: number;
  readonly end: number;
}

const WORD_BEFORE = /[^\s,;{}"]*$/;

export function atCursor(snapshot: Snapshot, offset: number): AtCursor {
  const { text, tree } = snapshot;
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart, offset);
  const start = offset - (WORD_BEFORE.exec(line)?.[0].length ?? 0);
  return { context: contextAt(snapshot, enclosing(tree, offset), offset, start), start, end: offset };
}

function contextAt(snapshot: Snapshot, container: ReturnType<typeof enclosing>, offset: number, start: number): CursorContext {
  const { text, tree } = snapshot;
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const owners = 'kind' in container ? [] : pathAt(tree, offset).slice(0, 1 + pathAt(tree, offset).findIndex((l) => l.start === container.start && l.node === container.node));
  const dump = owners.findIndex(({ node }) => node.block?.mode === 'verbatim');
  const line = text.slice(lineStart, start);
  if (/(^|\s)#/.test(line.replace(/"[^"]*"/g, ''))) return { kind: 'none' };
  if (dump >= 0) return dumpContext(snapshot, owners, dump, line, start);
  const context = contextOf(owners.map((o) => o.node));
  if (context === null) return { kind: 'none' };
  const statement = statementBefore(snapshot, container, start);
  const words = statement === null ? [] : statement.node.tokens.filter((t) => statement.start + t.offset + t.text.length <= start);
  const keyword = statement === null || words.length === 0 ? undefined : statement.node.tokens[0]?.text;
  if (keyword === undefined) return { kind: 'keyword', context };
  const grammar = statementOf(context, keyword);
  if (grammar === undefined) return { kind: 'none' };
  return { kind: 'argument', context, grammar, words: words.slice(1).map((t) => ({ text: wordOf(t), isComma: t.kind === 'comma' })) };
}

function contextOf(owners: readonly Located['node'][]): ContextName | null {
  let context: ContextName | null = 'file';
  for (const node of owners) {
    if (context === null || node.kind !== 'statement') return null;
    const block: StatementGrammar['block'] = statementOf(context, node.tokens[0]?.text ?? '')?.block ?? null;
    context = block === 'dump' ? null : block;
  }
  return context;
}

/** The statement that the word at `start` goes on with: nothing but blanks stands between its words and there. */
function statementBefore({ text }: Snapshot, container: ReturnType<typeof enclosing>, start: number): Located<StatementNode> | null {
  let found: Located<StatementNode> | null = null;
  for (const { node, start: at } of childrenOf(container)) {
    if (at + node.leading > start) break;
    if (node.kind === 'statement') found = { node, start: at };
  }
  if (found === null) return null;
  const last = found.node.tokens.filter((t) => (found as Located).start + t.offset <= start).at(-1);
  const end = last === undefined ? spanOf(found).start : found.start + last.offset + last.text.length;
  return /^[^\n;{}#]*$/.test(text.slice(Math.min(end, start), start)) ? found : null;
}

function dumpContext({ text }: Snapshot, owners: readonly Located[], dump: number, line: string, start: number): CursorContext {
  const owner = owners[dump];
  if (owner?.node.kind !== 'statement') return { kind: 'none' };
  const from = owner.start + (owner.node.block?.offset ?? 0) + 1;
  const inner = owners[dump + 1]?.node;
  const table = inner?.kind === 'line' ? inner.text.replace(/^table\s*/, '') : ([...text.slice(from, start).matchAll(/^\s*\*(\w+)/gm)].at(-1)?.[1] ?? '');
  const before = line.slice(Math.max(line.lastIndexOf('{'), line.lastIndexOf(';')) + 1).trimStart();
  return { kind: 'dump', keyword: owner.node.tokens[0]?.text ?? '', table, before };
}
