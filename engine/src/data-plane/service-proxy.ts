/**
 * kube-proxy in a mode that is not simulated: what it would translate ends undecided, everything else passes. A simulated
 * mode stands at the same place of the hooks.
 */
import { formatAddress } from '../net/address.ts';
import type { Family } from '../net/address.ts';
import type { Service, Topology } from '../topology/model.ts';
import type { CompiledNamespace } from './compile.ts';
import { destinationPortOf, destinationText } from './packet.ts';
import type { Packet } from './packet.ts';
import { perRecord } from '../memo.ts';
import { end, program } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';
import { isOwn } from './source-address.ts';

interface Served {
  readonly addresses: ReadonlySet<string>;
  readonly nodePorts: ReadonlySet<number>;
}

const servedBy = perRecord((topology: Topology, family: Family): Served => served(topology.services, family));

const servedByOthers = perRecord((topology: Topology, family: Family): Served => served(topology.services.filter((s) => s.unproxied === 'another-proxy'), family));

const served = (services: readonly Service[], family: Family): Served => ({
  addresses: new Set(services.flatMap((s) => [...s.clusterAddresses, ...s.externalAddresses, ...s.loadBalancerAddresses].filter((a) => a.family === family).map(formatAddress))),
  nodePorts: new Set(services.flatMap((s) => s.ports.flatMap((p) => p.nodePort ?? []))),
});

/** `null`: kube-proxy has nothing to do with it. */
export function unsimulatedProxy(run: Run, ns: CompiledNamespace, skb: Skb): Fate | null {
  const mode = ns.namespace.serviceProxy;
  if (mode === undefined || run.phase === 'answer' || !isServed(run, ns, skb.packet)) return null;
  return end(run, ns, skb, 'proxy-mode-unknown', { what: mode, address: destinationText(skb.packet) }, program('kube-proxy', `the mode ${mode}`));
}

function isServed(run: Run, ns: CompiledNamespace, packet: Packet): boolean {
  const those = ns.namespace.serviceProxy === 'of-labelled-services' ? servedByOthers : servedBy;
  const { addresses, nodePorts } = those(run.compiled.topology, packet.ip.family);
  const { destination } = packet.ip;
  if (addresses.has(formatAddress(destination))) return true;
  return nodePorts.has(destinationPortOf(packet) ?? 0) && isOwn(ns, destination);
}
