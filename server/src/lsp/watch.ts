/** Asks the editor to tell when a dump that a document names with `from "…"` changes. */
import { DidChangeWatchedFilesNotification } from 'vscode-languageserver';
import type { Connection, Disposable, FileSystemWatcher } from 'vscode-languageserver';
import { matchesPattern } from '../language/bind/file-patterns.ts';
import type { OpenDocument } from './documents.ts';

export interface Watches {
  /** After each analysis: which files the document read, or would have, had they been there. */
  follow(document: OpenDocument): void;
  forget(uri: string): void;
  /** The documents that name one of these files. */
  readersOf(changed: readonly string[]): readonly string[];
}

const folderOf = (uri: string): string => uri.slice(0, uri.lastIndexOf('/'));

/** `canWatch`: whether the client registers watchers on demand. `report` hears of a client that then refuses. */
export function createWatches(connection: Connection, canWatch: () => boolean, report: (name: string, error: unknown) => void): Watches {
  /** By document, the URIs of the files that it names, and the patterns that files may come to match. */
  const named = new Map<string, { readonly files: ReadonlySet<string>; readonly patterns: ReadonlySet<string> }>();
  let registered = '';
  let registration: Promise<Disposable | undefined> | undefined;

  /** One registration for all: it is replaced whenever the set of files changes, which is rare. */
  function register(): void {
    const files = [...new Set([...named.values()].flatMap((n) => [...n.files]))].sort();
    const patterns = [...named].flatMap(([uri, n]) => [...n.patterns].map((pattern) => ({ baseUri: folderOf(uri), pattern })));
    const wanted = [...files, ...patterns.map((p) => `${p.baseUri} ${p.pattern}`)].join('\n');
    if (wanted === registered || !canWatch()) return;
    registered = wanted;
    void registration?.then((old) => old?.dispose());
    const watchers: FileSystemWatcher[] = [...patterns.map((globPattern) => ({ globPattern })), ...files.map((uri) => {
      const slash = uri.lastIndexOf('/');
      // A name in a pattern may hold *, ? and brackets, which stand for themselves here.
      return { globPattern: { baseUri: uri.slice(0, slash), pattern: decodeURIComponent(uri.slice(slash + 1)).replaceAll(/[*?[\]{}]/g, '[$&]') } };
    })];
    registration = watchers.length === 0 ? undefined : connection.client.register(DidChangeWatchedFilesNotification.type, { watchers }).catch((error: unknown) => {
      // Left alone, a refusal would end the server: nobody waits for the answer.
      report('watching of dumps', error);
      return undefined;
    });
  }

  return {
    follow({ uri, snapshot }) {
      if (!uri.startsWith('file:')) return;
      const files = [...snapshot.files.known.keys()].map((file) => new URL(file.split('/').map(encodeURIComponent).join('/'), uri).href);
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
