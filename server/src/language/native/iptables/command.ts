/**
 * Commands of a file for iptables-restore that no dump has: they change the table as it was read so far (iptables.c
 * do_command4(), libiptc.c). The words of the rule in `-D` and `-R` are read as those of `-A`.
 */
import type { Family } from '../../../../../engine/src/net/address.ts';
import type { Rule } from '../../../../../engine/src/topology/netfilter.ts';
import { BUILTIN_CHAINS } from '../../../../../engine/src/topology/netfilter.ts';
import type { Origin } from '../../../../../engine/src/topology/origin.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { LineProblem, Report } from '../dump.ts';
import { reporter } from '../dump.ts';
import type { Word } from '../words.ts';
import { wordsOf } from '../words.ts';
import type { DraftChain, DraftTable } from './draft.ts';
import { endChain } from './draft.ts';
import type { RuleReading } from './rule.ts';
import { checkChainName, readRule } from './rule.ts';

type Name = 'delete' | 'replace' | 'flush' | 'delete-chain' | 'zero' | 'rename-chain';

export interface CommandReading {
  readonly kind: 'command';
  readonly name: Name;
  readonly at: Word;
  /** `null`: every chain of the table. */
  readonly chain: Word | null;
  /** The number of a rule, from 1. */
  readonly number: Word | null;
  /** The new name of a chain. */
  readonly to: Word | null;
  readonly rule: RuleReading | null;
  readonly problems: readonly LineProblem[];
}

const NAMES: ReadonlyMap<string, Name> = new Map([
  ['-D', 'delete'], ['-R', 'replace'], ['-F', 'flush'], ['-X', 'delete-chain'], ['-Z', 'zero'], ['-E', 'rename-chain'],
  ['--delete', 'delete'], ['--replace', 'replace'], ['--flush', 'flush'], ['--delete-chain', 'delete-chain'], ['--zero', 'zero'], ['--rename-chain', 'rename-chain'],
]);

/** `null` where the line is none of these commands, or lacks what the command needs, which is reported. */
export function readCommand(text: string, family: Family): CommandReading | { readonly kind: 'nothing'; readonly problems: readonly LineProblem[] } | null {
  const [at, chain, third, ...rest] = wordsOf(text);
  const name = NAMES.get(at?.text ?? '');
  if (at === undefined || name === undefined) return null;
  const { problems, report } = reporter();
  const common = { kind: 'command', name, at, chain: chain ?? null, number: null, to: null, rule: null, problems } as const;
  const lacks = (what: string): { readonly kind: 'nothing'; readonly problems: readonly LineProblem[] } => {
    report(at, 'missing-value', `\`${at.text}\` needs ${what}.`);
    return { kind: 'nothing', problems };
  };
  if (chain === undefined && (name === 'delete' || name === 'replace' || name === 'rename-chain')) return lacks('the name of a chain');
  switch (name) {
    case 'delete':
    case 'replace': {
      const number = third !== undefined && /^\d+$/.test(third.text) ? third : null;
      if (number === null && name === 'replace') return lacks('the number of a rule behind the chain');
      if (number !== null && name === 'delete') {
        nothingBehind(rest[0], report);
        return { ...common, number };
      }
      const rule = ruleOf(text, at, number, family);
      if (name === 'replace' && rule.rules.length > 1) report(at, 'conflicting-options', 'One rule takes the place of another: write one address, not several.');
      return { ...common, number, rule, problems: [...problems, ...rule.problems] };
    }
    case 'flush':
    case 'delete-chain':
      nothingBehind(third, report);
      return common;
    case 'zero':
      nothingBehind(rest[0], report);
      if (third !== undefined && !/^\d+$/.test(third.text)) report(third, 'bad-value', `\`${third.text}\` is no number of a rule.`);
      return { ...common, number: third ?? null };
    case 'rename-chain':
      if (third === undefined) return lacks('the name of a chain, and its new name');
      checkChainName(third, report);
      nothingBehind(rest[0], report);
      return { ...common, to: third };
  }
}

export function nothingBehind(word: Word | undefined, report: Report): void {
  if (word !== undefined) report(word, 'unknown-word', `Nothing stands behind this command: \`${word.text}\` is too much.`);
}

/** The same line with `-A` for its command and blanks for its number, so that every word stays in its place. */
function ruleOf(text: string, at: Word, number: Word | null, family: Family): RuleReading {
  const head = text.slice(0, at.offset) + '-A'.padEnd(at.length);
  const behind = text.slice(at.offset + at.length);
  const from = number === null ? -1 : number.offset - at.offset - at.length;
  return readRule(head + (number === null ? behind : behind.slice(0, from) + ' '.repeat(number.length) + behind.slice(from + number.length)), family);
}

type Tell = (word: Word, code: LineProblem['code'], message: string, suggestion?: string | null) => void;

/** What the command does to the table; what iptables-restore refuses is told and changes nothing. */
export function applyCommand(table: DraftTable, reading: CommandReading, origin: Origin, tell: Tell): void {
  endChain(table);
  const { chain: word } = reading;
  const builtin = BUILTIN_CHAINS[table.name];
  const chain = word === null ? null : (table.chains.get(word.text) ?? null);
  if (word !== null && chain === null) {
    // A built-in chain is there without a line of its own, and empty.
    const isEmptied = builtin.includes(word.text) && (reading.name === 'flush' || reading.name === 'zero') && reading.number === null;
    if (!isEmptied) tell(word, 'undeclared-chain', `Table ${table.name} has no chain ${word.text} at this line.`, closest(word.text, table.chains.keys()) ?? null);
    return;
  }
  const chains = chain === null ? [...table.chains.values()] : [chain];
  switch (reading.name) {
    case 'flush':
      for (const each of chains) each.rules = [];
      return;
    case 'zero':
      if (chain !== null && reading.number !== null) ruleAt(chain, reading.number, tell);
      return;
    case 'delete':
      if (chain !== null) removeRules(chain, reading, tell);
      return;
    case 'replace': {
      const index = chain === null || reading.number === null ? null : ruleAt(chain, reading.number, tell);
      const [rule] = reading.rule?.rules ?? [];
      if (chain !== null && index !== null && rule !== undefined) chain.rules = chain.rules.with(index, { ...rule, origin });
      return;
    }
    case 'delete-chain':
      for (const each of chains) if (chain !== null || !builtin.includes(each.name)) removeChain(table, each, word ?? reading.at, tell);
      return;
    case 'rename-chain':
      if (chain !== null && word !== null && reading.to !== null) renameChain(table, chain, word, reading.to, tell);
  }
}

/** Where the rule with this number stands; `null`: nowhere. */
function ruleAt(chain: DraftChain, number: Word, tell: Tell): number | null {
  const n = Number(number.text);
  if (n >= 1 && n <= chain.rules.length) return n - 1;
  tell(number, 'bad-value', `${chain.name} has no rule ${number.text} at this line: it has ${chain.rules.length}.`);
  return null;
}

function removeRules(chain: DraftChain, reading: CommandReading, tell: Tell): void {
  if (reading.number !== null) {
    const index = ruleAt(chain, reading.number, tell);
    if (index !== null) chain.rules = chain.rules.toSpliced(index, 1);
    return;
  }
  for (const { text } of reading.rule?.rules ?? []) {
    const index = chain.rules.findIndex((rule) => rule.text === text);
    if (index < 0) return tell(reading.at, 'bad-value', `${chain.name} has no rule \`${text}\` at this line, so none can be deleted.`);
    chain.rules = chain.rules.toSpliced(index, 1);
  }
}

const leadsTo = (rule: Rule, name: string): boolean => rule.target?.kind === 'jump' && rule.target.chain === name;

function removeChain(table: DraftTable, chain: DraftChain, word: Word, tell: Tell): void {
  const user = [...table.chains.values()].find((other) => other.rules.some((rule) => leadsTo(rule, chain.name)));
  if (BUILTIN_CHAINS[table.name].includes(chain.name)) tell(word, 'bad-value', `${chain.name} is built in: it cannot be deleted.`);
  else if (chain.rules.length > 0) tell(word, 'bad-value', `The chain ${chain.name} has rules: it cannot be deleted before \`-F ${chain.name}\`.`);
  else if (user !== undefined) tell(word, 'bad-value', `A rule of ${user.name} leads to the chain ${chain.name}: it cannot be deleted.`);
  else table.chains.delete(chain.name);
}

function renameChain(table: DraftTable, chain: DraftChain, word: Word, to: Word, tell: Tell): void {
  if (BUILTIN_CHAINS[table.name].includes(chain.name)) return tell(word, 'bad-value', `${chain.name} is built in: it keeps its name.`);
  if (table.chains.has(to.text) || BUILTIN_CHAINS[table.name].includes(to.text)) return tell(to, 'duplicate-chain', `Table ${table.name} has a chain ${to.text} already.`);
  const renamed = (rule: Rule): Rule => (rule.target?.kind === 'jump' && rule.target.chain === chain.name ? { ...rule, target: { ...rule.target, chain: to.text }, text: rule.text.replace(new RegExp(`( -[jg] )${escaped(chain.name)}$`), (_, option: string) => `${option}${to.text}`) } : rule);
  table.chains.delete(chain.name);
  table.chains.set(to.text, { ...chain, name: to.text, rules: chain.rules.map((rule) => ({ ...rule, text: rule.text.replace(`-A ${chain.name}`, () => `-A ${to.text}`) })) });
  for (const each of table.chains.values()) if (each.rules.some((rule) => leadsTo(rule, chain.name))) each.rules = each.rules.map(renamed);
}

const escaped = (text: string): string => text.replace(/[^\w]/g, '\\$&');
