/** `ipset save`: `create NAME TYPE …` and `add NAME MEMBER …` (ipset(8), lib/parse.c). */
import { bitsOf, firstAddress, parseAddress } from '../../../../engine/src/net/address.ts';
import type { Address, Family } from '../../../../engine/src/net/address.ts';
import { SET_TYPES } from '../../../../engine/src/topology/ipset.ts';
import type { IpSet, SetMember, SetPart, SetType } from '../../../../engine/src/topology/ipset.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, Report } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { parseNumber } from './iptables/names.ts';
import { ruleWords } from './iptables/words.ts';
import { checkMember, checkSupport, OLD_TYPES } from './ipset-limits.ts';
import { memberParts } from './ipset-member.ts';
import type { Word } from './words.ts';

interface Draft {
  readonly set: Omit<IpSet, 'members'> & { readonly members: SetMember[] };
  /** The options of its `create` line. */
  readonly created: ReadonlySet<string>;
  /** Of a bitmap. */
  readonly range: readonly SetPart[] | null;
  /** The parts of its members. */
  readonly known: Set<string>;
}

export function readIpset(lines: readonly DumpLine[]): { readonly sets: readonly IpSet[]; readonly problems: readonly DumpProblem[] } {
  const sets = new Map<string, Draft>();
  const problems: DumpProblem[] = [];
  for (const [index, line] of lines.entries()) {
    const { problems: found, report } = reporter();
    readLine(sets, line, report);
    problems.push(...onLine(found, index));
  }
  return { sets: [...sets.values()].map((draft) => draft.set), problems };
}

function readLine(sets: Map<string, Draft>, line: DumpLine, report: Report): void {
  const [command, name, third, ...rest] = ruleWords(line.text, report);
  if (command === undefined || command.text.startsWith('#') || command.text === 'COMMIT') return;
  if (command.text !== 'create' && command.text !== 'add') {
    report(command, 'not-a-dump-line', 'A line of `ipset save` begins with `create` or `add`.', { suggestion: closest(command.text, ['create', 'add']) ?? null });
  } else if (name === undefined || third === undefined) {
    report(command, 'missing-value', `\`${command.text}\` needs the name of the set and ${command.text === 'create' ? 'its type' : 'a member'}.`);
  } else if (command.text === 'create') readCreate(sets, line, name, third, rest, report);
  else readAdd(sets, line, name, third, rest, report);
}

const TYPES = Object.keys(SET_TYPES) as readonly SetType[];

function readCreate(sets: Map<string, Draft>, line: DumpLine, name: Word, typeWord: Word, rest: readonly Word[], report: Report): void {
  const type = TYPES.find((t) => t === typeWord.text) ?? OLD_TYPES.get(typeWord.text);
  if (sets.has(name.text)) report(name, 'bad-value', `The set \`${name.text}\` is created twice.`);
  else if (type === undefined) report(typeWord, 'bad-value', `\`${typeWord.text}\` is no type of a set.`, { suggestion: closest(typeWord.text, TYPES) ?? null });
  else {
    const { created, range, ...options } = createOptions(type, typeWord, rest, report);
    sets.set(name.text, { set: { name: name.text, type, ...options, members: [], text: line.text, origin: captured(line.at) }, created, range, known: new Set() });
  }
}

/** How many words follow an option's name. Those of `create` that say nothing of what matches, then those of `add`. */
const CREATE_OPTIONS: Readonly<Record<string, 0 | 1>> = {
  family: 1, netmask: 1, bitmask: 1, markmask: 1, range: 1, hashsize: 1, maxelem: 1, timeout: 1, bucketsize: 1, initval: 1, size: 1, probes: 1, resize: 1, gc: 1,
  counters: 0, comment: 0, forceadd: 0, skbinfo: 0,
};
const ADD_OPTIONS: Readonly<Record<string, 0 | 1>> = {
  timeout: 1, packets: 1, bytes: 1, comment: 1, skbmark: 1, skbprio: 1, skbqueue: 1, before: 1, after: 1, nomatch: 0, wildcard: 0, '-exist': 0,
};

/** The options of a line by name; a flag's value is the flag itself. */
function readOptions(words: readonly Word[], known: Readonly<Record<string, 0 | 1>>, report: Report): ReadonlyMap<string, Word> {
  const options = new Map<string, Word>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === undefined) break;
    const values = Object.hasOwn(known, word.text) ? known[word.text] : undefined;
    const value = values === 1 ? words[++i] : word;
    if (values === undefined) report(word, 'unknown-word', `\`${word.text}\` is no option of a set's line.`, { suggestion: closest(word.text, Object.keys(known)) ?? null });
    else if (value === undefined) report(word, 'missing-value', `\`${word.text}\` needs a value.`);
    else options.set(word.text, value);
  }
  return options;
}

const FULL = 0xffff_ffff;

function createOptions(type: SetType, at: Word, words: readonly Word[], report: Report): Pick<IpSet, 'family' | 'mask' | 'markMask'> & Pick<Draft, 'created' | 'range'> {
  const options = readOptions(words, CREATE_OPTIONS, report);
  const family = familyOf(type, options.get('family'), report);
  const markMask = options.get('markmask');
  const mark = markMask === undefined ? FULL : parseNumber(markMask.text);
  if (markMask !== undefined && (mark === undefined || mark > FULL)) report(markMask, 'bad-value', `\`${markMask.text}\` is no mask of 32 bits.`);
  const range = options.get('range');
  if (range === undefined && type.startsWith('bitmap:')) report(at, 'missing-option', `A ${type} set needs \`range\`.`);
  const bounds = range === undefined ? null : (memberParts({ type: type === 'bitmap:port' ? type : 'bitmap:ip', family: 4 }, range, 'whole name', report) ?? null);
  return { family, mask: maskOf(options, family ?? 4, report), markMask: mark ?? FULL, created: new Set(options.keys()), range: bounds };
}

function familyOf(type: SetType, word: Word | undefined, report: Report): Family | null {
  if (type === 'list:set' || type === 'bitmap:port' || type === 'hash:mac') return null;
  if (word !== undefined && word.text !== 'inet' && word.text !== 'inet6') report(word, 'bad-value', `\`${word.text}\` is no family: write inet or inet6.`, { suggestion: closest(word.text, ['inet', 'inet6']) ?? null });
  return word?.text === 'inet6' ? 6 : 4;
}

function maskOf(options: ReadonlyMap<string, Word>, family: Family, report: Report): Address | null {
  const length = options.get('netmask');
  const bits = options.get('bitmask');
  if (length !== undefined) {
    const n = parseNumber(length.text);
    if (n !== undefined && n >= 1 && n <= bitsOf(family)) return firstAddress({ address: ones(family), length: n });
    report(length, 'bad-value', `\`${length.text}\` is no length of a prefix: write a number from 1 to ${bitsOf(family)}.`);
  } else if (bits !== undefined) {
    const mask = parseAddress(bits.text);
    if (mask?.family === family) return mask;
    report(bits, 'bad-value', `\`${bits.text}\` is no mask of an IPv${family} address.`);
  }
  return null;
}

const ones = (family: Family): Address => ({ family, words: family === 4 ? [0, 0, 0, FULL] : [FULL, FULL, FULL, FULL] });

function readAdd(sets: Map<string, Draft>, line: DumpLine, name: Word, member: Word, rest: readonly Word[], report: Report): void {
  const draft = sets.get(name.text);
  if (draft === undefined) {
    report(name, 'bad-value', `There is no set \`${name.text}\` above: its \`create\` line is missing.`, { suggestion: closest(name.text, sets.keys()) ?? null });
    return;
  }
  const { set, created, range, known } = draft;
  const options = readOptions(rest, ADD_OPTIONS, report);
  const parts = memberParts(set, member, options.has('wildcard') ? 'wildcard' : 'whole name', report);
  const timeout = options.get('timeout');
  const seconds = timeout === undefined ? 0 : parseNumber(timeout.text);
  if (timeout !== undefined && seconds === undefined) report(timeout, 'bad-value', `\`${timeout.text}\` is no number of seconds.`);
  checkSupport(set.type, created, options, report);
  if (parts === undefined) return;
  checkMember(set, range, parts, member, report);
  const key = JSON.stringify(parts);
  if (known.has(key)) report(member, 'bad-value', `\`${member.text}\` is a member of ${name.text} already.`);
  known.add(key);
  set.members.push({ parts, nomatch: options.has('nomatch'), timeout: seconds === undefined || seconds === 0 ? null : seconds, text: line.text, origin: captured(line.at) });
}
