import { describe, expect, test } from 'vitest';
import { readRule } from '../../../server/src/language/native/iptables/rule.ts';
import { badRules, goodRules } from './corpus.ts';

const label = <R extends { family: number; rule: string }>(rule: R) => [`${rule.family === 6 ? 'ip6tables' : 'iptables'} ${rule.rule}`, rule] as const;

test('the corpora are large', () => {
  expect(goodRules().length).toBeGreaterThan(150);
  expect(badRules().length).toBeGreaterThan(40);
});

describe('a rule that iptables takes is printed as iptables-save prints it', () => {
  test.each(goodRules().map(label))('%s', (_, { rule, family, legacy }) => {
    const reading = readRule(rule, family);
    expect(reading.problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    expect(reading.rules.map((r) => r.text)).toEqual(legacy);
  });
});

describe('the nft flavour reads back to the same records', () => {
  test.each(goodRules().map(label))('%s', (_, { family, nft }) => {
    for (const line of nft) expect(readRule(line, family).rules.map((r) => r.text)).toEqual([line]);
  });
});

describe('reading what was printed changes nothing', () => {
  test.each(goodRules().map(label))('%s', (_, { rule, family }) => {
    for (const record of readRule(rule, family).rules) {
      expect(readRule(record.text, family).rules).toEqual([record]);
    }
  });
});

describe('a line that iptables refuses has an error within the line', () => {
  test.each(badRules().map(label))('%s', (_, { rule, family }) => {
    const { problems } = readRule(rule, family);
    const errors = problems.filter((problem) => problem.severity === 'error');
    expect(errors.length).toBeGreaterThan(0);
    for (const { offset, length, message } of errors) {
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(length).toBeGreaterThan(0);
      expect(offset + length).toBeLessThanOrEqual(rule.length);
      expect(message).toMatch(/\.$|\?$|`$/);
    }
  });
});
