/** The words of a dump line, with their places. */
import type { Span } from './dump.ts';

export interface Word extends Span {
  readonly text: string;
}

/** Words between blanks, as the iproute2 tools print them. */
export function wordsOf(text: string): Word[] {
  return [...text.matchAll(/\S+/g)].map((m) => ({ text: detach(m[0]), offset: m.index, length: m[0].length }));
}

/** Reads words one after another; a reader takes what it knows. */
export interface Cursor {
  readonly peek: () => Word | undefined;
  readonly take: () => Word | undefined;
  readonly takeIf: (text: string) => boolean;
}

export function cursorOver(words: readonly Word[]): Cursor {
  let next = 0;
  return {
    peek: () => words[next],
    take: () => words[next++],
    takeIf: (text) => {
      if (words[next]?.text !== text) return false;
      next++;
      return true;
    },
  };
}

const interned = new Map<string, string>();

/** A copy that does not pin the document: V8 keeps a slice's whole parent alive. Short texts repeat and are shared. */
export function detach(text: string): string {
  const known = interned.get(text);
  if (known !== undefined) return known;
  if (interned.size > 50_000) interned.clear();
  const copy = ` ${text}`.slice(1);
  interned.set(copy, copy);
  return copy;
}
