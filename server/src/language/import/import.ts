/** A folder of dumps to a `.k8snet` file that names them, and everything that was not understood on the way. */
import { groupBy } from '../../../../engine/src/group-by.ts';
import { formatAddress } from '../../../../engine/src/net/address.ts';
import { readValue } from '../bind/values.ts';
import type { Diagnostic } from '../diagnostics/define.ts';
import type { Snapshot } from '../snapshot.ts';
import { createSnapshot, updateSnapshot } from '../snapshot.ts';
import { format } from '../syntax/printer.ts';
import type { DumpFolder, FolderContent, ImportNote } from './folder.ts';
import { readFolder } from './folder.ts';
import { infer } from './infer.ts';
import { podDumps, probeOf } from './pods.ts';
import { written } from './write.ts';

export interface Imported {
  /** `null` where the folder holds nothing to import. */
  readonly text: string | null;
  /** By file and line. */
  readonly notes: readonly ImportNote[];
}

/** `prefix`: the way from the folder of the file to the dump's: `''`, or `dump/`. */
export function importFolder(folder: DumpFolder, prefix: string): Imported {
  const read = readFolder(folder);
  const notes = [...read.notes];
  const named = { ...read, nodes: read.nodes.filter((n) => isHostName(n.host, notes)) };
  if (named.objects.length === 0 && named.nodes.length === 0) return { text: null, notes };
  const objects = patternsOf(named, folder);
  const first = snapshotOf(probeText(named, objects), named, folder);
  const nodes = withNodeNames(named.nodes, first, notes);
  const content = { ...named, nodes };
  const probe = nodes.every((n, i) => n.host === named.nodes[i]?.host) ? first : rewritten(first, probeText(content, objects));
  const spec = probe.spec();
  const pods = podDumps(content, spec, probe, notes);
  const draft = { content, objects, inferred: infer(spec, probe.model.objects), pods };
  const final = rewritten(probe, written({ ...draft, prefix: '' }));
  notes.push(...final.diagnostics.map((d) => noteOf(d, final)));
  const plain = written({ ...draft, prefix });
  return { text: format(createSnapshot({ file: 'import.k8snet', text: plain }).tree, plain), notes: sorted(notes) };
}

const FILE = 'import.k8snet';

/** Sees the files that were taken, and no others. */
const snapshotOf = (text: string, content: FolderContent, folder: DumpFolder): Snapshot =>
  createSnapshot({ file: FILE, text, readFile: (path) => content.texts.get(path), listFolder: folder.listFolder });

/** Another text about the same files, which are not read again. */
const rewritten = (snapshot: Snapshot, text: string): Snapshot => updateSnapshot(snapshot, [], text);

function isHostName(host: string, notes: ImportNote[]): boolean {
  const reading = readValue('name', host);
  if (!reading.ok) notes.push({ severity: 'warning', file: `nodes/${host}`, line: null, message: `left out: ${reading.problem}` });
  return reading.ok;
}

/** A dump's folder may be called otherwise than the Node, by a short name say: then the Node's address tells whose it is. */
function withNodeNames(nodes: FolderContent['nodes'], probe: Snapshot, notes: ImportNote[]): FolderContent['nodes'] {
  const known = new Map(probe.model.objects.nodes.map((n) => [n.declaration.name?.value ?? '', n.addresses.map((a) => formatAddress(a.value))]));
  if (known.size === 0) return nodes;
  const dumped = new Set(nodes.map((n) => n.host));
  return nodes.map((node) => {
    if (known.has(node.host)) return node;
    const interfaces = probe.spec().nodes.find((n) => n.name === node.host)?.captured.interfaces ?? [];
    const own = new Set(interfaces.flatMap((i) => (i.addresses ?? []).map((a) => formatAddress(a.address))));
    const [name, ...more] = [...known].filter(([n, addresses]) => !dumped.has(n) && addresses.some((a) => own.has(a))).map(([n]) => n);
    if (name !== undefined && more.length === 0) {
      notes.push({ severity: 'information', file: `nodes/${node.host}`, line: null, message: `it is node ${name}, which has its address` });
      return { ...node, host: name };
    }
    notes.push({ severity: 'warning', file: `nodes/${node.host}`, line: null, message: 'no Node among the objects has this name or its addresses: it is a node of its own' });
    return node;
  });
}

/** `objects/*.json` where that names exactly what was taken, else each file. */
function patternsOf({ objects }: FolderContent, { listFolder }: DumpFolder): string[] {
  const taken = new Set(objects);
  const patternOf = (path: string): string => `${path.slice(0, path.lastIndexOf('/') + 1)}*${path.slice(path.lastIndexOf('.'))}`;
  return [...groupBy(objects, patternOf)].flatMap(([pattern, paths]) => {
    const folder = pattern.slice(0, Math.max(0, pattern.indexOf('*') - 1));
    const ending = pattern.slice(pattern.indexOf('*') + 1);
    const there = listFolder(folder).filter((e) => e.kind === 'file' && e.name.endsWith(ending) && !e.name.startsWith('.')).map((e) => (folder === '' ? e.name : `${folder}/${e.name}`));
    return paths.length > 1 && there.every((p) => taken.has(p)) ? [pattern] : paths;
  });
}

/** Everything as it is, each pod's dump as a pod of its own: what it holds tells whose it is. */
function probeText({ nodes, pods }: FolderContent, objects: readonly string[]): string {
  return [
    ...(objects.length === 0 ? [] : [`objects from ${objects.map((o) => `"${o}"`).join(', ')}`]),
    ...nodes.map((n) => `node ${n.host} {\n${n.files.map((f) => `${f.keyword} from "${f.path}"\n`).join('')}}`),
    ...probeOf(pods),
    '',
  ].join('\n');
}

function noteOf(d: Diagnostic, snapshot: Snapshot): ImportNote {
  const place = /^(\S.*?):(\d+)(?::\d+)?: (.*)$/s.exec(d.message);
  const [, file = '', line = '', message = ''] = place ?? [];
  if (d.elsewhere !== undefined) return { severity: d.severity, file: d.elsewhere.file, line: d.elsewhere.line, message: message === '' ? d.message : message };
  if (place !== null && !file.includes(': ')) return { severity: d.severity, file, line: Number(line), message };
  return { severity: d.severity, file: 'the .k8snet file', line: snapshot.lineOf(d.start), message: d.message };
}

const sorted = (notes: readonly ImportNote[]): ImportNote[] => [...notes].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : (a.line ?? 0) - (b.line ?? 0)));
