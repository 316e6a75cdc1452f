/** The memo tables in front of `ways.ts`: what was asked before costs one look-up. */
import type { ProgramDevice } from './program.ts';
import { pairGet, pairSet } from './pair-table.ts';
import { giveUp, MAX_LEARNED } from './scratch.ts';
import type { Scratch } from './scratch.ts';
import { makeForwarding, makeNeighbour, makeRemote, makeRoute, makeSource, makeSourceCheck, makeTaker } from './ways.ts';
import type { ForwardingWay, NeighbourWay, RemoteWay, RouteWay } from './ways.ts';

export function routeTo(s: Scratch, destination: number): RouteWay {
  const { routeTo: table, routes } = s.memo;
  const known = pairGet(table, s.namespace.index, destination);
  if (known >= 0) return routes[known] as RouteWay;
  const made = makeRoute(s, s.namespace, destination, null);
  routes.push(made);
  pairSet(table, s.namespace.index, destination, made.id);
  return made;
}

export function routeBy(s: Scratch, device: ProgramDevice, destination: number): RouteWay {
  const { routeBy: table, routes } = s.memo;
  const known = pairGet(table, device.id, destination);
  if (known >= 0) return routes[known] as RouteWay;
  const made = makeRoute(s, s.namespace, destination, device);
  routes.push(made);
  pairSet(table, device.id, destination, made.id);
  return made;
}

/** -1: there is none. */
export function sourceFor(s: Scratch, route: RouteWay, destination: number): number {
  const known = pairGet(s.memo.sourceFor, route.id, destination);
  if (known >= 0) return known - 1;
  const made = route.found === null ? -1 : makeSource(s, s.namespace, route.found, destination);
  pairSet(s.memo.sourceFor, route.id, destination, made + 1);
  return made;
}

/** -1: it passes; else the reason. */
export function sourceCheck(s: Scratch, device: ProgramDevice, source: number): number {
  const known = pairGet(s.memo.sourceCheck, device.id, source);
  if (known >= 0) return known - 1;
  const made = makeSourceCheck(s, s.namespace, device, source);
  if (made === null) {
    giveUp(s);
    return -1;
  }
  pairSet(s.memo.sourceCheck, device.id, source, made + 1);
  return made;
}

/** The MAC's number; -1: nobody answers. */
export function neighbour(s: Scratch, device: ProgramDevice, nextHop: number): number {
  const { neighbour: table, neighbours } = s.memo;
  const known = pairGet(table, device.id, nextHop);
  const way = known >= 0 ? (neighbours[known] as NeighbourWay) : newNeighbour(s, device, nextHop);
  if (way.unmodelled) giveUp(s);
  if (way.teaches.length > 0) teach(s, way);
  return way.mac;
}

function newNeighbour(s: Scratch, device: ProgramDevice, nextHop: number): NeighbourWay {
  const made = makeNeighbour(s, s.namespace, device, nextHop);
  s.memo.neighbours.push(made);
  pairSet(s.memo.neighbour, device.id, nextHop, made.id);
  return made;
}

/** The bridges learn from a question and its answer; the second time the entry is there. */
function teach(s: Scratch, way: NeighbourWay): void {
  for (let i = 0; i < s.resolvedCount; i++) if (s.resolved[i] === way.id) return;
  if (s.resolvedCount < MAX_LEARNED) s.resolved[s.resolvedCount++] = way.id;
  else giveUp(s);
  for (let i = 0; i < way.teaches.length; i += 3) learn(s, way.teaches[i] as number, way.teaches[i + 1] as number, way.teaches[i + 2] as number);
}

/** `table` is a bridge or a vxlan device, `value` the port or the remote address. */
export function learn(s: Scratch, table: number, mac: number, value: number): void {
  const { learned } = s;
  let i = 0;
  const to = s.learnedCount * 3;
  while (i < to && !(learned[i] === table && learned[i + 1] === mac)) i += 3;
  if (i === to) {
    if (s.learnedCount === MAX_LEARNED) {
      giveUp(s);
      return;
    }
    s.learnedCount++;
  }
  learned[i] = table;
  learned[i + 1] = mac;
  learned[i + 2] = value;
}

/** -1: nothing was learned. */
export function learnedOf(s: Scratch, table: number, mac: number): number {
  const { learned } = s;
  for (let i = 0; i < s.learnedCount * 3; i += 3) if (learned[i] === table && learned[i + 1] === mac) return learned[i + 2] as number;
  return -1;
}

export function forwardingOf(s: Scratch, bridge: ProgramDevice, mac: number): ForwardingWay {
  const { forwarding: table, forwardings } = s.memo;
  const known = pairGet(table, bridge.id, mac);
  if (known >= 0) return forwardings[known] as ForwardingWay;
  const made = makeForwarding(s, s.namespace, bridge, mac);
  pairSet(table, bridge.id, mac, forwardings.push(made) - 1);
  return made;
}

export function remoteOf(s: Scratch, device: ProgramDevice, mac: number): RemoteWay {
  const { remote: table, remotes } = s.memo;
  const known = pairGet(table, device.id, mac);
  if (known >= 0) return remotes[known] as RemoteWay;
  const made = makeRemote(s, s.namespace.compiled, device, mac);
  pairSet(table, device.id, mac, remotes.push(made) - 1);
  return made;
}

/** `null`: nobody takes the frame, or several do. */
export function takerOf(s: Scratch, device: ProgramDevice, mac: number): ProgramDevice | null {
  const known = pairGet(s.memo.taker, device.id, mac);
  if (known >= 0) return known === 0 ? null : (s.program.devices[known - 1] as ProgramDevice);
  const made = makeTaker(s, s.namespace, device, mac);
  pairSet(s.memo.taker, device.id, mac, made === null ? 0 : made.id + 1);
  return made;
}

