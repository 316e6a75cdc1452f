/** What every object has: kind, name, namespace, labels, annotations. */
import type { Located } from '../bind/decode.ts';
import { readValue } from '../bind/values.ts';
import type { ObjectName } from '../bind/values.ts';
import type { Fields } from './fields.ts';
import { tellAt } from './fields.ts';

export interface Metadata {
  readonly name: Located<string>;
  readonly namespace: string;
  readonly labels: readonly Located<readonly [string, string]>[];
  readonly annotations: ReadonlyMap<string, Located<string>>;
  /** The API server has been asked to delete it. */
  readonly terminating: boolean;
}

const IGNORED = [
  'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionGracePeriodSeconds', 'generateName', 'managedFields', 'ownerReferences', 'finalizers', 'selfLink', 'clusterName',
];

/** `null` where the object has no name: then it cannot be told from others. */
export function metadataOf(object: Fields): Metadata | null {
  const meta = object.map('metadata');
  const name = meta?.text('name') ?? null;
  if (meta === null || name === null) {
    object.bad(`a ${object.path} without metadata.name is left out`, object.tree);
    return null;
  }
  const namespace = meta.text('namespace');
  const annotations = new Map(meta.pairs('annotations').map((p) => [p.key, { value: p.value, start: 0, end: 0, elsewhere: object.source.place(p.at) }]));
  const metadata: Metadata = { name, namespace: namespace?.value ?? 'default', labels: meta.labels('labels'), annotations, terminating: meta.get('deletionTimestamp') !== undefined };
  meta.rest(IGNORED);
  for (const part of [name, namespace]) {
    if (part === null || readValue('name', part.value).ok) continue;
    tellAt(object.source, 'bad', `'${part.value}' is no name of an object: the ${object.path} is left out`, part);
    return null;
  }
  return metadata;
}

export const objectName = ({ name, namespace }: Metadata): Located<ObjectName> => ({ ...name, value: { namespace, name: name.value } });
