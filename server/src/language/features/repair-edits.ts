/** A repair of the engine as edits of this version's text, and of the dumps that it names. */
import type { DumpBlock, Edit, Owner } from '../../../../engine/src/verify/explanation.ts';
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';
import { BUILTIN_CHAINS, TABLE_NAMES } from '../../../../engine/src/topology/netfilter.ts';
import type { FileLookup } from '../bind/capture-content.ts';
import type { Dump, DumpOwner } from '../bind/dumps.ts';
import { dumpsIn } from '../bind/dumps.ts';
import type { Names } from '../bind/names.ts';
import type { FixEdit, Range } from '../diagnostics/define.ts';
import type { LineIndex } from '../syntax/cursor.ts';
import type { Sheet } from './sheet.ts';
import { sheetOf } from './sheet.ts';
import { declarationEdits, statementEdits } from './statement-edits.ts';
import { rangeIn } from '../bind/file-model.ts';
import type { FileModel } from '../bind/file-model.ts';

export interface RepairInput {
  /** As it stands in source references. */
  readonly file: string;
  readonly text: string;
  readonly lines: LineIndex;
  readonly model: FileModel;
  readonly names: Names;
  readonly files: FileLookup;
}

/** `null` where something would have to change that cannot be edited: a Kubernetes object, what `ip -j` printed, a captured block that is open. */
export function repairEdits(input: RepairInput, edits: readonly Edit[]): readonly FixEdit[] | null {
  const made = edits.map((edit) => editsOf(input, edit));
  return made.some((m) => m === null) ? null : joined(made.flatMap((m) => m ?? []));
}

function editsOf(input: RepairInput, edit: Edit): readonly FixEdit[] | null {
  switch (edit.kind) {
    case 'lines': return lineEdits(input, edit);
    case 'words': return wordEdits(input, edit);
    case 'statement': return statementEdits(input, edit);
    case 'name': return nameEdits(input, edit);
    case 'declaration': return declarationEdits(input, edit.text);
  }
}

/** Insertions at one place stand in the order in which they were made. */
function joined(edits: readonly FixEdit[]): readonly FixEdit[] {
  const out: FixEdit[] = [];
  const insertions = new Map<string, number>();
  for (const edit of edits) {
    const place = edit.start === edit.end ? `${edit.start} ${edit.file ?? ''}` : null;
    const before = place === null ? undefined : insertions.get(place);
    const first = before === undefined ? undefined : out[before];
    if (before !== undefined && first !== undefined) out[before] = { ...first, text: first.text + edit.text };
    else {
      if (place !== null) insertions.set(place, out.length);
      out.push(edit);
    }
  }
  return out;
}

const ownerOf = ({ names }: RepairInput, owner: Owner): DumpOwner | undefined => (owner.kind === 'node' ? names.nodes.get(owner.name) : owner.kind === 'pod' ? names.pods.get(owner.name) : undefined);

/** The dumps of the block, of this file and of those that it names. */
function sheetsOf(input: RepairInput, owner: Owner, ...blocks: readonly DumpBlock[]): readonly Sheet[] {
  const placed = ownerOf(input, owner);
  return placed === undefined ? [] : dumpsIn(placed, input.files, ...blocks).flatMap((dump) => sheetOf(input, dump) ?? []);
}

interface Place {
  readonly sheet: Sheet;
  readonly at: Range;
}

/** Where the dump's line that a reference names has its text. */
function placeOf(sheets: readonly Sheet[], ref: SourceRef): Place | undefined {
  for (const sheet of sheets) {
    const at = sheet.find(ref);
    if (at !== undefined) return { sheet, at };
  }
  return undefined;
}

function lineEdits(input: RepairInput, edit: Extract<Edit, { kind: 'lines' }>): readonly FixEdit[] | null {
  const sheets = sheetsOf(input, edit.owner, edit.block);
  const chains = edit.add.filter((l) => l.startsWith(':'));
  const lines = edit.add.filter((l) => !l.startsWith(':'));
  const gone = edit.remove.map((ref) => placeOf(sheets, ref));
  if (gone.some((g) => g === undefined)) return null;
  const [first, ...rest] = gone.flatMap((g) => g ?? []);
  const removed = rest.map(removal);
  if (first !== undefined && lines.length > 0 && edit.before === null) return [replacement(first, lines), ...removed, ...(edit.table === null ? [] : (chainsFor(sheets, edit.table, edit.add) ?? []))];
  const away = first === undefined ? removed : [removal(first), ...removed];
  if (edit.add.length === 0) return away;
  if (edit.before === null) {
    const added = appended(sheets, edit.table, edit.add);
    return added === null ? null : [...added, ...away];
  }
  const before = placeOf(sheets, edit.before);
  return before === undefined ? null : [insertion(before, lines), ...away, ...(chains.length === 0 || edit.table === null ? [] : (chainsFor(sheets, edit.table, chains) ?? []))];
}

const indentationAt = (text: string, start: number): string => /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', start - 1) + 1, start))?.[0] ?? '';

const replacement = ({ sheet, at }: Place, lines: readonly string[]): FixEdit => sheet.edit({ start: at.start, end: at.end, text: lines.join(`\n${indentationAt(sheet.text, at.start)}`) });

const insertion = ({ sheet, at }: Place, lines: readonly string[]): FixEdit => sheet.edit({ start: at.start, end: at.start, text: lines.map((l) => `${l}\n${indentationAt(sheet.text, at.start)}`).join('') });

/** The whole line, where nothing else stands on it. */
function removal({ sheet, at }: Place): FixEdit {
  const { text } = sheet;
  const start = text.lastIndexOf('\n', at.start - 1) + 1;
  const newline = text.indexOf('\n', at.end);
  const end = newline < 0 ? text.length : newline + 1;
  const alone = text.slice(start, at.start).trim() === '' && text.slice(at.end, end).trim() === '';
  return sheet.edit(alone ? { start, end, text: '' } : { start: at.start, end: at.end, text: '' });
}

function appended(sheets: readonly Sheet[], table: string | null, added: readonly string[]): readonly FixEdit[] | null {
  for (const sheet of sheets) {
    const edits = table === null ? [append(sheet, sheet.dump.content.lines.length, added)] : tableEdits(sheet, table, added);
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
function tableEdits(sheet: Sheet, table: string, added: readonly string[]): FixEdit[] | null {
  const section = sectionOf(sheet.dump, table);
  if (section === undefined) return null;
  const rules = added.filter((l) => !l.startsWith(':'));
  const lastChain = section.lines.findLastIndex((line) => line.startsWith(':'));
  if (lastChain < 0 && rules.length === added.length) return [append(sheet, section.end, rules)];
  const chains = newChains(section.lines, added, table);
  if (lastChain >= 0) return [...(chains.length === 0 ? [] : [append(sheet, section.start + lastChain + 1, chains)]), ...(rules.length === 0 ? [] : [append(sheet, section.end, rules)])];
  // A table that lists chains ends with COMMIT.
  return [append(sheet, section.end, [...chains, ...rules, ...(sheet.dump.content.lines[section.end]?.text === 'COMMIT' ? [] : ['COMMIT'])])];
}

/** Only the chains that rules written elsewhere in the table need. */
function chainsFor(sheets: readonly Sheet[], table: string, added: readonly string[]): readonly FixEdit[] | null {
  for (const sheet of sheets) {
    const section = sectionOf(sheet.dump, table);
    const lastChain = section?.lines.findLastIndex((line) => line.startsWith(':')) ?? -1;
    if (section === undefined || lastChain < 0) continue;
    const chains = newChains(section.lines, added, table);
    return chains.length === 0 ? [] : [append(sheet, section.start + lastChain + 1, chains)];
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
function append(sheet: Sheet, index: number, lines: readonly string[]): FixEdit {
  const { content, owner, capture } = sheet.dump;
  // A file ends with an empty line, and so does a part of one.
  let above = index - 1;
  while (above >= 0 && content.lines[above]?.text === '') above--;
  if (above >= 0) {
    const { start, end } = sheet.rangeOf(above);
    return sheet.edit({ start: end, end, text: lines.map((l) => `\n${indentationAt(sheet.text, start)}${l}`).join('') });
  }
  if (capture.from !== null) return sheet.edit({ start: 0, end: 0, text: lines.map((l) => `${l}\n`).join('') });
  const brace = owner.offset + capture.offset + (capture.node.block?.offset ?? 0) + 1;
  return { start: brace, end: brace, text: lines.map((l) => `\n    ${l}`).join('') };
}

/** A captured device has up to this many lines behind its first. */
const MORE_LINES = 6;

function wordEdits(input: RepairInput, { owner, block, at, from, to }: Extract<Edit, { kind: 'words' }>): readonly FixEdit[] | null {
  const sheets = block === 'links' ? sheetsOf(input, owner, 'links', 'addresses') : sheetsOf(input, owner, block);
  if (placeOf(sheets, at) === undefined) return null;
  for (let line = at.line; line <= at.line + (block === 'links' ? MORE_LINES : 0); line++) {
    const place = placeOf(sheets, { file: at.file, line });
    if (place === undefined) continue;
    const { sheet, at: range } = place;
    const text = sheet.text.slice(range.start, range.end);
    if (line > at.line && /^\d+: /.test(text)) break;
    const found = text.indexOf(from);
    const behind = text.charAt(found + from.length);
    if (found >= 0 && !(/\w$/.test(from) && /\w/.test(behind))) return [sheet.edit({ start: range.start + found, end: range.start + found + from.length, text: to })];
  }
  return null;
}

/** Of the expectations of this file only. */
function nameEdits({ file, text, model }: RepairInput, { at, from, to }: Extract<Edit, { kind: 'name' }>): readonly FixEdit[] | null {
  for (const placed of at.file === file ? model.expectations : []) {
    const { start, end } = rangeIn(placed, placed.declaration);
    const found = text.slice(start, end).indexOf(from);
    if (found >= 0 && text.slice(0, start).split('\n').length === at.line) return [{ start: start + found, end: start + found + from.length, text: to }];
  }
  return null;
}
