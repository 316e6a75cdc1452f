/**
 * A file of several dumps, each below the command that printed it: `# ip addr`, then what it printed, `# ip route`, …
 * Whoever takes one kind of dump from the file reads its part.
 */
import type { CaptureKeyword } from './declarations.ts';
import type { DumpText } from './dump-lines.ts';

const COMMANDS: readonly (readonly [RegExp, CaptureKeyword])[] = [
  [/^ip (-\S+ )*a(ddr(ess)?)?\b/, 'addresses'],
  [/^ip (-\S+ )*l(ink)?\b/, 'links'],
  [/^ip (-\S+ )*r(oute)?\b/, 'routes'],
  [/^ip (-\S+ )*ru(le)?\b/, 'rules'],
  [/^ip (-\S+ )*n(eigh(bour)?)?\b/, 'neighbours'],
  [/^bridge (-\S+ )*fdb\b/, 'fdb'],
  [/^iptables-(legacy-|nft-)?save\b/, 'iptables'],
  [/^ip6tables-(legacy-|nft-)?save\b/, 'ip6tables'],
  [/^ipset\b/, 'ipset'],
  [/^conntrack\b/, 'conntrack'],
  [/^sysctl\b/, 'sysctl'],
  [/^cat (-\S+ )*\/etc\/resolv\.conf\b/, 'resolv-conf'],
];

/** The kind of dump that a line such as `# ip addr` begins; `null` for every other line. */
function headedBy(line: string): CaptureKeyword | null {
  const command = /^#\s*\$?\s*(.*)$/.exec(line)?.[1];
  return command === undefined ? null : (COMMANDS.find(([pattern]) => pattern.test(command))?.[1] ?? null);
}

/** The kinds of dump in a text, in the order of their first headings; empty where no command heads anything. */
export const kindsIn = (text: string): readonly CaptureKeyword[] => [...new Set(text.split('\n').flatMap((line) => headedBy(line) ?? []))];

const parts = new WeakMap<readonly DumpText[], ReadonlyMap<CaptureKeyword, readonly DumpText[]> | null>();

/** The lines of a file that are of this kind, each where it stands: the others are empty. The same lines give the same part. */
export function partFor(lines: readonly DumpText[], keyword: CaptureKeyword): readonly DumpText[] {
  const known = parts.get(lines);
  const made = known === undefined ? partsOf(lines) : known;
  parts.set(lines, made);
  return made === null ? lines : (made.get(keyword) ?? []);
}

const EMPTY: DumpText = { text: '', offset: -1, key: {} };

/** `null` where no command heads anything. */
function partsOf(lines: readonly DumpText[]): ReadonlyMap<CaptureKeyword, readonly DumpText[]> | null {
  const heads = lines.map((l) => headedBy(l.text));
  const found = new Set(heads.filter((h) => h !== null));
  if (found.size === 0) return null;
  return new Map([...found].map((keyword) => {
    let current: CaptureKeyword | null = null;
    return [keyword, lines.map((line, i) => {
      current = heads[i] ?? current;
      return current === keyword ? line : EMPTY;
    })] as const;
  }));
}
