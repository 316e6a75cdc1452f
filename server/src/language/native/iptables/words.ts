/** A rule's line into words as iptables-restore does it (xshared.c add_param_to_argv()): a closing quote ends the word, `\` escapes inside quotes. */
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
    while (i < text.length && !isBlank(text, i) && text[i] !== '"') i++;
    const plain = text.slice(start, i);
    if (text[i] !== '"') {
      words.push({ text: detach(plain), offset: start, length: i - start });
      continue;
    }
    const quoted = quotedPart(text, i);
    if (!quoted.closed) report({ offset: start, length: text.length - start }, 'unclosed-quote', 'This quoted text does not end: write `"` behind it.');
    words.push({ text: detach(plain + quoted.text), offset: start, length: quoted.end - start });
    i = quoted.end;
  }
  return words;
}

const isBlank = (text: string, i: number): boolean => text[i] === ' ' || text[i] === '\t' || text[i] === '\r';

/** From an opening quote to behind the closing one. */
function quotedPart(text: string, start: number): { text: string; end: number; closed: boolean } {
  let result = '';
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '"') return { text: result, end: i + 1, closed: true };
    if (text[i] === '\\' && i + 1 < text.length) i++;
    result += text[i] ?? '';
  }
  return { text: result, end: text.length, closed: false };
}

/** A word as it was written: quoted again where it has to be. */
export const bareOrQuoted = (word: Word): string => (/^[^\s"\\]+$/.test(word.text) ? word.text : quoteValue(word.text));

/** A value as xtables_save_string() prints it: bare where it has only letters, digits, `_` and `-`. */
export function quoteValue(value: string): string {
  return /^[\w-]+$/.test(value) ? value : `"${value.replace(/["\\']/g, '\\$&')}"`;
}
