/**
 * JSON (RFC 8259) with the place of every value. `kubectl get -o json` of a large cluster is tens of megabytes: a YAML
 * parser, which could read it too, takes a hundred times longer.
 */
import type { Entry, Span, Tree, TreeProblem, TreeReading } from './tree.ts';
import { DEEPEST } from './tree.ts';

/** Several documents may follow each other, as `kubectl get` of several kinds prints them. */
export function readJson(text: string): TreeReading {
  const reader = new JsonReader(text);
  const documents: Tree[] = [];
  while (reader.problem === null && !reader.atEnd()) {
    const tree = reader.value(0);
    if (tree !== null) documents.push(tree);
  }
  return { documents, problems: reader.problem === null ? [] : [reader.problem] };
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** What is not its own value. */
const CODED = /[\\\p{Cc}]/u;
const WORDS = [['true', true], ['false', false], ['null', null]] as const;

/** A class because its steps share the place where they stand. It stops at the first problem: what follows cannot be told. */
class JsonReader {
  problem: TreeProblem | null = null;
  private at = 0;

  constructor(private readonly text: string) {}

  atEnd(): boolean {
    this.blanks();
    return this.at >= this.text.length;
  }

  /** `null` behind a problem. */
  value(depth: number): Tree | null {
    this.blanks();
    const { text, at: start } = this;
    if (depth > DEEPEST) return this.wrong(`more than ${DEEPEST} levels inside each other are no Kubernetes object`);
    switch (text[start]) {
      case '{': return this.map(depth);
      case '[': return this.list(depth);
      case '"': {
        const value = this.string();
        return value === null ? null : { kind: 'scalar', value, start, end: this.at };
      }
      default: return this.word(start);
    }
  }

  private word(start: number): Tree | null {
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, start)) continue;
      this.at += word.length;
      return { kind: 'scalar', value, start, end: this.at };
    }
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(this.text)?.[0];
    if (number === undefined) return this.wrong(start >= this.text.length ? 'the text ends in the middle of a value' : 'this is no JSON: a value is needed here');
    this.at += number.length;
    return { kind: 'scalar', value: Number(number), start, end: this.at };
  }

  private string(): string | null {
    const start = this.at;
    let end = start;
    do end = this.text.indexOf('"', end + 1);
    while (end > 0 && this.isEscaped(end));
    if (end < 0) return this.wrong('this string is not closed');
    const inside = this.text.slice(start + 1, end);
    this.at = end + 1;
    return CODED.test(inside) ? this.decoded(start, inside) : inside;
  }

  /** Whether an odd number of backslashes stands before it. */
  private isEscaped(quote: number): boolean {
    let before = quote;
    while (this.text[before - 1] === '\\') before--;
    return (quote - before) % 2 === 1;
  }

  private decoded(start: number, inside: string): string | null {
    try {
      return JSON.parse(`"${inside}"`) as string;
    } catch {
      this.at = start;
      return this.wrong('this string has an escape or a character that JSON does not take');
    }
  }

  private list(depth: number): Tree | null {
    const start = this.at++;
    const items: Tree[] = [];
    for (this.blanks(); this.text[this.at] !== ']'; this.blanks()) {
      if (items.length > 0 && !this.comma()) return null;
      const item = this.value(depth + 1);
      if (item === null) return null;
      items.push(item);
    }
    return { kind: 'list', items, start, end: ++this.at };
  }

  private map(depth: number): Tree | null {
    const start = this.at++;
    const entries: Entry[] = [];
    for (this.blanks(); this.text[this.at] !== '}'; this.blanks()) {
      if (entries.length > 0 && !this.comma()) return null;
      const entry = this.entry(depth);
      if (entry === null) return null;
      entries.push(entry);
    }
    return { kind: 'map', entries, start, end: ++this.at };
  }

  private entry(depth: number): Entry | null {
    this.blanks();
    const at: Span = { start: this.at, end: this.at };
    const key = this.text[this.at] === '"' ? this.string() : this.wrong('a quoted key is needed here');
    if (key === null) return null;
    const end = this.at;
    this.blanks();
    if (this.text[this.at] !== ':') return this.wrong(`':' is needed behind "${key}"`);
    this.at++;
    const value = this.value(depth + 1);
    return value === null ? null : { key, at: { ...at, end }, value };
  }

  private comma(): boolean {
    this.blanks();
    if (this.text[this.at] !== ',') {
      this.wrong(this.at >= this.text.length ? 'the text ends before its brackets are closed' : "',' is needed here");
      return false;
    }
    this.at++;
    return true;
  }

  private blanks(): void {
    for (let code = this.text.charCodeAt(this.at); code === 32 || code === 10 || code === 13 || code === 9; code = this.text.charCodeAt(this.at)) this.at++;
  }

  private wrong(message: string): null {
    this.problem ??= { message, start: this.at, end: Math.min(this.at + 1, this.text.length) };
    return null;
  }
}
