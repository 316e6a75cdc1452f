/** The rules of test/fixtures/native, with what iptables-save says of each. */
import { readFileSync } from 'node:fs';
import type { Family } from '../../../engine/src/net/address.ts';

export interface CorpusRule {
  readonly family: Family;
  readonly table: string;
  readonly rule: string;
  readonly legacy: readonly string[];
  readonly nft: readonly string[];
}

const read = (name: string): string[] => readFileSync(new URL(`../../fixtures/native/${name}`, import.meta.url), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));

function ruleOf(line: string): { family: Family; table: string; rule: string } {
  const six = line.startsWith('6: ');
  const rest = six ? line.slice(3) : line;
  const blank = rest.indexOf(' ');
  return { family: six ? 6 : 4, table: rest.slice(0, blank), rule: rest.slice(blank + 1) };
}

export function goodRules(): CorpusRule[] {
  const rules: { family: Family; table: string; rule: string; legacy: string[]; nft: string[] }[] = [];
  for (const line of read('rules.txt')) {
    const m = /^ {2}(nft )?= (.*)$/.exec(line);
    const last = rules.at(-1);
    if (m === null) rules.push({ ...ruleOf(line), legacy: [], nft: [] });
    else if (m[1] === undefined) last?.legacy.push(m[2] ?? '');
    else last?.nft.push(m[2] ?? '');
  }
  return rules.map((rule) => ({ ...rule, nft: rule.nft.length > 0 ? rule.nft : rule.legacy }));
}

export const badRules = (): { family: Family; table: string; rule: string }[] => read('bad-rules.txt').map(ruleOf);
