/** What takes part in one branch of a trace, and one line about the rest. */
import { formatAddress, formatPrefix, type Family } from '../../../engine/src/net/address.ts';
import type { Host, Interface, Namespace, Topology } from '../../../engine/src/topology/model.ts';
import { hopsOf } from '../../../engine/src/trace/annotate.ts';
import type { Branch, Hop } from '../../../engine/src/trace/model.ts';
import type { Level, Scene, SceneHost, SceneInterface, SceneNamespace } from './model.ts';

/** The namespace that sends: drawn even where the packet never left it. */
export interface Sender {
  readonly host: string;
  readonly namespace: string;
}

export const interfaceId = (host: string, namespace: string, name: string): string => `${host}|${namespace}|${name}`;

interface Visits {
  /** Host -> namespaces, in the order of the first visit. */
  readonly hosts: ReadonlyMap<string, ReadonlySet<string>>;
  readonly interfaces: ReadonlyMap<string, Visit>;
  /** Of the first packet. */
  readonly family: Family;
}

interface Visit {
  readonly order: number;
  /** Of the outermost IP header that was seen there. */
  readonly family: Family;
}

export const sceneOf = (topology: Topology, sender: Sender, branch: Branch): Scene => withLanes(sceneOfHops(topology, sender, hopsOf(branch)), branch.second?.hops ?? []);

/** Where the second packet comes by as the request did, both have notes. */
function withLanes(scene: Scene, second: readonly Hop[]): Scene {
  const busy = new Set(second.map((hop) => hop.host));
  return { ...scene, hosts: scene.hosts.map((host) => (busy.has(host.name) ? { ...host, lanes: 2 } : host)) };
}

/** `hops` of all journeys together. */
export function sceneOfHops(topology: Topology, sender: Sender, hops: readonly Hop[]): Scene {
  const visits = visitsOf(sender, hops);
  const byName = new Map(topology.hosts.map((host) => [host.name, host]));
  const hosts = [...visits.hosts].flatMap(([name, namespaces]) => {
    const host = byName.get(name);
    return host === undefined ? [] : [withTurns(sceneHost(host, namespaces, visits), hops)];
  });
  const networks = networksOf(topology, hosts);
  return { hosts, networks, others: othersOf(topology, hosts) };
}

function visitsOf(sender: Sender, hops: readonly Hop[]): Visits {
  const hosts = new Map<string, Set<string>>([[sender.host, new Set([sender.namespace])]]);
  const interfaces = new Map<string, Visit>();
  for (const hop of hops) {
    const namespaces = hosts.get(hop.host) ?? new Set<string>();
    hosts.set(hop.host, namespaces.add(hop.namespace));
    const id = interfaceId(hop.host, hop.namespace, hop.interface);
    if (!interfaces.has(id)) interfaces.set(id, { order: interfaces.size, family: familyOf(hop) });
  }
  return { hosts, interfaces, family: hops[0] === undefined ? 4 : familyOf(hops[0]) };
}

const familyOf = (hop: Hop): Family => (hop.packet.find((header) => header.header === 'ipv4' || header.header === 'ipv6')?.header === 'ipv6' ? 6 : 4);

function withTurns(host: SceneHost, hops: readonly Hop[]): SceneHost {
  const levels = new Map(host.root.interfaces.map((i) => [i.id, i.level]));
  const levelAt = (hop: Hop | undefined, direction: Hop['direction']): Level | undefined =>
    hop?.direction === direction ? levels.get(interfaceId(hop.host, hop.namespace, hop.interface)) : undefined;
  const turns = hops.some((hop, i) => {
    const from = levelAt(hop, 'in');
    const to = levelAt(hops[i + 1], 'out');
    return (from === 'link' && to === 'tunnel') || (from === 'tunnel' && to === 'link');
  });
  return { ...host, turns };
}

function sceneHost(host: Host, visited: ReadonlySet<string>, visits: Visits): SceneHost {
  const [first, ...others] = host.namespaces;
  const pods = others.filter((namespace) => visited.has(namespace.name));
  const root: SceneNamespace = first === undefined
    ? { host: host.name, name: 'root', interfaces: [] }
    : { host: host.name, name: first.name, interfaces: rootInterfaces(host, first, visits) };
  return { name: host.name, kind: host.kind, turns: false, lanes: 1, root, pods: pods.map((pod) => podNamespace(host, pod, visits)) };
}

function podNamespace(host: Host, namespace: Namespace, visits: Visits): SceneNamespace {
  const shown = namespace.interfaces.map((i) => sceneInterface(host, namespace, i, 'pod', visits));
  const visited = shown.filter((i) => i.visited);
  const rest = shown.filter((i) => i.name !== 'lo');
  return { host: host.name, name: namespace.name, interfaces: visited.length > 0 ? visited : rest.slice(0, 1) };
}

/** What was visited; on a level where nothing was, what a reader looks for on a node: tunnels and links. */
function rootInterfaces(host: Host, namespace: Namespace, visits: Visits): readonly SceneInterface[] {
  const all = namespace.interfaces.map((i) => ({ device: i, shown: sceneInterface(host, namespace, i, levelOf(i), visits) }));
  const bridges = new Set(all.flatMap(({ device, shown }) => (shown.visited && device.port !== null ? [device.port.master] : [])));
  const wanted = all.filter(({ device, shown }) =>
    shown.visited || bridges.has(device.name) || shown.level === 'tunnel' || (shown.level === 'link' && shown.network !== null));
  const order = (i: SceneInterface): number => visits.interfaces.get(i.id)?.order ?? Number.MAX_SAFE_INTEGER;
  // A bridge between ports carried the frame, though a capture on it sees nothing.
  const marked = wanted.map(({ shown }) => (bridges.has(shown.name) ? { ...shown, visited: true } : shown));
  const busy = new Set(marked.filter((i) => i.visited).map((i) => i.level));
  return marked.filter((i) => i.visited || !busy.has(i.level)).sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1));
}

function levelOf(device: Interface): Level {
  switch (device.device.kind) {
    case 'vxlan': case 'tun': return 'tunnel';
    case 'physical': return device.port === null ? 'link' : 'port';
    case 'veth': return 'port';
    case 'unknown': return device.port === null ? 'link' : 'port';
    case 'bridge': case 'loopback': case 'dummy': return 'bridge';
  }
}

function sceneInterface(host: Host, namespace: Namespace, device: Interface, level: Level, visits: Visits): SceneInterface {
  const id = interfaceId(host.name, namespace.name, device.name);
  const family = visits.interfaces.get(id)?.family ?? visits.family;
  const address = device.addresses.find((each) => each.address.family === family) ?? device.addresses[0];
  return {
    id, name: device.name, level,
    detail: address === undefined ? '' : formatAddress(address.address),
    visited: visits.interfaces.has(id),
    network: device.device.kind === 'physical' ? device.device.network : null,
    peerNamespace: device.device.kind === 'veth' ? device.device.peer?.namespace ?? null : null,
  };
}

/** The networks that a visited link of these hosts is plugged into, in the order of the hosts. */
function networksOf(topology: Topology, hosts: readonly SceneHost[]): Scene['networks'] {
  const names = new Set(hosts.flatMap((host) => host.root.interfaces.filter((i) => i.visited).flatMap((i) => i.network ?? [])));
  const details = new Map(topology.networks.map((network) => [network.name, network.prefixes.map(formatPrefix).join(', ')]));
  return [...names].map((name) => ({ name, detail: details.get(name) ?? '' }));
}

function othersOf(topology: Topology, hosts: readonly SceneHost[]): string {
  const shown = new Set(hosts.map((host) => host.name));
  const left = topology.hosts.filter((host) => host.kind === 'node' && !shown.has(host.name));
  const pods = topology.pods.length - hosts.reduce((sum, host) => sum + host.pods.length, 0);
  const nodes = left.length === 0 ? [] : left.length <= 3 ? left.map((host) => host.name) : [`${left.length} more nodes`];
  const words = [...nodes, ...(pods > 0 ? [`${pods} more ${pods === 1 ? 'pod' : 'pods'}`] : [])];
  return words.length === 0 ? '' : `Not on the way: ${words.join(', ')}.`;
}
