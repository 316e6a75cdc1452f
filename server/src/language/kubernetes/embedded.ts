/** A text inside an object's value (net-conf.json in a ConfigMap): its places are places of the file around it. */
import { once } from '../../../../engine/src/once.ts';
import type { ObjectSource } from './fields.ts';
import type { ScalarTree, Span } from './tree.ts';

/** Places are told by offsets in the value. Where they cannot be followed, the whole value is meant. */
export function sourceWithin(source: ObjectSource, scalar: ScalarTree): ObjectSource {
  const spans = once(() => spansOf(source.text.slice(scalar.start, scalar.end), String(scalar.value)));
  return {
    ...source,
    place: ({ start, end }) => {
      const first = spans()?.[start];
      const last = spans()?.[Math.max(start, end - 1)];
      return source.place(first === undefined || last === undefined ? scalar : { start: scalar.start + first.start, end: scalar.start + last.end });
    },
  };
}

const BLANK = /\s/;
/** What JSON and YAML write behind a backslash; every other character stands for itself. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', 0: '\0', N: '\u0085', _: '\u00a0' };
const CODED = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^]))/y;

/**
 * Where in `raw` each character of the value stands that it holds: JSON, or any style of YAML. These differ in quotes, escapes,
 * and in blanks, which are not followed one by one. `null` where raw does not hold the value.
 */
function spansOf(raw: string, value: string): readonly Span[] | null {
  const quoted = raw.startsWith('"');
  const spans: Span[] = [];
  let at = raw.startsWith('|') || raw.startsWith('>') ? raw.indexOf('\n') : quoted || raw.startsWith("'") ? 1 : 0;
  for (const character of value.split('')) {
    if (BLANK.test(character)) {
      spans.push({ start: at, end: at });
      continue;
    }
    let next = characterAt(raw, at, quoted);
    while (next.text !== '' && BLANK.test(next.text)) {
      at += next.width;
      next = characterAt(raw, at, quoted);
    }
    if (next.text !== character) return null;
    spans.push({ start: at, end: at + next.width });
    at += next.width;
  }
  return spans;
}

function characterAt(raw: string, at: number, quoted: boolean): { readonly text: string; readonly width: number } {
  if (raw.startsWith("''", at) && raw.startsWith("'")) return { text: "'", width: 2 };
  CODED.lastIndex = at;
  const coded = quoted ? CODED.exec(raw) : null;
  if (coded === null) return { text: raw.charAt(at), width: 1 };
  const [{ length }, four, two, one = ''] = coded;
  const code = four ?? two;
  return { text: code === undefined ? (ESCAPES[one] ?? one) : String.fromCharCode(parseInt(code, 16)), width: length };
}
