/** What a YAML or JSON text holds, every value with its place: what the readers of Kubernetes objects go by. */

/** Offsets in UTF-16 units; `end` is behind the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ScalarTree extends Span {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
}

export interface ListTree extends Span {
  readonly kind: 'list';
  readonly items: readonly Tree[];
}

export interface Entry {
  readonly key: string;
  readonly at: Span;
  readonly value: Tree;
}

export interface MapTree extends Span {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
}

export type Tree = ScalarTree | ListTree | MapTree;

export interface TreeProblem extends Span {
  /** Without a full stop. */
  readonly message: string;
}

/** The documents of a text, and what is wrong with it. What can be read is. */
export interface TreeReading {
  readonly documents: readonly Tree[];
  readonly problems: readonly TreeProblem[];
}

/** Deeper is no Kubernetes object; a reader that calls itself stops there. */
export const DEEPEST = 100;
