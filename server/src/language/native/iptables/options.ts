/**
 * The words of one rule sorted to the extensions that they belong to, as getopt_long(3) does it for iptables: an exact
 * name first, then a beginning that fits one option alone; the extensions loaded last are asked first, and `-p` loads its own
 * module when an option is not known without it (xshared.c command_default()).
 */
import type { Family } from '../../../../../engine/src/net/address.ts';
import type { Report } from '../dump.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { Cursor, Word } from '../words.ts';
import { cursorOver } from '../words.ts';
import { bareOrQuoted } from './words.ts';
import type { Given, MatchModule, OptionSpec, TargetModule } from './module.ts';
import { protocolNumber } from './names.ts';
import { matchModule, matchNames, moduleWithOption, optionNames, protocolModule, targetModule } from './registry.ts';

/** An `-m`, modelled or not, with what was given to it. */
export interface LoadedMatch {
  readonly module: MatchModule | null;
  readonly name: string;
  readonly at: Word;
  readonly given: Given[];
  /** Of a module that is not modelled: its words. */
  readonly rest: Word[];
}

export interface LoadedTarget {
  readonly module: TargetModule | null;
  /** `-j NAME` or `-g NAME`. */
  readonly name: Word;
  readonly via: 'jump' | 'goto';
  readonly opaque: boolean;
  readonly given: Given[];
  readonly rest: Word[];
}

export interface SortedRule {
  readonly base: readonly Given[];
  readonly matches: readonly LoadedMatch[];
  readonly target: LoadedTarget | null;
  /** Options that no extension has, with their values. */
  readonly strays: readonly string[];
  /** `-6` in a rule of iptables, `-4` in one of ip6tables: the tool passes over the line, whatever follows. */
  readonly passedOver: Given | null;
}

const base = (name: string, values: 0 | 1 | 2, ...aliases: string[]): OptionSpec => ({ name, values, aliases, ...('-s -d -i -o -p -f'.split(' ').includes(name) ? { invertible: true as const } : {}) });

const BASE: readonly OptionSpec[] = [
  base('-A', 1, '--append'),
  base('-I', 1, '--insert'),
  base('-s', 1, '--source', '--src'),
  base('-d', 1, '--destination', '--dst'),
  base('-p', 1, '--protocol', '--proto'),
  base('-i', 1, '--in-interface'),
  base('-o', 1, '--out-interface'),
  base('-f', 0, '--fragments'),
  base('-m', 1, '--match'),
  base('-j', 1, '--jump'),
  base('-g', 1, '--goto'),
  base('-c', 2, '--set-counters'),
  base('-4', 0, '--ipv4'),
  base('-6', 0, '--ipv6'),
  base('-v', 0, '--verbose'),
  base('-M', 1, '--modprobe'),
];

/** Options of iptables that no rule of a dump has; an abbreviation may fit them too. */
const NOT_IN_DUMPS = [
  '--check', '--delete', '--delete-chain', '--exact', '--flush', '--help', '--line-numbers', '--list', '--list-rules', '--new-chain', '--numeric', '--policy', '--rename-chain', '--replace', '--table', '--version',
  '--wait', '--wait-interval', '--zero',
];

interface Owner {
  readonly option: OptionSpec;
  readonly given: Given[];
}

/** Everything that an option is looked up in, while a rule is read from left to right. */
interface State {
  readonly family: Family;
  readonly report: Report;
  readonly base: Given[];
  readonly matches: LoadedMatch[];
  target: LoadedTarget | null;
  readonly strays: string[];
  passedOver: Given | null;
}

export function sortRule(words: readonly Word[], family: Family, report: Report): SortedRule {
  const state: State = { family, report, base: [], matches: [], target: null, strays: [], passedOver: null };
  const cursor = cursorOver(words);
  let bang: Word | null = null;
  for (let word = cursor.take(); word !== undefined && state.passedOver === null; word = cursor.take()) {
    if (word.text === '--') {
      const rest = cursor.take();
      if (rest !== undefined) report(rest, 'unknown-word', '`--` ends the options: nothing may follow.');
      break;
    }
    if (word.text === '!' && word.length === 1) {
      if (bang !== null) report(word, 'unknown-word', 'One `!` turns an option around; a second one cannot stand beside it.');
      bang = word;
    } else {
      readWord(word, bang, cursor, state);
      bang = null;
    }
  }
  if (bang !== null) report(bang, 'missing-value', 'An option is missing after `!`.');
  return state;
}

function readWord(word: Word, bang: Word | null, cursor: Cursor, state: State): void {
  if (!/^-./.test(word.text)) {
    state.report(word, 'unknown-word', `\`${word.text}\` stands alone here: an option such as \`-j\` or \`--dport\` is missing before it.`);
    state.strays.push(word.text);
    return;
  }
  const { name, attached } = splitAttached(word);
  const owner = ownerOf(name, word, state);
  if (owner === undefined || owner === 'ambiguous') {
    const opaque = owner === undefined ? opaqueOf(state) : undefined;
    const rest = takeRest(word, cursor);
    if (opaque !== undefined) opaque.push(...(bang === null ? [] : [bang]), ...rest);
    else {
      if (owner === undefined) reportUnknown(word, name, state);
      state.strays.push(rest.map(bareOrQuoted).join(' '));
    }
    return;
  }
  if (attached !== null && owner.given === state.base && ['-s', '-d', '-p', '-i', '-o', '-j'].includes(owner.option.name)) {
    state.report(word, 'bad-value', `iptables takes \`${word.text}\` whole for the value: put a blank before ${attached.text === '' ? 'it' : attached.text}.`);
  }
  const given = withNumber(takeValues(owner.option, word, bang, attached, cursor, state.report), cursor);
  if (given === undefined) {
    state.strays.push(word.text);
    return;
  }
  if (given.inverted && given.option.invertible !== true) state.report(bang ?? word, 'not-invertible', `\`${given.option.name}\` takes no \`!\` before it.`);
  accept(given, owner, state);
}

/** `--dport=53`, `-ptcp`. */
function splitAttached(word: Word): { name: string; attached: Word | null } {
  const part = (from: number, name: string): { name: string; attached: Word } => ({
    name,
    attached: { text: word.text.slice(from), offset: word.offset + from, length: Math.max(0, word.length - from) },
  });
  const equals = word.text.indexOf('=');
  if (word.text.startsWith('--')) return equals < 0 ? { name: word.text, attached: null } : part(equals + 1, word.text.slice(0, equals));
  return word.text.length > 2 ? part(2, word.text.slice(0, 2)) : { name: word.text, attached: null };
}

function ownerOf(name: string, word: Word, state: State): Owner | 'ambiguous' | undefined {
  const loaded: { options: readonly OptionSpec[]; given: Given[] }[] = [{ options: BASE, given: state.base }];
  let { target } = state;
  for (let i = state.matches.length - 1; i >= -1; i--) {
    const match = state.matches[i];
    if (target !== null && (match === undefined || match.at.offset < target.name.offset)) {
      if (target.module !== null) loaded.push({ options: target.module.options, given: target.given });
      target = null;
    }
    if (match?.module) loaded.push({ options: match.module.options, given: match.given });
  }
  const found = lookUp(name, loaded, word, state.report);
  if (found !== undefined) return found;
  const implied = protocolModule(protocolOf(state), state.family);
  if (implied === undefined || state.matches.some((m) => m.module === implied)) return undefined;
  const match: LoadedMatch = { module: implied, name: implied.name, at: word, given: [], rest: [] };
  const there = lookUp(name, [{ options: implied.options, given: match.given }], word, state.report);
  if (there !== undefined && there !== 'ambiguous') state.matches.push(match);
  return there;
}

const namesOf = new WeakMap<readonly OptionSpec[], ReadonlyMap<string, OptionSpec>>();

function byName(options: readonly OptionSpec[]): ReadonlyMap<string, OptionSpec> {
  const known = namesOf.get(options);
  if (known !== undefined) return known;
  const names = new Map(options.flatMap((option) => [option.name, ...(option.aliases ?? [])].map((name) => [name, option] as const)));
  namesOf.set(options, names);
  return names;
}

function lookUp(name: string, loaded: readonly { options: readonly OptionSpec[]; given: Given[] }[], word: Word, report: Report): Owner | 'ambiguous' | undefined {
  for (const { options, given } of loaded) {
    const option = byName(options).get(name);
    if (option !== undefined) return { option, given };
  }
  if (name.length < 3 || !name.startsWith('--')) return undefined;
  const beginning = new Map<string, Owner>();
  for (const { options, given } of loaded) {
    for (const [full, option] of byName(options)) {
      if (full.startsWith(name) && !beginning.has(option.name)) beginning.set(option.name, { option, given });
    }
  }
  const others = beginning.size === 0 ? [] : NOT_IN_DUMPS.filter((full) => full.startsWith(name));
  if (beginning.size + others.length > 1) {
    report(word, 'ambiguous-option', `\`${name}\` can be ${[...beginning.keys(), ...others].map((n) => `\`${n}\``).join(' or ')}: write it out.`);
    return 'ambiguous';
  }
  return [...beginning.values()][0];
}

/** The words of the module that is not modelled and was loaded last. */
function opaqueOf(state: State): Word[] | undefined {
  if (state.target?.opaque === true) return state.target.rest;
  return state.matches.findLast((m) => m.module === null)?.rest;
}

/** An option that is not known, with the words up to the next option: most likely its values. */
function takeRest(word: Word, cursor: Cursor): Word[] {
  const rest = [word];
  for (let next = cursor.peek(); next !== undefined && !/^(-.|!$)/.test(next.text); next = cursor.peek()) {
    rest.push(next);
    cursor.take();
  }
  return rest;
}

function reportUnknown(word: Word, name: string, state: State): void {
  const span = { offset: word.offset, length: Math.min(word.length, name.length) };
  const module = moduleWithOption(name, state.family);
  const implied = [6, 17, 33, 132].some((p) => protocolModule(p, state.family)?.name === module);
  if (module !== undefined && implied && protocolOf(state) === null) {
    state.report(span, 'protocol-needed', `\`${name}\` needs \`-p tcp\`, \`-p udp\` or another protocol with ports before it.`);
  } else if (module !== undefined) {
    state.report(span, 'unknown-option', `\`${name}\` belongs to the match \`${module}\`: write \`-m ${module}\` before it.`);
  } else if ([...optionNames(state.family)].includes(name)) {
    state.report(span, 'unknown-option', `\`${name}\` belongs to a target that this rule does not have.`);
  } else {
    const near = closest(name, [...BASE.flatMap((o) => [o.name, ...(o.aliases ?? [])]).filter((n) => n.startsWith('--')), ...optionNames(state.family)]) ?? null;
    state.report(span, 'unknown-option', `iptables knows no option \`${name}\` here${near === null ? '.' : `; did you mean \`${near}\`?`}`, { suggestion: near });
  }
}

function takeValues(option: OptionSpec, at: Word, bang: Word | null, attached: Word | null, cursor: Cursor, report: Report): Given | undefined {
  const values: Word[] = attached === null ? [] : [attached];
  let inverted = bang !== null;
  while (values.length < option.values) {
    const value = cursor.take();
    if (value !== undefined && isOldBang(value, option, values.length, cursor)) {
      report(value, 'not-invertible', `iptables takes no \`!\` behind \`${at.text}\` any more: write \`! ${at.text} ${cursor.peek()?.text ?? ''}\`.`);
      inverted = true;
    } else if (value === undefined) {
      report(at, 'missing-value', `${values.length === 0 ? 'The value' : 'The second value'} of \`${at.text}\` is missing.`);
      return undefined;
    } else values.push(value);
  }
  return { option, inverted, values, at };
}

/** `-I CHAIN 3`: the number may be left out. */
function withNumber(given: Given | undefined, cursor: Cursor): Given | undefined {
  const next = cursor.peek();
  if (given?.option.name !== '-I' || next === undefined || !/^\d+$/.test(next.text)) return given;
  cursor.take();
  return { ...given, values: [...given.values, next] };
}

/** `-s ! 10.0.0.0/8`: the spelling of iptables before 1.4.3, which old dumps have and today's refuses. */
const isOldBang = (value: Word, option: OptionSpec, taken: number, cursor: Cursor): boolean =>
  value.text === '!' && value.length === 1 && option.invertible === true && taken === 0 && /^[^-!]/.test(cursor.peek()?.text ?? '');

function accept(given: Given, owner: Owner, state: State): void {
  const { report, family } = state;
  const value = given.values[0] ?? given.at;
  if (owner.given === state.base && given.option.name === '-m') loadMatch(value, state);
  else if (owner.given === state.base && (given.option.name === '-j' || given.option.name === '-g')) {
    if (state.target !== null) report(given.at, 'duplicate-option', 'A rule has one target: this is the second.');
    else {
      const module = given.option.name === '-g' ? undefined : targetModule(value.text, family);
      state.target = { module: module === 'opaque' || module === undefined ? null : module, opaque: module === 'opaque', name: value, via: given.option.name === '-g' ? 'goto' : 'jump', given: [], rest: [] };
    }
  } else if (owner.given === state.base && given.option.name === (family === 4 ? '-6' : '-4')) state.passedOver = given;
  else if (owner.given !== state.base || !['-4', '-6', '-v', '-M'].includes(given.option.name)) {
    if (owner.given.some((g) => g.option === given.option)) report(given.at, 'duplicate-option', `\`${given.option.name}\` stands here a second time: iptables takes it once.`);
    owner.given.push(given);
  }
}

function loadMatch(name: Word, state: State): void {
  const module = matchModule(name.text, state.family);
  if (module === undefined) {
    const other = matchModule(name.text, state.family === 4 ? 6 : 4);
    const near = closest(name.text, matchNames(state.family)) ?? null;
    const tail = other !== undefined ? `: it is for IPv${state.family === 4 ? 6 : 4} only.` : near === null ? '.' : `; did you mean \`${near}\`?`;
    state.report(name, 'no-such-match', `iptables has no match \`${name.text}\` here${tail}`, { suggestion: other === undefined ? near : null });
  }
  state.matches.push({ module: module === 'opaque' || module === undefined ? null : module, name: name.text, at: name, given: [], rest: [] });
}

function protocolOf(state: State): number | null {
  const given = state.base.find((g) => g.option.name === '-p');
  return given === undefined || given.inverted ? null : (protocolNumber(given.values[0]?.text ?? '') ?? null);
}
