/** Whose dump a file in `pods/` is. */
import { groupBy } from '../../../../engine/src/group-by.ts';
import { formatAddress } from '../../../../engine/src/net/address.ts';
import type { ClusterSpec, PodSpec } from '../../../../engine/src/topology/spec.ts';
import { kindsIn } from '../bind/dump-sections.ts';
import { shortName } from '../bind/names.ts';
import type { Snapshot } from '../snapshot.ts';
import type { FolderContent, ImportNote } from './folder.ts';
import type { PodDump } from './write.ts';

/** A namespace that no cluster has: names begin with a letter or digit there. */
const PROBE = '_probe';

/** Each dump as a pod of its own: what it holds tells whose it is. */
export const probeOf = (dumps: FolderContent['pods']): readonly string[] => dumps.map((p, i) => `pod ${PROBE}/p${i} on probe { addresses from "${p.path}" }`);

/** By its address, else by its name where only one pod is called so. `probe`: of a file with `probeOf` in it. */
export function podDumps({ pods: dumps, texts }: FolderContent, spec: ClusterSpec, probe: Snapshot, notes: ImportNote[]): readonly PodDump[] {
  const [probes, pods] = [spec.pods.filter((p) => p.namespace === PROBE), spec.pods.filter((p) => p.namespace !== PROBE && !p.hostNetwork)];
  const probed = new Map(probes.map((p) => [p.name, p]));
  const nameOf = new Map(probe.model.pods.flatMap(({ declaration: { name, captures } }) => (name?.value.namespace === PROBE ? [[captures[0]?.from?.value, name.value.name] as const] : [])));
  const byAddress = groupBy(pods.flatMap((pod) => pod.addresses.map((a) => ({ pod, key: formatAddress(a) }))), (entry) => entry.key);
  const byName = groupBy(pods.flatMap((pod) => [pod.name, `${pod.namespace}_${pod.name}`, `${pod.namespace}/${pod.name}`].map((key) => ({ pod, key }))), (entry) => entry.key);
  return dumps.flatMap((dump) => {
    const printed = probed.get(nameOf.get(dump.path) ?? '')?.captured.interfaces ?? [];
    const addresses = printed.flatMap((i) => (i.addresses ?? []).filter((a) => a.scope === 'global').map((a) => formatAddress(a.address)));
    const found = new Set(addresses.flatMap((a) => byAddress.get(a)?.map((entry) => entry.pod) ?? []));
    const called = new Set(byName.get(dump.name)?.map((entry) => entry.pod));
    const both = [...found].filter((pod) => called.has(pod));
    return dumpOf(dump, both.length > 0 ? both : [...(found.size > 0 ? found : called)], texts, notes);
  });
}

function dumpOf(dump: FolderContent['pods'][number], [pod, ...more]: readonly PodSpec[], texts: FolderContent['texts'], notes: ImportNote[]): PodDump[] {
  const kinds = kindsIn(texts.get(dump.path) ?? '');
  // What no command heads can only be what tells whose dump it is.
  if (pod !== undefined && more.length === 0) return [{ pod: shortName(pod), node: pod.node, path: dump.path, kinds: kinds.length > 0 ? kinds : ['addresses'] }];
  notes.push({ severity: 'warning', file: dump.path, line: null, message: `left out: ${pod === undefined ? 'no pod among the objects has its addresses or its name' : 'several pods among the objects could be its'}` });
  return [];
}
