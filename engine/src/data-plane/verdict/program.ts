/**
 * A compiled topology with numbers for its namespaces, devices and MACs, and with each hook's callers. Tables are
 * linked when a packet first comes to them, and hold the code of their chains by the chains' records.
 */
import type { Hook } from '../../trace/model.ts';
import type { Interface, KeptPorts, Listeners } from '../../topology/model.ts';
import type { Chain } from '../../topology/netfilter.ts';
import type { CompiledNamespace, CompiledTable, CompiledTopology } from '../compile.ts';
import { namespaceKey } from '../compile.ts';
import { HOOK_ORDER } from '../netfilter/hooks.ts';
import { isAsked } from '../netfilter/rulesets.ts';
import { bridgeCallsNetfilter, defaultTtl, either, forwards, ignoresEcho } from '../sysctl.ts';
import { chainCode } from './chain-code.ts';
import type { ChainCode } from './chain-code.ts';

export interface ProgramDevice {
  readonly id: number;
  readonly namespace: ProgramNamespace;
  readonly device: Interface;
  readonly name: string;
  readonly kind: Interface['device']['kind'];
  readonly up: boolean;
  readonly mtu: number;
  /** -1 without one. */
  readonly mac: number;
  master: ProgramDevice | null;
  peer: ProgramDevice | null;
  readonly hairpin: boolean;
  readonly isolated: boolean;
  readonly learns: boolean;
  readonly routeLocalnet: boolean;
  /** By family. */
  readonly forwarding: readonly [boolean, boolean];
}

type ByFamily<T> = readonly [T, T];

export interface ProgramNamespace {
  readonly index: number;
  readonly compiled: CompiledNamespace;
  /** A NetworkPolicy selects the pod: what passes its veth is the exact engine's to judge. */
  readonly isolated: boolean;
  readonly devices: ReadonlyMap<string, ProgramDevice>;
  readonly bridgeNetfilter: ByFamily<boolean>;
  readonly ttl: ByFamily<number>;
  readonly ignoresEcho: ByFamily<boolean>;
  /** Policy rules ask for the destination alone, so that a route can be kept by it. */
  readonly plainRouting: ByFamily<boolean>;
  /** Port * 256 + protocol number. */
  readonly listeners: ReadonlySet<number>;
  /** The first and the last port that only `listeners` answer on. */
  readonly listedFrom: number;
  readonly listedTo: number;
  /** UDP ports that tunnels of this namespace receive on. */
  readonly vxlanPorts: readonly number[];
  readonly tunPorts: readonly number[];
  readonly vxlans: ProgramDevice[];
  readonly callers: ByFamily<(readonly Caller[] | undefined)[]>;
  readonly tables: Map<CompiledTable, TableLinks>;
}

export type Caller =
  | { readonly kind: 'table'; readonly start: ChainLink }
  | { readonly kind: 'nat'; readonly start: ChainLink | null }
  | { readonly kind: 'conntrack' }
  | { readonly kind: 'confirm' }
  /** A mode of kube-proxy or a network plugin that the exact engine leaves open, or rules in both iptables-legacy and iptables-nft. */
  | { readonly kind: 'unmodelled' };

/** A chain in its table, with the chains that its rules lead to. */
export interface ChainLink {
  readonly code: ChainCode;
  readonly table: TableLinks;
  readonly namespace: ProgramNamespace;
  /** Of the first rule; the others follow. */
  readonly firstRule: number;
  readonly jumps: (ChainLink | null | undefined)[];
  /** It is being walked. */
  active: boolean;
}

export interface TableLinks {
  readonly compiled: CompiledTable;
  readonly links: Map<string, ChainLink>;
}

export interface VerdictProgram {
  readonly compiled: CompiledTopology;
  readonly namespaces: readonly ProgramNamespace[];
  readonly devices: readonly ProgramDevice[];
  readonly macs: Map<number, number>;
  readonly rules: { count: number; readonly links: ChainLink[] };
}

export const HOOKS: readonly Hook[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];
export const PREROUTING = 0;
export const INPUT = 1;
export const FORWARD = 2;
export const OUTPUT = 3;
export const POSTROUTING = 4;

const PROTOCOLS: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

export const listenerKey = (port: number, protocol: number): number => port * 256 + protocol;

export function compileVerdicts(compiled: CompiledTopology): VerdictProgram {
  const devices: ProgramDevice[] = [];
  const macs = new Map<number, number>();
  const namespaces = compiled.namespaces.map((ns) => programNamespace(ns, compiled, devices, macs));
  for (const device of devices) {
    const { port, device: kind } = device.device;
    const master = port === null ? undefined : device.namespace.devices.get(port.master);
    device.master = master?.kind === 'bridge' ? master : null;
    if (kind.kind !== 'veth' || kind.peer === null) continue;
    const there = compiled.byName.get(namespaceKey(kind.peer.host, kind.peer.namespace));
    device.peer = there === undefined ? null : (namespaces[there.index]?.devices.get(kind.peer.name) ?? null);
  }
  return { compiled, namespaces, devices, macs, rules: { count: 0, links: [] } };
}

/** The number of a MAC, which nothing but equality is asked of. */
export function macId(macs: Map<number, number>, mac: number | null): number {
  if (mac === null) return -1;
  const known = macs.get(mac);
  if (known !== undefined) return known;
  macs.set(mac, macs.size);
  return macs.size - 1;
}

const NO_PORT: KeptPorts = { from: 0, to: -1, listeners: [] };

const listedOf = (listeners: Listeners): KeptPorts => (listeners.kind === 'only' ? { from: 0, to: 65535, listeners: listeners.listeners } : (listeners.kept ?? NO_PORT));

function programNamespace(ns: CompiledNamespace, { isolation }: CompiledTopology, devices: ProgramDevice[], macs: Map<number, number>): ProgramNamespace {
  const listed = listedOf(ns.namespace.listeners);
  const own = new Map<string, ProgramDevice>();
  const kinds = ns.namespace.interfaces.map((each) => each.device);
  const namespace: ProgramNamespace = {
    index: ns.index,
    compiled: ns,
    isolated: ns.host.kind === 'node' && isolation?.pods.has(ns.namespace.name) === true,
    devices: own,
    bridgeNetfilter: [bridgeCallsNetfilter(ns, 4), bridgeCallsNetfilter(ns, 6)],
    ttl: [defaultTtl(ns, 4), defaultTtl(ns, 6)],
    ignoresEcho: [ignoresEcho(ns, 4), ignoresEcho(ns, 6)],
    plainRouting: [isPlain(ns, 4), isPlain(ns, 6)],
    listeners: new Set(listed.listeners.map((l) => listenerKey(l.port, PROTOCOLS[l.protocol] ?? 0))),
    listedFrom: listed.from,
    listedTo: listed.to,
    vxlanPorts: kinds.flatMap((kind) => (kind.kind === 'vxlan' ? [kind.port] : [])),
    tunPorts: kinds.flatMap((kind) => (kind.kind === 'tun' ? [kind.port] : [])),
    vxlans: [],
    callers: [[], []],
    tables: new Map(),
  };
  for (const device of ns.namespace.interfaces) {
    const made = programDevice(namespace, device, devices.length, macs);
    own.set(device.name, made);
    if (made.kind === 'vxlan') namespace.vxlans.push(made);
    devices.push(made);
  }
  return namespace;
}

function programDevice(namespace: ProgramNamespace, device: Interface, id: number, macs: Map<number, number>): ProgramDevice {
  const { compiled: ns } = namespace;
  const { port } = device;
  return {
    id, namespace, device,
    name: device.name,
    kind: device.device.kind,
    up: device.up,
    mtu: device.mtu,
    mac: macId(macs, device.mac),
    master: null,
    peer: null,
    hairpin: port?.hairpin === true,
    isolated: port?.isolated === true,
    learns: port?.learning !== false,
    routeLocalnet: either(ns, 4, device.name, 'route_localnet'),
    forwarding: [forwards(ns, 4, device.name), forwards(ns, 6, device.name)],
  };
}

function isPlain(ns: CompiledNamespace, family: 4 | 6): boolean {
  const rulesPlain = ns.rules[family].every(
    (r) => !r.inverted && (r.from === null || r.from.length === 0) && r.to === null && r.inInterface === null && r.mark === null && r.protocol === null && r.action.kind !== 'unknown',
  );
  return rulesPlain && ns.namespace.routes.every((route) => route.tos === 0);
}

/** Who is called at a hook: empty built-in chains that accept are left out. */
export function callersAt(program: VerdictProgram, namespace: ProgramNamespace, family: 0 | 1, hook: number): readonly Caller[] {
  const known = namespace.callers[family][hook];
  if (known !== undefined) return known;
  const made = makeCallers(program, namespace, family, HOOKS[hook] as Hook);
  namespace.callers[family][hook] = made;
  return made;
}

function makeCallers(program: VerdictProgram, namespace: ProgramNamespace, family: 0 | 1, hook: Hook): readonly Caller[] {
  const { compiled } = namespace;
  const version = family === 0 ? 4 : 6;
  if (compiled.namespace.networkPlugin !== undefined) return [{ kind: 'unmodelled' }];
  const startOf = (table: CompiledTable | undefined): ChainLink | null => (table === undefined ? null : linkTo(program, namespace, tableLinks(namespace, table), hook));
  return HOOK_ORDER[hook].flatMap((registered): readonly Caller[] => {
    switch (registered.kind) {
      case 'table': {
        const table = compiled.tables[version].get(registered.table);
        if (isShared(table, hook)) return [{ kind: 'unmodelled' }];
        const start = startOf(asked(table, hook));
        return start === null || isIdle(start.code.chain) ? [] : [{ kind: 'table', start }];
      }
      case 'conntrack':
        return compiled.tracks[version] ? [{ kind: 'conntrack' }] : [];
      case 'nat': {
        const table = compiled.tables[version].get('nat');
        if (isShared(table, hook)) return [{ kind: 'unmodelled' }];
        return table === undefined ? [] : [{ kind: 'nat', start: startOf(asked(table, hook)) }];
      }
      case 'service-proxy':
        return compiled.namespace.serviceProxy === undefined ? [] : [{ kind: 'unmodelled' }];
      case 'confirm':
        return compiled.tracks[version] ? [{ kind: 'confirm' }] : [];
    }
  });
}

const isShared = (table: CompiledTable | undefined, hook: Hook): boolean => table !== undefined && table.other !== null && isAsked(table, hook) && isAsked(table.other, hook);

/** Of two of one name the one that has something to say. */
const asked = (table: CompiledTable | undefined, hook: Hook): CompiledTable | undefined => (table !== undefined && table.other !== null && isAsked(table.other, hook) ? table.other : table);

function tableLinks({ tables }: ProgramNamespace, compiled: CompiledTable): TableLinks {
  const known = tables.get(compiled);
  if (known !== undefined) return known;
  const made: TableLinks = { compiled, links: new Map() };
  tables.set(compiled, made);
  return made;
}

const isIdle = (chain: Chain): boolean => chain.rules.length === 0 && chain.policy !== 'DROP';

/** `null`: the table has no such chain. */
export function linkTo(program: VerdictProgram, namespace: ProgramNamespace, table: TableLinks, name: string): ChainLink | null {
  const known = table.links.get(name);
  if (known !== undefined) return known;
  const chain = table.compiled.chains.get(name);
  if (chain === undefined) return null;
  const link: ChainLink = { code: chainCode(chain), table, namespace, firstRule: program.rules.count, jumps: [], active: false };
  program.rules.count += chain.rules.length;
  program.rules.links.push(link);
  table.links.set(name, link);
  return link;
}
