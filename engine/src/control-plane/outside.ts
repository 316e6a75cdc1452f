/**
 * What is beyond the nodes: a router for every network that has a gateway, one segment named `internet` that the routers
 * and the externals are plugged into, and the routes between them. Real routers have more to say; a file can add it in
 * `network … { routes { } }`.
 */
import { addressPlus, contains, formatAddress, formatPrefix, networkOf, parseAddress } from '../net/address.ts';
import type { Address, Family, Prefix } from '../net/address.ts';
import { INTERNET, MAIN_TABLE, ROOT_NAMESPACE } from '../topology/model.ts';
import type { Host, Interface, Namespace, Network, Route } from '../topology/model.ts';
import { declared, derived } from '../topology/origin.ts';
import type { ExternalSpec, NetworkSpec } from '../topology/spec.ts';
import { listenersOf } from './cni.ts';
import { defaultRules, interfaceAddress, loopback } from './kernel.ts';
import { inventedMac } from './mac.ts';
import type { Plan } from './plan.ts';
import { makeRoute } from './route.ts';
import { endHostSysctls, routerSysctls } from './sysctls.ts';

export interface Outside {
  /** The declared ones, and the internet segment where anything is plugged into it. */
  readonly networks: readonly Network[];
  /** Routers, then externals. */
  readonly hosts: readonly Host[];
}

/** Shared address space (RFC 6598) and a unique local prefix: no real cluster's addresses. */
const LINK_BASE: Readonly<Record<Family, { readonly address: Address; readonly length: number }>> = {
  4: { address: parseAddress('100.64.0.0') as Address, length: 10 },
  6: { address: parseAddress('fd00:6464::') as Address, length: 64 },
};

interface Router {
  readonly host: string;
  readonly spec: NetworkSpec;
  /** Its addresses on the internet segment. */
  readonly links: readonly Address[];
}

const zeroOf = (family: Family): Prefix => ({ address: { family, words: [0, 0, 0, 0] }, length: 0 });

export function outsideOf(plan: Plan): Outside {
  const taken = new Set([...plan.nodes.keys(), ...plan.externals.map((e) => e.name)]);
  const routers = routersOf(plan, taken, familiesOf(plan));
  const segment = freeName(INTERNET, new Set(plan.networks.keys()));
  const hosts = [...routers.map((r) => routerHost(plan, r, routers, segment)), ...plan.externals.map((e) => externalHost(plan, e, routers, segment))];
  const networks = [...plan.networks.values()].map((n): Network => ({ name: n.name, prefixes: n.prefixes, mtu: n.mtu, origin: declared(n.at) }));
  if (hosts.length === 0) return { networks, hosts };
  const internet: Network = { name: segment, prefixes: [], mtu: 1500, origin: derived('k8snet', 'the gateways and the externals') };
  return { networks: [...networks, internet], hosts };
}

/** A file without IPv6 needs none on the internet segment either. */
function familiesOf(plan: Plan): readonly Family[] {
  const networks = [...plan.networks.values()].flatMap((n) => [...n.prefixes.map((p) => p.address), ...n.gateways]);
  const used = new Set([...networks, ...plan.externals.flatMap((e) => e.addresses)].map((a) => a.family));
  return ([4, 6] as const).filter((f) => used.has(f));
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  while (taken.has(name)) name = `${name}-gateway`;
  return name;
}

function routersOf(plan: Plan, taken: Set<string>, families: readonly Family[]): readonly Router[] {
  const withGateway = [...plan.networks.values()].filter((n) => n.gateways.length > 0).sort((a, b) => (a.name < b.name ? -1 : 1));
  return withGateway.map((spec, i) => {
    const host = freeName(spec.name, taken);
    taken.add(host);
    return { host, spec, links: families.map((family) => addressPlus(LINK_BASE[family].address, i + 1)) };
  });
}

/** What a router leads to: its network's prefixes, and what its declared routes add. */
const reachedBy = (router: Router): readonly Prefix[] => [
  ...router.spec.prefixes.map(networkOf),
  ...router.spec.routes.filter((r) => r.type === 'unicast' && r.table === MAIN_TABLE && r.destination.length > 0).map((r) => r.destination),
];

/** Routes to everything behind the given routers, by their addresses on the internet segment. */
function routesBehind(routers: readonly Router[], device: string): readonly Route[] {
  const routes = new Map<string, Route>();
  for (const router of routers) {
    for (const destination of reachedBy(router)) {
      const via = router.links.find((l) => l.family === destination.address.family);
      const key = formatPrefix(destination);
      if (via === undefined || routes.has(key)) continue;
      routes.set(key, makeRoute({ destination, via, device, origin: derived('k8snet', `the gateway of ${router.spec.name}`, router.spec.at) }));
    }
  }
  return [...routes.values()];
}

const namespace = (parts: Pick<Namespace, 'interfaces' | 'routes' | 'sysctls' | 'listeners' | 'origin'>): Namespace => ({
  name: ROOT_NAMESPACE,
  rules: defaultRules(),
  neighbours: [],
  fdb: [],
  tables: [],
  sets: [],
  conntrack: [],
  ...parts,
});

const ethernet = (host: string, name: string, network: string, parts: Pick<Interface, 'mac' | 'mtu' | 'addresses' | 'origin'>): Interface => ({
  name,
  ...parts,
  mac: parts.mac ?? inventedMac(`interface ${host} ${name}`),
  up: true,
  port: null,
  device: { kind: 'physical', network },
});

/** The length of the network's prefix that the address is in; a host prefix outside of all. */
const lengthOn = (spec: NetworkSpec, address: Address): number =>
  spec.prefixes.find((p) => contains(p, address))?.length ?? (address.family === 4 ? 32 : 128);

function routerHost(plan: Plan, router: Router, routers: readonly Router[], segment: string): Host {
  const { spec, host } = router;
  const origin = derived('network', `the gateway of ${spec.name}`, spec.at);
  const learned = spec.gateways.map((g) => plan.learnedMacs.get(formatAddress(g))).find((m) => m !== undefined);
  const gateways = spec.gateways.map((g) => interfaceAddress(g, lengthOn(spec, g), origin));
  const inside = ethernet(host, 'eth0', spec.name, { mac: learned ?? null, mtu: spec.mtu, addresses: gateways, origin });
  const link = derived('k8snet', 'an address invented for the internet segment', spec.at);
  const links = router.links.map((a) => interfaceAddress(a, LINK_BASE[a.family].length, link));
  const outside = ethernet(host, 'internet0', segment, { mac: null, mtu: 1500, addresses: links, origin: link });
  const isDefault = (r: Route, family: Family): boolean => r.table === MAIN_TABLE && r.destination.length === 0 && r.destination.address.family === family;
  const families = router.links.map((l) => l.family).filter((f) => !spec.routes.some((r) => isDefault(r, f)));
  const onward = derived('k8snet', 'the internet segment, where everything else is looked for', spec.at);
  const routes = [
    ...spec.routes,
    ...families.map((family) => makeRoute({ destination: zeroOf(family), device: 'internet0', origin: onward })),
    ...routesBehind(routers.filter((r) => r !== router), 'internet0'),
  ];
  const interfaces = [loopback(), inside, outside];
  return { name: host, kind: 'router', namespaces: [namespace({ interfaces, routes, sysctls: routerSysctls(), listeners: { kind: 'any' }, origin })], origin };
}

function externalHost(plan: Plan, spec: ExternalSpec, routers: readonly Router[], segment: string): Host {
  const origin = declared(spec.at);
  const home = [...plan.networks.values()].find((n) => spec.addresses.some((a) => n.prefixes.some((p) => contains(p, a))));
  const learned = spec.addresses.map((a) => plan.learnedMacs.get(formatAddress(a))).find((m) => m !== undefined);
  const addresses = spec.addresses.map((a) => interfaceAddress(a, home === undefined ? (a.family === 4 ? 32 : 128) : lengthOn(home, a), origin));
  const eth0 = ethernet(spec.name, 'eth0', home?.name ?? segment, { mac: learned ?? null, mtu: home?.mtu ?? 1500, addresses, origin });
  const routes = home === undefined ? internetRoutes(spec, routers) : homeRoutes(spec, home);
  return {
    name: spec.name,
    kind: 'external',
    namespaces: [namespace({ interfaces: [loopback(), eth0], routes, sysctls: endHostSysctls(), listeners: listenersOf(spec.listeners, spec.at), origin })],
    origin,
  };
}

/** On the internet everything is on-link, and the networks are behind their gateways. A pod's address is behind nobody. */
function internetRoutes(spec: ExternalSpec, routers: readonly Router[]): readonly Route[] {
  const origin = derived('k8snet', 'the internet segment, where everything else is looked for', spec.at);
  const families = ([4, 6] as const).filter((f) => spec.addresses.some((a) => a.family === f));
  return [...families.map((family) => makeRoute({ destination: zeroOf(family), device: 'eth0', origin })), ...routesBehind(routers, 'eth0')];
}

function homeRoutes(spec: ExternalSpec, home: NetworkSpec): readonly Route[] {
  const origin = derived('network', `the gateway of ${home.name}`, spec.at);
  return home.gateways
    .filter((g, i) => home.gateways.findIndex((o) => o.family === g.family) === i)
    .map((via) => makeRoute({ destination: zeroOf(via.family), via, device: 'eth0', protocol: 'static', origin }));
}
