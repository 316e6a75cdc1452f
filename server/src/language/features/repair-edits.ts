/** A repair of the engine as edits of this version's text. */
import type { DumpBlock, Edit, Owner } from '../../../../engine/src/verify/explanation.ts';
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';
import { once } from '../../../../engine/src/once.ts';
import { BUILTIN_CHAINS, TABLE_NAMES } from '../../../../engine/src/topology/netfilter.ts';
import type { FileLookup } from '../bind/capture-content.ts';
import type { Dump, DumpOwner } from '../bind/dumps.ts';
import { dumpsIn, rangeOfLine, wholeLine } from '../bind/dumps.ts';
import type { Names } from '../bind/names.ts';
import type { Range } from '../diagnostics/define.ts';
import { createLineIndex, lineOf } from '../syntax/cursor.ts';
import type { TextEdit } from '../syntax/tree.ts';
import { declarationEdits, statementEdits } from './statement-edits.ts';
import type { FileModel } from '../bind/file-model.ts';

export interface RepairInput {
  /** As it stands in source references. */
  readonly file: string;
  readonly text: string;
  readonly model: FileModel;
  readonly names: Names;
  readonly files: FileLookup;
}

/** `null` where something would have to change in another file: that is not ours to edit. */
export function repairEdits(input: RepairInput, edits: readonly Edit[]): readonly TextEdit[] | null {
  const made = edits.map((edit) => editsOf(input, edit));
  return made.some((m) => m === null) ? null : joined(made.flatMap((m) => m ?? []));
}

function editsOf(input: RepairInput, edit: Edit): readonly TextEdit[] | null {
  switch (edit.kind) {
    case 'lines': return lineEdits(input, edit);
    case 'words': return wordEdits(input, edit);
    case 'statement': return statementEdits(input, edit);
    case 'declaration': return declarationEdits(input, edit.text);
  }
}

/** Insertions at one place stand in the order in which they were made. */
function joined(edits: readonly TextEdit[]): readonly TextEdit[] {
  const out: TextEdit[] = [];
  for (const edit of edits) {
    const same = out.findIndex((o) => o.start === edit.start && o.end === edit.end && edit.start === edit.end);
    const before = out[same];
    if (before === undefined) out.push(edit);
    else out[same] = { ...before, text: before.text + edit.text };
  }
  return out;
}

const ownerOf = ({ names }: RepairInput, owner: Owner): DumpOwner | undefined => (owner.kind === 'node' ? names.nodes.get(owner.name) : owner.kind === 'pod' ? names.pods.get(owner.name) : undefined);

/** Dumps of the block that stand in this file, and end in it. */
function ownDumps(input: RepairInput, owner: Owner, ...blocks: readonly DumpBlock[]): readonly Dump[] {
  const placed = ownerOf(input, owner);
  return placed === undefined ? [] : dumpsIn(placed, input.files, ...blocks).filter((d) => d.capture.from === null && d.capture.node.block?.closed === true);
}

function lineEdits(input: RepairInput, edit: Extract<Edit, { kind: 'lines' }>): readonly TextEdit[] | null {
  const dumps = ownDumps(input, edit.owner, edit.block);
  const chains = edit.add.filter((l) => l.startsWith(':'));
  const lines = edit.add.filter((l) => !l.startsWith(':'));
  const placeOf = placesIn(input, dumps);
  const gone = edit.remove.map(placeOf);
  if (gone.some((g) => g === undefined)) return null;
  const [first, ...rest] = gone.flatMap((g) => g ?? []);
  const removed = rest.map((g) => removal(input.text, g));
  if (first !== undefined && lines.length > 0 && edit.before === null) return [replacement(input.text, first, lines), ...removed, ...(edit.table === null ? [] : (chainsFor(input, dumps, edit.table, edit.add) ?? []))];
  const away = first === undefined ? removed : [removal(input.text, first), ...removed];
  if (edit.add.length === 0) return away;
  if (edit.before === null) {
    const added = appended(input.text, dumps, edit.table, edit.add);
    return added === null ? null : [...added, ...away];
  }
  const before = placeOf(edit.before);
  return before === undefined ? null : [insertion(input.text, before, lines), ...away, ...(chains.length === 0 || edit.table === null ? [] : (chainsFor(input, dumps, edit.table, chains) ?? []))];
}

type Places = (at: SourceRef) => Range | undefined;

/** Where the dump's line that stands on a line of this file has its text. */
function placesIn(input: RepairInput, dumps: readonly Dump[]): Places {
  const lines = createLineIndex(input.text);
  const byLine = once(() => new Map(dumps.flatMap((dump) => dump.content.lines.map((_, i) => {
    const range = rangeOfLine(dump, wholeLine(dump.content, i));
    return [lineOf(lines, range.start) + 1, range] as const;
  })).filter(([, range]) => range.end > range.start).reverse()));
  return (at) => (at.file === input.file ? byLine().get(at.line) : undefined);
}

const indentationAt = (text: string, start: number): string => /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', start - 1) + 1, start))?.[0] ?? '';

const replacement = (text: string, at: Range, lines: readonly string[]): TextEdit => ({ start: at.start, end: at.end, text: lines.join(`\n${indentationAt(text, at.start)}`) });

const insertion = (text: string, at: Range, lines: readonly string[]): TextEdit => ({ start: at.start, end: at.start, text: lines.map((l) => `${l}\n${indentationAt(text, at.start)}`).join('') });

/** The whole line, where nothing else stands on it. */
function removal(text: string, at: Range): TextEdit {
  const start = text.lastIndexOf('\n', at.start - 1) + 1;
  const newline = text.indexOf('\n', at.end);
  const end = newline < 0 ? text.length : newline + 1;
  const alone = text.slice(start, at.start).trim() === '' && text.slice(at.end, end).trim() === '';
  return alone ? { start, end, text: '' } : { start: at.start, end: at.end, text: '' };
}

function appended(text: string, dumps: readonly Dump[], table: string | null, added: readonly string[]): readonly TextEdit[] | null {
  for (const dump of dumps) {
    const edits = table === null ? [append(text, dump, dump.content.lines.length, added)] : tableEdits(text, dump, table, added);
    if (edits !== null) return edits;
  }
  return null;
}

interface Section {
  /** Index of the `*table` line. */
  readonly start: number;
  /** Index behind the last rule. */
  readonly end: number;
  readonly lines: readonly string[];
}

/** The part of a dump that is one table's. */
function sectionOf({ content: { lines } }: Dump, table: string): Section | undefined {
  const start = lines.findIndex((l) => l.text === `*${table}`);
  if (start < 0) return undefined;
  let end = start + 1;
  while (end < lines.length && lines[end]?.text !== 'COMMIT' && !(lines[end]?.text.startsWith('*') ?? false)) end++;
  return { start, end, lines: lines.slice(start, end).map((l) => l.text) };
}

/** Chains where the table lists chains, rules at its end. */
function tableEdits(text: string, dump: Dump, table: string, added: readonly string[]): TextEdit[] | null {
  const section = sectionOf(dump, table);
  if (section === undefined) return null;
  const rules = added.filter((l) => !l.startsWith(':'));
  const lastChain = section.lines.findLastIndex((line) => line.startsWith(':'));
  if (lastChain < 0 && rules.length === added.length) return [append(text, dump, section.end, rules)];
  const chains = newChains(section.lines, added, table);
  if (lastChain >= 0) return [...(chains.length === 0 ? [] : [append(text, dump, section.start + lastChain + 1, chains)]), ...(rules.length === 0 ? [] : [append(text, dump, section.end, rules)])];
  // A table that lists chains ends with COMMIT.
  return [append(text, dump, section.end, [...chains, ...rules, ...(dump.content.lines[section.end]?.text === 'COMMIT' ? [] : ['COMMIT'])])];
}

/** Only the chains that rules written elsewhere in the table need. */
function chainsFor(input: RepairInput, dumps: readonly Dump[], table: string, added: readonly string[]): readonly TextEdit[] | null {
  for (const dump of dumps) {
    const section = sectionOf(dump, table);
    const lastChain = section?.lines.findLastIndex((line) => line.startsWith(':')) ?? -1;
    if (section === undefined || lastChain < 0) continue;
    const chains = newChains(section.lines, added, table);
    return chains.length === 0 ? [] : [append(input.text, dump, section.start + lastChain + 1, chains)];
  }
  return null;
}

/** `:CHAIN - [0:0]` for every chain that the lines to add name and the section does not have. */
function newChains(section: readonly string[], added: readonly string[], table: string): string[] {
  const chainOf = (line: string): string[] => /^(?::|-A )(\S+)/.exec(line)?.slice(1) ?? [];
  const known = new Set([...section.flatMap(chainOf), ...BUILTIN_CHAINS[TABLE_NAMES.find((t) => t === table) ?? 'filter']]);
  return [...new Set(added.flatMap(chainOf))].filter((c) => !known.has(c)).map((c) => `:${c} - [0:0]`);
}

/** New lines before line `index` of the dump, indented as the line above. */
function append(text: string, dump: Dump, index: number, lines: readonly string[]): TextEdit {
  const { content, owner, capture } = dump;
  if (index === 0) {
    const brace = owner.offset + capture.offset + (capture.node.block?.offset ?? 0) + 1;
    return { start: brace, end: brace, text: lines.map((l) => `\n    ${l}`).join('') };
  }
  const { start, end } = rangeOfLine(dump, wholeLine(content, index - 1));
  return { start: end, end, text: lines.map((l) => `\n${indentationAt(text, start)}${l}`).join('') };
}

/** A captured device has up to this many lines behind its first. */
const MORE_LINES = 6;

function wordEdits(input: RepairInput, { owner, block, at, from, to }: Extract<Edit, { kind: 'words' }>): readonly TextEdit[] | null {
  const dumps = block === 'links' ? ownDumps(input, owner, 'links', 'addresses') : ownDumps(input, owner, block);
  const placeOf = placesIn(input, dumps);
  const first = placeOf(at);
  if (first === undefined) return null;
  for (let line = at.line; line <= at.line + (block === 'links' ? MORE_LINES : 0); line++) {
    const range = placeOf({ file: at.file, line });
    if (range === undefined) continue;
    const text = input.text.slice(range.start, range.end);
    if (line > at.line && /^\d+: /.test(text)) break;
    const found = text.indexOf(from);
    const behind = text.charAt(found + from.length);
    if (found >= 0 && !(/\w$/.test(from) && /\w/.test(behind))) return [{ start: range.start + found, end: range.start + found + from.length, text: to }];
  }
  return null;
}
