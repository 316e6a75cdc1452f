/**
 * Topologies that nobody has: bridges in bridges, links that lead to themselves, tunnels in tunnels, absurd MTUs and
 * sysctls, thousands of addresses, routes to nowhere. They begin as a real one, so that every field is there.
 */
import { kernelRoutes } from '../../engine/src/control-plane/kernel.ts';
import { makeRoute } from '../../engine/src/control-plane/route.ts';
import { addressPlus, bitsOf, networkOf, parseAddress } from '../../engine/src/net/address.ts';
import type { Address, Family, Mac } from '../../engine/src/net/address.ts';
import type { BridgePort, Device, FdbEntry, Host, Interface, Lease, Namespace, Neighbour, Nexthop, PolicyRule, Route, RouteType, Scope, Sysctl, Topology } from '../../engine/src/topology/model.ts';
import { derived } from '../../engine/src/topology/origin.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { hostileTables, pick, several } from './hostile-rules.ts';
import type { Chance } from './hostile-rules.ts';

const ORIGIN = derived('k8snet', 'the fuzzer');

const address = (text: string): Address => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

const V4 = ['0.0.0.0', '0.0.0.1', '10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.1.1', '10.0.1.255', '10.0.2.3', '10.255.255.255', '127.0.0.1', '127.255.255.255', '169.254.1.1', '192.0.2.1', '203.0.113.7', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'].map(address);
const V6 = ['::', '::1', 'fd00::', 'fd00::1', 'fd00::2', 'fd00:1::1', 'fe80::1', 'fe80::2', 'ff01::1', 'ff02::1', 'ff02::1:ff00:1', 'ff05::2', 'ff0e::1', '2001:db8::1', '::ffff:10.0.0.1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'].map(address);
export const ADDRESSES: readonly Address[] = [...V4, ...V6];

const MTUS = [-1, 0, 1, 28, 67, 68, 575, 576, 1279, 1280, 1400, 1449, 1450, 1500, 1500, 1500, 9000, 65535, 65536, 4_294_967_295];
const MACS = [0, 1, 0x020000000001, 0x020000000002, 0x020000000003, 0x0a580a000001, 0x01005e000001, 0x333300000001, 0xffffffffffff] as const;
const DEVICES = ['lo', 'eth0', 'eth1', 'br0', 'br1', 'v0', 'v1', 'v2', 'vx1', 'vx2', 'tun0', 'd0'];
const NAMES = ['h0', 'h1', 'h2', 'h3'];
const NETWORKS = ['lan', 'wan', 'internet', 'gone'];

const mac = (next: Chance): Mac => pick(next, MACS) as Mac;
const anyAddress = (next: Chance, family: Family): Address => pick(next, family === 4 ? V4 : V6);
const anyFamily = (next: Chance): Family => (next(3) === 0 ? 6 : 4);
const some = <T>(next: Chance, value: T): T | null => (next(3) === 0 ? null : value);

const namespacesOf = (next: Chance): readonly string[] => ['root', ...several(next, 3, (i) => `default/p${i}`)];

function device(next: Chance): Device {
  const family = anyFamily(next);
  const leases = (): readonly Lease[] => several(next, 2, (): Lease => ({ node: pick(next, NAMES), subnet: networkOf({ address: anyAddress(next, family), length: next(bitsOf(family) + 1) }), publicAddress: anyAddress(next, family), vtepMac: some(next, mac(next)), origin: ORIGIN }));
  switch (next(9)) {
    case 0: return { kind: 'loopback' };
    case 1: case 2: return { kind: 'physical', network: some(next, pick(next, NETWORKS)) };
    case 3: case 4: return { kind: 'veth', peer: some(next, { host: pick(next, NAMES), namespace: pick(next, ['root', 'root', 'default/p0', 'gone/p']), name: pick(next, DEVICES) }) };
    case 5: return { kind: 'bridge' };
    case 6: return pick<Device>(next, [{ kind: 'dummy' }, { kind: 'unknown' }, { kind: 'tun', port: pick(next, [8285, 8472, 0]), local: some(next, anyAddress(next, family)), leases: leases() }]);
    default:
      return {
        kind: 'vxlan', vni: next(3), port: pick(next, [8472, 8472, 4789, 0, 80]), local: some(next, anyAddress(next, family)), underlay: some(next, pick(next, DEVICES)), learning: next(2) === 0,
        df: pick(next, ['unset', 'set', 'inherit']), checksum: next(2) === 0, misses: next(4) === 0 ? leases() : null,
      };
  }
}

function port(next: Chance): BridgePort | null {
  if (next(2) === 0) return null;
  return { master: pick(next, [...DEVICES, 'gone']), hairpin: next(3) === 0, isolated: next(4) === 0, learning: next(4) > 0, flood: next(5) > 0 };
}

const SCOPES: readonly Scope[] = ['global', 'site', 'link', 'host', 'nowhere'];

function addresses(next: Chance): Interface['addresses'] {
  const count = next(200) === 0 ? 3000 : next(4);
  return Array.from({ length: count }, (_, i) => {
    const family = anyFamily(next);
    return { address: addressPlus(anyAddress(next, family), count > 4 ? i : 0), length: next(bitsOf(family) + 1), scope: pick(next, SCOPES), origin: ORIGIN };
  });
}

const networkInterface = (next: Chance, name: string): Interface =>
  ({ name, mac: some(next, mac(next)), mtu: pick(next, MTUS), up: next(8) > 0, addresses: addresses(next), port: port(next), device: name === 'lo' && next(4) > 0 ? { kind: 'loopback' } : device(next), origin: ORIGIN });

const TYPES: readonly RouteType[] = ['unicast', 'unicast', 'unicast', 'unicast', 'local', 'broadcast', 'multicast', 'anycast', 'unreachable', 'blackhole', 'prohibit', 'throw', 'nat'];
const TABLES = [254, 254, 254, 255, 253, 0, 100, 4_294_967_295];

function route(next: Chance): Route {
  const family = anyFamily(next);
  const nexthop = (): Nexthop => ({ via: some(next, anyAddress(next, next(9) === 0 ? 6 : family)), device: some(next, pick(next, [...DEVICES, 'gone'])), weight: pick(next, [0, 1, 1, 255, -1]), onlink: next(2) === 0 });
  const made = makeRoute({ destination: networkOf({ address: anyAddress(next, family), length: pick(next, [0, 0, 1, 8, 24, 31, bitsOf(family), next(bitsOf(family) + 1)]) }), device: 'eth0', type: pick(next, TYPES), table: pick(next, TABLES), scope: pick(next, SCOPES), origin: ORIGIN });
  return { ...made, nexthops: several(next, 3, nexthop), source: some(next, anyAddress(next, family)), metric: pick(next, [0, 1, -5, 4_294_967_295]), mtu: some(next, pick(next, MTUS)), tos: pick(next, [0, 0, 0, 8, 255]) };
}

function policyRule(next: Chance): PolicyRule {
  const family = anyFamily(next);
  const prefix = () => some(next, networkOf({ address: anyAddress(next, family), length: next(bitsOf(family) + 1) }));
  const action = pick<PolicyRule['action']>(next, [
    { kind: 'lookup', table: pick(next, TABLES), suppressPrefixLength: some(next, next(33)) }, { kind: 'lookup', table: 254, suppressPrefixLength: null }, { kind: 'unreachable' }, { kind: 'blackhole' }, { kind: 'prohibit' },
    { kind: 'goto', priority: pick(next, [0, 100, 32766, -1, 4_294_967_295]) }, { kind: 'nop' }, { kind: 'unknown', text: 'l3mdev' },
  ]);
  return {
    family, priority: pick(next, [0, 0, 1, 100, 32766, -1]), inverted: next(6) === 0, from: prefix(), to: prefix(), inInterface: next(5) === 0 ? pick(next, DEVICES) : null, outInterface: next(9) === 0 ? pick(next, DEVICES) : null,
    mark: next(4) === 0 ? { value: pick(next, [0, 1, 0x4000, -1]), mask: pick(next, [0, 0xffffffff, 0x4000]) } : null, protocol: next(6) === 0 ? next(256) : null, action, text: 'a rule', origin: ORIGIN,
  };
}

const neighbour = (next: Chance): Neighbour =>
  ({ device: pick(next, DEVICES), address: pick(next, ADDRESSES), mac: some(next, mac(next)), state: pick(next, ['permanent', 'noarp', 'reachable', 'stale', 'incomplete', 'failed']), text: '', origin: ORIGIN });

const fdbEntry = (next: Chance): FdbEntry =>
  ({ device: pick(next, DEVICES), mac: mac(next), master: some(next, pick(next, DEVICES)), destination: some(next, pick(next, ADDRESSES)), port: some(next, pick(next, [8472, 4789, 0])), vni: some(next, next(3)), via: some(next, pick(next, DEVICES)), permanent: next(2) === 0, text: '', origin: ORIGIN });

const SYSCTLS = [
  'net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding', 'net.ipv6.conf.all.forwarding', 'net.ipv4.conf.all.rp_filter', 'net.ipv4.conf.eth0.rp_filter', 'net.ipv4.conf.all.route_localnet', 'net.ipv4.conf.all.accept_local', 'net.ipv4.conf.all.proxy_arp', 'net.ipv4.conf.all.arp_ignore', 'net.ipv4.conf.all.arp_announce',
  'net.ipv4.conf.all.arp_filter', 'net.ipv6.conf.all.proxy_ndp', 'net.ipv4.conf.all.send_redirects', 'net.ipv4.conf.eth0.forwarding', 'net.ipv4.ip_default_ttl', 'net.ipv6.conf.all.hop_limit', 'net.ipv4.icmp_echo_ignore_all', 'net.ipv4.icmp_echo_ignore_broadcasts', 'net.ipv4.icmp_errors_use_inbound_ifaddr',
  'net.ipv4.ip_no_pmtu_disc', 'net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables', 'net.ipv4.conf.all.bc_forwarding', 'net.ipv4.ip_forward_use_pmtu', 'net.ipv4.ip_local_port_range',
];

const sysctl = (next: Chance): Sysctl => ({ name: pick(next, SYSCTLS), value: pick(next, ['0', '1', '2', '255', '256', '-1', '', 'x', '99999999999999999999', '1\t2', '32768\t60999']), origin: ORIGIN });

function namespace(next: Chance, base: Namespace, name: string): Namespace {
  const interfaces = [...new Set(['lo', ...several(next, 6, () => pick(next, DEVICES))])].map((device) => networkInterface(next, device));
  return {
    ...base, name, interfaces,
    routes: [...(next(5) === 0 ? [] : kernelRoutes(interfaces)), ...several(next, 8, () => route(next))],
    rules: next(3) === 0 ? several(next, 6, () => policyRule(next)) : [],
    neighbours: several(next, 8, () => neighbour(next)),
    fdb: several(next, 6, () => fdbEntry(next)),
    tables: ([4, 6] as const).flatMap((family) => (next(3) === 0 ? [] : hostileTables(next, family))),
    sysctls: several(next, 8, () => sysctl(next)),
    listeners: next(2) === 0 ? { kind: 'any' } : { kind: 'only', listeners: several(next, 3, () => ({ protocol: pick(next, ['TCP', 'UDP', 'SCTP'] as const), port: pick(next, [0, 80, 8472, 65535]) })), origin: ORIGIN },
  };
}

/** A small cluster of which some namespaces stay as they are, so that packets come far. */
const BASE = createSnapshot({
  file: 'base.k8snet',
  text: `cluster { pod-cidr 10.0.0.0/16, fd00::/48; service-cidr 10.96.0.0/16, fd01::/112 }
network lan 192.168.0.0/24, fd02::/64 { gateway 192.168.0.254, fd02::fe }
external out 203.0.113.7, 2001:db8::1
node h0 { interface eth0 192.168.0.1/24, fd02::1/64 on lan; pod-cidr 10.0.0.0/24, fd00::/64 }
node h1 { interface eth0 192.168.0.2/24, fd02::2/64 on lan; pod-cidr 10.0.1.0/24, fd00:0:0:1::/64 }
pod p0 on h0 { ip 10.0.0.2, fd00::2; labels app=a }
pod p1 on h1 { ip 10.0.1.2, fd00:0:0:1::2; labels app=a }
service s { cluster-ip 10.96.0.1, fd01::1; port 80; selector app=a }
`,
}).topology();

function host(next: Chance, name: string): Host {
  const own = BASE.hosts.find((h) => h.name === name);
  const base = own ?? BASE.hosts[0];
  const [first] = base?.namespaces ?? [];
  if (base === undefined || first === undefined) throw new Error('no base');
  if (own !== undefined && next(3) > 0) return { ...own, namespaces: own.namespaces.map((ns) => damaged(next, ns)) };
  return { ...base, name, kind: pick(next, ['node', 'node', 'router', 'external']), namespaces: namespacesOf(next).map((each) => namespace(next, first, each)) };
}

/** A namespace that works, but for one or two things of another world. */
function damaged(next: Chance, ns: Namespace): Namespace {
  const other = namespace(next, ns, ns.name);
  const device = (i: Interface): Interface => ({ ...i, mtu: next(4) === 0 ? pick(next, MTUS) : i.mtu, port: i.port !== null && next(3) === 0 ? port(next) : i.port });
  return {
    ...ns,
    interfaces: [...ns.interfaces.map((i) => (next(5) === 0 ? device(i) : i)), ...(next(4) === 0 ? other.interfaces.filter((i) => !ns.interfaces.some((j) => j.name === i.name)) : [])],
    routes: next(4) === 0 ? [...other.routes, ...ns.routes] : ns.routes,
    rules: next(5) === 0 ? other.rules : ns.rules,
    neighbours: next(4) === 0 ? other.neighbours : ns.neighbours,
    fdb: next(4) === 0 ? other.fdb : ns.fdb,
    tables: next(2) === 0 ? other.tables : ns.tables,
    sysctls: next(3) === 0 ? [...ns.sysctls, ...other.sysctls] : ns.sysctls,
    listeners: other.listeners,
  };
}

/** Links whose ends know each other, mostly between bridges: where loops come from. */
function joined(next: Chance, hosts: readonly Host[]): readonly Host[] {
  const ends = hosts.flatMap((h) => h.namespaces.flatMap((n) => n.interfaces.filter((i) => i.device.kind === 'veth').map((i) => ({ host: h.name, namespace: n.name, name: i.name }))));
  const peers = new Map<string, (typeof ends)[number]>();
  const key = (end: (typeof ends)[number]): string => `${end.host} ${end.namespace} ${end.name}`;
  for (let i = 0; i + 1 < ends.length; i += 2) {
    const [a, b] = [ends[i], ends[i + 1]];
    if (a === undefined || b === undefined || next(3) === 0) continue;
    peers.set(key(a), b);
    peers.set(key(b), a);
  }
  const veth = (host: string, namespace: string, i: Interface): Interface => {
    const peer = peers.get(key({ host, namespace, name: i.name }));
    return peer === undefined ? i : { ...i, device: { kind: 'veth', peer } };
  };
  return hosts.map((h) => ({ ...h, namespaces: h.namespaces.map((n) => ({ ...n, interfaces: n.interfaces.map((i) => veth(h.name, n.name, i)) })) }));
}

export function hostileWorld(next: Chance): Topology {
  const hosts = NAMES.slice(0, 1 + next(NAMES.length)).map((name) => host(next, name));
  return { ...BASE, hosts: [...(next(2) === 0 ? joined(next, hosts) : hosts), ...BASE.hosts.filter((h) => h.kind !== 'node' && next(3) > 0)] };
}
