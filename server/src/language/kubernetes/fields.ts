/** A map of a Kubernetes object, field by field. What nobody asked for and no list names is told of: nothing is skipped. */
import type { Located } from '../bind/decode.ts';
import type { Diagnostic, Elsewhere, Range } from '../diagnostics/define.ts';
import type { StatementNode } from '../syntax/tree.ts';
import type { Reading, ValueKind, ValueTypes } from '../bind/values.ts';
import { readValue } from '../bind/values.ts';
import type { Entry, MapTree, Span, Tree } from './tree.ts';

/** What is wrong with an object, at its place in its file. */
export interface ObjectProblem {
  readonly kind: 'bad' | 'not-modelled' | 'left-out' | 'secret';
  /** Problems of the same group are told once a file. */
  readonly group: string;
  /** A sentence without its full stop. */
  readonly message: string;
  readonly at: Elsewhere;
}

/** One file that is read: where its offsets are, and what is wrong with it. */
export interface ObjectSource {
  readonly text: string;
  readonly place: (span: Span) => Elsewhere;
  readonly problems: ObjectProblem[];
}

/** Nothing of an object stands in the `.k8snet` file itself. */
const NOWHERE: Range = { start: 0, end: 0 };
const NO_NODE: StatementNode = { kind: 'statement', width: 0, leading: 0, tokens: [], block: null, problems: [] };
const NO_DIAGNOSTICS: readonly Diagnostic[] = [];

export const located = <T>(source: ObjectSource, value: T, span: Span): Located<T> => ({ value, ...NOWHERE, elsewhere: source.place(span) });

export const rangeOf = (fields: Fields): Range => ({ ...NOWHERE, elsewhere: fields.source.place(fields.tree) });

/** What a declaration that stands in no `.k8snet` file has in place of its statement. */
export const baseOf = (object: Fields) => ({ ...rangeOf(object), node: NO_NODE, keyword: NOWHERE, diagnostics: NO_DIAGNOSTICS });

export function tell(source: ObjectSource, kind: ObjectProblem['kind'], message: string, span: Span, group = message): void {
  source.problems.push({ kind, group, message, at: source.place(span) });
}

export function tellAt(source: ObjectSource, kind: ObjectProblem['kind'], message: string, value: Located<unknown>, group = message): void {
  source.problems.push({ kind, group, message, at: placeOf(value) });
}

/** What the API has a value of the kind as. */
function jsonTypesOf(kind: ValueKind): readonly ('number' | 'string')[] {
  switch (kind) {
    case 'port':
    case 'seconds':
      return ['number'];
    case 'target-port':
      return ['number', 'string'];
    default:
      return ['string'];
  }
}

const KINDS = { map: 'a map', list: 'a list', scalar: 'a single value' } as const;

/** A class because asking notes what was asked for. */
export class Fields {
  private readonly entries: ReadonlyMap<string, Entry>;
  private readonly asked = new Set<string>();

  /** `path`: the kind and the way to it, `Pod.spec`. */
  constructor(readonly source: ObjectSource, readonly tree: MapTree, readonly path: string) {
    this.entries = new Map(tree.entries.map((e) => [e.key, e]));
  }

  /** `undefined` where it is not there, or `null`. */
  get(key: string): Tree | undefined {
    this.asked.add(key);
    const value = this.entries.get(key)?.value;
    return value === undefined || (value.kind === 'scalar' && value.value === null) ? undefined : value;
  }

  map(key: string): Fields | null {
    const tree = this.of(key, 'map');
    return tree === null ? null : new Fields(this.source, tree, `${this.path}.${key}`);
  }

  list(key: string): readonly Tree[] {
    return this.of(key, 'list')?.items ?? [];
  }

  /** The maps of a list. */
  maps(key: string): Fields[] {
    return this.list(key).flatMap((item) => {
      if (item.kind === 'map') return [new Fields(this.source, item, `${this.path}.${key}`)];
      this.bad(`${this.path}.${key} holds maps, not ${KINDS[item.kind]}`, item);
      return [];
    });
  }

  text(key: string): Located<string> | null {
    const tree = this.of(key, 'scalar');
    return tree === null ? null : this.textOf(tree, `${this.path}.${key}`);
  }

  texts(key: string): Located<string>[] {
    return this.list(key).flatMap((item) => this.textOf(item, `${this.path}.${key}`) ?? []);
  }

  flag(key: string): boolean {
    return this.yesOrNo(key) ?? false;
  }

  /** `null` where it does not say. */
  yesOrNo(key: string): boolean | null {
    const tree = this.of(key, 'scalar');
    if (tree === null || typeof tree.value === 'boolean') return tree?.value === undefined ? null : tree.value === true;
    this.bad(`${this.path}.${key} is true or false`, tree);
    return null;
  }

  number(key: string): number | null {
    const tree = this.of(key, 'scalar');
    if (tree === null || typeof tree.value === 'number') return tree === null ? null : Number(tree.value);
    this.bad(`${this.path}.${key} is a number`, tree);
    return null;
  }

  value<K extends ValueKind>(key: string, kind: K): Located<ValueTypes[K]> | null {
    const tree = this.of(key, 'scalar');
    return tree === null ? null : this.valueOf(tree, kind, key);
  }

  values<K extends ValueKind>(key: string, kind: K): Located<ValueTypes[K]>[] {
    return this.list(key).flatMap((item) => this.valueOf(item, kind, key) ?? []);
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | null {
    const text = this.text(key);
    if (text === null) return null;
    const found = choices.find((c) => c === text.value);
    if (found === undefined) tellAt(this.source, 'bad', `${this.path}.${key} is '${text.value}': ${choices.filter((c) => c !== '').join(', ')} are known`, text);
    return found ?? null;
  }

  /** Keys and values of a map such as `labels`. */
  pairs(key: string): { readonly key: string; readonly value: string; readonly at: Span }[] {
    const tree = this.of(key, 'map');
    return tree === null ? [] : tree.entries.flatMap((e) => {
      const value = this.textOf(e.value, `${this.path}.${key}.${e.key}`);
      return value === null ? [] : [{ key: e.key, value: value.value, at: { start: e.at.start, end: e.value.end } }];
    });
  }

  labels(key: string): Located<readonly [string, string]>[] {
    return this.pairs(key).map((p) => located(this.source, [p.key, p.value] as const, p.at));
  }

  /** Says which fields are neither read nor in `ignored`, which change nothing for a packet. */
  rest(ignored: readonly string[]): void {
    for (const { key, at } of this.entries.values()) {
      if (!this.asked.has(key) && !ignored.includes(key)) tell(this.source, 'not-modelled', `${this.path}.${key} is not known here: it is taken to change nothing`, at);
    }
  }

  bad(message: string, span: Span): void {
    tell(this.source, 'bad', message, span);
  }

  private of<K extends Tree['kind']>(key: string, kind: K): Extract<Tree, { readonly kind: K }> | null {
    const tree = this.get(key);
    if (tree === undefined) return null;
    if (tree.kind === kind) return tree as Extract<Tree, { readonly kind: K }>;
    this.bad(`${this.path}.${key} is ${KINDS[kind]}, not ${KINDS[tree.kind]}`, tree);
    return null;
  }

  private textOf(tree: Tree, path: string): Located<string> | null {
    if (tree.kind === 'scalar' && typeof tree.value === 'string') return located(this.source, tree.value, tree);
    this.bad(`${path} is a text${tree.kind === 'scalar' ? ': put it in quotes' : `, not ${KINDS[tree.kind]}`}`, tree);
    return null;
  }

  private valueOf<K extends ValueKind>(tree: Tree, kind: K, key: string): Located<ValueTypes[K]> | null {
    if (tree.kind !== 'scalar') {
      this.bad(`${this.path}.${key} is a single value, not ${KINDS[tree.kind]}`, tree);
      return null;
    }
    const wanted = jsonTypesOf(kind);
    if (!wanted.some((type) => typeof tree.value === type)) this.bad(`${this.path}.${key} is a ${wanted.map((type) => (type === 'string' ? 'text' : type)).join(' or a ')}`, tree);
    const reading: Reading<ValueTypes[K]> = readValue(kind, String(tree.value));
    if (reading.ok) return located(this.source, reading.value, tree);
    this.bad(`${this.path}.${key}: ${reading.problem}`, tree);
    return null;
  }
}

export function placeOf(value: Located<unknown>): Elsewhere {
  if (value.elsewhere === undefined) throw new Error('a value of a Kubernetes object has no place');
  return value.elsewhere;
}
