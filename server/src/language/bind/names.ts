/** The objects of a file by name; of several with one name the first holds. */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import { once } from '../../../../engine/src/once.ts';
import { DEFAULTS } from './defaults.ts';
import type { ExternalDeclaration, NetworkDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration } from './declarations.ts';
import type { FileModel, Placed } from './file-model.ts';
import { declarationsOf } from './declarations-of.ts';
import { keptIndex } from './kept-index.ts';
import type { ObjectName } from './values.ts';

export interface NameIndex<D> {
  readonly get: (name: string) => Placed<D> | undefined;
  readonly has: (name: string) => boolean;
  readonly keys: () => Iterable<string>;
  readonly values: () => readonly Placed<D>[];
}

export interface Names {
  readonly nodes: NameIndex<NodeDeclaration>;
  readonly networks: NameIndex<NetworkDeclaration>;
  readonly externals: NameIndex<ExternalDeclaration>;
  /** By `namespace/name`. */
  readonly pods: NameIndex<PodDeclaration>;
  readonly services: NameIndex<ServiceDeclaration>;
}

export const fullName = (name: ObjectName): string => `${name.namespace}/${name.name}`;

/** As people write it: without the namespace where that is `default`. */
export const shortName = (name: ObjectName): string => (name.namespace === 'default' ? name.name : fullName(name));

function indexing<D extends object>(nameOf: (d: D) => string | undefined): (placed: readonly Placed<D>[]) => NameIndex<D> {
  const kept = keptIndex<D>((d) => {
    const name = nameOf(d);
    return name === undefined ? [] : [name];
  });
  return (placed) => {
    const first = once(() => kept(declarationsOf(placed)).first);
    return {
      get: (name) => placed[first().get(name)?.declaration ?? -1],
      has: (name) => first().has(name),
      keys: () => first().keys(),
      values: () => [...first().values()].flatMap((spot) => placed[spot.declaration] ?? []),
    };
  };
}

const objectName = (d: { readonly name: { readonly value: ObjectName } | null }): string | undefined => (d.name === null ? undefined : fullName(d.name.value));

const indexes = {
  nodes: indexing<NodeDeclaration>((d) => d.name?.value),
  networks: indexing<NetworkDeclaration>((d) => d.name?.value),
  externals: indexing<ExternalDeclaration>((d) => d.name?.value),
  pods: indexing<PodDeclaration>(objectName),
  services: indexing<ServiceDeclaration>(objectName),
};

export const namesOf = (model: FileModel): Names => ({
  nodes: indexes.nodes(model.nodes),
  networks: indexes.networks(model.networks),
  externals: indexes.externals(model.externals),
  pods: indexes.pods(model.pods),
  services: indexes.services(model.services),
});

/** The cluster's CIDRs in force. */
export function clusterCidrs(model: FileModel): { readonly podCidrs: readonly Prefix[]; readonly serviceCidrs: readonly Prefix[] } {
  const declared = model.clusters[0]?.declaration;
  const pods = declared?.podCidrs.map((c) => c.value) ?? [];
  const services = declared?.serviceCidrs.map((c) => c.value) ?? [];
  return { podCidrs: pods.length > 0 ? pods : DEFAULTS.podCidrs, serviceCidrs: services.length > 0 ? services : DEFAULTS.serviceCidrs };
}
