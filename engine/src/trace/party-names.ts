/** Finding an object by the name that a person wrote, and the names that he may have meant. */
import { editDistance } from '../closest.ts';
import type { Host, Pod, Service, Topology } from '../topology/model.ts';

export type Party =
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'node'; readonly host: Host }
  | { readonly kind: 'service'; readonly service: Service }
  | { readonly kind: 'external'; readonly host: Host };

export type PartyKind = Party['kind'];

const KINDS: readonly PartyKind[] = ['pod', 'node', 'service', 'external'];

/** The order of docs/language.md: pod, node, service, external. `KIND/NAME` asks for one kind only. */
export function findParty(topology: Topology, name: string): Party | undefined {
  const slash = name.indexOf('/');
  const prefix = KINDS.find((kind) => kind === name.slice(0, slash));
  const prefixed = prefix === undefined ? undefined : findOfKind(topology, prefix, name.slice(slash + 1));
  if (prefixed !== undefined) return prefixed;
  for (const kind of KINDS) {
    const found = findOfKind(topology, kind, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `pod1` is `default/pod1`. */
export function qualified(name: string): { readonly namespace: string; readonly name: string } {
  const slash = name.indexOf('/');
  return slash < 0 ? { namespace: 'default', name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

export function findOfKind(topology: Topology, kind: PartyKind, name: string): Party | undefined {
  switch (kind) {
    case 'pod': {
      const key = qualified(name);
      const pod = topology.pods.find((p) => p.name === key.name && p.namespace === key.namespace);
      return pod === undefined ? undefined : { kind, pod };
    }
    case 'service': {
      const key = qualified(name);
      const service = topology.services.find((s) => s.name === key.name && s.namespace === key.namespace);
      return service === undefined ? undefined : { kind, service };
    }
    case 'node':
    case 'external': {
      const host = topology.hosts.find((h) => h.kind === kind && h.name === name);
      return host === undefined ? undefined : { kind, host };
    }
  }
}

/** `pod1`, `kube-system/kube-dns-1`: as short as it can be written. */
export const shortName = (object: { readonly namespace: string; readonly name: string }): string =>
  object.namespace === 'default' ? object.name : `${object.namespace}/${object.name}`;

/** The name by which `findParty` finds just this object. */
export function nameOf(topology: Topology, party: Party): string {
  const name = party.kind === 'pod' ? shortName(party.pod) : party.kind === 'service' ? shortName(party.service) : party.host.name;
  return findParty(topology, name)?.kind === party.kind ? name : `${party.kind}/${name}`;
}

const allNames = (topology: Topology): readonly string[] => [
  ...topology.pods.map(shortName),
  ...topology.hosts.filter((h) => h.kind !== 'router').map((h) => h.name),
  ...topology.services.map(shortName),
  ...topology.services.map((s) => `${s.name}.${s.namespace}`),
];

const MAX_SUGGESTIONS = 3;

/** The names of a cluster, as people write them. */
export interface KnownNames {
  readonly names: Iterable<string>;
  readonly services: Iterable<{ readonly namespace: string; readonly name: string }>;
  readonly domain: string;
}

export const suggestionsFor = (topology: Topology, name: string): readonly string[] =>
  nearestNames({ names: allNames(topology), services: topology.services, domain: topology.cluster.domain }, name);

/** The nearest names first; a name in another namespace counts as near. Empty where nothing is. */
export function nearestNames(known: KnownNames, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const scored = [...known.names, ...dnsNames(known, wanted)].map((candidate) => {
    const lower = candidate.toLowerCase();
    return { candidate, distance: isElsewhere(lower, wanted) ? 0 : editDistance(wanted, lower, limit + 1) };
  });
  // Words with no letter in common are not alike, however short.
  const near = scored.filter((s) => s.candidate !== name && s.distance <= limit && s.distance < Math.max(wanted.length, s.candidate.length));
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return [...new Set(near.map((s) => s.candidate))].slice(0, MAX_SUGGESTIONS);
}

/** The same object in another namespace, `web.shop` for `web.default`, or of a cluster with another domain. */
function isElsewhere(name: string, wanted: string): boolean {
  if (name.endsWith(`/${wanted}`) || qualified(name).name === qualified(wanted).name) return true;
  const [[service = '', namespace = '', ...rest], [wantedService, , ...wantedRest]] = [name.split('.'), wanted.split('.')];
  return wantedService === service && namespace !== '' && wanted.includes('.') && rest.length === wantedRest.length;
}

/** In the form of what was written: with `.svc`, and with the domain behind it. */
function dnsNames({ services, domain }: KnownNames, wanted: string): readonly string[] {
  const [, kind, ...behind] = wanted.split('.').slice(1);
  if (kind !== 'svc') return [];
  return [...services].map((s) => `${s.name}.${s.namespace}.svc${behind.length === 0 ? '' : `.${domain}`}`);
}
