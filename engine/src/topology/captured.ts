/** Captured state over derived state: what a node printed replaces what would be programmed there, table by table. */
import { BRIDGE } from '../control-plane/cni.ts';
import { kernelRoutes, withLinkLocal } from '../control-plane/kernel.ts';
import { compareRoutes } from '../control-plane/route.ts';
import { sysctlsOver } from '../control-plane/sysctls.ts';
import type { Family } from '../net/address.ts';
import { MAIN_TABLE } from './model.ts';
import type { Device, Interface, Namespace, PolicyRule, Route } from './model.ts';
import type { Table } from './netfilter.ts';
import type { Origin } from './origin.ts';
import type { CapturedInterface, CapturedRule, CapturedState } from './spec.ts';

/** The namespace with its kernel routes and with its captured state in force. */
export function finished(namespace: Namespace, captured: CapturedState): Namespace {
  const printed = new Set(captured.interfaces?.filter((c) => c.addresses !== null).map((c) => c.name));
  const merged = withNamedDevices(mergedInterfaces(namespace.interfaces, captured.interfaces), captured);
  const interfaces = merged.map((i) => (printed.has(i.name) ? i : withLinkLocal(i)));
  const routes = [...namespace.routes, ...kernelRoutes(interfaces)].sort(compareRoutes);
  return {
    ...namespace,
    interfaces,
    routes: captured.routes === undefined ? routes : mergedRoutes(routes, captured.routes),
    rules: captured.rules === undefined ? namespace.rules : mergedRules(namespace.rules, captured.rules),
    neighbours: captured.neighbours ?? namespace.neighbours,
    fdb: captured.fdb ?? namespace.fdb,
    tables: captured.tables === undefined ? namespace.tables : mergedTables(namespace.tables, captured.tables),
    sets: captured.sets ?? namespace.sets,
    conntrack: captured.conntrack ?? namespace.conntrack,
    sysctls: captured.sysctls === undefined ? namespace.sysctls : sysctlsOver(namespace.sysctls, captured.sysctls),
  };
}

/** Family by family and table by table; a dump without a line says that IPv4's main table is empty. */
function mergedRoutes(derived: readonly Route[], captured: readonly Route[]): readonly Route[] {
  const keyOf = (r: Route): string => `${r.destination.address.family} ${r.table}`;
  const replaced = new Set(captured.length === 0 ? [`4 ${MAIN_TABLE}`] : captured.map(keyOf));
  return [...captured, ...derived.filter((r) => !replaced.has(keyOf(r)))];
}

const FAMILIES: readonly Family[] = [4, 6];

/** Family by family: one that nothing was printed of keeps the kernel's own. */
function mergedRules(derived: readonly PolicyRule[], captured: readonly CapturedRule[]): readonly PolicyRule[] {
  const told = new Set(captured.map((r) => r.family));
  const untold = FAMILIES.filter((family) => !told.has(family));
  const open = untold.length === 0 ? FAMILIES : untold;
  const rules = captured.flatMap((rule) => (rule.family === null ? open : [rule.family]).map((family): PolicyRule => ({ ...rule, family })));
  const replaced = new Set(captured.length === 0 ? [4] : rules.map((r) => r.family));
  return [...rules, ...derived.filter((r) => !replaced.has(r.family))];
}

function mergedTables(derived: readonly Table[], captured: readonly Table[]): readonly Table[] {
  return [...captured, ...derived.filter((t) => !captured.some((c) => c.family === t.family && c.name === t.name))];
}

/** A dump that shows lo is a whole one: what it does not show is not there. */
const isWholeDump = (captured: readonly CapturedInterface[]): boolean => captured.some((c) => c.name === 'lo');

function mergedInterfaces(derived: readonly Interface[], captured: readonly CapturedInterface[] | undefined): readonly Interface[] {
  if (captured === undefined) return derived;
  const seen = new Set(captured.map((c) => c.name));
  const invented = (i: Interface): boolean => i.device.kind === 'veth' && i.port !== null;
  const kept = derived.filter((i) => seen.has(i.name) || !isWholeDump(captured) || invented(i));
  const byName = new Map(kept.map((i) => [i.name, i]));
  for (const part of captured) byName.set(part.name, mergedInterface(byName.get(part.name), part));
  return [...byName.values()];
}

function mergedInterface(derived: Interface | undefined, part: CapturedInterface): Interface {
  return {
    name: part.name,
    mac: part.mac ?? derived?.mac ?? null,
    mtu: part.mtu,
    up: part.up,
    addresses: part.addresses ?? derived?.addresses ?? [],
    port: mergedPort(derived, part),
    device: mergedDevice(derived?.device, part),
    origin: part.origin,
  };
}

/** `ip addr` names the master only; hairpin and the like are what `ip -d link` prints and else what was derived. */
function mergedPort(derived: Interface | undefined, part: CapturedInterface): Interface['port'] {
  return part.port ?? derived?.port ?? null;
}

function mergedDevice(derived: Device | undefined, part: CapturedInterface): Device {
  if (derived === undefined) return part.device ?? deviceByName(part.name);
  if (part.device === null || part.device.kind === 'unknown') return derived;
  switch (derived.kind) {
    // How a pod or a network is reached is told by what was declared; real hosts' devices may be veths too.
    case 'physical':
    case 'veth':
    case 'loopback':
    case 'tun':
      return derived;
    case 'vxlan':
      return part.device.kind === 'vxlan' ? { ...part.device, misses: derived.misses } : part.device;
    case 'bridge':
    case 'dummy':
    case 'unknown':
      return part.device;
  }
}

/** What the name alone tells of a device. */
function deviceByName(name: string): Device {
  if (name === 'lo') return { kind: 'loopback' };
  if (/^(cni0|docker0|br-.*)$/.test(name)) return { kind: 'bridge' };
  if (/^veth/.test(name)) return { kind: 'veth', peer: null };
  const vni = /^flannel(?:-v6)?\.(\d+)$/.exec(name)?.[1];
  if (vni === undefined) return { kind: 'unknown' };
  return { kind: 'vxlan', vni: Number(vni), port: 8472, local: null, underlay: null, learning: false, df: 'unset', checksum: true, misses: null };
}

/** Devices that captured tables name and nothing else knows. */
function withNamedDevices(interfaces: readonly Interface[], captured: CapturedState): readonly Interface[] {
  const known = new Set(interfaces.map((i) => i.name));
  const named: (readonly [string, Origin])[] = [
    ...(captured.routes ?? []).flatMap((r) => r.nexthops.flatMap((h) => (h.device === null ? [] : [[h.device, r.origin] as const]))),
    ...(captured.neighbours ?? []).map((n) => [n.device, n.origin] as const),
    ...(captured.fdb ?? []).map((f) => [f.device, f.origin] as const),
  ];
  const added: Interface[] = [];
  for (const [name, origin] of named) {
    if (known.has(name)) continue;
    known.add(name);
    added.push({ name, mac: null, mtu: 1500, up: true, addresses: [], port: null, device: deviceByName(name), origin });
  }
  return added.length === 0 ? interfaces : [...interfaces, ...added];
}

/**
 * Gives the captured veths of a node to its pods: by `link-netns`, else by the bridge's FDB entry for the pod's MAC.
 * A pod that no captured veth belongs to keeps its invented one. `namespaces[0]` is the node's own.
 */
export function matchVeths(host: string, namespaces: readonly Namespace[], captured: CapturedState): readonly Namespace[] {
  const [root, ...pods] = namespaces;
  const veths = (captured.interfaces ?? []).filter((c) => c.port?.master === BRIDGE || c.device?.kind === 'veth' || c.linkNamespace !== undefined);
  const fdb = captured.fdb ?? [];
  if (root === undefined || (veths.length === 0 && fdb.length === 0)) return namespaces;
  const renamed = new Map<string, string>();
  for (const pod of pods) {
    const eth0 = pod.interfaces.find((i) => i.name === 'eth0');
    const short = pod.name.slice(pod.name.indexOf('/') + 1);
    const name =
      veths.find((v) => v.linkNamespace === pod.name || v.linkNamespace === short)?.name ??
      fdb.find((e) => e.master === BRIDGE && e.mac === eth0?.mac && e.device !== BRIDGE)?.device;
    const own = eth0?.device.kind === 'veth' ? eth0.device.peer?.name : undefined;
    if (own !== undefined && name !== undefined && ![...renamed.values()].includes(name)) renamed.set(own, name);
  }
  const interfaces = root.interfaces.map((i) => ({ ...i, name: renamed.get(i.name) ?? i.name }));
  const own = { ...root, interfaces };
  return [own, ...pods.map((pod) => ({ ...pod, interfaces: pod.interfaces.map((i) => withPeer(i, host, renamed)) }))];
}

function withPeer(device: Interface, host: string, renamed: ReadonlyMap<string, string>): Interface {
  if (device.device.kind !== 'veth' || device.device.peer?.host !== host) return device;
  const { peer } = device.device;
  return { ...device, device: { kind: 'veth', peer: { ...peer, name: renamed.get(peer.name) ?? peer.name } } };
}
