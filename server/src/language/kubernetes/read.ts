/** One file of Kubernetes objects: YAML or JSON, single objects, lists, several documents. */
import { once } from '../../../../engine/src/once.ts';
import { createLineIndex, positionAt } from '../syntax/cursor.ts';
import type { ObjectProblem, ObjectSource } from './fields.ts';
import { Fields, tell } from './fields.ts';
import { readJson } from './json.ts';
import type { KubernetesObject } from './kinds.ts';
import { changesNothing, readerOf } from './kinds.ts';
import type { MapTree, Tree, TreeReading } from './tree.ts';
import { readYaml } from './yaml.ts';

export interface ObjectFile {
  readonly objects: readonly KubernetesObject[];
  readonly problems: readonly ObjectProblem[];
}

/** `file`: as it stands in source references. */
export function readObjects(file: string, text: string): ObjectFile {
  const lines = once(() => createLineIndex(text));
  const problems: ObjectProblem[] = [];
  const source: ObjectSource = {
    text,
    problems,
    place: ({ start, end }) => {
      const { line, character } = positionAt(lines(), start);
      const lineEnd = text.indexOf('\n', start);
      return { file, line: line + 1, column: character + 1, length: Math.max(1, Math.min(end, lineEnd < 0 ? text.length : lineEnd) - start) };
    },
  };
  const reading = treesOf(text);
  for (const { message, ...span } of reading.problems) tell(source, 'bad', message, span);
  const objects = reading.documents.flatMap((tree) => objectsOf(source, tree));
  if (reading.documents.length === 0 && reading.problems.length === 0) tell(source, 'left-out', 'there is no object in this file', { start: 0, end: 0 });
  return { objects, problems };
}

/** JSON begins with a bracket; so does YAML in its flow style, which nobody's tool prints. */
const treesOf = (text: string): TreeReading => (/^[\s\uFEFF]*[{[]/.test(text) ? readJson(text) : readYaml(text));

function objectsOf(source: ObjectSource, tree: Tree): KubernetesObject[] {
  if (tree.kind === 'list') return tree.items.flatMap((item) => objectsOf(source, item));
  if (tree.kind === 'map') return objectOf(source, tree);
  tell(source, 'bad', 'a Kubernetes object is needed here: a map with apiVersion and kind', tree);
  return [];
}

const textOf = (tree: MapTree, key: string): string => {
  const value = tree.entries.find((e) => e.key === key)?.value;
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value : '';
};

/** `PodList` and its like, whose items leave out their kind. */
const itemKind = (kind: string): string | null => (kind.length > 'List'.length && kind.endsWith('List') ? kind.slice(0, -'List'.length) : null);

function objectOf(source: ObjectSource, tree: MapTree, of: { readonly kind: string; readonly group: string } = { kind: '', group: '' }): KubernetesObject[] {
  const version = textOf(tree, 'apiVersion');
  const kind = textOf(tree, 'kind') || of.kind;
  const group = version.includes('/') ? version.slice(0, version.indexOf('/')) : version === '' ? of.group : '';
  const kindAt = tree.entries.find((e) => e.key === 'kind')?.value ?? { start: tree.start, end: tree.start + 1 };
  if (kind === '') {
    tell(source, 'bad', 'this is no Kubernetes object: it has no kind', { start: tree.start, end: tree.start + 1 });
    return [];
  }
  const items = tree.entries.find((e) => e.key === 'items')?.value;
  const inList = itemKind(kind);
  if (kind === 'List' || (inList !== null && items !== undefined)) {
    if (items !== undefined && items.kind !== 'list' && !(items.kind === 'scalar' && items.value === null)) tell(source, 'bad', `${kind}.items is a list of objects`, items);
    return items?.kind === 'list' ? items.items.flatMap((item) => (item.kind === 'map' ? objectOf(source, item, { kind: inList ?? '', group }) : objectsOf(source, item))) : [];
  }
  if (group === '' && kind === 'Secret') {
    tell(source, 'secret', 'a Secret is never read: take it out of this file', kindAt);
    return [];
  }
  const reader = readerOf(group, kind);
  if (reader !== undefined) {
    if (version !== '' || of.kind === '') tellVersion(source, { tree, kind, version }, reader.versions.map((v) => (group === '' ? v : `${group}/${v}`)));
    const object = reader.read(new Fields(source, tree, kind));
    return object === null ? [] : [object];
  }
  if (!changesNothing(group, kind)) tell(source, 'not-modelled', `objects of the kind ${kind}${group === '' ? '' : ` (${group})`} are not known here: what they do to packets is not simulated`, kindAt);
  return [];
}

/** The API server takes no object without a version, nor one that it does not serve. `known`: the usual one first. */
function tellVersion(source: ObjectSource, { tree, kind, version }: { readonly tree: MapTree; readonly kind: string; readonly version: string }, known: readonly string[]): void {
  if (known.includes(version)) return;
  const at = tree.entries.find((e) => e.key === 'apiVersion')?.value ?? { start: tree.start, end: tree.start + 1 };
  const what = version === '' ? 'there is no apiVersion that is a text' : `the apiVersion '${version}' is not known`;
  tell(source, 'bad', `${what}: this ${kind} is read as one of ${known[0] ?? ''}`, at);
}
