/** Immutable indexes over a topology: made once, shared by every run. Nothing here changes while packets travel. */
import type { Family, Mac } from '../net/address.ts';
import { formatAddress } from '../net/address.ts';
import { makeLpm } from '../net/lpm.ts';
import { once } from '../once.ts';
import type { Lpm } from '../net/lpm.ts';
import { LOCAL_TABLE, ROOT_NAMESPACE } from '../topology/model.ts';
import type { FdbEntry, Host, Interface, Namespace, Neighbour, PolicyRule, Route, Sysctl, Topology } from '../topology/model.ts';
import type { Chain, Rule, Table, TableName } from '../topology/netfilter.ts';
import { capturedFlows } from './netfilter/captured-flows.ts';
import type { CapturedFlows } from './netfilter/captured-flows.ts';
import { compileSets } from './netfilter/sets.ts';
import type { CompiledSet } from './netfilter/sets.ts';
import { defaultRules } from '../control-plane/kernel.ts';
import { isolationOf } from './policy/isolation.ts';
import type { Isolation } from './policy/isolation.ts';

export interface CompiledTopology {
  readonly topology: Topology;
  readonly namespaces: readonly CompiledNamespace[];
  /** By `namespaceKey`. */
  readonly byName: ReadonlyMap<string, CompiledNamespace>;
  /** Who is plugged into a network. */
  readonly plugged: ReadonlyMap<string, readonly Attachment[]>;
  /** `null`: no NetworkPolicy. */
  readonly isolation: Isolation | null;
}

/** A device in its namespace. */
export interface Attachment {
  readonly ns: CompiledNamespace;
  readonly device: Interface;
}

export type PerFamily<T> = Readonly<Record<Family, T>>;

export interface CompiledNamespace {
  readonly index: number;
  readonly host: Host;
  readonly namespace: Namespace;
  /** As sentences name it: `host1`, `pod default/pod1`. */
  readonly label: string;
  readonly devices: ReadonlyMap<string, Interface>;
  /** Ports by bridge. */
  readonly ports: ReadonlyMap<string, readonly Interface[]>;
  readonly rules: PerFamily<readonly PolicyRule[]>;
  readonly routes: ReadonlyMap<number, PerFamily<Lpm<Route>>>;
  readonly local: PerFamily<Lpm<Route>>;
  /** By `neighbourKey`. */
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  /** Keys of what the namespace answers for, on a device, though it is another's. */
  readonly proxies: ReadonlySet<string>;
  /** By device or bridge, then MAC. */
  readonly fdb: ReadonlyMap<string, ReadonlyMap<Mac, readonly FdbEntry[]>>;
  readonly tables: PerFamily<ReadonlyMap<TableName, CompiledTable>>;
  /** Known before the trace begins. */
  readonly flows: CapturedFlows;
  /** By name. */
  readonly sets: ReadonlyMap<string, CompiledSet>;
  readonly sysctls: ReadonlyMap<string, Sysctl>;
  /** Something in this namespace asks for connection tracking: a nat table, or a rule that names it. */
  readonly tracks: PerFamily<boolean>;
}

export interface CompiledTable {
  readonly table: Table;
  readonly chains: ReadonlyMap<string, Chain>;
  /** The table of the same name in the node's other ruleset. */
  readonly other: CompiledTable | null;
}

export const namespaceKey = (host: string, namespace: string): string => `${host}\n${namespace}`;

export const neighbourKey = (device: string, address: Parameters<typeof formatAddress>[0]): string => `${device} ${formatAddress(address)}`;

export function compileTopology(topology: Topology): CompiledTopology {
  const namespaces: CompiledNamespace[] = [];
  const byName = new Map<string, CompiledNamespace>();
  const plugged = new Map<string, Attachment[]>();
  for (const host of topology.hosts) {
    for (const namespace of host.namespaces) {
      const ns = compileNamespace(host, namespace, namespaces.length);
      namespaces.push(ns);
      byName.set(namespaceKey(host.name, namespace.name), ns);
      for (const device of namespace.interfaces) {
        if (device.device.kind === 'physical' && device.device.network !== null) group(plugged, device.device.network, { ns, device });
      }
    }
  }
  const isolation = once(() => isolationOf(topology));
  return { topology, namespaces, byName, plugged, get isolation() { return isolation(); } };
}

function group<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const same = map.get(key);
  if (same === undefined) map.set(key, [value]);
  else same.push(value);
}

function compileNamespace(host: Host, namespace: Namespace, index: number): CompiledNamespace {
  const ports = new Map<string, Interface[]>();
  for (const device of namespace.interfaces) if (device.port !== null) group(ports, device.port.master, device);
  const routes = routingTables(namespace.routes);
  const none = makeLpm<Route>([], (r) => r.destination);
  return {
    index,
    host,
    namespace,
    label: namespace.name === ROOT_NAMESPACE ? host.name : `pod ${namespace.name}`,
    devices: new Map(namespace.interfaces.map((device) => [device.name, device])),
    ports,
    rules: { 4: policyRules(namespace, 4), 6: policyRules(namespace, 6) },
    routes,
    local: routes.get(LOCAL_TABLE) ?? { 4: none, 6: none },
    neighbours: new Map(namespace.neighbours.filter((n) => n.state !== 'proxy').map((n) => [neighbourKey(n.device, n.address), n])),
    proxies: new Set(namespace.neighbours.filter((n) => n.state === 'proxy').map((n) => neighbourKey(n.device, n.address))),
    fdb: forwardingTables(namespace),
    tables: { 4: compileTables(namespace, 4), 6: compileTables(namespace, 6) },
    flows: capturedFlows(namespace.conntrack),
    sets: compileSets(namespace.sets),
    sysctls: new Map(namespace.sysctls.map((s) => [s.name, s])),
    tracks: { 4: asksForTracking(namespace, 4), 6: asksForTracking(namespace, 6) },
  };
}

function policyRules(namespace: Namespace, family: Family): readonly PolicyRule[] {
  const own = namespace.rules.filter((rule) => rule.family === family);
  const rules = own.length > 0 ? own : defaultRules().filter((rule) => rule.family === family);
  return [...rules].sort((a, b) => a.priority - b.priority);
}

function routingTables(routes: readonly Route[]): ReadonlyMap<number, PerFamily<Lpm<Route>>> {
  const byTable = new Map<number, Route[]>();
  for (const route of routes) group(byTable, route.table, route);
  const lpm = (list: readonly Route[], family: Family): Lpm<Route> =>
    makeLpm(list.filter((r) => r.destination.address.family === family).sort(byPreference), (r) => r.destination);
  return new Map([...byTable].map(([table, list]) => [table, { 4: lpm(list, 4), 6: lpm(list, 6) }]));
}

/** Inside one prefix: a TOS before none, then the lower metric (net/ipv4/fib_trie.c: fib_find_alias). */
const byPreference = (a: Route, b: Route): number => b.tos - a.tos || a.metric - b.metric;

function forwardingTables(namespace: Namespace): ReadonlyMap<string, ReadonlyMap<Mac, readonly FdbEntry[]>> {
  const tables = new Map<string, Map<Mac, FdbEntry[]>>();
  for (const entry of namespace.fdb) {
    const owner = entry.master ?? entry.device;
    const table = tables.get(owner) ?? new Map<Mac, FdbEntry[]>();
    tables.set(owner, table);
    group(table, entry.mac, entry);
  }
  return tables;
}

function compileTables(namespace: Namespace, family: Family): ReadonlyMap<TableName, CompiledTable> {
  const compiled = new Map<TableName, CompiledTable>();
  for (const table of namespace.tables) {
    if (table.family !== family) continue;
    const same = compiled.get(table.name);
    if (same === undefined || same.table.ruleset === table.ruleset) compiled.set(table.name, compiledTable(table, null));
    else {
      const [first, second] = table.ruleset === 'legacy' ? [table, same.table] : [same.table, table];
      compiled.set(table.name, compiledTable(first, compiledTable(second, null)));
    }
  }
  return compiled;
}

function compiledTable(table: Table, other: CompiledTable | null): CompiledTable {
  const chains = once(() => new Map(table.chains.map((chain) => [chain.name, chain])));
  return { table, get chains() { return chains(); }, other };
}

function asksForTracking(namespace: Namespace, family: Family): boolean {
  const tables = namespace.tables.filter((t) => t.family === family);
  if (namespace.conntrack.some((flow) => flow.family === family)) return true;
  return tables.some((t) => t.name === 'nat') || tables.some((t) => t.chains.some((c) => c.rules.some(namesConntrack)));
}

const namesConntrack = (rule: Rule): boolean =>
  rule.matches.some((m) => m.kind.startsWith('conntrack') || m.kind === 'connmark') || rule.target?.kind === 'connmark' || rule.target?.kind === 'ct';
