/**
 * The syntax tree: green and position-independent. A node knows its width, never its offset, so an edit leaves every
 * other statement's node as it was, and whatever was computed from a node may be cached under it in a WeakMap.
 * Together the nodes hold every character of the text.
 */

/** A word, a quoted string (with its quotes in `text`) or a comma. `->` and `!` are words; `{ } ; #` are no tokens. */
export interface Token {
  readonly kind: 'word' | 'string' | 'comma';
  /** Interned and detached from the document (V8 slices pin it). */
  readonly text: string;
  /** From the start of the node, its leading included. */
  readonly offset: number;
}

export interface SyntaxProblem {
  readonly code: 'unclosed-string' | 'unclosed-block' | 'unopened-block' | 'stray-brace' | 'nameless-block' | 'unexpected-character' | 'too-long' | 'too-deep';
  /** From the start of the node that carries the problem. */
  readonly offset: number;
  readonly length: number;
  readonly message: string;
}

/**
 * `cluster demo { … }`, `ip 10.0.14.15`: words to the end of the line or `;`, and perhaps a block.
 * Without tokens it is what stands for an error: a stray `}` (a problem, no block) or a block without a name.
 */
export interface StatementNode {
  readonly kind: 'statement';
  /** Leading blanks, newlines and comments, the words, the block, the terminator, and a comment behind it on its line. */
  readonly width: number;
  /** Where the first word begins, from the start of the node. */
  readonly leading: number;
  readonly tokens: readonly Token[];
  readonly block: BlockNode | null;
  /** Of this node alone, not of its block. */
  readonly problems: readonly SyntaxProblem[];
}

/** Dumps are kept line by line, verbatim: `routes`, `iptables` and their like (`VERBATIM_KEYWORDS`). */
export interface LineNode {
  readonly kind: 'line';
  /** With what leads to it, and its newline. */
  readonly width: number;
  /** Indentation, and the empty lines and comment lines before: where `text` begins, from the start of the node. */
  readonly leading: number;
  /** Without indentation, newline and trailing blanks; of a line that opens a block, what stands before `{`. */
  readonly text: string;
  /** Above a `*table`: the last comment that names iptables-save, for it tells whose dump begins here. */
  readonly header?: string;
  /** `table nat {` inside an `iptables` block: its lines. `text` is then `table nat`. */
  readonly block: BlockNode | null;
  readonly problems: readonly SyntaxProblem[];
}

export interface BlockNode {
  readonly kind: 'block';
  readonly mode: 'statements' | 'verbatim';
  /** Where `{` stands, from the start of the node that owns the block; without it, the end of the owner's words. */
  readonly offset: number;
  /** From `{` to behind `}`. */
  readonly width: number;
  /** False where `{` is missing, but what follows can only be the block's. Children begin at `offset + (opened ? 1 : 0)`. */
  readonly opened: boolean;
  readonly children: readonly (StatementNode | LineNode)[];
  /** Blanks and comments between the last child and `}`. */
  readonly trailing: number;
  /** False where the text ends, or an outer declaration begins, before `}`. */
  readonly closed: boolean;
}

export interface FileNode {
  readonly kind: 'file';
  readonly width: number;
  readonly children: readonly (StatementNode | LineNode)[];
  readonly trailing: number;
  readonly problems: readonly SyntaxProblem[];
}

export interface TextEdit {
  /** In the old text. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Words that begin a declaration at the top of a file. Inside an unclosed block such a line ends the block. */
export const TOP_LEVEL_KEYWORDS: ReadonlySet<string> = new Set([
  'cluster', 'network', 'external', 'node', 'pod', 'service', 'namespace', 'network-policy', 'expect', 'policy', 'fault', 'objects',
]);

/** Statements whose block holds a dump. */
export const VERBATIM_KEYWORDS: ReadonlySet<string> = new Set([
  'routes', 'rules', 'addresses', 'links', 'neighbours', 'fdb', 'iptables', 'ip6tables', 'ipset', 'conntrack', 'sysctl', 'resolv-conf',
]);
