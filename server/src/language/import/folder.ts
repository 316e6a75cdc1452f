/** The files of a dump's folder, each for what it is: laid out as `k8snet collect` does, or as a bare folder of objects. */
import { groupBy } from '../../../../engine/src/group-by.ts';
import type { CaptureKeyword } from '../bind/declarations.ts';
import type { FolderEntry } from '../bind/file-patterns.ts';
import { strayCredential } from './credentials.ts';

/** Reading is the caller's: it opens no file outside of the folder, whatever links lead there. */
export interface DumpFolder {
  /** `''` is the folder itself. */
  readonly listFolder: (path: string) => readonly FolderEntry[];
  /** The text, or why there is none: "it is larger than 64 MB". */
  readonly readFile: (path: string) => { readonly text: string } | { readonly problem: string };
}

export interface ImportNote {
  readonly severity: 'error' | 'warning' | 'information';
  /** In the folder. */
  readonly file: string;
  /** From 1; `null` for the file as a whole. */
  readonly line: number | null;
  /** A sentence without its full stop. */
  readonly message: string;
}

export interface NodeDump {
  readonly host: string;
  readonly files: readonly { readonly keyword: CaptureKeyword; readonly path: string }[];
}

export interface FolderContent {
  readonly objects: readonly string[];
  readonly nodes: readonly NodeDump[];
  /** `name` is the file's, without its ending. */
  readonly pods: readonly { readonly name: string; readonly path: string }[];
  readonly texts: ReadonlyMap<string, string>;
  readonly notes: readonly ImportNote[];
}

/** By the name of the file, the best first: of two that say the same the later is not needed. */
const NODE_FILES: readonly (readonly [name: string, keyword: CaptureKeyword])[] = [
  ['ip-addr.txt', 'addresses'],
  ['ip-addr.json', 'addresses'],
  ['ip-link.txt', 'links'],
  ['ip-link.json', 'links'],
  ['ip-route-all.txt', 'routes'],
  ['ip-route-all.json', 'routes'],
  ['ip-route.txt', 'routes'],
  ['ip-route.json', 'routes'],
  ['ip-route6-all.txt', 'routes'],
  ['ip-route6.txt', 'routes'],
  ['ip-rule.txt', 'rules'],
  ['ip-rule.json', 'rules'],
  ['ip-rule6.txt', 'rules'],
  ['ip-neigh.txt', 'neighbours'],
  ['ip-neigh.json', 'neighbours'],
  ['bridge-fdb.txt', 'fdb'],
  ['bridge-fdb.json', 'fdb'],
  ['iptables-save.txt', 'iptables'],
  ['iptables-legacy-save.txt', 'iptables'],
  ['iptables-nft-save.txt', 'iptables'],
  ['ip6tables-save.txt', 'ip6tables'],
  ['ip6tables-legacy-save.txt', 'ip6tables'],
  ['ip6tables-nft-save.txt', 'ip6tables'],
  ['ipset.txt', 'ipset'],
  ['conntrack.txt', 'conntrack'],
  ['sysctl.txt', 'sysctl'],
];

/** Beside each other: both families, both rulesets, and what the others do not say. */
const separate = (name: string): string => (/6(-all)?\.[a-z]+$/.test(name) ? 'IPv6' : (/-(legacy|nft)-/.exec(name)?.[1] ?? ''));

/** Of no use beside what is read, and nothing that anybody misses. */
const NOT_NEEDED: readonly (readonly [RegExp, string])[] = [
  [/^nodes\/[^/]+\/bridge-link\.(txt|json)$/, "'ip -d link' says the same"],
  [/(^|\/)README(\.md|\.txt)?$/i, 'it is no dump'],
  [/\.pcap(ng)?$/, 'captures of packets are not read'],
  [/\.k8snet$/, 'it is no dump'],
  [/^warnings\.txt$/, 'it is what collecting told'],
];

const MOST_FILES = 100_000;
const DEEPEST = 8;

export function readFolder(folder: DumpFolder): FolderContent {
  const notes: ImportNote[] = [];
  const note = (severity: ImportNote['severity'], file: string, message: string, line: number | null = null): void => void notes.push({ severity, file, line, message });
  const texts = new Map<string, string>();
  const take = (path: string): boolean => {
    const reading = folder.readFile(path);
    const refused = 'problem' in reading ? reading.problem : refusal(path, reading.text);
    if ('problem' in reading || refused !== null) {
      note('error', path, `left out: ${refused ?? ''}`);
      return false;
    }
    const stray = strayCredential(reading.text);
    if (stray !== null) {
      note('error', path, `refused: this line holds ${stray.what}; take it out of the dump, and revoke it if the dump was shared`, stray.line);
      return false;
    }
    texts.set(path, reading.text);
    return true;
  };
  const paths = filesOf(folder, (path, why) => note('warning', path, why));
  const objects: string[] = [];
  const pods: { name: string; path: string }[] = [];
  const nodes = new Map<string, Map<string, { keyword: CaptureKeyword; path: string }>>();
  for (const path of paths) {
    const host = /^nodes\/([^/]+)\/([^/]+)$/.exec(path);
    const because = NOT_NEEDED.find(([pattern]) => pattern.test(path))?.[1];
    if (because !== undefined) note('information', path, `not used: ${because}`);
    else if (host !== null) {
      const [, name = '', file = ''] = host;
      const dumps = nodes.get(name) ?? new Map<string, { keyword: CaptureKeyword; path: string }>();
      nodes.set(name, dumps);
      const keyword = NODE_FILES.find(([known]) => known === file)?.[1];
      if (keyword === undefined) note('warning', path, `not used: no dump of a node is called ${file}`);
      else dumps.set(file, { keyword, path });
    } else if (/^pods\/.+\.txt$/.test(path)) {
      if (take(path)) pods.push({ name: path.slice('pods/'.length, -'.txt'.length), path });
    } else if (/\.(ya?ml|json)$/.test(path)) {
      if (take(path)) objects.push(path);
    } else note('warning', path, 'not used: it is neither a dump of a node or pod by its place and name, nor YAML or JSON');
  }
  const found = [...nodes].map(([host, dumps]): NodeDump => ({ host, files: chosen(dumps, take, note) }));
  return { objects, nodes: found, pods, texts, notes: gathered(notes) };
}

const MANY = 10;

/** What is true of very many files alike, the logs of `kubectl cluster-info dump` say, is told of the first. */
function gathered(notes: readonly ImportNote[]): readonly ImportNote[] {
  const kindOf = ({ file }: ImportNote): string => (file.startsWith('nodes/') ? file.slice(file.lastIndexOf('/') + 1) : `*${/\.[^./]*$/.exec(file)?.[0] ?? ''}`);
  const alike = groupBy(notes, (n) => (n.line === null ? `${n.severity} ${kindOf(n)} ${n.message}` : n));
  return [...alike.values()].flatMap((group) => {
    const [first] = group;
    return group.length <= MANY ? group : [{ ...first, message: `${first.message}; so are ${group.length - 1} other files like it (${kindOf(first)})` }];
  });
}

function chosen(dumps: ReadonlyMap<string, { readonly keyword: CaptureKeyword; readonly path: string }>, take: (path: string) => boolean, note: (severity: ImportNote['severity'], file: string, message: string) => void): NodeDump['files'] {
  const files: { keyword: CaptureKeyword; path: string }[] = [];
  const taken = new Map<string, string>();
  for (const [name] of NODE_FILES) {
    const dump = dumps.get(name);
    if (dump === undefined) continue;
    const sort = `${dump.keyword} ${separate(name)}`;
    const before = taken.get(sort);
    if (before !== undefined) note('information', dump.path, `not used: ${before} says the same`);
    else if (take(dump.path)) {
      taken.set(sort, name);
      files.push(dump);
    }
  }
  return files;
}

/** What a file cannot be named for, or is no text. */
function refusal(path: string, text: string): string | null {
  if (/["\n\r\t\p{Cc}\\]/u.test(path)) return "its name has a character that a .k8snet file cannot write: rename it";
  if (text.includes('\0')) return 'it is no text';
  return null;
}

/** Sorted; hidden files and folders are not part of a dump. */
function filesOf(folder: DumpFolder, skipped: (path: string, why: string) => void): string[] {
  const found: string[] = [];
  const walk = (path: string, depth: number): void => {
    for (const { name, kind } of [...folder.listFolder(path)].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inside = path === '' ? name : `${path}/${name}`;
      if (name.startsWith('.')) continue;
      if (found.length >= MOST_FILES || depth > DEEPEST) return skipped(inside, `left out, as is all behind it: a dump has at most ${MOST_FILES} files and ${DEEPEST} folders inside each other`);
      if (kind === 'folder') walk(inside, depth + 1);
      else found.push(inside);
    }
  };
  walk('', 0);
  return found;
}
