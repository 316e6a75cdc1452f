/**
 * Pods that another plugin than flannel and bridge connects: what leaves them, and what a node sends to them, ends
 * undecided. Whatever else the nodes send passes.
 */
import { formatAddress } from '../net/address.ts';
import type { Family } from '../net/address.ts';
import { perRecord } from '../memo.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Topology } from '../topology/model.ts';
import type { CompiledNamespace } from './compile.ts';
import { destinationText } from './packet.ts';
import { end, program } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';

const podAddresses = perRecord((topology: Topology, family: Family): ReadonlySet<string> =>
  new Set(topology.pods.filter((p) => !p.hostNetwork).flatMap((p) => p.addresses.filter((a) => a.family === family).map(formatAddress))));

/** `null`: the plugin has nothing to do with what leaves by `device`. */
export function unsimulatedPlugin(run: Run, ns: CompiledNamespace, skb: Skb, device: string): Fate | null {
  const plugin = ns.namespace.networkPlugin;
  if (plugin === undefined || device === 'lo') return null;
  const { destination } = skb.packet.ip;
  const ofPod = ns.namespace.name !== ROOT_NAMESPACE || podAddresses(run.compiled.topology, destination.family).has(formatAddress(destination));
  return ofPod ? end(run, ns, skb, 'plugin-unknown', { what: plugin, address: destinationText(skb.packet) }, program('cni', `the plugin ${plugin}`)) : null;
}
