/** The subnets that a file declares, by their owners. The same record until one of them changes. */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import { formatPrefix } from '../../../../engine/src/net/address.ts';
import { keptOf } from '../../../../engine/src/kept.ts';
import type { ClusterDeclaration, NodeDeclaration } from './declarations.ts';
import { declarationsOf } from './declarations-of.ts';
import type { FileModel } from './file-model.ts';
import { clusterCidrs } from './names.ts';

export interface Subnets {
  readonly podCidrs: readonly Prefix[];
  readonly serviceCidrs: readonly Prefix[];
  /** Each node's own of the pod network; of several nodes with one name the first's. */
  readonly leases: ReadonlyMap<string, readonly Prefix[]>;
}

type Owner = ClusterDeclaration | NodeDeclaration;

function wordsOf(d: Owner): string {
  const cidrs = d.kind === 'node' ? d.podCidrs : [...d.podCidrs, ...d.serviceCidrs];
  return [d.kind, d.name?.value, d.kind === 'cluster' ? d.podCidrs.length : '', ...cidrs.map((c) => formatPrefix(c.value))].join(' ');
}

const kept = keptOf<Owner, Subnets>((a, b) => wordsOf(a) === wordsOf(b));

export function subnetsOf(model: FileModel): Subnets {
  return kept([...declarationsOf(model.clusters), ...declarationsOf(model.nodes)], () => {
    const leases = new Map<string, readonly Prefix[]>();
    for (const { declaration: d } of model.nodes) {
      if (d.name !== null && !leases.has(d.name.value)) leases.set(d.name.value, d.podCidrs.map((c) => c.value));
    }
    return { ...clusterCidrs(model), leases };
  });
}
