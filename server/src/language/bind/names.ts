/** The objects of a file by name; of several with one name the first holds. */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import { DEFAULTS } from './defaults.ts';
import type { ExternalDeclaration, NetworkDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration } from './declarations.ts';
import type { FileModel, Placed } from './file-model.ts';
import type { ObjectName } from './values.ts';

export interface Names {
  readonly nodes: ReadonlyMap<string, Placed<NodeDeclaration>>;
  readonly networks: ReadonlyMap<string, Placed<NetworkDeclaration>>;
  readonly externals: ReadonlyMap<string, Placed<ExternalDeclaration>>;
  /** By `namespace/name`. */
  readonly pods: ReadonlyMap<string, Placed<PodDeclaration>>;
  readonly services: ReadonlyMap<string, Placed<ServiceDeclaration>>;
}

export const fullName = (name: ObjectName): string => `${name.namespace}/${name.name}`;

/** As people write it: without the namespace where that is `default`. */
export const shortName = (name: ObjectName): string => (name.namespace === 'default' ? name.name : fullName(name));

function index<D>(placed: readonly Placed<D>[], nameOf: (d: D) => string | undefined): Map<string, Placed<D>> {
  const found = new Map<string, Placed<D>>();
  for (const p of placed) {
    const name = nameOf(p.declaration);
    if (name !== undefined && !found.has(name)) found.set(name, p);
  }
  return found;
}

export const namesOf = (model: FileModel): Names => ({
  nodes: index(model.nodes, (d) => d.name?.value),
  networks: index(model.networks, (d) => d.name?.value),
  externals: index(model.externals, (d) => d.name?.value),
  pods: index(model.pods, (d) => (d.name === null ? undefined : fullName(d.name.value))),
  services: index(model.services, (d) => (d.name === null ? undefined : fullName(d.name.value))),
});

/** The cluster's CIDRs in force. */
export function clusterCidrs(model: FileModel): { readonly podCidrs: readonly Prefix[]; readonly serviceCidrs: readonly Prefix[] } {
  const declared = model.clusters[0]?.declaration;
  const pods = declared?.podCidrs.map((c) => c.value) ?? [];
  const services = declared?.serviceCidrs.map((c) => c.value) ?? [];
  return { podCidrs: pods.length > 0 ? pods : DEFAULTS.podCidrs, serviceCidrs: services.length > 0 ? services : DEFAULTS.serviceCidrs };
}
