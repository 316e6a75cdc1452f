/** The pasted dumps of a version: who has them, what they hold, and where a line of one stands in the file. */
import type { Diagnostic, Definition, Range, Related } from '../diagnostics/define.ts';
import { report } from '../diagnostics/define.ts';
import { ALONE, suspecting } from '../diagnostics/suspects.ts';
import type { CaptureContent, FileLookup } from './capture-content.ts';
import { contentOf } from './capture-content.ts';
import type { Capture, CaptureKeyword, Declaration, NetworkDeclaration, NodeDeclaration, PodDeclaration } from './declarations.ts';
import type { FileModel, Placed } from './file-model.ts';
import { rangeIn } from './file-model.ts';
import { fullName } from './names.ts';

export type DumpOwner = Placed<NodeDeclaration | PodDeclaration | NetworkDeclaration>;

export interface Dump {
  readonly owner: DumpOwner;
  readonly capture: Capture;
  readonly content: CaptureContent;
}

/** A part of a line: offsets within its text. */
export interface LineSpan {
  /** Index into the lines. */
  readonly line: number;
  readonly offset: number;
  readonly length: number;
}

const hasDumps = ({ captures }: DumpOwner['declaration']): boolean => captures.length > 0;

/** The declarations that have dumps, or name files of objects. */
export const withFiles = suspecting<Declaration, object>((d) => d.kind === 'objects' || ((d.kind === 'node' || d.kind === 'pod' || d.kind === 'network') && hasDumps(d)));

const nodesWithDumps = suspecting<NodeDeclaration, object>(hasDumps);
const podsWithDumps = suspecting<PodDeclaration, object>(hasDumps);

/** The nodes and pods that have dumps, those of objects with them. */
export const hostsWithDumps = (model: FileModel): readonly Placed<NodeDeclaration | PodDeclaration>[] => [...nodesWithDumps(model.nodes, ALONE), ...podsWithDumps(model.pods, ALONE)];

/** Dumps that can be read, in the order of the file. */
export function* dumpsOf(model: FileModel, files: FileLookup): Iterable<Dump> {
  for (const owner of withFiles(model.declarations, ALONE)) {
    const { declaration } = owner;
    if (declaration.kind !== 'node' && declaration.kind !== 'pod' && declaration.kind !== 'network') continue;
    for (const capture of declaration.captures) {
      const content = contentOf(capture, files);
      if (content !== null) yield { owner: { declaration, offset: owner.offset }, capture, content };
    }
  }
}

/** The dumps of one owner, of these kinds. */
export const dumpsIn = (owner: DumpOwner, files: FileLookup, ...keywords: readonly CaptureKeyword[]): Dump[] =>
  owner.declaration.captures.flatMap((capture) => {
    const content = keywords.includes(capture.keyword) ? contentOf(capture, files) : null;
    return content === null ? [] : [{ owner, capture, content }];
  });

/** "host1", "pod default/pod1", "network lan" */
export function ownerName({ declaration: d }: DumpOwner): string {
  if (d.kind === 'pod') return `pod ${d.name === null ? '' : fullName(d.name.value)}`;
  return d.kind === 'network' ? `network ${d.name?.value ?? ''}` : (d.name?.value ?? 'this node');
}

/** Where a part of a line stands; for a line of another file, where that file is named. */
export function rangeOfLine({ owner, capture, content }: Dump, at: LineSpan): Range {
  if (capture.from !== null) return rangeIn(owner, capture.from);
  const start = owner.offset + capture.offset + (content.lines[at.line]?.offset ?? 0) + at.offset;
  return { start, end: start + at.length };
}

/** `host1.iptables:12: `, for a line of another file. */
const filePrefix = ({ capture }: Dump, at: LineSpan): string => (capture.from === null ? '' : `${capture.from.value}:${at.line + 1}: `);

export function reportInDump<P>(dump: Dump, definition: Definition<P>, p: P, at: LineSpan, related: readonly { readonly at: LineSpan; readonly message: string }[] = []): Diagnostic {
  const places: Related[] = related.map((r) => ({ ...rangeOfLine(dump, r.at), message: filePrefix(dump, r.at) + r.message }));
  const diagnostic = report(definition, p, rangeOfLine(dump, at), places);
  // Another file's text is not ours to edit.
  return dump.capture.from === null ? diagnostic : { ...diagnostic, message: filePrefix(dump, at) + diagnostic.message, fixes: [] };
}

/** The whole line. */
export const wholeLine = (content: CaptureContent, line: number): LineSpan => ({ line, offset: 0, length: content.lines[line]?.text.length ?? 0 });

/** Where a word stands in a line, else the whole line. */
export function wordInLine(content: CaptureContent, line: number, word: string): LineSpan {
  const text = content.lines[line]?.text ?? '';
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = at === 0 || /[\s!]/.test(text.charAt(at - 1));
    const after = text.charAt(at + word.length);
    if (before && (after === '' || /[\s:]/.test(after))) return { line, offset: at, length: word.length };
  }
  return wholeLine(content, line);
}

/** The line that a record of a content came from. */
export const lineOfRecord = (record: { readonly origin: { readonly kind: string; readonly at?: { readonly line: number } } }): number => (record.origin.at?.line ?? 1) - 1;
