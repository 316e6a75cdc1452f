/** Asks the editor to tell when a dump that a document names with `from "…"` changes: on the disk, or under its cursor. */
import {
  DidChangeTextDocumentNotification, DidChangeWatchedFilesNotification, DidCloseTextDocumentNotification, DidOpenTextDocumentNotification, TextDocumentSyncKind,
} from 'vscode-languageserver';
import type { Connection, Disposable, DocumentSelector, FileSystemWatcher } from 'vscode-languageserver';
import { matchesPattern } from '../language/bind/file-patterns.ts';
import { uriBeside } from './beside.ts';
import type { OpenDocument } from './documents.ts';

export interface Watches {
  /** After each analysis: which files the document read, or would have, had they been there. */
  follow(document: OpenDocument): void;
  forget(uri: string): void;
  /** The documents that name one of these files. */
  readersOf(changed: readonly string[]): readonly string[];
}

const folderOf = (uri: string): string => uri.slice(0, uri.lastIndexOf('/'));

interface Pattern {
  /** The folder of the document that has it. */
  readonly baseUri: string;
  readonly pattern: string;
}

const watchersOf = (files: readonly string[], patterns: readonly Pattern[]): FileSystemWatcher[] =>
  [...patterns.map((globPattern) => ({ globPattern })), ...files.map((uri) => ({ globPattern: { baseUri: folderOf(uri), pattern: literal(uri.slice(uri.lastIndexOf('/') + 1)) } }))];

const selectorOf = (files: readonly string[], patterns: readonly Pattern[]): DocumentSelector =>
  [...files.map((uri) => literal(new URL(uri).pathname)), ...patterns.map((p) => `${literal(new URL(p.baseUri).pathname)}/${p.pattern}`)].map((pattern) => ({ scheme: 'file', pattern }));

/** What the client registers on demand. */
export interface ClientAbilities {
  readonly watch: boolean;
  /** Documents of any language, as they are edited. */
  readonly sync: boolean;
}

/** A name in a pattern may hold *, ? and brackets, which stand for themselves here. */
const literal = (name: string): string => decodeURIComponent(name).replaceAll(/[*?[\]{}]/g, '[$&]');

/** `report` hears of a client that refuses after all. */
export function createWatches(connection: Connection, can: () => ClientAbilities, report: (name: string, error: unknown) => void): Watches {
  /** By document, the URIs of the files that it names, and the patterns that files may come to match. */
  const named = new Map<string, { readonly files: ReadonlySet<string>; readonly patterns: ReadonlySet<string> }>();
  let registered = '';
  let registrations: readonly Promise<Disposable | undefined>[] = [];

  // Left alone, a refusal would end the server: nobody waits for the answer.
  const heard = (asked: Promise<Disposable>): Promise<Disposable | undefined> => asked.catch((error: unknown) => {
    report('watching of dumps', error);
    return undefined;
  });

  /** One registration for all: it is replaced whenever the set of files changes, which is rare. */
  function register(): void {
    const files = [...new Set([...named.values()].flatMap((n) => [...n.files]))].sort();
    const patterns = [...named].flatMap(([uri, n]) => [...n.patterns].map((pattern) => ({ baseUri: folderOf(uri), pattern })));
    const wanted = [...files, ...patterns.map((p) => `${p.baseUri} ${p.pattern}`)].join('\n');
    const { watch, sync } = can();
    if (wanted === registered || (!watch && !sync)) return;
    registered = wanted;
    for (const old of registrations) void old.then((r) => r?.dispose());
    registrations = wanted === '' ? [] : [
      ...(watch ? [heard(connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: watchersOf(files, patterns) }))] : []),
      ...(sync ? syncOf(selectorOf(files, patterns)) : []),
    ];
  }

  function syncOf(documentSelector: DocumentSelector): readonly Promise<Disposable | undefined>[] {
    return [
      heard(connection.client.register(DidOpenTextDocumentNotification.type, { documentSelector })),
      heard(connection.client.register(DidChangeTextDocumentNotification.type, { documentSelector, syncKind: TextDocumentSyncKind.Incremental })),
      heard(connection.client.register(DidCloseTextDocumentNotification.type, { documentSelector })),
    ];
  }

  return {
    follow({ uri, snapshot }) {
      if (!uri.startsWith('file:')) return;
      const files = [...snapshot.files.known.keys()].map((file) => uriBeside(uri, file));
      named.set(uri, { files: new Set(files), patterns: snapshot.files.patterns });
      register();
    },
    forget(uri) {
      named.delete(uri);
      register();
    },
    readersOf(changed) {
      // Compared decoded: editors encode URIs in their own ways.
      const plain = new Set(changed.map(decodeURIComponent));
      const isNamed = (uri: string, { files, patterns }: { readonly files: ReadonlySet<string>; readonly patterns: ReadonlySet<string> }): boolean => {
        if ([...files].some((file) => plain.has(decodeURIComponent(file)))) return true;
        const folder = `${decodeURIComponent(folderOf(uri))}/`;
        return [...plain].some((file) => file.startsWith(folder) && [...patterns].some((p) => matchesPattern(p, file.slice(folder.length))));
      };
      return [...named].filter(([uri, n]) => isNamed(uri, n)).map(([uri]) => uri);
    },
  };
}
