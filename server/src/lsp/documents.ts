/** The open documents, each with its text's lines and its newest snapshot. */
import type * as lsp from 'vscode-languageserver';
import { createSnapshot, updateSnapshot } from '../language/snapshot.ts';
import type { Snapshot } from '../language/snapshot.ts';
import type { TextEdit } from '../language/syntax/tree.ts';
import type { CaptureFiles } from './capture-files.ts';
import { editLineStarts, lineStartsOf } from './lines.ts';
import { changeOf } from './to-lsp.ts';
import type { Lined } from './to-lsp.ts';

export interface OpenDocument extends Lined {
  readonly uri: string;
  readonly version: number;
  /** Counts the analyses: a file that the document names may change, and its own version stays. */
  readonly revision: number;
  readonly snapshot: Snapshot;
}

export interface Documents {
  open(params: lsp.DidOpenTextDocumentParams): OpenDocument;
  /** The new state, and the one edit that made it. `undefined` where the document is not open. */
  change(params: lsp.DidChangeTextDocumentParams): { readonly document: OpenDocument; readonly edit: TextEdit } | undefined;
  close(uri: string): void;
  get(uri: string): OpenDocument | undefined;
  /** Analyses again what reads captured state from files. */
  refresh(uri: string): OpenDocument | undefined;
  readonly uris: () => readonly string[];
}

/** The document's own name: what its traces call it. */
function fileOf(uri: string): string {
  const path = uri.replace(/^[^:]*:/, '').replace(/[?#].*$/, '');
  const name = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Two edits, one after the other, as one of the text before both. */
export function followedBy(first: TextEdit, second: TextEdit, text: string): TextEdit {
  const grown = first.text.length - (first.end - first.start);
  const start = Math.min(first.start, second.start);
  const endBetween = Math.max(first.start + first.text.length, second.end);
  const endAfter = endBetween + second.text.length - (second.end - second.start);
  return { start, end: endBetween - grown, text: text.slice(start, endAfter) };
}

function applied({ text, starts }: Lined, edit: TextEdit): Lined {
  const next = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  return { text: next, starts: editLineStarts(starts, edit.start, edit.end, edit.text.length, next) };
}

export function allApplied(before: Lined, changes: readonly lsp.TextDocumentContentChangeEvent[]): { readonly lined: Lined; readonly edit: TextEdit } {
  let lined = before;
  let whole: TextEdit | undefined;
  for (const change of changes) {
    const edit = changeOf(lined, change);
    lined = applied(lined, edit);
    whole = whole === undefined ? edit : followedBy(whole, edit, lined.text);
  }
  return { lined, edit: whole ?? { start: 0, end: 0, text: '' } };
}

/** `report` hears of errors of ours in the analysis. The text stays in step with the editor's whatever happens. */
export function createDocuments(files: CaptureFiles, report: (what: string, error: unknown) => void): Documents {
  const documents = new Map<string, OpenDocument>();
  let revision = 0;

  function keep(uri: string, version: number, lined: Lined, snapshot: Snapshot): OpenDocument {
    const document: OpenDocument = { uri, version, revision: ++revision, snapshot, text: lined.text, starts: lined.starts };
    documents.set(uri, document);
    return document;
  }

  function create(uri: string, text: string): Snapshot {
    const file = fileOf(uri);
    try {
      return createSnapshot({ file, text, ...files.readerFor(uri) });
    } catch (error) {
      report(`analysis of ${file}`, error);
      return createSnapshot({ file, text: '' });
    }
  }

  function update({ uri, snapshot }: OpenDocument, edits: readonly TextEdit[], text: string): Snapshot {
    try {
      return updateSnapshot(snapshot, edits, text);
    } catch (error) {
      report(`analysis of an edit of ${fileOf(uri)}`, error);
      return create(uri, text);
    }
  }

  return {
    open({ textDocument: { uri, version, text } }) {
      return keep(uri, version, { text, starts: lineStartsOf(text) }, create(uri, text));
    },
    change({ textDocument: { uri, version }, contentChanges }) {
      const before = documents.get(uri);
      if (before === undefined) return undefined;
      const { lined, edit } = allApplied(before, contentChanges);
      return { document: keep(uri, version, lined, update(before, [edit], lined.text)), edit };
    },
    close: (uri) => void documents.delete(uri),
    get: (uri) => documents.get(uri),
    refresh(uri) {
      const before = documents.get(uri);
      return before === undefined ? undefined : keep(uri, before.version, before, update(before, [], before.text));
    },
    uris: () => [...documents.keys()],
  };
}
