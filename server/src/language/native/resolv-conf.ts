/** resolv.conf(5), as glibc reads it. */
import { parseAddress } from '../../../../engine/src/net/address.ts';
import type { Address } from '../../../../engine/src/net/address.ts';
import type { CapturedResolver } from '../../../../engine/src/topology/spec.ts';
import { closest } from '../../../../engine/src/closest.ts';
import type { DumpProblem, LineProblem, Report } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import type { Word } from './words.ts';
import { wordsOf } from './words.ts';

/** What one line says by itself. */
export interface ResolverLine {
  readonly nameserver: Address | null;
  /** `search` and `domain`, of which the last in the file counts. */
  readonly search: readonly string[] | null;
  readonly ndots: number | null;
  readonly problems: readonly LineProblem[];
}

const KEYWORDS = ['nameserver', 'search', 'domain', 'options', 'sortlist'];
/** They change how often and how fast is asked, not what. */
const OPTIONS = [
  'debug', 'timeout', 'attempts', 'rotate', 'no-aaaa', 'no-check-names', 'inet6', 'ip6-bytestring', 'ip6-dotint', 'no-ip6-dotint', 'edns0', 'single-request', 'single-request-reopen', 'no-tld-query', 'use-vc', 'no-reload', 'trust-ad',
  'ndots',
];
/** MAXNS and RES_MAXNDOTS of glibc's resolv.h. */
const MOST_NAMESERVERS = 3;
const MOST_DOTS = 15;

export function readResolverLine(text: string): ResolverLine {
  const { problems, report } = reporter();
  const [keyword, ...values] = /^\s*[#;]/.test(text) ? [] : wordsOf(text);
  const nothing: ResolverLine = { nameserver: null, search: null, ndots: null, problems };
  if (keyword === undefined) return nothing;
  if (!KEYWORDS.includes(keyword.text)) {
    report(keyword, 'unknown-word', `resolv.conf has no \`${keyword.text}\`: a line begins with nameserver, search or options.`, { suggestion: closest(keyword.text, KEYWORDS) ?? null });
    return nothing;
  }
  const [first] = values;
  if (first === undefined) {
    report(keyword, 'missing-value', `The value of \`${keyword.text}\` is missing.`);
    return nothing;
  }
  switch (keyword.text) {
    case 'nameserver':
      return { ...nothing, nameserver: readNameserver(first, report) };
    case 'search':
      return { ...nothing, search: values.map((word) => word.text) };
    case 'domain':
      return { ...nothing, search: [first.text] };
    case 'options':
      return { ...nothing, ndots: readOptions(values, report) };
    default:
      report(keyword, 'not-modelled', 'k8snet does not model `sortlist`: the addresses of an answer keep their order.', { severity: 'warning' });
      return nothing;
  }
}

function readNameserver(word: Word, report: Report): Address | null {
  const address = parseAddress(word.text.replace(/%.*$/, ''));
  if (address === undefined) report(word, 'bad-value', `\`${word.text}\` is no address of a name server.`);
  return address ?? null;
}

function readOptions(words: readonly Word[], report: Report): number | null {
  let ndots: number | null = null;
  for (const word of words) {
    const [name = '', value] = word.text.split(':');
    if (!OPTIONS.includes(name)) report({ ...word, length: name.length }, 'unknown-word', `resolv.conf has no option \`${name}\`.`, { suggestion: closest(name, OPTIONS) ?? null });
    else if (name === 'ndots' && (value === undefined || !/^\d+$/.test(value))) report(word, 'bad-value', `\`${word.text}\` cannot stand here: write for example \`ndots:5\`.`);
    else if (name === 'ndots') ndots = Math.min(Number(value), MOST_DOTS);
  }
  return ndots;
}

/** The whole file. Without a line of its kind the search list is empty and `ndots` is 1. */
export function assembleResolver(lines: readonly ResolverLine[]): { readonly resolver: CapturedResolver; readonly problems: readonly DumpProblem[] } {
  const problems = lines.flatMap((line, i) => onLine(line.problems, i));
  const nameservers: Address[] = [];
  for (const [line, { nameserver }] of lines.entries()) {
    if (nameserver === null) continue;
    if (nameservers.length < MOST_NAMESERVERS) nameservers.push(nameserver);
    else problems.push({ line, offset: 0, length: 'nameserver'.length, code: 'not-modelled', severity: 'warning', message: `Only the first ${MOST_NAMESERVERS} name servers are asked: this one never is.`, suggestion: null });
  }
  const last = <T>(of: (line: ResolverLine) => T | null): T | null => lines.reduce<T | null>((found, line) => of(line) ?? found, null);
  return { resolver: { nameservers, search: last((l) => l.search) ?? [], ndots: last((l) => l.ndots) ?? 1 }, problems };
}
