/** Which pods a service's selector takes, as kubectl would: the same namespace, every label equal. */
import { keptOf } from '../../../../engine/src/kept.ts';
import { perRecord } from '../../../../engine/src/memo.ts';
import { declarationsOf } from './declarations-of.ts';
import type { PodDeclaration, ServiceDeclaration } from './declarations.ts';
import type { FileModel, Placed } from './file-model.ts';

type Pods = readonly Placed<PodDeclaration>[];

/** Where in the list of pods those stand that have a label, by namespace and label. */
type LabelIndex = ReadonlyMap<string, readonly number[]>;

const labelsOf = ({ name, labels }: PodDeclaration): readonly string[] =>
  (name === null ? [] : labels.map(({ value: [key, value] }) => `${name.value.namespace} ${key}=${value}`));

/** It outlives edits that leave all labels as they are. */
const keptLabels = keptOf<PodDeclaration, LabelIndex>((a, b) => labelsOf(a).join('\n') === labelsOf(b).join('\n'));

function indexOf(model: FileModel): LabelIndex {
  const pods = declarationsOf(model.pods);
  return keptLabels(pods, () => {
    const index = new Map<string, number[]>();
    for (const [i, pod] of pods.entries()) {
      for (const label of labelsOf(pod)) {
        const found = index.get(label);
        if (found === undefined) index.set(label, [i]);
        else found.push(i);
      }
    }
    return index;
  });
}

export interface Selection {
  readonly pods: Pods;
  readonly ready: Pods;
  /** `8080/TCP`, of the ready pods; `null` where one of them answers on every port. */
  readonly served: ReadonlySet<string> | null;
}

/** Services with the same selector share one list. */
const selected = perRecord((index: LabelIndex, labels: string): readonly number[] => {
  const [shortest = [], ...others] = labels.split('\n').map((label) => index.get(label) ?? []).sort((a, b) => a.length - b.length);
  const sets = others.map((l) => new Set(l));
  return shortest.filter((pod) => sets.every((s) => s.has(pod)));
});

const byService = new WeakMap<LabelIndex, WeakMap<ServiceDeclaration, readonly number[]>>();

function selectedBy(index: LabelIndex, service: ServiceDeclaration): readonly number[] {
  const known = byService.get(index) ?? new WeakMap<ServiceDeclaration, readonly number[]>();
  byService.set(index, known);
  const { name, selector } = service;
  const pods = known.get(service) ?? selected(index, (selector ?? []).map(({ value: [key, value] }) => `${name?.value.namespace ?? ''} ${key}=${value}`).join('\n'));
  known.set(service, pods);
  return pods;
}

/** The index is asked for once a version. */
const indexes = new WeakMap<FileModel, LabelIndex>();

function placesOf(model: FileModel, service: ServiceDeclaration): readonly number[] {
  const index = indexes.get(model) ?? indexOf(model);
  indexes.set(model, index);
  return selectedBy(index, service);
}

const selectionsIn = perRecord((model: FileModel, places: readonly number[]): Selection => select(places.flatMap((i) => model.pods[i] ?? [])));

/** `null`: the service has no selector. */
export function selectionOf(model: FileModel, service: ServiceDeclaration): Selection | null {
  if (service.selector === null || service.selector.length === 0 || service.name === null) return null;
  return selectionsIn(model, placesOf(model, service));
}

function select(pods: Pods): Selection {
  const ready = pods.filter((pod) => pod.declaration.ready);
  const served = new Set<string>();
  for (const { declaration: { listeners } } of ready) {
    if (listeners === null) return { pods, ready, served: null };
    for (const l of listeners) served.add(`${l.port}/${l.protocol}`);
  }
  return { pods, ready, served };
}

export const selectedPods = (model: FileModel, service: ServiceDeclaration): Pods | null => selectionOf(model, service)?.pods ?? null;
