/**
 * A topology as a shell script that builds it from network namespaces, on any Linux with iproute2 and iptables. The
 * tests let the real kernel judge the simulator in exactly this lab.
 *
 * Each host's root namespace and each pod's namespace becomes one netns; each network a netns with one bridge.
 */
import { flowCommands } from './flows.ts';
import { contains, formatAddress, formatMac } from '../net/address.ts';
import type { Address, Family, Mac } from '../net/address.ts';
import { savedSets } from '../topology/ipset.ts';
import { savedTable } from '../topology/iptables-save.ts';
import { LOCAL_TABLE, ROOT_NAMESPACE } from '../topology/model.ts';
import type { Host, Interface, Namespace, Network, Topology, Vxlan } from '../topology/model.ts';
import type { Ruleset, Table } from '../topology/netfilter.ts';

interface Place {
  readonly host: Host;
  readonly namespace: Namespace;
  readonly netns: string;
}

/** The name of a namespace's netns, without the lab's prefix: `host1`, `pod-default-pod1`. */
export const netnsOf = (host: string, namespace: string): string =>
  (namespace === ROOT_NAMESPACE ? host : `pod-${namespace}`).replaceAll(/[^\w.-]/g, '-');

/** The rules alone, for a lab that `labScript` has built without them. */
export const rulesScript = (topology: Topology): string =>
  ['set -eu', ...topology.hosts.flatMap((host) => host.namespaces.flatMap((namespace) => inside(netnsOf(host.name, namespace.name), rulesLines(namespace))))].join('\n');

/** The script takes `up` or `down`; its namespaces are named `$LAB-…`, `k8snet-…` unless LAB says otherwise. */
export function labScript(topology: Topology): string {
  const places = topology.hosts.flatMap((host) =>
    host.namespaces.map((namespace): Place => ({ host, namespace, netns: netnsOf(host.name, namespace.name) })));
  const names = [...topology.networks.map(networkNetns), ...places.map((place) => place.netns)];
  return [
    '#!/bin/sh',
    '# Builds this topology from network namespaces: sh lab.sh up, and takes it down again: sh lab.sh down.',
    'set -eu',
    'LAB=${LAB:-k8snet}',
    'IPTABLES=${IPTABLES:-iptables}',
    'IP6TABLES=${IP6TABLES:-ip6tables}',
    'export IPTABLES IP6TABLES',
    '',
    'down() {',
    ...names.map((name) => `  ip netns del "$LAB-${name}" 2>/dev/null || :`),
    '}',
    '',
    'up() {',
    ...labBatch(names.map((name) => `netns add $LAB-${name}`)),
    ...topology.networks.flatMap(networkLines),
    ...places.flatMap(quiet),
    ...labBatch([...topology.networks.flatMap((network) => plugs(network, places)), ...places.flatMap(podLinks)]),
    ...topology.networks.flatMap((network) => switchPorts(network, places)),
    ...places.flatMap((place) => placeLines(place, topology)),
    '}',
    '',
    'case "${1:-}" in',
    '  up) up ;;',
    '  down) down ;;',
    '  *) echo "usage: sh $0 up|down" >&2; exit 2 ;;',
    'esac',
    '',
  ].join('\n');
}

const networkNetns = (network: Network): string => `net-${network.name.replaceAll(/[^\w.-]/g, '-')}`;

/** One word of the shell, whatever a person called it. */
const quoted = (text: string): string => (/^[\w.:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

const batch = (program: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : [`${program} -batch - <<'END'`, ...lines, 'END']);

/** Links between netns: `$LAB` is the shell's, whatever else a name has in it is not. */
const labBatch = (lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['ip -batch - <<END', ...lines.map((line) => line.replaceAll(/[\\`$](?!LAB-)/g, String.raw`\$&`)), 'END'];

/** A command's script, run in a netns by one process; what stands in it is nothing to the outer shell. */
const inside = (netns: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`ip netns exec "$LAB-${netns}" sh -eu <<'NETNS'`, ...lines, 'NETNS'];

/** No duplicate address detection: what is configured holds at once. */
const quiet = ({ netns }: Place): string[] => inside(netns, [set(['all', 'default'].flatMap((of) => [`net.ipv6.conf.${of}.accept_dad=0`, `net.ipv6.conf.${of}.accept_ra=0`]))]);

/** A setting that this kernel does not have is left out. */
const set = (settings: readonly string[]): string => `sysctl -qw ${settings.map(quoted).join(' ')} 2>/dev/null || :`;

const networkLines = (network: Network): string[] =>
  inside(networkNetns(network), [
    'ip link add br0 type bridge mcast_snooping 0',
    // The switch is no part of the topology's kernel: no iptables of its own.
    set([...['iptables', 'ip6tables', 'arptables'].map((of) => `net.bridge.bridge-nf-call-${of}=0`), 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1']),
    `ip link set br0 mtu ${network.mtu} up`,
  ]);

const plugged = (network: Network, places: readonly Place[]) =>
  places.flatMap((place) => place.namespace.interfaces.flatMap((device) =>
    device.device.kind === 'physical' && device.device.network === network.name ? [{ place, device }] : []));

const plugs = (network: Network, places: readonly Place[]): string[] =>
  plugged(network, places).map(({ place, device }, i) => linkLine(device, place, `p${i + 1} mtu ${network.mtu} netns $LAB-${networkNetns(network)}`));

const switchPorts = (network: Network, places: readonly Place[]): string[] =>
  inside(networkNetns(network), batch('ip', plugged(network, places).map((_, i) => `link set p${i + 1} master br0 up`)));

/** A veth pair is made from the pod's end. */
const podLinks = (place: Place): string[] =>
  place.namespace.interfaces.flatMap((device) =>
    place.namespace.name !== ROOT_NAMESPACE && device.device.kind === 'veth' && device.device.peer !== null
      ? [linkLine(device, place, `${quoted(device.device.peer.name)}${peerHardware(place, device)} netns $LAB-${netnsOf(device.device.peer.host, device.device.peer.namespace)}`)]
      : []);

const linkLine = (device: Interface, place: Place, peer: string): string =>
  `link add ${quoted(device.name)}${hardware(device)} mtu ${device.mtu} netns $LAB-${place.netns} type veth peer name ${peer}`;

function peerHardware(place: Place, device: Interface): string {
  const name = device.device.kind === 'veth' ? device.device.peer?.name : undefined;
  const peer = place.host.namespaces.flatMap((n) => n.interfaces).find((i) => i.name === name);
  return peer === undefined ? ` mtu ${device.mtu}` : `${hardware(peer)} mtu ${peer.mtu}`;
}

const hardware = (device: Interface): string => (device.mac === null ? '' : ` address ${formatMac(device.mac)}`);

const placeLines = (place: Place, topology: Topology): string[] => {
  const { namespace, netns } = place;
  const here = namespace.interfaces.filter((device) => device.device.kind !== 'unknown');
  const links = ['link set lo up', ...namespace.interfaces.flatMap((device) => deviceLines(device, here)), ...here.flatMap(settingLines), ...here.flatMap((device) => ownMtu(device, here)), ...neighbourLines(namespace, topology)];
  return [
    `echo "${netns}"`,
    ...inside(netns, [
      ...sysctlLines(namespace, 'of the namespace'),
      ...batch('ip', links),
      ...([4, 6] as const).flatMap((family) => batch(`ip -${family}`, [...routeLines(namespace, family), ...ruleLines(namespace, family)])),
      ...sysctlLines(namespace, 'of a device'),
      ...batch('bridge', fdbLines(namespace)),
      ...rulesLines(namespace),
      // A conntrack(8) that is not there builds the rest all the same.
      ...flowCommands(namespace).map((line) => `${line} 2>/dev/null || :`),
    ]),
  ];
};

function settingLines(device: Interface): string[] {
  const { name, port } = device;
  return [
    ...(port === null ? [] : [`link set ${name} master ${port.master}`]),
    ...(name === 'lo' ? [] : device.addresses.map((a) => `addr add ${formatAddress(a.address)}/${a.length} dev ${name} noprefixroute${a.address.family === 6 ? ' nodad' : ''}`)),
    `link set ${name} ${device.up ? 'up' : 'down'}`,
    ...(port === null ? [] : [`link set ${name} type bridge_slave hairpin ${onOff(port.hairpin)} isolated ${onOff(port.isolated)} learning ${onOff(port.learning)} flood ${onOff(port.flood)}`]),
  ];
}

/** A bridge takes the least MTU of its ports until it is told one (net/bridge/br_if.c: br_mtu_auto_adjust). */
const ownMtu = (bridge: Interface, all: readonly Interface[]): string[] =>
  all.some((port) => port.port?.master === bridge.name && port.mtu !== bridge.mtu) ? [`link set ${bridge.name} mtu ${bridge.mtu}`] : [];

const onOff = (value: boolean): string => (value ? 'on' : 'off');

function deviceLines(device: Interface, all: readonly Interface[]): string[] {
  const kind = device.device;
  const made = `link add ${device.name}${hardware(device)} mtu ${device.mtu}`;
  switch (kind.kind) {
    case 'bridge':
      return [`${made} type bridge mcast_snooping 0`];
    // A bridge without ports swallows packets as a dummy does, and every kernel has it.
    case 'dummy':
      return [`${made} type bridge`];
    case 'vxlan':
      return onWideUnderlay(device.mtu + (kind.local?.family === 6 ? 70 : 50), all.find((i) => i.name === kind.underlay), `${made} ${vxlanOptions(kind)}`);
    case 'tun':
      return [`tuntap add ${device.name} mode tun`, `link set ${device.name} mtu ${device.mtu}`];
    case 'loopback':
    case 'physical':
    case 'veth':
      return [];
    case 'unknown':
      return [];
  }
}

/** The kernel makes no VXLAN device wider than its underlay leaves room for (vxlan_config_apply), but lets an underlay become narrower afterwards. */
const onWideUnderlay = (needed: number, underlay: Interface | undefined, made: string): string[] =>
  underlay === undefined || needed <= underlay.mtu
    ? [made]
    : [`link set ${underlay.name} mtu ${needed}`, made, `link set ${underlay.name} mtu ${underlay.mtu}`];

const vxlanOptions = (vxlan: Vxlan): string =>
  [
    `type vxlan id ${vxlan.vni}`,
    vxlan.underlay === null ? '' : `dev ${vxlan.underlay}`,
    vxlan.local === null ? '' : `local ${formatAddress(vxlan.local)}`,
    `dstport ${vxlan.port}`,
    vxlan.learning ? 'learning' : 'nolearning',
    vxlan.df === 'unset' ? '' : `df ${vxlan.df}`,
    vxlan.checksum ? 'udpcsum' : 'noudpcsum',
    vxlan.ttl === undefined ? '' : `ttl ${vxlan.ttl}`,
    vxlan.tos === undefined ? '' : `tos ${vxlan.tos}`,
    vxlan.sourcePorts === undefined ? '' : `srcport ${vxlan.sourcePorts.from} ${vxlan.sourcePorts.to}`,
  ].filter((word) => word !== '').join(' ');

/** A route's nexthops are printed on lines of their own. */
const onOneLine = (text: string): string => text.replaceAll(/\b(linkdown|dead|pref medium)\b|\s+(?=nexthop)/g, ' ').trim();

const REFUSING: readonly string[] = ['unreachable', 'blackhole', 'prohibit', 'throw'];

/** `ip -6 route` prints lo and an error with such a route; nobody may give them. */
const withoutDevice = (text: string): string => onOneLine(text).replaceAll(/\s(dev \S+|error -?\d+)/g, '');

/** Link-scope routes first: a gateway must be reachable when its route is added. */
function routeLines(namespace: Namespace, family: Family): string[] {
  const known = new Set(namespace.interfaces.filter((i) => i.device.kind !== 'unknown').map((i) => i.name));
  const routes = namespace.routes.filter((route) =>
    route.destination.address.family === family && route.table !== LOCAL_TABLE && route.type !== 'multicast' && route.nexthops.every((hop) => hop.device === null || known.has(hop.device)));
  const gatewayed = (hops: (typeof routes)[number]['nexthops']): number => (hops.some((hop) => hop.via !== null) ? 1 : 0);
  return [...routes].sort((a, b) => gatewayed(a.nexthops) - gatewayed(b.nexthops)).map((route) =>
    `route replace ${REFUSING.includes(route.type) ? withoutDevice(route.text) : onOneLine(route.text)}`);
}

/** The kernel brings 0, 32766 and 32767 itself. */
const ruleLines = (namespace: Namespace, family: Family): string[] =>
  namespace.rules.filter((rule) => rule.family === family && ![0, 32766, 32767].includes(rule.priority)).map((rule) => `rule add ${rule.text.replace(/^(\d+):\s*/, 'pref $1 ')}`);

/** What flanneld would answer to an L3 miss stands there from the start. */
function neighbourLines(namespace: Namespace, topology: Topology): string[] {
  const permanent = (address: Address, mac: Mac | null, device: string): string[] =>
    mac === null ? [] : [`neigh replace ${formatAddress(address)} lladdr ${formatMac(mac)} dev ${device} nud permanent`];
  const lines = namespace.neighbours.filter((n) => n.state === 'permanent').flatMap((n) => permanent(n.address, n.mac, n.device));
  for (const device of namespace.interfaces) {
    if (device.device.kind !== 'vxlan' || device.device.misses === null) continue;
    for (const lease of device.device.misses)
      for (const address of [lease.subnet.address, ...topology.pods.filter((p) => p.node === lease.node).flatMap((p) => p.addresses)].filter((a) => contains(lease.subnet, a)))
        lines.push(...permanent(address, lease.vtepMac, device.name));
  }
  return lines;
}

function fdbLines(namespace: Namespace): string[] {
  const vxlan = new Set(namespace.interfaces.filter((i) => i.device.kind === 'vxlan').map((i) => i.name));
  const remote = (mac: Mac | null, device: string, destination: Address | null): string[] =>
    mac === null || destination === null ? [] : [`fdb append ${formatMac(mac)} dev ${device} dst ${formatAddress(destination)}`];
  const entries = namespace.fdb.filter((entry) => vxlan.has(entry.device)).flatMap((entry) => remote(entry.mac, entry.device, entry.destination));
  const answered = namespace.interfaces.flatMap((device) =>
    device.device.kind === 'vxlan' ? (device.device.misses ?? []).flatMap((lease) => remote(lease.vtepMac, device.name, lease.publicAddress)) : []);
  return [...entries, ...answered];
}

const isDeviceSetting = (name: string): boolean => /\.conf\.(?!all\.|default\.)/.test(name);

/** Captured after derived: `ip_forward` and `conf.all.forwarding` are two names of one setting. sysctl(8) spells an interface's dot as a slash. */
function sysctlLines(namespace: Namespace, which: 'of the namespace' | 'of a device'): string[] {
  const chosen = namespace.sysctls.filter((s) => isDeviceSetting(s.name) === (which === 'of a device'));
  const ordered = [...chosen.filter((s) => s.origin.kind === 'derived'), ...chosen.filter((s) => s.origin.kind !== 'derived')];
  return ordered.length === 0 ? [] : [set(ordered.map((s) => `${s.name}=${s.value}`))];
}

/** The sets first: a rule that names one is refused without it. */
const rulesLines = (namespace: Namespace): string[] =>
  [...setLines(namespace), ...([4, 6] as const).flatMap((family) => RULESETS.flatMap((ruleset) => tableLines(namespace.tables.filter((table) => table.family === family && table.ruleset === ruleset), family)))];

/** Tables that name none go to the one that the environment chooses. Of two, the one that is loaded later is asked first. */
const RULESETS: readonly (Ruleset | undefined)[] = [undefined, 'legacy', 'nft'];

/** Without the options of the hash itself, which an older ipset does not know. */
const setLines = ({ sets }: Namespace): string[] =>
  sets.length === 0 ? [] : ["ipset restore <<'END'", ...savedSets(sets).map((line) => (line.startsWith('create ') ? line.replaceAll(/ (bucketsize|initval) \S+/g, '') : line)), 'END'];

function tableLines(tables: readonly Table[], family: 4 | 6): string[] {
  if (tables.every((table) => table.chains.every((chain) => chain.rules.length === 0 && chain.policy !== 'DROP'))) return [];
  return [
    `${restoreCommand(family, tables[0]?.ruleset)} <<'END'`,
    ...tables.flatMap((table) => savedTable(table)),
    'END',
  ];
}

const restoreCommand = (family: 4 | 6, ruleset: Ruleset | undefined): string =>
  (ruleset === undefined ? `"$${family === 4 ? 'IPTABLES' : 'IP6TABLES'}-restore"` : `ip${family === 4 ? '' : '6'}tables-${ruleset}-restore`);
