/** What the commands need of the world: everything else of them is a function of the files' text. */
import type { FolderEntry } from '../../server/src/language/bind/file-patterns.ts';
import type { DumpFolder } from '../../server/src/language/import/folder.ts';

export type FileText = { readonly text: string } | { readonly problem: string };

export interface Io {
  /** Resolves when the text is on its way: a long output waits for its reader. */
  readonly out: (text: string) => Promise<void>;
  readonly err: (text: string) => void;
  readonly readFile: (path: string) => FileText;
  /** Empty for a folder that cannot be read. */
  readonly listFolder: (path: string) => readonly FolderEntry[];
  readonly readInput: () => Promise<string>;
  /** A folder of dumps: no file outside of it is read, whatever links lead there. */
  readonly openFolder: (path: string) => DumpFolder | { readonly problem: string };
  /** With links followed; the path as it is where there is nothing. */
  readonly realPath: (path: string) => string;
  /** A new file, never over another: the problem, or `null`. */
  readonly createFile: (path: string, text: string) => string | null;
  /** The problem, or `null`. */
  readonly writeFile: (path: string, bytes: Uint8Array) => string | null;
  readonly version: () => string;
  /** Whether a person looks at the output. */
  readonly colour: boolean;
}

export const EXIT = {
  clean: 0,
  /** Errors in a file, an expectation that does not hold, a question that could not be asked among many. */
  errors: 1,
  /** The command line is wrong, or names what is not there. */
  usage: 2,
  /** A fault of k8snet itself. */
  bug: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A mistake on the command line: the message ends the command with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
