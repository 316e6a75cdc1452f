/**
 * Paths that were walked before. A run starts from nothing, so it is a function of the sender, both addresses, the
 * protocol, the destination port, the length, the choices, and of the sender's own port only where something asked for
 * it; a path where nothing did is the same for every connection (the idea of Open vSwitch's megaflows).
 */
import { decide } from './chance.ts';
import { copyPacket } from './scratch.ts';
import type { PacketRecord, Scratch } from './scratch.ts';
import type { ProgramNamespace } from './program.ts';
import type { FlowHandle } from './verdict.ts';

export type PathNode = Leaf | Fork;

interface Leaf {
  readonly kind: 'leaf';
  readonly reason: number;
  readonly receiver: ProgramNamespace | null;
  readonly arrived: PacketRecord;
  readonly hits: Int32Array;
}

interface Fork {
  readonly kind: 'fork';
  readonly probability: number;
  readonly ways: [PathNode | null, PathNode | null];
}

const FIELDS = 5;
const PLACES = 1 << 14;

export interface PathMemory {
  readonly keys: Int32Array;
  readonly nodes: (PathNode | null)[];
  size: number;
}

export const pathMemory = (): PathMemory => ({ keys: new Int32Array(PLACES * FIELDS), nodes: new Array<PathNode | null>(PLACES).fill(null), size: 0 });

/** Where the flow's path is, or is to be. A full memory is emptied. */
export function placeOf(memory: PathMemory, handle: FlowHandle): number {
  if (memory.size * 2 > PLACES) {
    memory.nodes.fill(null);
    memory.size = 0;
  }
  const { source, destination, payload } = handle;
  const sender = handle.sender.index;
  const ports = (handle.protocol << 16) | handle.destinationPort;
  let mixed = Math.imul(source ^ Math.imul(destination, 0x9e3779b1) ^ Math.imul(ports, 0x85ebca6b) ^ Math.imul(sender, 0xc2b2ae35), 0x27d4eb2f);
  mixed ^= payload ^ (mixed >>> 15);
  for (let i = mixed & (PLACES - 1); ; i = (i + 1) & (PLACES - 1)) {
    const at = i * FIELDS;
    const { keys } = memory;
    if (memory.nodes[i] === null) {
      keys[at] = sender;
      keys[at + 1] = source;
      keys[at + 2] = destination;
      keys[at + 3] = ports;
      keys[at + 4] = payload;
      return i;
    }
    if (keys[at] === sender && keys[at + 1] === source && keys[at + 2] === destination && keys[at + 3] === ports && keys[at + 4] === payload) return i;
  }
}

/** The end of the path, choosing on the way; `null`: it is not known from here on. */
export function recall(s: Scratch, memory: PathMemory, place: number): Leaf | null {
  let node = memory.nodes[place] ?? null;
  while (node !== null && node.kind === 'fork') {
    s.chances[s.chosenCount] = node.probability;
    node = node.ways[decide(s) === 0 ? 0 : 1];
  }
  return node;
}

export function replay(s: Scratch, leaf: Leaf): void {
  const { hits, arrived } = leaf;
  const { sourcePort } = s.handle;
  s.over = true;
  s.reason = leaf.reason;
  s.receiver = leaf.receiver;
  s.hitCount = hits.length;
  for (let i = 0; i < hits.length; i++) s.hits[i] = hits[i] as number;
  copyPacket(arrived, s.arrived);
  s.arrived.sourcePort = sourcePort;
  if (arrived.icmpType >= 0) s.arrived.destinationPort = sourcePort;
}

/** The run that has just ended, along the choices that it made. */
export function remember(s: Scratch, memory: PathMemory, place: number): void {
  if (s.hitCount > s.hits.length) return;
  const arrived = { ...s.arrived };
  const leaf: Leaf = { kind: 'leaf', reason: s.reason, receiver: s.receiver, arrived, hits: s.hits.slice(0, s.hitCount) };
  let fork: Fork | null = null;
  for (let i = 0; i <= s.chosenCount; i++) {
    const way: 0 | 1 = fork !== null && s.chosen[i - 1] !== 0 ? 1 : 0;
    const known: PathNode | null = fork === null ? (memory.nodes[place] ?? null) : fork.ways[way];
    const node: PathNode = known ?? (i === s.chosenCount ? leaf : { kind: 'fork', probability: s.chances[i] as number, ways: [null, null] });
    if (known === null && fork === null) {
      memory.nodes[place] = node;
      memory.size++;
    } else if (known === null && fork !== null) fork.ways[way] = node;
    if (node.kind === 'leaf') return;
    fork = node;
  }
}
