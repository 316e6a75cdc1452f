/** The world as node gives it. */
import { readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { getHeapStatistics } from 'node:v8';
import type { FolderEntry } from '../../server/src/language/bind/file-patterns.ts';
import type { DumpFolder } from '../../server/src/language/import/folder.ts';
import { UsageError } from './io.ts';
import type { FileText, Io } from './io.ts';

/** What rules that most nodes have in common take for each byte of their dumps, everything made of them included: 50 nodes with 7 MB each took 2.6 GB. */
const MEMORY_PER_BYTE = 7;

/** `memory`: in bytes, what this process may take. Beyond it node ends without a word that would help. */
export function nodeIo(memory = getHeapStatistics().heap_size_limit): Io {
  let taken = 0;
  const take = (file: string): FileText => {
    const reading = readText(file);
    taken += 'text' in reading ? reading.text.length : 0;
    if (taken * MEMORY_PER_BYTE > memory) throw new UsageError(tooMuch(memory));
    return reading;
  };
  return {
    out: write,
    err: (text) => void process.stderr.write(text),
    readFile: take,
    listFolder,
    readInput,
    openFolder: (folder) => openFolder(folder, take),
    realPath,
    createFile,
    writeFile,
    version,
    colour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  };
}

function tooMuch(memory: number): string {
  const megabytes = Math.floor(memory / 1024 / 1024);
  const room = Math.floor(megabytes / MEMORY_PER_BYTE);
  return `the dumps are larger than ${room} MB together, which is what fits into the ${megabytes} MB of memory that node takes; leave away the iptables-save dumps of nodes that no question is about, or allow it more: NODE_OPTIONS=--max-old-space-size=${megabytes * 4}`;
}

const write = (text: string): Promise<void> =>
  new Promise((resolve) => {
    if (process.stdout.write(text)) resolve();
    else process.stdout.once('drain', resolve);
  });

function readText(file: string): FileText {
  try {
    // A byte order mark belongs to the file, not to its text: editors hide it as well.
    return { text: readFileSync(file, 'utf8').replace(/^\uFEFF/, '') };
  } catch (error) {
    return { problem: `cannot read ${file}: ${reasonOf(error)}` };
  }
}

function listFolder(folder: string): readonly FolderEntry[] {
  try {
    return readdirSync(folder).flatMap((name): FolderEntry[] => {
      // Followed where it is a link; a broken one is nothing.
      const stat = statSync(path.join(folder, name), { throwIfNoEntry: false });
      if (stat?.isDirectory() === true) return [{ name, kind: 'folder' }];
      return stat?.isFile() === true ? [{ name, kind: 'file' }] : [];
    });
  } catch {
    return [];
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function writeFile(file: string, bytes: Uint8Array): string | null {
  try {
    writeFileSync(file, bytes);
    return null;
  } catch (error) {
    return `cannot write ${file}: ${reasonOf(error)}`;
  }
}

/** Larger is no dump: 55,000 rules of iptables are 9 MB. */
const LARGEST_DUMP_BYTES = 256 * 1024 * 1024;

function openFolder(folder: string, read: (file: string) => FileText): DumpFolder | { readonly problem: string } {
  let home: string;
  try {
    home = realpathSync(folder);
    if (!statSync(home).isDirectory()) return { problem: `${folder} is a file; name the folder of the dumps` };
    readdirSync(home);
  } catch (error) {
    return { problem: `cannot read ${folder}: ${reasonOf(error)}` };
  }
  const inside = (named: string): string | null => {
    const real = realPath(path.join(home, named));
    return real === home || real.startsWith(home + path.sep) ? real : null;
  };
  return {
    listFolder(named) {
      const real = inside(named);
      return real === null ? [] : everythingIn(real);
    },
    readFile(named) {
      const real = inside(named);
      if (real === null) return { problem: 'it is a link that leaves the folder' };
      const stat = statSync(real, { throwIfNoEntry: false });
      if (stat === undefined) return { problem: 'it is a link to nothing' };
      if (!stat.isFile()) return { problem: stat.isDirectory() ? 'it is a link to a folder, and such links are not followed' : 'it is no file' };
      if (stat.size > LARGEST_DUMP_BYTES) return { problem: `it is larger than ${LARGEST_DUMP_BYTES / 1024 / 1024} MB` };
      const reading = read(real);
      return 'problem' in reading ? { problem: reading.problem.replace(`cannot read ${real}: `, 'it cannot be read: ') } : reading;
    },
  };
}

/** Links to folders count as files: what is behind them may be the folder itself. */
function everythingIn(folder: string): readonly FolderEntry[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((e): FolderEntry => ({ name: e.name, kind: e.isDirectory() ? 'folder' : 'file' }));
  } catch {
    return [];
  }
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}

function createFile(file: string, text: string): string | null {
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return null;
  } catch (error) {
    return `cannot write ${file}: ${reasonOf(error)}`;
  }
}

/** In plain words what the system said, with the way out. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOENT': return 'there is no such file or folder; check the path';
    case 'EEXIST': return 'it is there already; name another, or remove it first';
    case 'ENOTDIR': return 'a part of the path is no folder; check the path';
    case 'EISDIR': return 'it is a folder; name a file in it';
    case 'EACCES': return 'permission is denied; check who may access it';
    case 'ERR_STRING_TOO_LONG': case 'ERR_FS_FILE_TOO_LARGE': return 'it is too large for a text';
    default: return error instanceof Error ? error.message : String(error);
  }
}

/** Of the package that this program is built into: `dist/cli.js` stands beside its package.json's folder. */
function version(): string {
  const described: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof described === 'object' && described !== null && 'version' in described ? String(described.version) : 'unknown';
}
