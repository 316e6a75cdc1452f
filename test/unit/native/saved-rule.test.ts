/** The short way says of a rule what the general reader says, or nothing. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../engine/src/net/address.ts';
import { bitsOf, formatAddress, ipv4, networkOf } from '../../../engine/src/net/address.ts';
import { readRule } from '../../../server/src/language/native/iptables/rule.ts';
import { placesOf, readSavedRule } from '../../../server/src/language/native/iptables/saved-rule.ts';
import { handWritten } from '../../oracle/rule-corpus.ts';
import { ruleTexts } from '../../oracle/rule-texts.ts';
import { badRules, goodRules } from './corpus.ts';

const corpora = [...goodRules().flatMap(({ family, rule, legacy, nft }) => [rule, ...legacy, ...nft].map((text) => ({ family, rule: text }))), ...badRules(), ...handWritten, ...ruleTexts(4_000, 11)];

const place = (at: { offset: number; length: number } | null) => (at === null ? null : { offset: at.offset, length: at.length });

const general = (text: string, family: 4 | 6) => {
  const { chainAt, targetAt, ...rest } = readRule(text, family);
  return { ...rest, chainAt: place(chainAt), targetAt: place(targetAt) };
};

/** What the short way says, as the general reader would say it. */
const short = (text: string, family: 4 | 6) => {
  const reading = readSavedRule(text, family);
  if (reading === null) return null;
  const { chain, matches, target, problems } = reading;
  const { chainAt, targetAt } = placesOf(reading);
  return { kind: 'rule', chain, place: null, rules: [{ matches, target, text: reading.text }], problems, chainAt: place(chainAt), targetAt: place(targetAt) };
};

/** The rules, and the normal forms of those that can be read. */
const texts = [...new Map(corpora.flatMap(({ family, rule }) => [rule, ...readRule(rule, family).rules.map((r) => r.text)].map((text) => [`${family} ${text}`, { family, text }] as const))).values()];

describe('a rule as iptables-save prints it', () => {
  test('is read alike, whichever rule it is', () => {
    let read = 0;
    for (const { family, text } of texts) {
      const reading = short(text, family);
      if (reading === null) continue;
      read++;
      expect(reading, text).toEqual(general(text, family));
    }
    expect(read).toBeGreaterThan(1_000);
  });
  test('with any address that iptables-save can print, and with none that it cannot', () => {
    const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }));
    const six = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups): Address => ({ family: 6, words: [0, 2, 4, 6].map((i) => (((groups[i] ?? 0) << 16) | (groups[i + 1] ?? 0)) >>> 0) as unknown as Address['words'] }));
    const four = fc.integer({ min: 0, max: 0xffff_ffff }).map(ipv4);
    fc.assert(fc.property(fc.oneof(six, four), fc.integer({ min: 0, max: 128 }), (address, length) => {
      const line = `-A X -s ${formatAddress(address)}/${bitsOf(address.family)} ! -d ${formatAddress(networkOf({ address, length }).address)}/${length} -j Y-Z`;
      const reading = short(line, address.family);
      if (reading !== null) expect(reading, line).toEqual(general(line, address.family));
      // An IPv4 address inside an IPv6 one, and a length that is none or 0, are the general reader's.
      else expect(length === 0 || length > bitsOf(address.family) || (address.family === 6 && address.words.slice(0, 2).every((w) => w === 0)), line).toBe(true);
    }), { numRuns: 400 });
    fc.assert(fc.property(fc.array(fc.constantFrom('0', '00', '1', 'a', 'A', 'ffff', '10', ':', ':', '::', '.'), { maxLength: 17 }), (parts) => {
      for (const line of [`-A X -s ${parts.join('')}/128 -j Y-Z`, `-A X -p tcp -m tcp -j DNAT --to-destination [${parts.join('')}]:80`]) {
        const reading = short(line, 6);
        if (reading !== null) expect(reading, line).toEqual(general(line, 6));
      }
    }), { numRuns: 2_000 });
    const texts = ['::', '::1', 'fd00::', 'fd00::1:0:0:1', '1:0:0:2::', '1:2:3:4:5:6:7:8', '0:1:2:3:4:5:6:7', 'fd00:10:0:5::2', '1::2:0:0:3:4'];
    expect(texts.filter((text) => short(`-A X -p tcp -m tcp -j DNAT --to-destination [${text}]:80`, 6) === null)).toEqual([]);
  });
  test.each(['host1', 'host2', 'host3'])('every rule of the recorded %s goes the short way', (host) => {
    const rules = readFileSync(new URL(`../../fixtures/recorded/nodes/${host}/iptables-save.txt`, import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('-A'));
    expect(rules.filter((rule) => readSavedRule(rule, 4) === null)).toEqual([]);
    for (const rule of rules) expect(short(rule, 4)).toEqual(general(rule, 4));
  });
  test.each([
    '-A X -s 10.0.0.1/24 -j Y-Z', '-A X -s 10.0.0.01/32 -j Y-Z', '-A X -s 10.0.0.1 -j Y-Z', '-A X -d 10.0.0.1/32 -s 10.0.0.1/32 -j Y-Z', '-A X -m comment --comment "plain" -j Y-Z', '-A X -m comment --comment a:b -j Y-Z', '-A X -m tcp -p tcp -j Y-Z',
    '-A X -p tcp -m tcp --dport 080 -j Y-Z', '-A X -p tcp -m tcp --sport 1 -m tcp --dport 2 -j Y-Z', '-A X -m comment --comment a -m comment --comment b -j Y-Z', '-A X -m comment --comment "a\\"b" -j Y-Z', '-A INPUT -o eth0 -j Y-Z', '-A X -j DNAT --to-destination 10.0.0.1:80', '-A X  -j Y-Z',
    '-A X -j Y-Z ', '-A "X" -j Y-Z', '-A a"b" -j Y-Z', '-A X\tY -j Y-Z', '-A X -m comment --comment a\tb -j Y-Z', '-A X -m comment --comment "a -j B', '-A X -j Y-Z -s 10.0.0.1/32', '-A X -p tcp -p tcp -j Y-Z',
  ])('%s is left to the general reader', (text) => {
    expect(readSavedRule(text, 4)).toBeNull();
  });
});
