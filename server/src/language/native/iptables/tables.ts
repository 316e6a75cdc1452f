/** `iptables-save`, `ip6tables-save` and `iptables -S`, both the legacy and the nft flavour of 1.8: lines to tables. */
import type { Family } from '../../../../../engine/src/net/address.ts';
import type { Chain, Rule, Table, TableName } from '../../../../../engine/src/topology/netfilter.ts';
import { BUILTIN_CHAINS, TABLE_NAMES } from '../../../../../engine/src/topology/netfilter.ts';
import type { Origin, SourceRef } from '../../../../../engine/src/topology/origin.ts';
import { captured } from '../../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, LineProblem, Report, Span } from '../dump.ts';
import { onLine, reporter } from '../dump.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { Word } from '../words.ts';
import { wordsOf } from '../words.ts';
import type { CommandReading } from './command.ts';
import { applyCommand, nothingBehind, readCommand } from './command.ts';
import type { DraftChain, DraftTable } from './draft.ts';
import { draftTable, endChain } from './draft.ts';
import type { RuleReading } from './rule.ts';
import { MAX_CHAIN_NAME, checkChainName, readRule } from './rule.ts';
import type { SavedRule } from './saved-rule.ts';
import { NO_PROBLEMS, placesOf, readSavedRule, targetOf } from './saved-rule.ts';

/** What one line says by itself; may be kept for its line. */
export type IptablesLine =
  | RuleReading
  | SavedRule
  | CommandReading
  | { readonly kind: 'table'; readonly name: TableName | null; readonly at: Span; readonly problems: readonly LineProblem[] }
  /** `:INPUT ACCEPT [0:0]`, `-P INPUT ACCEPT`, `-N KUBE-SERVICES`. */
  | { readonly kind: 'chain'; readonly name: string; readonly policy: 'ACCEPT' | 'DROP' | null; readonly isNew?: true; readonly at: Span; readonly problems: readonly LineProblem[] }
  | { readonly kind: 'commit'; readonly problems: readonly LineProblem[] }
  | { readonly kind: 'nothing'; readonly problems: readonly LineProblem[] };

export interface IptablesReading {
  readonly tables: readonly Table[];
  readonly problems: readonly DumpProblem[];
}

export function readIptablesLine(text: string, family: Family): IptablesLine {
  const saved = text.startsWith(':') ? readSavedChain(text) : readSavedRule(text, family);
  if (saved !== null) return saved;
  if (isRule(text)) return readRule(text, family);
  const command = readCommand(text, family);
  if (command !== null) return command;
  const { problems, report } = reporter();
  const words = wordsOf(text);
  const first = words[0];
  if (first === undefined || first.text.startsWith('#')) return { kind: 'nothing', problems };
  if (first.text === 'COMMIT') {
    if (words[1] !== undefined) report(words[1], 'unknown-word', '`COMMIT` stands alone on its line.');
    return { kind: 'commit', problems };
  }
  if (first.text.startsWith('*')) return readTableLine(text, first, report, problems);
  if (first.text.startsWith(':')) return readChainLine(words, report, problems);
  if (first.text === '-N' || first.text === '-P') return readChainCommand(words, first, report, problems);
  const own = words.findIndex((word) => PROGRAM.test(word.text));
  if (own >= 0 && own <= 1) reportProgram(words.slice(own), report);
  else report(first, 'not-a-dump-line', `\`${first.text}\` begins no line of iptables-save: it prints \`*table\`, \`:CHAIN\`, \`-A\` and \`COMMIT\` lines.`);
  return { kind: 'nothing', problems };
}

const PROGRAM = /^(\S*\/)?ip6?tables(-legacy|-nft)?$/;

/** A line of a script, such as `sudo iptables -t nat -A POSTROUTING -j MASQUERADE`. */
function reportProgram([program, ...words]: readonly Word[], report: Report): void {
  if (program === undefined) return;
  const at = words.findIndex((word) => word.text === '-t' || word.text === '--table');
  const table = at < 0 ? 'filter' : (words[at + 1]?.text ?? 'filter');
  const rest = words.filter((_, i) => at < 0 || (i !== at && i !== at + 1)).map((word) => word.text).join(' ');
  report(program, 'not-a-dump-line', `This is a command for a shell: write what stands behind it, \`${rest}\`, under a line \`*${table}\`, or paste what \`${program.text}-save\` prints.`);
}

/** `-N` and `-P` are read apart, and so are those that change what stands above them; the others are none of a file. */
const OTHER_COMMAND = /^(-[CDEFLNPRSXZ]|--(check|delete|delete-chain|flush|list|list-rules|new-chain|policy|rename-chain|replace|zero))(\s|$)/;

const isRule = (text: string): boolean => /^(\[\d+:\d+\]\s*)?-/.test(text) && !OTHER_COMMAND.test(text);

/** `:KUBE-SERVICES - [0:0]`, which a node has by the thousand. */
function readSavedChain(text: string): IptablesLine | null {
  if (text.length > MAX_CHAIN_NAME + 9 || !/^:[^\s!-]\S* - \[0:0\]$/.test(text)) return null;
  const name = text.slice(1, -8);
  return { kind: 'chain', name, policy: null, at: { offset: 1, length: name.length }, problems: NO_PROBLEMS };
}

function readTableLine(text: string, first: Word, report: Report, problems: LineProblem[]): IptablesLine {
  const span = { offset: first.offset + 1, length: Math.max(0, first.length - 1) };
  const word = text.slice(span.offset, span.offset + span.length);
  const name = TABLE_NAMES.find((table) => table === word) ?? null;
  if (name === null) {
    const near = closest(word, TABLE_NAMES) ?? null;
    report(span.length === 0 ? first : span, 'unknown-table', `There is no table \`${word}\`: the tables are ${TABLE_NAMES.join(', ')}.`, { suggestion: near });
  }
  return { kind: 'table', name, at: span, problems };
}

function readChainLine(words: readonly Word[], report: Report, problems: LineProblem[]): IptablesLine {
  const [first, policyWord, counters, more] = words;
  if (first === undefined) return { kind: 'nothing', problems };
  const at = { offset: first.offset + 1, length: first.length - 1 };
  const name = first.text.slice(1);
  checkChainName({ text: name, ...at }, report);
  const policy = policyWord === undefined ? null : readPolicy(policyWord, report);
  if (policyWord === undefined) report(first, 'missing-value', `The policy of ${name} is missing: write ACCEPT or DROP, or \`-\` for a chain of one's own.`);
  if (counters !== undefined && !/^\[\d+:\d+\]$/.test(counters.text)) report(counters, 'bad-value', `\`${counters.text}\` are no counters: write [packets:bytes], such as [0:0].`);
  if (more !== undefined) report(more, 'unknown-word', 'Nothing stands behind the counters of a chain.');
  return { kind: 'chain', name, policy, at, problems };
}

function readPolicy(word: Word, report: Report): 'ACCEPT' | 'DROP' | null {
  if (word.text === 'ACCEPT' || word.text === 'DROP') return word.text;
  if (word.text !== '-') report(word, 'bad-value', `\`${word.text}\` is no policy: write ACCEPT or DROP, or \`-\` for a chain of one's own.`, { suggestion: closest(word.text.toUpperCase(), ['ACCEPT', 'DROP']) ?? null });
  return null;
}

/** `iptables -S` prints `-P INPUT ACCEPT` and `-N KUBE-SERVICES`. */
function readChainCommand(words: readonly Word[], first: Word, report: Report, problems: LineProblem[]): IptablesLine {
  const [, name, policyWord] = words;
  if (name === undefined) {
    report(first, 'missing-value', 'The name of a chain is missing.');
    return { kind: 'nothing', problems };
  }
  checkChainName(name, report);
  nothingBehind(words[first.text === '-N' ? 2 : 3], report);
  if (first.text === '-N') return { kind: 'chain', name: name.text, policy: null, isNew: true, at: name, problems };
  if (policyWord?.text === '-') report(policyWord, 'bad-value', 'A policy is ACCEPT or DROP.');
  if (policyWord === undefined) report(first, 'missing-value', `The policy of ${name.text} is missing: write ACCEPT or DROP.`);
  return { kind: 'chain', name: name.text, policy: policyWord === undefined ? 'ACCEPT' : readPolicy(policyWord, report), at: name, problems };
}

/** Reads a whole dump. */
export function readIptables(lines: readonly DumpLine[], family: Family): IptablesReading {
  return assembleTables(lines.length, (i) => readIptablesLine(lines[i]?.text ?? '', family), (i) => lines[i]?.at ?? { file: '', line: i + 1 }, family);
}

/** The same of lines that are asked for one after another, so that none has to be kept. Tables come in the kernel's order, built-in chains first. */
export function assembleTables(count: number, line: (index: number) => IptablesLine, at: (index: number) => SourceRef, family: Family): IptablesReading {
  const assembly: Assembly = { drafts: new Map(), problems: [], open: null, ended: false };
  for (let index = 0; index < count; index++) {
    const reading = line(index);
    if (reading.problems.length > 0) assembly.problems.push(...onLine(reading.problems, index));
    addLine(assembly, reading, at(index), index);
  }
  if (assembly.open?.listsChains === true) {
    const message = `The dump of table ${assembly.open.name} ends without COMMIT: its end may be missing.`;
    assembly.problems.push({ line: count - 1, offset: 0, length: 0, code: 'no-commit', severity: 'warning', message, suggestion: null });
  }
  const tables = TABLE_NAMES.flatMap((name) => {
    const draft = assembly.drafts.get(name);
    if (draft !== undefined) endChain(draft);
    return draft === undefined ? [] : [finished(draft, family)];
  });
  return { tables, problems: assembly.problems };
}

interface Assembly {
  readonly drafts: Map<TableName, DraftTable>;
  readonly problems: DumpProblem[];
  open: DraftTable | null;
  ended: boolean;
}

function openTable(assembly: Assembly, name: TableName, origin: Origin): DraftTable {
  const draft = draftTable(name, origin);
  assembly.drafts.set(name, draft);
  return draft;
}

function addLine(assembly: Assembly, reading: IptablesLine, at: SourceRef, index: number): void {
  switch (reading.kind) {
    case 'nothing':
      return;
    case 'commit':
      assembly.open = null;
      assembly.ended = true;
      return;
    case 'table':
      if (reading.name !== null && assembly.drafts.has(reading.name)) {
        problem(assembly, index, reading.at, 'duplicate-table', `The table ${reading.name} was dumped above already; what follows here is left out. Keep one of the two, legacy or nft.`);
        // Read on, into a table that nobody takes.
        assembly.open = draftTable(reading.name, captured(at));
      } else assembly.open = reading.name === null ? null : openTable(assembly, reading.name, captured(at));
      assembly.ended = false;
      return;
    case 'chain':
    case 'command':
    case 'saved':
    case 'rule': {
      const { open } = assembly;
      if (open !== null) {
        if (reading.kind === 'command') applyCommand(open, reading, captured(at), (span, code, message, suggestion = null) => problem(assembly, index, span, code, message, suggestion));
        else if (reading.kind === 'chain') addChain(assembly, open, reading, at, index);
        else addRule(assembly, open, reading, captured(at), index);
        return;
      }
      const span = reading.kind === 'chain' || reading.kind === 'command' ? reading.at : placesOf(reading).chainAt;
      if (assembly.ended) problem(assembly, index, span, 'rule-outside-table', 'COMMIT ended the table: write `*nat` or another table before this line.');
      else problem(assembly, index, span, 'rule-outside-table', 'No table is named yet: write `*nat` or another table before this line, or put the lines into `table nat { }`.');
    }
  }
}

function problem(assembly: Assembly, line: number, span: Span, code: DumpProblem['code'], message: string, suggestion: string | null = null): void {
  assembly.problems.push({ line, offset: span.offset, length: span.length, code, severity: 'error', message, suggestion });
}

function addChain(assembly: Assembly, table: DraftTable, reading: IptablesLine & { kind: 'chain' }, at: SourceRef, index: number): void {
  const builtin = BUILTIN_CHAINS[table.name];
  table.listsChains = true;
  const { name } = reading;
  endChain(table);
  const before = table.chains.get(name);
  if (builtin.includes(name) && reading.isNew === true) problem(assembly, index, reading.at, 'duplicate-chain', `The chain ${name} is built in: it cannot be made.`);
  else if (before?.declared === true && !builtin.includes(name)) problem(assembly, index, reading.at, 'duplicate-chain', `The chain ${name} is listed twice in table ${table.name}.`);
  else if (!builtin.includes(name) && reading.policy !== null) problem(assembly, index, reading.at, 'bad-value', `Only a built-in chain has a policy; ${name} is none of table ${table.name}: write \`-\`.`);
  table.chains.set(name, { name, policy: builtin.includes(name) ? (reading.policy ?? before?.policy ?? 'ACCEPT') : null, rules: before?.rules ?? [], origin: captured(at), declared: true });
}

function addRule(assembly: Assembly, table: DraftTable, reading: RuleReading | SavedRule, origin: Origin, index: number): void {
  if (table.last?.name !== reading.chain) {
    endChain(table);
    table.last = chainOfRule(assembly, table, reading, origin, index);
  }
  checkJump(assembly, table, reading, index);
  if (reading.kind === 'saved') {
    table.pending[table.count++] = { matches: reading.matches, target: reading.target, text: reading.text, origin };
    return;
  }
  const rules = reading.rules.map(({ matches, target, text }): Rule => ({ matches, target, text, origin }));
  if (reading.place === null) for (const rule of rules) table.pending[table.count++] = rule;
  else insert(assembly, table, reading, reading.place, rules, index);
}

function insert(assembly: Assembly, table: DraftTable, reading: RuleReading, place: number, rules: readonly Rule[], index: number): void {
  const chain = table.last;
  endChain(table);
  if (chain === null) return;
  if (place < 1 || place > chain.rules.length + 1) problem(assembly, index, reading.chainAt, 'bad-value', `${chain.name} has ${chain.rules.length} rules so far: none can be put in as number ${place}.`);
  // Of several rules in one line each goes to the same number.
  chain.rules = chain.rules.toSpliced(place - 1, 0, ...rules.toReversed());
}

function chainOfRule(assembly: Assembly, table: DraftTable, reading: RuleReading | SavedRule, origin: Origin, index: number): DraftChain {
  const { chain: name } = reading;
  const known = table.chains.get(name);
  if (known !== undefined) return known;
  const builtin = BUILTIN_CHAINS[table.name].includes(name);
  if (table.listsChains && !builtin) problem(assembly, index, placesOf(reading).chainAt, 'undeclared-chain', `The chain ${name} is not listed in table ${table.name}: a \`:${name} - [0:0]\` line is missing.`);
  const chain: DraftChain = { name, policy: builtin ? 'ACCEPT' : null, rules: [], origin, declared: false };
  table.chains.set(name, chain);
  return chain;
}

function checkJump(assembly: Assembly, table: DraftTable, reading: RuleReading | SavedRule, index: number): void {
  const target = targetOf(reading);
  if (target?.kind !== 'jump' || !BUILTIN_CHAINS[table.name].includes(target.chain)) return;
  const { targetAt, chainAt } = placesOf(reading);
  problem(assembly, index, targetAt ?? chainAt, 'bad-value', `No rule can jump to ${target.chain}: packets come to a built-in chain by themselves.`);
}

function finished(draft: DraftTable, family: Family): Table {
  const builtin = BUILTIN_CHAINS[draft.name];
  const first = builtin.map((name): Chain => finishedChain(draft.chains.get(name) ?? { name, policy: 'ACCEPT', rules: [], origin: draft.origin, declared: false }));
  const own = [...draft.chains.values()].filter((chain) => !builtin.includes(chain.name)).map(finishedChain);
  return { family, name: draft.name, chains: [...first, ...own], origin: draft.origin };
}

const finishedChain = ({ name, policy, rules, origin }: DraftChain): Chain => ({ name, policy, rules, origin });
