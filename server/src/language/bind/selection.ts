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

/** `null`: the service has no selector. */
export function selectedPods(model: FileModel, service: ServiceDeclaration): Pods | null {
  if (service.selector === null || service.selector.length === 0 || service.name === null) return null;
  const { namespace } = service.name.value;
  const index = indexOf(model);
  const lists = service.selector.map(({ value: [key, value] }) => index.get(`${namespace} ${key}=${value}`) ?? []);
  const [shortest = [], ...others] = [...lists].sort((a, b) => a.length - b.length);
  const sets = others.map((l) => new Set(l));
  return shortest.filter((pod) => sets.every((s) => s.has(pod)));
}
