/**
 * Who hears a broadcast from a device: over veth pairs, bridges and networks, and through a vxlan's default entries.
 * That is what ARP and neighbour discovery ask; the answer's way back teaches the bridges.
 */
import { memo, perRecord } from '../memo.ts';
import type { Address, Mac } from '../net/address.ts';
import type { Interface } from '../topology/model.ts';
import type { Attachment, CompiledNamespace, CompiledTopology } from './compile.ts';
import { namespaceKey } from './compile.ts';
import { isOwn } from './source-address.ts';

export interface Heard {
  readonly at: Attachment;
  /** The bridges between, with the ports towards the hearer and back; `null`: the bridge itself. */
  readonly passed: readonly Passed[];
}

export interface Passed {
  readonly ns: CompiledNamespace;
  readonly bridge: string;
  readonly towards: string | null;
  readonly from: string | null;
}

export const hearers = (compiled: CompiledTopology, ns: CompiledNamespace, device: Interface): readonly Heard[] => heardFrom(compiled, ns)(device);

const heardFrom = perRecord((compiled: CompiledTopology, ns: CompiledNamespace) => memo((device: Interface) => listen(compiled, ns, device)));

function listen(compiled: CompiledTopology, ns: CompiledNamespace, device: Interface): readonly Heard[] {
  const heard: Heard[] = [];
  const visited = new Set<string>([`${ns.index} ${device.name}`]);

  const enter = (at: Attachment, passed: readonly Passed[]): void => {
    const key = `${at.ns.index} ${at.device.name}`;
    if (visited.has(key) || !at.device.up) return;
    visited.add(key);
    const { port } = at.device;
    if (port === null) {
      heard.push({ at, passed });
      return;
    }
    const bridge = at.ns.devices.get(port.master);
    if (bridge?.up !== true || bridge.device.kind !== 'bridge') return;
    enter({ ns: at.ns, device: bridge }, [...passed, { ns: at.ns, bridge: bridge.name, towards: null, from: at.device.name }]);
    for (const other of at.ns.ports.get(bridge.name) ?? []) {
      if (other.name === at.device.name || (port.isolated && other.port?.isolated === true)) continue;
      leave(at.ns, other, [...passed, { ns: at.ns, bridge: bridge.name, towards: other.name, from: at.device.name }]);
    }
  };

  const leave = (from: CompiledNamespace, by: Interface, passed: readonly Passed[]): void => {
    if (!by.up) return;
    for (const at of facing(compiled, from, by)) enter(at, passed);
  };

  if (device.device.kind === 'bridge') {
    for (const port of ns.ports.get(device.name) ?? []) leave(ns, port, [{ ns, bridge: device.name, towards: port.name, from: null }]);
  } else leave(ns, device, []);
  return heard;
}

/** The other end of a link. */
export const facing = (compiled: CompiledTopology, ns: CompiledNamespace, device: Interface): readonly Attachment[] => otherEnds(compiled, ns)(device);

const otherEnds = perRecord((compiled: CompiledTopology, ns: CompiledNamespace) => memo((device: Interface) => otherEndsOf(compiled, ns, device)));

function otherEndsOf(compiled: CompiledTopology, ns: CompiledNamespace, device: Interface): readonly Attachment[] {
  const { device: kind } = device;
  switch (kind.kind) {
    case 'veth': {
      const peer = peerOf(compiled, device);
      return peer === undefined ? [] : [peer];
    }
    case 'physical':
      return kind.network === null ? [] : (compiled.plugged.get(kind.network) ?? []).filter((a) => a.ns !== ns || a.device !== device);
    case 'vxlan':
      return (ns.fdb.get(device.name)?.get(0 as Mac) ?? []).flatMap((entry) => {
        const { destination } = entry;
        return destination === null ? [] : vxlanPeers(compiled, destination, kind.vni);
      });
    case 'loopback':
    case 'bridge':
    case 'dummy':
    case 'tun':
    case 'unknown':
      return [];
  }
}

export const peerOf: (compiled: CompiledTopology, device: Interface) => Attachment | undefined = perRecord((compiled: CompiledTopology, device: Interface) => {
  if (device.device.kind !== 'veth' || device.device.peer === null) return undefined;
  const { host, namespace, name } = device.device.peer;
  const ns = compiled.byName.get(namespaceKey(host, namespace));
  const peer = ns?.devices.get(name);
  return ns === undefined || peer === undefined ? undefined : { ns, device: peer };
});

const vxlanPeers = (compiled: CompiledTopology, remote: Address, vni: number): readonly Attachment[] =>
  compiled.namespaces
    .filter((ns) => isOwn(ns, remote))
    .flatMap((ns) => ns.namespace.interfaces.filter((d) => d.device.kind === 'vxlan' && d.device.vni === vni).map((device) => ({ ns, device })));
