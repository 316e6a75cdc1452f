/** Reads the dumps that a document names with `from "…"`: in its own workspace folder and nowhere else. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const LARGEST_BYTES = 64 * 1024 * 1024;

interface Kept {
  readonly changed: number;
  readonly size: number;
  readonly text: string;
}

export interface CaptureFiles {
  /** `file` is relative to the document's folder. `undefined`: not there, not readable, or not inside the folder. */
  readerFor(documentUri: string): (file: string) => string | undefined;
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

/** `folders`: the workspace's, as URIs. A document outside of all of them may read beside and below itself. */
export function captureFiles(folders: () => readonly string[]): CaptureFiles {
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
      if (document === undefined) return () => undefined;
      const folder = path.dirname(document);
      return (file) => {
        // Resolved each time: what is a link, and to where, may change.
        const target = real(path.resolve(folder, file));
        const roots = folders().flatMap((uri) => real(pathOf(uri) ?? '') ?? []);
        const here = real(folder);
        const home = here === undefined ? undefined : (roots.find((root) => here === root || isInside(here, root)) ?? here);
        if (target === undefined || home === undefined || !isInside(target, home)) return undefined;
        return read(target);
      };
    },
  };
}

function describe(file: string): { readonly mtimeMs: number; readonly size: number; readonly isFile: boolean } {
  const stat = statSync(file, { throwIfNoEntry: false });
  return { mtimeMs: stat?.mtimeMs ?? 0, size: stat?.size ?? 0, isFile: stat?.isFile() ?? false };
}
