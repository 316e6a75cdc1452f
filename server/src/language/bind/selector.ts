/** Label selectors as kubectl writes them: `app=web, tier in (front, back), env!=dev, legacy, !old`. */
import type { LabelExpression } from '../../../../engine/src/topology/network-policy.ts';
import { badValue } from '../diagnostics/bad-value.ts';
import type { Diagnostic, Range } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import type { Token } from '../syntax/tree.ts';
import type { Located } from './decode.ts';
import { wordOf } from './decode.ts';
import { isLabelKey, isLabelValue } from './values.ts';

export interface SelectorDeclaration extends Range {
  /** The equalities. */
  readonly labels: readonly Located<readonly [string, string]>[];
  readonly expressions: readonly Located<LabelExpression>[];
}

/** A piece of a word: `(`, `)` and `,` stand alone. */
interface Piece extends Range {
  readonly text: string;
}

const piecesOf = (tokens: readonly Token[], by: number): Piece[] =>
  tokens.flatMap((token) => [...wordOf(token).matchAll(/[(),]|[^(),]+/g)].map((m) => {
    const start = by + token.offset + (token.kind === 'string' ? 1 : 0) + m.index;
    return { text: m[0], start, end: start + m[0].length };
  }));

/** `at` is where an empty selector, which selects everything, is said to stand. */
export function readSelector(tokens: readonly Token[], at: Range, by: number, out: Diagnostic[]): SelectorDeclaration {
  const pieces = piecesOf(tokens, by);
  const labels: Located<readonly [string, string]>[] = [];
  const expressions: Located<LabelExpression>[] = [];
  for (const requirement of requirementsOf(pieces)) {
    const read = readRequirement(requirement);
    const where = { start: requirement[0]?.start ?? at.start, end: requirement.at(-1)?.end ?? at.end };
    if (read.kind === 'wrong') out.push(report(badValue, { problem: read.problem, instead: undefined }, where));
    else if (read.kind === 'label') labels.push({ value: read.value, ...where });
    else expressions.push({ value: read.value, ...where });
  }
  return { start: pieces[0]?.start ?? at.start, end: pieces.at(-1)?.end ?? at.end, labels, expressions };
}

/** Split at the commas outside of parentheses. */
function requirementsOf(pieces: readonly Piece[]): Piece[][] {
  const all: Piece[][] = [];
  let current: Piece[] = [];
  let depth = 0;
  for (const piece of pieces) {
    if (piece.text === '(') depth++;
    if (piece.text === ')') depth--;
    if (piece.text === ',' && depth <= 0) {
      all.push(current);
      current = [];
    } else current.push(piece);
  }
  return current.length === 0 && all.length === 0 ? [] : [...all, current];
}

type Requirement =
  | { readonly kind: 'label'; readonly value: readonly [string, string] }
  | { readonly kind: 'expression'; readonly value: LabelExpression }
  | { readonly kind: 'wrong'; readonly problem: string };

const wrong = (problem: string): Requirement => ({ kind: 'wrong', problem });

function readRequirement(pieces: readonly Piece[]): Requirement {
  const [first, second] = pieces;
  if (first === undefined) return wrong("a selector lacks a label at the ','");
  if (second === undefined) return readWord(first.text);
  if (second.text === 'in' || second.text === 'notin') return readSet(first.text, second.text, pieces.slice(2).map((p) => p.text));
  const text = pieces.map((p) => p.text).join(' ');
  return wrong(`'${text}' is no label selector: write KEY=VALUE, KEY in (A, B), KEY notin (A, B), KEY or !KEY, with commas between`);
}

function readWord(text: string): Requirement {
  const [, key = '', operator, value = ''] = /^([^!=]+)(==|=|!=)(.*)$/.exec(text) ?? [];
  if (operator !== undefined) {
    if (!isLabelKey(key) || !isLabelValue(value)) return wrong(`'${text}' is no label: key and value begin and end with a letter or digit`);
    return operator === '!=' ? { kind: 'expression', value: { operator: 'NotIn', key, values: [value] } } : { kind: 'label', value: [key, value] };
  }
  const name = text.startsWith('!') ? text.slice(1) : text;
  if (!isLabelKey(name)) return wrong(`'${text}' is no label selector: write KEY=VALUE, KEY or !KEY`);
  return { kind: 'expression', value: { operator: name === text ? 'Exists' : 'DoesNotExist', key: name } };
}

function readSet(key: string, word: 'in' | 'notin', rest: readonly string[]): Requirement {
  const values = rest.slice(1, -1).filter((t) => t !== ',');
  const shape = `${key} ${word} (A, B)`;
  if (rest[0] !== '(' || rest.at(-1) !== ')' || values.length === 0 || values.some((v) => !isLabelValue(v))) return wrong(`'${word}' takes values in parentheses: ${shape}`);
  if (!isLabelKey(key)) return wrong(`'${key}' is no label key`);
  return { kind: 'expression', value: { operator: word === 'in' ? 'In' : 'NotIn', key, values } };
}
