/**
 * JSON records written out as the lines that the same tool prints without `-j`: one reader reads both, and what it finds
 * wrong is told at the token of the JSON that the words came from.
 */
import type { JsonAt, JsonMember, JsonNode } from './json-text.ts';

interface Piece extends JsonAt {
  /** Where its words stand in the line. */
  readonly from: number;
  readonly to: number;
  /** `[3].nexthops[0].gateway` */
  readonly path: string;
}

/** One line as the tool prints it, and what each of its words came from. */
export interface Transcript {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** The record's own place. */
  readonly at: JsonAt;
  readonly path: string;
}

export interface Strange extends JsonAt {
  readonly path: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** A line that is being written. */
export interface Draft {
  text: string;
  readonly pieces: Piece[];
  readonly at: JsonAt;
  readonly path: string;
}

export const draftLine = (at: JsonAt, path: string): Draft => ({ text: '', pieces: [], at, path });

/** Adds words that `node` stands for. */
export function write(draft: Draft, words: string, node: JsonAt, path: string): void {
  const from = draft.text === '' ? 0 : draft.text.length + 1;
  draft.text = draft.text === '' ? words : `${draft.text} ${words}`;
  draft.pieces.push({ from, to: draft.text.length, start: node.start, end: node.end, path });
}

/** What a kind of record has under a name. */
export type Field =
  /** Printed as this word and the value. */
  | { readonly kind: 'named'; readonly word: string }
  /** Printed as the value alone, a list as its items. */
  | { readonly kind: 'bare' }
  /** Printed as this word, whatever the value (`null`), where it is not `false`. */
  | { readonly kind: 'flag'; readonly word: string }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'own'; readonly write: (draft: Draft, value: JsonNode, path: string, strange: Strange[]) => void };

export type Fields = ReadonlyMap<string, Field>;

export const named = (...names: readonly (string | readonly [key: string, word: string])[]): [string, Field][] =>
  names.map((name) => (typeof name === 'string' ? [name, { kind: 'named', word: name }] : [name[0], { kind: 'named', word: name[1] }]));

export const flags = (...names: readonly string[]): [string, Field][] => names.map((name) => [name, { kind: 'flag', word: name }]);

export const ignored = (...names: readonly string[]): [string, Field][] => names.map((name) => [name, { kind: 'ignored' }]);

/** The text of a plain value; `undefined` for an object or a list. */
export const plainValue = (node: JsonNode | undefined): string | undefined => (node?.kind === 'string' || node?.kind === 'word' ? node.value : undefined);

export const memberOf = (node: JsonNode, key: string): JsonMember | undefined => (node.kind === 'object' ? node.members.find((m) => m.key.value === key) : undefined);

/** Writes an object's members, those of `first` in their order before the others. */
export function writeMembers(draft: Draft, node: JsonNode, path: string, fields: Fields, first: readonly string[], strange: Strange[]): void {
  if (node.kind !== 'object') {
    strange.push({ start: node.start, end: node.end, path, severity: 'error', message: 'An object `{ … }` is expected here.' });
    return;
  }
  const rank = (member: JsonMember): number => (first.includes(member.key.value) ? first.indexOf(member.key.value) : first.length);
  for (const member of [...node.members].sort((a, b) => rank(a) - rank(b))) writeMember(draft, member, `${path}.${member.key.value}`, fields, strange);
}

function writeMember(draft: Draft, { key, value }: JsonMember, path: string, fields: Fields, strange: Strange[]): void {
  const field = fields.get(key.value);
  if (field === undefined) {
    strange.push({ start: key.start, end: key.end, path, severity: 'warning', message: `k8snet does not know \`${key.value}\` here and reads over it.` });
    return;
  }
  switch (field.kind) {
    case 'ignored':
      return;
    case 'own':
      field.write(draft, value, path, strange);
      return;
    case 'flag':
      if (plainValue(value) !== 'false') write(draft, field.word, key, path);
      return;
    case 'bare':
      for (const item of value.kind === 'array' ? value.items : [value]) writePlain(draft, '', item, path, strange);
      return;
    case 'named':
      writePlain(draft, `${field.word} `, value, path, strange);
  }
}

function writePlain(draft: Draft, before: string, value: JsonNode, path: string, strange: Strange[]): void {
  const text = plainValue(value);
  if (text === undefined || /\s/.test(text)) strange.push({ start: value.start, end: value.end, path, severity: 'error', message: 'A single value is expected here.' });
  else if (text !== '') write(draft, `${before}${text}`, value, path);
}
