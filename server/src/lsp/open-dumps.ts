/** The dumps that are open in the editor: what stands there counts, saved or not. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as lsp from 'vscode-languageserver';
import { allApplied } from './documents.ts';
import { lineStartsOf } from './lines.ts';
import type { Lined } from './to-lsp.ts';

export interface OpenDumps {
  open(params: lsp.DidOpenTextDocumentParams): void;
  change(params: lsp.DidChangeTextDocumentParams): void;
  close(uri: string): void;
  /** By the file's real path; `undefined` where it is not open. */
  readonly textOf: (path: string) => string | undefined;
  readonly get: (uri: string) => { readonly version: number; readonly text: string } | undefined;
}

interface OpenDump extends Lined {
  readonly version: number;
}

function pathOf(uri: string): string {
  try {
    return realpathSync(fileURLToPath(uri));
  } catch {
    return uri;
  }
}

export function openDumps(): OpenDumps {
  /** By real path: editors and servers write URIs in their own ways. */
  const dumps = new Map<string, OpenDump>();
  return {
    open({ textDocument: { uri, version, text } }) {
      dumps.set(pathOf(uri), { version, text, starts: lineStartsOf(text) });
    },
    change({ textDocument: { uri, version }, contentChanges }) {
      const path = pathOf(uri);
      const before = dumps.get(path);
      if (before !== undefined) dumps.set(path, { version, ...allApplied(before, contentChanges).lined });
    },
    close(uri) {
      // A file that is gone has no real path any more.
      if (!dumps.delete(pathOf(uri)) && uri.startsWith('file:')) dumps.delete(fileURLToPath(uri));
    },
    textOf: (path) => dumps.get(path)?.text,
    get: (uri) => dumps.get(pathOf(uri)),
  };
}
