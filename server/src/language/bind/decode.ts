/**
 * A statement's words, read by the grammar table: which argument each word is, its value, and what is wrong with it.
 * Offsets are relative to the statement's node, so the result is cached under the node and outlives edits elsewhere.
 */
import { badValue } from '../diagnostics/bad-value.ts';
import type { Diagnostic, Range } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import { extraArgument } from '../diagnostics/extra-argument.ts';
import { hostBitsSet } from '../diagnostics/host-bits-set.ts';
import { missingArgument } from '../diagnostics/missing-argument.ts';
import { unexpectedBlock } from '../diagnostics/unexpected-block.ts';
import type { StatementNode, Token } from '../syntax/tree.ts';
import { closest } from '../../../../engine/src/closest.ts';
import type { ArgumentGrammar, StatementGrammar } from './grammar.ts';
import { usageOf } from './grammar.ts';
import type { ValueKind, ValueTypes } from './values.ts';
import { readValue } from './values.ts';

export interface Located<T> extends Range {
  readonly value: T;
}

/** One word that was read; `value` is `undefined` where it could not be. */
export interface ArgumentValue extends Range {
  readonly argument: ArgumentGrammar;
  readonly text: string;
  readonly value: unknown;
}

export interface Decoded {
  readonly grammar: StatementGrammar;
  readonly keyword: Range;
  readonly values: readonly ArgumentValue[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Words joined by commas. `dangling`: a comma stands behind the last. */
interface Slot {
  readonly tokens: readonly Token[];
  readonly dangling: boolean;
}

const decodings = new WeakMap<StatementNode, Decoded>();

export const tokenRange = (token: Token): Range => ({ start: token.offset, end: token.offset + token.text.length });

/** Without its quotes. */
export const wordOf = (token: Token): string => (token.kind === 'string' ? token.text.replace(/^"|"$/g, '') : token.text);

export function decode(node: StatementNode, grammar: StatementGrammar): Decoded {
  const cached = decodings.get(node);
  if (cached?.grammar === grammar) return cached;
  const decoded = decodeStatement(node, grammar);
  decodings.set(node, decoded);
  return decoded;
}

function decodeStatement(node: StatementNode, grammar: StatementGrammar): Decoded {
  const [first, ...rest] = node.tokens;
  const keyword = first === undefined ? { start: node.leading, end: node.leading } : tokenRange(first);
  const diagnostics: Diagnostic[] = [];
  const values = grammar.usage === undefined ? readArguments(grammar, first, rest, diagnostics) : [];
  if (node.block !== null && grammar.block === null) {
    const at = { start: node.block.offset, end: node.block.offset + 1 };
    diagnostics.push(report(unexpectedBlock, { keyword: grammar.keyword, usage: usageOf(grammar) }, at));
  }
  return { grammar, keyword, values, diagnostics };
}

function readArguments(grammar: StatementGrammar, keyword: Token | undefined, rest: readonly Token[], out: Diagnostic[]): ArgumentValue[] {
  const led = new Map(grammar.arguments.flatMap((a) => (a.after === undefined ? [] : [[a.after, a] as const])));
  const firstLed = rest.findIndex((t) => t.kind === 'word' && led.has(t.text));
  const positional = firstLed < 0 ? rest : rest.slice(0, firstLed);
  const reader = new ArgumentReader(grammar, keyword, out);
  reader.positional(slotsOf(positional));
  let i = firstLed < 0 ? rest.length : firstLed;
  while (i < rest.length) {
    const word = rest[i] as Token;
    let end = i + 1;
    while (end < rest.length && !((rest[end] as Token).kind === 'word' && led.has((rest[end] as Token).text))) end++;
    reader.led(led.get(word.text) as ArgumentGrammar, word, slotsOf(rest.slice(i + 1, end)));
    i = end;
  }
  reader.missing();
  return reader.values;
}

function slotsOf(tokens: readonly Token[]): Slot[] {
  const slots: { tokens: Token[]; dangling: boolean }[] = [];
  for (const token of tokens) {
    const last = slots.at(-1);
    if (token.kind === 'comma') {
      if (last === undefined) slots.push({ tokens: [], dangling: true });
      else last.dangling = true;
    } else if (last?.dangling === true) {
      last.tokens.push(token);
      last.dangling = false;
    } else slots.push({ tokens: [token], dangling: false });
  }
  return slots;
}

/** Reads one statement's slots; a class because its five steps share the place where they stand. */
class ArgumentReader {
  readonly values: ArgumentValue[] = [];
  private end: Range;
  private readonly seen = new Set<ArgumentGrammar>();

  constructor(private readonly grammar: StatementGrammar, keyword: Token | undefined, private readonly out: Diagnostic[]) {
    this.end = keyword === undefined ? { start: 0, end: 0 } : tokenRange(keyword);
  }

  positional(slots: readonly Slot[]): void {
    const args = this.grammar.arguments.filter((a) => a.after === undefined);
    let required = args.filter((a) => a.need === 'required').length;
    let next = 0;
    for (const a of args) {
      const slot = slots[next];
      if (slot === undefined) break;
      if (a.need === 'optional' && slots.length - next <= required) continue;
      if (a.need === 'required') required--;
      this.fill(a, slot);
      next++;
    }
    for (const slot of slots.slice(next)) this.extra(slot.tokens);
  }

  led(a: ArgumentGrammar, word: Token, slots: readonly Slot[]): void {
    if (this.seen.has(a)) this.extra([word]);
    this.end = tokenRange(word);
    const [first, ...more] = slots;
    if (first === undefined) {
      this.seen.add(a);
      this.lacks(a.label);
    } else if (this.seen.has(a)) this.extra(first.tokens);
    else this.fill(a, first);
    for (const slot of more) this.extra(slot.tokens);
  }

  missing(): void {
    const lacking = this.grammar.arguments.filter((a) => a.need === 'required' && !this.seen.has(a));
    const [first] = lacking;
    if (first !== undefined) this.lacks(first.after === undefined ? first.label : `'${first.after} ${first.label}'`);
  }

  private fill(a: ArgumentGrammar, slot: Slot): void {
    this.seen.add(a);
    const tokens = a.count === 'list' ? slot.tokens : slot.tokens.slice(0, 1);
    for (const token of tokens) {
      this.end = tokenRange(token);
      this.values.push({ argument: a, text: wordOf(token), value: this.read(a, token), ...this.end });
    }
    if (slot.dangling && a.count === 'list') this.lacks(`${a.label} behind the comma`);
    this.extra(slot.tokens.slice(tokens.length));
  }

  private read(a: ArgumentGrammar, token: Token): unknown {
    const text = wordOf(token);
    const at = tokenRange(token);
    if (a.choices?.includes(text) === true) return a.kind === 'choice' ? text : undefined;
    if (a.kind === 'choice') {
      const choices = a.choices ?? [];
      const problem = `'${text}' is no ${a.label.toLowerCase()} of '${this.grammar.keyword}': ${choices.join(', ')} are known`;
      this.out.push(report(badValue, { problem, instead: closest(text, choices) }, at));
      return undefined;
    }
    const reading = readValue(a.kind, text);
    if (reading.ok) {
      if (reading.warning !== undefined) this.out.push(report(hostBitsSet, { problem: reading.warning.message, instead: reading.warning.instead }, at));
      return reading.value;
    }
    this.out.push(report(badValue, { problem: reading.problem, instead: reading.instead ?? closest(text, a.choices ?? []) }, at));
    return undefined;
  }

  private extra(tokens: readonly Token[]): void {
    for (const token of tokens) {
      const at = tokenRange(token);
      this.out.push(report(extraArgument, { text: token.text, keyword: this.grammar.keyword, usage: usageOf(this.grammar), from: this.end.end }, at));
      this.end = at;
    }
  }

  private lacks(argument: string): void {
    this.out.push(report(missingArgument, { keyword: this.grammar.keyword, argument, usage: usageOf(this.grammar) }, this.end));
  }
}

/** The values of the argument `label` that could be read, `by` further on. The kind must be the grammar's. */
export function valuesOf<K extends ValueKind>(decoded: Decoded, label: string, kind: K, by: number): Located<ValueTypes[K]>[] {
  return decoded.values.flatMap((v) =>
    v.argument.label === label && v.argument.kind === kind && v.value !== undefined
      ? [{ value: v.value as ValueTypes[K], start: v.start + by, end: v.end + by }]
      : []);
}

/** Whether a word such as `None` was given instead of a value. */
export const saysWord = (decoded: Decoded, word: string): boolean => decoded.values.some((v) => v.text === word && v.value === undefined && v.argument.choices?.includes(word) === true);
