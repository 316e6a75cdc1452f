/** The options of a match or target that is kept as iptables-save prints it. */

export interface PrintedOption {
  readonly value: string;
  readonly inverted: boolean;
}

const known = new WeakMap<object, ReadonlyMap<string, PrintedOption>>();

/** By name without dashes; a flag's value is empty. Kept by the record, which never changes. */
export function optionsOf(record: { readonly text: string }): ReadonlyMap<string, PrintedOption> {
  const before = known.get(record);
  if (before !== undefined) return before;
  const options = new Map<string, PrintedOption>();
  const words = record.text.split(' ');
  for (const [i, word] of words.entries()) {
    if (!word.startsWith('--')) continue;
    const next = words[i + 1] ?? '';
    options.set(word.slice(2), { value: next.startsWith('--') || next === '!' ? '' : next, inverted: words[i - 1] === '!' });
  }
  known.set(record, options);
  return options;
}

/** `1000` or `0-999`. */
export function idRange(text: string): { readonly from: number; readonly to: number } {
  const [from = 0, to = from] = text.split('-').map(Number);
  return { from, to };
}
