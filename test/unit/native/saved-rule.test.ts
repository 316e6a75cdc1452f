/** The short way says of a rule what the general reader says, or nothing. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readRule } from '../../../server/src/language/native/iptables/rule.ts';
import { readSavedRule } from '../../../server/src/language/native/iptables/saved-rule.ts';
import { handWritten } from '../../oracle/rule-corpus.ts';
import { ruleTexts } from '../../oracle/rule-texts.ts';
import { badRules, goodRules } from './corpus.ts';

const corpora = [...goodRules().flatMap(({ family, rule, legacy, nft }) => [rule, ...legacy, ...nft].map((text) => ({ family, rule: text }))), ...badRules(), ...handWritten, ...ruleTexts(4_000, 11)];

/** The general reader's places are words, which have a text as well. */
const general = (text: string, family: 4 | 6) => {
  const { chainAt, targetAt, ...rest } = readRule(text, family);
  const place = (at: { offset: number; length: number }) => ({ offset: at.offset, length: at.length });
  return { ...rest, chainAt: place(chainAt), targetAt: targetAt === null ? null : place(targetAt) };
};

/** The rules, and the normal forms of those that can be read. */
const texts = [...new Map(corpora.flatMap(({ family, rule }) => [rule, ...readRule(rule, family).rules.map((r) => r.text)].map((text) => [`${family} ${text}`, { family, text }] as const))).values()];

describe('a rule as iptables-save prints it', () => {
  test('is read alike, whichever rule it is', () => {
    let short = 0;
    for (const { family, text } of texts) {
      const reading = readSavedRule(text, family);
      if (reading === null) continue;
      short++;
      expect(reading, text).toEqual(general(text, family));
    }
    expect(short).toBeGreaterThan(1_000);
  });
  test.each(['host1', 'host2', 'host3'])('every rule of the recorded %s goes the short way', (host) => {
    const rules = readFileSync(new URL(`../../fixtures/recorded/nodes/${host}/iptables-save.txt`, import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('-A'));
    expect(rules.filter((rule) => readSavedRule(rule, 4) === null)).toEqual([]);
    for (const rule of rules) expect(readSavedRule(rule, 4)).toEqual(general(rule, 4));
  });
  test.each([
    '-A X -s 10.0.0.1/24 -j Y-Z', '-A X -s 10.0.0.01/32 -j Y-Z', '-A X -s 10.0.0.1 -j Y-Z', '-A X -d 10.0.0.1/32 -s 10.0.0.1/32 -j Y-Z', '-A X -m comment --comment "plain" -j Y-Z', '-A X -m comment --comment a:b -j Y-Z', '-A X -m tcp -p tcp -j Y-Z',
    '-A X -p tcp -m tcp --dport 080 -j Y-Z', '-A X -p tcp -m tcp --sport 1 -m tcp --dport 2 -j Y-Z', '-A X -m comment --comment a -m comment --comment b -j Y-Z', '-A X -m comment --comment "a\\"b" -j Y-Z', '-A INPUT -o eth0 -j Y-Z', '-A X -j DNAT --to-destination 10.0.0.1:80', '-A X  -j Y-Z',
    '-A X -j Y-Z ', '-A X -m comment --comment "a -j B', '-A X -j Y-Z -s 10.0.0.1/32', '-A X -p tcp -p tcp -j Y-Z',
  ])('%s is left to the general reader', (text) => {
    expect(readSavedRule(text, 4)).toBeNull();
  });
});
