/** Hover: what a word means, what a name stands for, who has an address, what a chain or rule does. */
import { parseAddress } from '../../../../engine/src/net/address.ts';
import type { ContextName, StatementGrammar } from '../bind/grammar.ts';
import { statementOf, usageOf } from '../bind/grammar.ts';
import { occurrenceAt } from '../bind/occurrences.ts';
import type { Range } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Located } from '../syntax/cursor.ts';
import { inLeading, pathAt, tokenAt } from '../syntax/cursor.ts';
import type { StatementNode } from '../syntax/tree.ts';
import { describeAddress } from './describe-address.ts';
import { describeKey } from './describe.ts';
import { describeRuleAt } from './describe-rule.ts';

export interface Hover extends Range {
  readonly markdown: string;
}

export function hover(snapshot: Snapshot, offset: number): Hover | undefined {
  const path = pathAt(snapshot.tree, offset);
  const innermost = path.at(-1);
  if (innermost === undefined || inLeading(innermost, offset)) return undefined;
  return keywordHover(path, offset) ?? nameHover(snapshot, offset) ?? addressHover(snapshot, offset) ?? describeRuleAt(snapshot, offset);
}

function nameHover(snapshot: Snapshot, offset: number): Hover | undefined {
  const occurrence = occurrenceAt(snapshot, offset);
  const markdown = occurrence === undefined ? undefined : describeKey(snapshot, occurrence.key);
  return occurrence === undefined || markdown === undefined ? undefined : { start: occurrence.start, end: occurrence.end, markdown };
}

/** The context that a statement's block is, where its keyword stands in `context`. */
export function contextInside(node: StatementNode, context: ContextName): ContextName | null {
  const block = statementOf(context, node.tokens[0]?.text ?? '')?.block ?? null;
  return block === 'dump' ? null : block;
}

/** A word of the statement itself, not of the person: `node-port`, `Local`. */
const isWordOf = ({ arguments: args }: StatementGrammar, word: string): boolean => args.some((a) => (a.after === word && a.after !== 'on') || (a.choices?.includes(word) ?? false));

function keywordHover(path: readonly Located[], offset: number): Hover | undefined {
  let context: ContextName | null = 'file';
  for (const { node, start } of path) {
    if (context === null || node.kind !== 'statement') return undefined;
    const [first] = node.tokens;
    const token = tokenAt({ node, start }, offset);
    const grammar = statementOf(context, first?.text ?? '');
    if (token !== null && grammar !== undefined && (token === first || isWordOf(grammar, token.text))) {
      const at = start + token.offset;
      return { start: at, end: at + token.text.length, markdown: `\`${usageOf(grammar)}\`\n\n${capitalised(grammar.doc)}.` };
    }
    context = contextInside(node, context);
  }
  return undefined;
}

export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const ADDRESS = /[0-9a-fA-F:.]+/g;

/** An address anywhere in the file, also in a dump. */
function addressHover(snapshot: Snapshot, offset: number): Hover | undefined {
  const { text } = snapshot;
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const lineEnd = text.indexOf('\n', offset);
  for (const match of text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).matchAll(ADDRESS)) {
    const start = lineStart + match.index;
    if (offset < start || offset > start + match[0].length) continue;
    // `10.0.0.46:53` is an IPv4 address with a port.
    const word = /^\d+\.\d+\.\d+\.\d+(?=:)/.exec(match[0])?.[0] ?? match[0];
    const address = parseAddress(word);
    if (address !== undefined) return { start, end: start + word.length, markdown: describeAddress(snapshot, address) };
  }
  return undefined;
}
