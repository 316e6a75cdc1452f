/** Which pods a service's selector takes, as kubectl would: the same namespace, every label equal. */
import type { PodDeclaration, ServiceDeclaration } from './declarations.ts';
import type { FileModel, Placed } from './file-model.ts';

type Pods = readonly Placed<PodDeclaration>[];

const indexes = new WeakMap<FileModel, ReadonlyMap<string, Placed<PodDeclaration>[]>>();

/** By namespace and label. */
function indexOf(model: FileModel): ReadonlyMap<string, Pods> {
  const cached = indexes.get(model);
  if (cached !== undefined) return cached;
  const index = new Map<string, Placed<PodDeclaration>[]>();
  for (const pod of model.pods) {
    const namespace = pod.declaration.name?.value.namespace;
    if (namespace === undefined) continue;
    for (const { value: [key, value] } of pod.declaration.labels) {
      const at = `${namespace} ${key}=${value}`;
      const found = index.get(at);
      if (found === undefined) index.set(at, [pod]);
      else found.push(pod);
    }
  }
  indexes.set(model, index);
  return index;
}

export interface Selection {
  readonly pods: Pods;
  readonly ready: Pods;
  /** `8080/TCP`, of the ready pods; `null` where one of them answers on every port. */
  readonly served: ReadonlySet<string> | null;
}

const selections = new WeakMap<FileModel, Map<string, Selection>>();

/** `null`: the service has no selector. Services with the same selector share one selection. */
export function selectionOf(model: FileModel, service: ServiceDeclaration): Selection | null {
  if (service.selector === null || service.selector.length === 0 || service.name === null) return null;
  const { namespace } = service.name.value;
  const keys = service.selector.map(({ value: [key, value] }) => `${namespace} ${key}=${value}`);
  const known = selections.get(model) ?? new Map<string, Selection>();
  selections.set(model, known);
  const all = keys.join(',');
  const found = known.get(all) ?? select(model, keys);
  known.set(all, found);
  return found;
}

function select(model: FileModel, keys: readonly string[]): Selection {
  const index = indexOf(model);
  const [shortest = [], ...others] = keys.map((key) => index.get(key) ?? []).sort((a, b) => a.length - b.length);
  const sets = others.map((l) => new Set(l));
  const pods = shortest.filter((pod) => sets.every((s) => s.has(pod)));
  const ready = pods.filter((pod) => pod.declaration.ready);
  const served = new Set<string>();
  for (const { declaration: { listeners } } of ready) {
    if (listeners === null) return { pods, ready, served: null };
    for (const l of listeners) served.add(`${l.port}/${l.protocol}`);
  }
  return { pods, ready, served };
}

export const selectedPods = (model: FileModel, service: ServiceDeclaration): Pods | null => selectionOf(model, service)?.pods ?? null;
