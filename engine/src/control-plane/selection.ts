/** Which pods a service selects, and which services a changed pod touches. */
import { keptOf } from '../kept.ts';
import type { Difference } from '../kept.ts';
import type { Labels, Pod } from '../topology/model.ts';
import type { ServiceSpec } from '../topology/spec.ts';

/** An empty selector selects nothing: such a service has no selector (Kubernetes, Service.spec.selector). */
export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);

/** Places in a list: by namespace, key and value of a label. */
type Places = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>>;

interface Labelled {
  readonly namespace: string;
  readonly labels: Labels;
}

function placesOf(items: readonly Labelled[]): Places {
  const places = new Map<string, Map<string, Map<string, number[]>>>();
  for (const [place, { namespace, labels }] of items.entries()) {
    const byKey = entryOf(places, namespace, () => new Map<string, Map<string, number[]>>());
    for (const key of Object.keys(labels)) {
      const byValue = entryOf(byKey, key, () => new Map<string, number[]>());
      const value = labels[key] ?? '';
      const known = byValue.get(value);
      // Most values are those of few: a list that starts with its first item takes no more room than it needs.
      if (known === undefined) byValue.set(value, [place]);
      else known.push(place);
    }
  }
  return places;
}

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}

function sameLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

const podPlaces = keptOf<Pod, Places>((a, b) => a.namespace === b.namespace && sameLabels(a.labels, b.labels));

/** Answers which pods of its namespace have every label that a service selects by, in their order. */
export function selectedFrom(pods: readonly Pod[]): (spec: ServiceSpec) => readonly Pod[] {
  const places = podPlaces(pods, () => placesOf(pods));
  return ({ namespace, selector, endpointsAre }) => {
    if (selector === null || endpointsAre === 'instead') return [];
    const lists = Object.entries(selector).map(([key, value]) => places.get(namespace)?.get(key)?.get(value) ?? []);
    const shortest = lists.reduce((best, list) => (list.length < best.length ? list : best), lists[0] ?? []);
    const found = shortest.flatMap((place) => pods[place] ?? []);
    return lists.length === 1 ? found : found.filter((pod) => selects(selector, pod.labels));
  };
}

const servicePlaces = keptOf<ServiceSpec, Places>((a, b) => a.namespace === b.namespace && sameLabels(a.selector ?? {}, b.selector ?? {}));

/** The places of the services that select one of the pods. */
export function touchedBy(pods: Difference<Pod>, specs: readonly ServiceSpec[]): ReadonlySet<number> {
  const touched = new Set<number>();
  if (pods.gone.length + pods.come.length === 0) return touched;
  const places = servicePlaces(specs, () => placesOf(specs.map(({ namespace, selector }) => ({ namespace, labels: selector ?? {} }))));
  for (const { namespace, labels } of [...pods.gone, ...pods.come]) {
    const byKey = places.get(namespace);
    if (byKey === undefined) continue;
    for (const key of Object.keys(labels)) {
      for (const place of byKey.get(key)?.get(labels[key] ?? '') ?? []) if (selects(specs[place]?.selector ?? {}, labels)) touched.add(place);
    }
  }
  return touched;
}
