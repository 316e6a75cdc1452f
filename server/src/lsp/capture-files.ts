/** Reads the files that a document names with `from "…"`: in its own workspace folder and nowhere else. */
import { readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Files } from '../language/bind/capture-content.ts';
import type { FolderEntry } from '../language/bind/file-patterns.ts';

const LARGEST_BYTES = 64 * 1024 * 1024;

interface Kept {
  readonly changed: number;
  readonly size: number;
  readonly text: string;
}

export interface CaptureFiles {
  /** `file` is relative to the document's folder. `undefined`: not there, not readable, or not inside the folder. Nothing of a document that is on no disk. */
  readerFor(documentUri: string): Files;
}

const isInside = (file: string, folder: string): boolean => file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);

const pathOf = (uri: string): string | undefined => (uri.startsWith('file:') ? fileURLToPath(uri) : undefined);

function real(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

/**
 * `folders`: the workspace's, as URIs. A document outside of all of them may read beside and below itself. `opened`: the
 * text of a file that is open in the editor, by its real path.
 */
export function captureFiles(folders: () => readonly string[], opened: (file: string) => string | undefined = () => undefined): CaptureFiles {
  const kept = new Map<string, Kept>();

  function read(file: string): string | undefined {
    const { mtimeMs, size, isFile } = describe(file);
    if (!isFile || size > LARGEST_BYTES) return undefined;
    const before = kept.get(file);
    if (before?.changed === mtimeMs && before.size === size) return before.text;
    const text = readFileSync(file, 'utf8');
    kept.set(file, { changed: mtimeMs, size, text });
    return text;
  }

  return {
    readerFor(documentUri) {
      const document = pathOf(documentUri);
      if (document === undefined) return {};
      const folder = path.dirname(document);
      /** Resolved each time: what is a link, and to where, may change. */
      const allowed = (named: string): string | undefined => {
        const target = real(path.resolve(folder, named));
        const roots = folders().flatMap((uri) => real(pathOf(uri) ?? '') ?? []);
        const here = real(folder);
        const home = here === undefined ? undefined : (roots.find((root) => here === root || isInside(here, root)) ?? here);
        return target !== undefined && home !== undefined && (target === home || isInside(target, home)) ? target : undefined;
      };
      return {
        readFile(file) {
          const target = allowed(file);
          return target === undefined ? undefined : (opened(target) ?? read(target));
        },
        listFolder(named) {
          const target = allowed(named);
          return target === undefined ? [] : list(target);
        },
      };
    },
  };
}

function list(folder: string): readonly FolderEntry[] {
  try {
    // Links to folders count as files: what is behind them may be the folder itself.
    return readdirSync(folder, { withFileTypes: true }).map((e): FolderEntry => ({ name: e.name, kind: e.isDirectory() ? 'folder' : 'file' }));
  } catch {
    return [];
  }
}

function describe(file: string): { readonly mtimeMs: number; readonly size: number; readonly isFile: boolean } {
  const stat = statSync(file, { throwIfNoEntry: false });
  return { mtimeMs: stat?.mtimeMs ?? 0, size: stat?.size ?? 0, isFile: stat?.isFile() ?? false };
}
