/** What a pasted dump holds: its lines, the state they give and what is wrong with them. Cached under its block. */
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';
import type { CapturedInterface, CapturedState } from '../../../../engine/src/topology/spec.ts';
import type { Table } from '../../../../engine/src/topology/netfilter.ts';
import type { StatementNode } from '../syntax/tree.ts';
import { once } from '../../../../engine/src/once.ts';
import type { Capture } from './declarations.ts';
import type { DumpReading } from './dump-formats.ts';
import { DUMP_READERS } from './dump-formats.ts';
import type { DumpText } from './dump-lines.ts';
import { linesOfBlock, linesOfFile } from './dump-lines.ts';
import { partFor } from './dump-sections.ts';
import { rulesetsOf } from './rulesets.ts';
import type { RulesDump, RulesetPart } from './rulesets.ts';
import type { FolderEntry } from './file-patterns.ts';
import { filesMatching, hasWildcard } from './file-patterns.ts';

/** Records come from "line" index + 1 of `lines`: the block may stand anywhere in the file. Those of another file stand there for good. */
export interface CaptureContent extends DumpReading {
  readonly lines: readonly DumpText[];
}

export type FileReading =
  | { readonly ok: true; readonly path: string; readonly text: string; readonly lines: readonly DumpText[] }
  /** `no folder`: the file that names it has none, as it is not saved. */
  | { readonly ok: false; readonly because: 'not found' | 'outside' | 'no folder' };

/** Files named by `from "FILE"`, read once a version. */
export interface FileLookup {
  readonly read: (path: string) => FileReading;
  /** The files that a pattern of `objects from` names, sorted; `null` where it leaves the folder. */
  readonly list: (pattern: string) => readonly string[] | null;
  /** Whether there is anything beside the file that names others. */
  readonly hasFolder: boolean;
  /** The patterns asked for: files that appear may match them. */
  readonly patterns: ReadonlySet<string>;
  /** What was read so far, for the next version: a file with the same text keeps its lines and what is cached of them. */
  readonly known: ReadonlyMap<string, { readonly text: string | undefined; readonly reading: FileReading }>;
}

interface CachedContent {
  readonly keyword: Capture['keyword'];
  readonly content: CaptureContent;
}

const contents = new WeakMap<StatementNode | readonly DumpText[], CachedContent>();

const indexed = (index: number): SourceRef => ({ file: '', line: index + 1 });

function read(capture: Capture, key: StatementNode | readonly DumpText[], lines: () => readonly DumpText[], place: (index: number) => SourceRef): CaptureContent {
  const cached = contents.get(key);
  if (cached?.keyword === capture.keyword) return cached.content;
  const made = lines();
  const content = { lines: made, ...DUMP_READERS[capture.keyword](made, place) };
  contents.set(key, { keyword: capture.keyword, content });
  return content;
}

/** `null` where the file named cannot be read. */
export function contentOf(capture: Capture, files: FileLookup): CaptureContent | null {
  if (capture.from === null) return read(capture, capture.node, () => linesOfBlock(capture.node), indexed);
  const file = files.read(capture.from.value);
  if (!file.ok) return null;
  const lines = partFor(file.lines, capture.keyword);
  return read(capture, lines, () => lines, (i) => ({ file: file.path, line: i + 1 }));
}

/** The state of a declaration's captures, every record with the line that it stands on. */
export function capturedState(captures: readonly Capture[], offset: number, files: FileLookup, at: (offset: number) => SourceRef): CapturedState {
  let state: CapturedState = {};
  for (const keyword of new Set(captures.map((c) => c.keyword))) {
    const placed = captures.filter((c) => c.keyword === keyword).flatMap((c) => placedLines(c, offset, files, at) ?? []);
    const isRules = keyword === 'iptables' || keyword === 'ip6tables';
    const parts = isRules ? rulesetsOf(placed) : [];
    for (const [i, { lines, place, content }] of placed.entries()) {
      const stateOf = (own: readonly DumpText[]): CapturedState => (content?.lines === own ? content.state : DUMP_READERS[keyword](own, place).state);
      if (!isRules) state = merge(state, stateOf(lines));
      else for (const part of parts[i] ?? []) state = merge(state, ofRuleset(stateOf(part.lines), part));
    }
  }
  return state;
}

interface PlacedLines extends RulesDump {
  readonly place: (index: number) => SourceRef;
  /** Of another file, whose records keep their places. */
  readonly content: CaptureContent | null;
}

function placedLines(capture: Capture, offset: number, files: FileLookup, at: (offset: number) => SourceRef): PlacedLines | null {
  if (capture.from === null) {
    const lines = linesOfBlock(capture.node);
    const start = offset + capture.offset;
    return { lines, file: null, content: null, place: (i) => at(start + (lines[i]?.offset ?? 0)) };
  }
  const file = files.read(capture.from.value);
  const content = contentOf(capture, files);
  return file.ok && content !== null ? { lines: content.lines, file: capture.from.value, content, place: (i) => ({ file: file.path, line: i + 1 }) } : null;
}

const ofRuleset = (state: CapturedState, { ruleset, again }: RulesetPart): CapturedState =>
  (state.tables === undefined || (again.size === 0 && ruleset === null) ? state : { ...state, tables: state.tables.flatMap((t) => (again.has(t.name) ? [] : [ruleset === null ? t : { ...t, ruleset }])) });

function merge(a: CapturedState, b: CapturedState): CapturedState {
  const merged: Record<string, unknown> = { ...a, ...b };
  for (const key of Object.keys(a) as (keyof CapturedState)[]) {
    const [x, y] = [a[key], b[key]];
    if (x === undefined || y === undefined) continue;
    if (key === 'tables') merged[key] = mergeTables([...(a.tables ?? []), ...(b.tables ?? [])]);
    else if (key === 'interfaces') merged[key] = mergeInterfaces([...(a.interfaces ?? []), ...(b.interfaces ?? [])]);
    else if (Array.isArray(x) && Array.isArray(y)) merged[key] = [...(x as readonly unknown[]), ...(y as readonly unknown[])];
  }
  return merged;
}

/** `ip addr` tells the addresses of a device, `ip -d link` what it is. */
function mergeInterfaces(interfaces: readonly CapturedInterface[]): CapturedInterface[] {
  const merged = new Map<string, CapturedInterface>();
  for (const i of interfaces) {
    const before = merged.get(i.name);
    merged.set(i.name, before === undefined ? i : {
      ...before,
      mac: before.mac ?? i.mac,
      addresses: before.addresses ?? i.addresses,
      device: before.device ?? i.device,
      port: i.device === null ? before.port : i.port,
      peerIndex: before.peerIndex ?? i.peerIndex,
      ...(i.linkNamespace === undefined ? {} : { linkNamespace: i.linkNamespace }),
    });
  }
  return [...merged.values()];
}

/** Parts of one table pasted in two blocks are one table. */
function mergeTables(tables: readonly Table[]): Table[] {
  const merged = new Map<string, Table>();
  for (const table of tables) {
    const key = `${table.family}/${table.name}/${table.ruleset ?? ''}`;
    const before = merged.get(key);
    merged.set(key, before === undefined ? table : { ...before, chains: mergeChains([...before.chains, ...table.chains]) });
  }
  return [...merged.values()];
}

function mergeChains(chains: Table['chains']): Table['chains'] {
  const merged = new Map<string, Table['chains'][number]>();
  for (const chain of chains) {
    const before = merged.get(chain.name);
    merged.set(chain.name, before === undefined ? chain : { ...before, rules: [...before.rules, ...chain.rules] });
  }
  return [...merged.values()];
}

/** The path of `from "FILE"`, relative to the folder of the file that names it; `null` where it leaves that folder. */
export function relativePath(file: string, path: string): string | null {
  if (path === '' || path.startsWith('/') || path.includes('\\') || /^[A-Za-z]:/.test(path) || path.split('/').includes('..')) return null;
  const slash = file.lastIndexOf('/');
  return slash < 0 ? path : `${file.slice(0, slash + 1)}${path}`;
}

/** What a version sees of the files around it. */
export interface Files {
  /** The text of a file named by `from "FILE"`, relative to this file's folder; `undefined` where there is none. Left out where this file has no folder. */
  readonly readFile?: (path: string) => string | undefined;
  /** What stands in a folder, relative to this file's: `''` is that one itself. Empty where it cannot be read. */
  readonly listFolder?: (path: string) => readonly FolderEntry[];
}

/** Looks files up, each once. `before`: the older version's lookup. */
export function fileLookup(file: string, { readFile, listFolder }: Files, before: FileLookup | null): FileLookup {
  const patterns = new Set<string>();
  const known = new Map<string, { readonly text: string | undefined; readonly reading: FileReading }>();
  const read = (path: string): FileReading => {
    const seen = known.get(path);
    if (seen !== undefined) return seen.reading;
    const relative = relativePath(file, path);
    const text = relative === null ? undefined : readFile?.(path);
    const older = before?.known.get(path);
    const reading = older !== undefined && older.text === text ? older.reading : readFile === undefined ? NO_FOLDER : readingOf(relative, text);
    known.set(path, { text, reading });
    return reading;
  };
  const list = (pattern: string): readonly string[] | null => {
    if (relativePath(file, pattern) === null) return null;
    if (!hasWildcard(pattern)) return [pattern];
    patterns.add(pattern);
    return filesMatching(pattern, listFolder ?? (() => []));
  };
  return { read, list, hasFolder: readFile !== undefined, patterns, known };
}

const NO_FOLDER: FileReading = { ok: false, because: 'no folder' };

function readingOf(relative: string | null, text: string | undefined): FileReading {
  if (relative === null) return { ok: false, because: 'outside' };
  if (text === undefined) return { ok: false, because: 'not found' };
  // Kubernetes objects are not read line by line.
  const lines = once(() => linesOfFile(text));
  return { ok: true, path: relative, text, get lines() { return lines(); } };
}
