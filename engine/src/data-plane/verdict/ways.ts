/**
 * Where things lead that do not depend on the packet but for an address or a MAC: asked of the exact engine's own
 * functions once, and kept by numbers. What the exact engine would leave to chance, or answer in several copies, is
 * kept as `unmodelled`.
 */
import type { Mac } from '../../net/address.ts';
import { isLoopback } from '../../net/address.ts';
import type { RouteType } from '../../topology/model.ts';
import { bridgeEntry } from '../bridge.ts';
import type { CompiledNamespace } from '../compile.ts';
import { resolve } from '../neighbour.ts';
import { outputDevice, routeMtu } from '../output.ts';
import { emptyNetfilterState } from '../netfilter/state.ts';
import { lookup } from '../route.ts';
import type { Found } from '../route.ts';
import { emptyJourney } from '../run-state.ts';
import type { Run } from '../run-state.ts';
import { facing } from '../segment.ts';
import { isOwn, selectSource } from '../source-address.ts';
import { either, maximum } from '../sysctl.ts';
import { addressId, addressOf } from './address-book.ts';
import { reasonId } from './reason-id.ts';
import { macId } from './program.ts';
import type { ProgramDevice, ProgramNamespace } from './program.ts';
import type { Scratch } from './scratch.ts';

export interface RouteWay {
  readonly id: number;
  readonly kind: 'found' | 'none' | 'refused' | 'unmodelled';
  readonly found: Found | null;
  readonly type: RouteType;
  /** The device that the packet leaves by: loopback for a local route. */
  readonly output: ProgramDevice | null;
  /** The device that the route names. */
  readonly device: ProgramDevice | null;
  /** -1: the destination itself. */
  readonly via: number;
  readonly mtu: number;
  /** Of a refusal. */
  readonly reason: number;
}

/** How a next hop is reached; `mac` -1: nobody answers. */
export interface NeighbourWay {
  readonly id: number;
  readonly mac: number;
  readonly unmodelled: boolean;
  /** What asking teaches the bridges between, three numbers an entry: bridge, MAC, port. */
  readonly teaches: Int32Array;
}

export interface ForwardingWay {
  readonly isLocal: boolean;
  readonly port: ProgramDevice | null;
}

export interface RemoteWay {
  readonly kind: 'remote' | 'none' | 'unmodelled';
  /** What the device sends from; -1: the route decides. */
  readonly local: number;
  /** Kept only where nothing was learned. */
  readonly isDefault: boolean;
  readonly address: number;
  readonly port: number;
  readonly vni: number;
}

interface Probe {
  readonly run: Run;
  readonly asked: { chance: boolean };
}

/** A run without a packet, for questions to the exact engine. */
function probe(s: Scratch): Probe {
  const asked = { chance: false };
  const run: Run = {
    compiled: s.program.compiled,
    flow: s.handle.flow,
    sender: s.sender.compiled,
    choose: () => {
      asked.chance = true;
      return 0;
    },
    firstAsked: () => 'legacy',
    phase: 'request', queue: [], answers: [], conntrack: new Map(), neighbours: new Map(), learned: new Map(), learnedRemotes: new Map(), netfilter: emptyNetfilterState(),
    watch: null, pathMtus: new Map(), journey: emptyJourney(), rulesAsked: 0, nextId: 0,
  };
  return { run, asked };
}

const ZERO_MAC = 0 as Mac;

export function makeRoute(s: Scratch, ns: ProgramNamespace, destination: number, by: ProgramDevice | null): RouteWay {
  const { run, asked } = probe(s);
  const to = addressOf(s.book, destination);
  const family = to.family === 4 ? 0 : 1;
  const id = s.memo.routes.length;
  const base = { id, found: null, type: 'unicast' as const, output: null, device: null, via: -1, mtu: 0, reason: -1 };
  if (!ns.plainRouting[family]) return { ...base, kind: 'unmodelled' };
  const result = lookup(run, ns.compiled, { family: to.family, destination: to, source: null, mark: 0, protocol: 0, tos: 0, input: 'lo', output: by?.name ?? null });
  if (asked.chance) return { ...base, kind: 'unmodelled' };
  switch (result.kind) {
    case 'none':
      return { ...base, kind: 'none', reason: reasonId('no-route') };
    case 'refused':
      return { ...base, kind: 'refused', reason: reasonId(`route-${result.how}`) };
    case 'undecided':
      return { ...base, kind: 'unmodelled' };
    case 'found': {
      const output = ns.devices.get(outputDevice(result)) ?? null;
      return {
        id, found: result, reason: -1, output,
        kind: output === null ? 'unmodelled' : 'found',
        type: result.route.type,
        device: ns.devices.get(result.device) ?? null,
        via: result.via === null ? -1 : addressId(s.book, result.via),
        mtu: routeMtu(ns.compiled, result),
      };
    }
  }
}

/** The source that a socket without one gets; -1: none. */
export function makeSource(s: Scratch, ns: ProgramNamespace, found: Found, destination: number): number {
  const source = selectSource(ns.compiled, found, addressOf(s.book, destination));
  return source === null ? -1 : addressId(s.book, source);
}

const MARTIAN = reasonId('martian-source');
const RP_FILTER = reasonId('rp-filter');

/** fib_validate_source of an IPv4 source: -1 passes, else the reason; `null` where the exact engine must tell. */
export function makeSourceCheck(s: Scratch, ns: ProgramNamespace, device: ProgramDevice, source: number): number | null {
  const { compiled } = ns;
  const address = addressOf(s.book, source);
  if (isOwn(compiled, address) && !either(compiled, 4, device.name, 'accept_local') && !isLoopback(address)) return MARTIAN;
  const filter = maximum(compiled, 4, device.name, 'rp_filter');
  if (filter === 0 || isLoopback(address)) return -1;
  const { run, asked } = probe(s);
  const back = lookup(run, compiled, { family: 4, destination: address, source: null, mark: 0, protocol: 0, tos: 0, input: device.name, output: null });
  if (asked.chance || back.kind === 'undecided') return null;
  const same = back.kind === 'found' && back.route.nexthops.some((n) => n.device === device.name);
  return same || (filter === 2 && back.kind === 'found') ? -1 : RP_FILTER;
}

export function makeNeighbour(s: Scratch, ns: ProgramNamespace, device: ProgramDevice, nextHop: number): NeighbourWay {
  const { run, asked } = probe(s);
  const mac = resolve(run, ns.compiled, device.device, addressOf(s.book, nextHop));
  return { id: s.memo.neighbours.length, mac: macId(s.program.macs, mac), unmodelled: asked.chance, teaches: taught(s, run) };
}

function taught(s: Scratch, run: Run): Int32Array {
  const numbers: number[] = [];
  for (const [key, table] of run.learned) {
    const space = key.indexOf(' ');
    const ns = s.program.namespaces[Number(key.slice(0, space))];
    const bridge = ns?.devices.get(key.slice(space + 1));
    for (const [mac, name] of table) {
      const port = ns?.devices.get(name);
      if (bridge !== undefined && port !== undefined) numbers.push(bridge.id, macId(s.program.macs, mac), port.id);
    }
  }
  return Int32Array.from(numbers);
}

/** The MAC with this number. */
function macOf(s: Scratch, id: number): Mac {
  for (const [mac, number] of s.program.macs) if (number === id) return mac as Mac;
  return ZERO_MAC;
}

/** What the bridge knows without having learned anything. */
export function makeForwarding(s: Scratch, ns: ProgramNamespace, bridge: ProgramDevice, mac: number): ForwardingWay {
  const { compiled } = ns;
  const wanted = macOf(s, mac);
  const ports = compiled.ports.get(bridge.name) ?? [];
  if (bridge.mac === mac || ports.some((p) => p.mac === wanted)) return { isLocal: true, port: null };
  const entry = bridgeEntry(compiled, bridge.name, wanted);
  return { isLocal: entry?.permanent === true, port: entry?.unmodelled === undefined ? (ns.devices.get(entry?.device ?? '') ?? null) : null };
}

/** The one device of the segment that takes a frame for this MAC. */
export function makeTaker(s: Scratch, ns: ProgramNamespace, device: ProgramDevice, mac: number): ProgramDevice | null {
  const wanted = macOf(s, mac);
  const takers = facing(s.program.compiled, ns.compiled, device.device).filter((a) => a.device.port !== null || a.device.mac === wanted);
  const [taker] = takers;
  return taker === undefined || takers.length > 1 ? null : (s.program.namespaces[taker.ns.index]?.devices.get(taker.device.name) ?? null);
}

export function makeRemote(s: Scratch, ns: CompiledNamespace, device: ProgramDevice, mac: number): RemoteWay {
  const vxlan = device.device.device;
  const local = vxlan.kind !== 'vxlan' || vxlan.local === null ? -1 : addressId(s.book, vxlan.local);
  const none: RemoteWay = { kind: 'unmodelled', local, isDefault: false, address: -1, port: 0, vni: 0 };
  if (vxlan.kind !== 'vxlan') return none;
  const wanted = macOf(s, mac);
  const entries = ns.fdb.get(device.name);
  for (const of of [wanted, ZERO_MAC]) {
    const known = entries?.get(of) ?? [];
    if (known.some((e) => e.unmodelled !== undefined)) return none;
    const remotes = known.filter((e) => e.destination !== null);
    const [remote] = remotes;
    if (remote === undefined || remote.destination === null) continue;
    if (remotes.length > 1) return none;
    return { kind: 'remote', local, isDefault: of !== wanted, address: addressId(s.book, remote.destination), port: remote.port ?? vxlan.port, vni: remote.vni ?? vxlan.vni };
  }
  const lease = vxlan.misses?.find((l) => l.vtepMac === wanted);
  if (lease === undefined) return { ...none, kind: 'none', isDefault: true };
  return { kind: 'remote', local, isDefault: true, address: addressId(s.book, lease.publicAddress), port: vxlan.port, vni: vxlan.vni };
}
