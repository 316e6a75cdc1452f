/** A rule's line into words as iptables-restore does it (xshared.c add_param_to_argv): quotes group, `\` escapes inside them. */
import type { Report } from '../dump.ts';
import type { Word } from '../words.ts';
import { detach } from '../words.ts';

/** The text of a word is without its quotes and escapes; offset and length take them in. */
export function ruleWords(text: string, report: Report): Word[] {
  const words: Word[] = [];
  let i = 0;
  while (i < text.length) {
    if (isBlank(text, i)) {
      i++;
      continue;
    }
    const start = i;
    const end = endOfPlainWord(text, i);
    if (text[end] !== '"') {
      words.push({ text: detach(text.slice(start, end)), offset: start, length: end - start });
      i = end;
      continue;
    }
    const quoted = quotedWord(text, start);
    if (!quoted.closed) report({ offset: start, length: text.length - start }, 'unclosed-quote', 'This quoted text does not end: write `"` behind it.');
    words.push({ text: detach(quoted.text), offset: start, length: quoted.end - start });
    i = quoted.end;
  }
  return words;
}

const isBlank = (text: string, i: number): boolean => text[i] === ' ' || text[i] === '\t' || text[i] === '\r';

function endOfPlainWord(text: string, from: number): number {
  let i = from;
  while (i < text.length && !isBlank(text, i) && text[i] !== '"') i++;
  return i;
}

function quotedWord(text: string, start: number): { text: string; end: number; closed: boolean } {
  let result = '';
  let open = false;
  let i = start;
  for (; i < text.length && (open || !isBlank(text, i)); i++) {
    if (text[i] === '"') open = !open;
    else if (open && text[i] === '\\' && i + 1 < text.length) result += text[++i] ?? '';
    else result += text[i] ?? '';
  }
  return { text: result, end: i, closed: !open };
}

/** A word as it was written: quoted again where it has to be. */
export const bareOrQuoted = (word: Word): string => (/^[^\s"\\]+$/.test(word.text) ? word.text : quoteValue(word.text));

/** A value as xtables_save_string() prints it: bare where it has only letters, digits, `_` and `-`. */
export function quoteValue(value: string): string {
  return /^[\w-]+$/.test(value) ? value : `"${value.replace(/["\\']/g, '\\$&')}"`;
}
