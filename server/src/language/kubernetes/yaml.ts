/** YAML of one or more documents as trees. Aliases are followed, as the API server's own reader does. */
import { isAlias, isCollection, isMap, isPair, isScalar, parseAllDocuments } from 'yaml';
import type { Document, Node } from 'yaml';
import type { Entry, Span, Tree, TreeProblem, TreeReading } from './tree.ts';
import { DEEPEST } from './tree.ts';

/** Aliases of aliases grow without end. kubectl writes none, people a few. */
const MOST_ALIASES = 100;
const MOST_VALUES = 5_000_000;

export function readYaml(text: string): TreeReading {
  const documents: Tree[] = [];
  const problems: TreeProblem[] = [];
  // Without pretty errors the messages hold no excerpt, which a file with a token in it must not show.
  const parsed = parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent', uniqueKeys: true });
  for (const document of 'empty' in parsed ? [] : parsed) {
    for (const error of document.errors) problems.push({ message: `this is no YAML: ${error.message.replace(/\.$/, '')}`, start: error.pos[0], end: error.pos[1] });
    const tree = document.contents === null ? null : new YamlReader(document, problems).tree(document.contents, 0);
    if (tree !== null && !(tree.kind === 'scalar' && tree.value === null)) documents.push(tree);
  }
  return { documents, problems };
}

const spanOf = (node: Node): Span => ({ start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 0 });

type Entries = Extract<Tree, { readonly kind: 'map' }>['entries'];

/** `<<: *other`, which kubectl takes as YAML 1.1 has it: what the map says itself stands. */
function withMerged(entries: Entries): Entries {
  if (entries.every((e) => e.key !== '<<')) return entries;
  const own = entries.filter((e) => e.key !== '<<');
  const sources = entries.flatMap((e) => (e.key !== '<<' ? [] : e.value.kind === 'list' ? e.value.items : [e.value]));
  const all = [...own, ...sources.flatMap((source) => (source.kind === 'map' ? source.entries : []))];
  return all.filter((e, i) => all.findIndex((other) => other.key === e.key) === i);
}

class YamlReader {
  private values = 0;
  private aliases = 0;

  constructor(private readonly document: Document.Parsed, private readonly problems: TreeProblem[]) {}

  tree(node: Node, depth: number): Tree | null {
    const span = spanOf(node);
    if (this.aliases > MOST_ALIASES || this.values > MOST_VALUES) return null;
    this.values++;
    if (depth > DEEPEST || this.values > MOST_VALUES) return this.refused(span, 'this is too deep or too large for a Kubernetes object');
    if (isAlias(node)) {
      this.aliases++;
      if (this.aliases > MOST_ALIASES) return this.refused(span, `more than ${MOST_ALIASES} aliases are not followed: what stands behind is left out`);
      const target = node.resolve(this.document);
      return target === undefined ? null : this.tree(target, depth + 1);
    }
    if (isScalar(node)) return { kind: 'scalar', ...span, value: plainValue(node.value) };
    if (isMap(node)) return { kind: 'map', ...span, entries: withMerged(node.items.flatMap((pair) => this.entry(pair, depth))) };
    if (isCollection(node)) return { kind: 'list', ...span, items: node.items.flatMap((item) => this.item(item, depth)) };
    return null;
  }

  private refused(span: Span, message: string): null {
    this.problems.push({ ...span, message });
    return null;
  }

  private item(item: unknown, depth: number): Tree[] {
    const tree = isNode(item) ? this.tree(item, depth + 1) : null;
    return tree === null ? [] : [tree];
  }

  private entry(pair: unknown, depth: number): Entry[] {
    if (!isPair(pair) || !isScalar(pair.key)) return [];
    const at = spanOf(pair.key);
    const value = isNode(pair.value) ? this.tree(pair.value, depth + 1) : { kind: 'scalar' as const, value: null, start: at.end, end: at.end };
    return value === null ? [] : [{ key: String(pair.key.value), at, value }];
  }
}

const isNode = (value: unknown): value is Node => isAlias(value) || isScalar(value) || isCollection(value);

const plainValue = (value: unknown): string | number | boolean | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
