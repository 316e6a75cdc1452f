/**
 * What becomes of a packet, and nothing about how: the same answer as `runTrace`, hundreds of times as fast. A runner
 * owns its memory and allocates nothing for a packet whose addresses it has seen. Whatever is not modelled exactly in
 * this folder makes the runner give up, and the caller asks `runTrace`: an answer is the exact engine's or equal to it.
 *
 *   compileTopology -> compileVerdicts -> makeRunner -> prepare(flow) -> request | walk | roundTrip
 */
import type { Flow } from '../../trace/flow.ts';
import { namespaceKey } from '../compile.ts';
import { addressId } from './address-book.ts';
import { pathMemory, placeOf, recall, remember, replay } from './path-memory.ts';
import type { PathMemory } from './path-memory.ts';
import { travel } from './travel.ts';
import type { ChainLink, ProgramNamespace, VerdictProgram } from './program.ts';
import { ANSWER, copyPacket, makeScratch, TUNNEL } from './scratch.ts';
import type { PacketRecord, Scratch } from './scratch.ts';

/** A flow as numbers, for one runner; the ports may be changed between runs. */
export interface FlowHandle {
  readonly flow: Flow;
  readonly sender: ProgramNamespace;
  /** -1: the route decides. */
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  sourcePort: number;
  destinationPort: number;
  readonly payload: number;
}

/** Of the last run; written over by the next. */
export interface Verdict {
  /** Index into REASON_CODES; -1: delivered. */
  readonly reason: number;
  readonly receiver: ProgramNamespace | null;
  /** The packet as the receiver, or the closed port, got it. */
  readonly arrived: Readonly<PacketRecord>;
  /** One number. */
  readonly probability: Float64Array;
}

export interface RoundTrip {
  readonly answer: 'none' | 'reply' | 'reset';
  /** Number of the address that answered; -1 for none. */
  readonly from: number;
  readonly ttl: number;
}

export interface Runner {
  readonly scratch: Scratch;
  /** How often the exact engine had to be asked. */
  gaveUp: number;
  readonly paths: PathMemory;
  readonly answer: { kind: RoundTrip['answer']; from: number; ttl: number };
}

export function makeRunner(program: VerdictProgram): Runner | null {
  const [somewhere] = program.namespaces;
  if (somewhere === undefined) return null;
  const flow: Flow = {
    fromText: '', toText: '', host: '', namespace: '', source: null, destination: { family: 4, words: [0, 0, 0, 0] }, protocol: 'UDP', sourcePort: 0, destinationPort: 0, resolution: [], payload: 0,
  };
  const nothing: FlowHandle = { flow, sender: somewhere, source: -1, destination: 0, protocol: 17, sourcePort: 0, destinationPort: 0, payload: 0 };
  return { scratch: makeScratch(program, nothing, somewhere), gaveUp: 0, paths: pathMemory(), answer: { kind: 'none', from: -1, ttl: 0 } };
}

const PROTOCOLS = { TCP: 6, UDP: 17, SCTP: 132 } as const;

/** `null`: nobody of that name could send. */
export function prepare({ scratch }: Runner, flow: Flow): FlowHandle | null {
  const { program, book } = scratch;
  const sender = program.compiled.byName.get(namespaceKey(flow.host, flow.namespace));
  const namespace = sender === undefined ? undefined : program.namespaces[sender.index];
  if (namespace === undefined) return null;
  return {
    flow,
    sender: namespace,
    source: flow.source === null ? -1 : addressId(book, flow.source),
    destination: addressId(book, flow.destination),
    protocol: flow.protocol === 'ICMP' ? (flow.destination.family === 4 ? 1 : 58) : PROTOCOLS[flow.protocol],
    sourcePort: flow.sourcePort,
    destinationPort: flow.destinationPort,
    payload: flow.payload,
  };
}

/**
 * The request alone, as the first packet of its flow. `null`: ask `runTrace`. Chance: the first `scripted` choices are
 * read from `chosen`, the rest come from `seed`, or are the first option where it is 0.
 */
export function walk(runner: Runner, handle: FlowHandle, seed: number, scripted: number): Verdict | null {
  // Any other segment than a SYN is the exact engine's.
  if (handle.flow.tcpFlags !== undefined) return null;
  const s = runner.scratch;
  begin(s, handle, seed, scripted);
  fillRequest(s.packet, handle, s.book.families[handle.destination] === 0 ? 0 : 1, handle.sender);
  travel(s, handle.sender);
  if (!s.gaveUp) return s;
  runner.gaveUp++;
  return null;
}

/** As `walk`; a path that was walked before, and in which the sender's port had no say, is remembered. */
export function request(runner: Runner, handle: FlowHandle, seed: number, scripted: number): Verdict | null {
  const s = runner.scratch;
  const place = placeOf(runner.paths, handle);
  begin(s, handle, seed, scripted);
  const leaf = recall(s, runner.paths, place);
  if (leaf !== null) {
    replay(s, leaf);
    return s;
  }
  const verdict = walk(runner, handle, s.seed, Math.max(s.chosenCount, scripted));
  if (verdict !== null && !s.portAsked) remember(s, runner.paths, place);
  return verdict;
}

/** The request and what comes back for it; `null`: ask `runTrace`. */
export function roundTrip(runner: Runner, handle: FlowHandle, seed: number, scripted: number): Verdict | null {
  const s = runner.scratch;
  const verdict = walk(runner, handle, seed, scripted);
  if (verdict === null) return null;
  runner.answer.kind = 'none';
  runner.answer.from = -1;
  runner.answer.ttl = 0;
  if (s.answer === ANSWER.none) return verdict;
  if (s.answer === ANSWER.unmodelled || s.answerFrom === null) return failed(runner);
  const { reason, receiver } = s;
  answerBack(s, s.answerFrom);
  if (s.gaveUp) return failed(runner);
  if (s.reason < 0) {
    runner.answer.kind = s.answer === ANSWER.reset ? 'reset' : 'reply';
    runner.answer.from = s.packet.source;
    runner.answer.ttl = s.packet.ttl;
  }
  s.reason = reason;
  s.receiver = receiver;
  copyPacket(s.packets[s.packets.length - 1] as PacketRecord, s.arrived);
  return verdict;
}

function failed(runner: Runner): null {
  runner.gaveUp++;
  return null;
}

function begin(s: Scratch, handle: FlowHandle, seed: number, scripted: number): void {
  s.handle = handle;
  s.sender = handle.sender;
  s.packet = s.packets[0] as PacketRecord;
  s.depth = 0;
  s.mark = 0;
  s.tunnels = 0;
  s.over = false;
  s.tunnelWork = TUNNEL.none;
  s.gaveUp = false;
  s.isAnswer = false;
  s.steps = 0;
  s.reason = -1;
  s.receiver = null;
  s.answer = ANSWER.none;
  s.answerFrom = null;
  s.flowCount = 0;
  s.learnedCount = 0;
  s.resolvedCount = 0;
  s.hitCount = 0;
  s.portAsked = false;
  s.chosenCount = 0;
  s.scripted = scripted;
  s.seed = seed;
  s.probability[0] = 1;
}

const SYN = 2;
const INIT = 1;
/** With its options. */
const SYN_LENGTH = 40;

/** As answers.ts: a ping, a SYN with an MSS, a datagram, an INIT. */
function fillRequest(p: PacketRecord, handle: FlowHandle, family: 0 | 1, sender: ProgramNamespace): void {
  const { protocol } = handle;
  const icmp = protocol === 1 || protocol === 58;
  p.family = family;
  p.source = handle.source;
  p.destination = handle.destination;
  p.protocol = protocol;
  p.sourcePort = handle.sourcePort;
  p.destinationPort = icmp ? handle.sourcePort : handle.destinationPort;
  p.flags = protocol === 6 ? SYN : protocol === 132 ? INIT : 0;
  p.icmpType = icmp ? (family === 0 ? 8 : 128) : -1;
  p.ttl = sender.ttl[family];
  p.length = (family === 0 ? 20 : 40) + (protocol === 6 ? SYN_LENGTH : protocol === 132 ? 32 : 8 + handle.payload);
  p.dontFragment = true;
  p.frameSource = -1;
  p.frameDestination = -1;
  p.vni = -1;
}

/** Turns what arrived round and sends it; the request's arrival is kept in the last record. */
function answerBack(s: Scratch, from: ProgramNamespace): void {
  const came = s.packets[s.packets.length - 1] as PacketRecord;
  copyPacket(s.arrived, came);
  const p = s.packets[0] as PacketRecord;
  copyPacket(came, p);
  const icmp = came.icmpType >= 0;
  const reset = s.answer === ANSWER.reset;
  p.source = came.destination;
  p.destination = came.source;
  p.sourcePort = came.destinationPort;
  p.destinationPort = came.sourcePort;
  p.flags = p.protocol === 6 ? (reset ? 20 : 18) : p.protocol === 132 ? (reset ? 4 : 2) : 0;
  p.icmpType = icmp ? (p.family === 0 ? 0 : 129) : -1;
  p.ttl = from.ttl[p.family];
  if (reset) p.length = (p.family === 0 ? 20 : 40) + (p.protocol === 6 ? 20 : 16);
  p.dontFragment = !icmp || p.family === 1;
  p.frameSource = -1;
  p.frameDestination = -1;
  s.packet = p;
  s.depth = 0;
  s.mark = 0;
  s.tunnels = 0;
  s.over = false;
  s.tunnelWork = TUNNEL.none;
  s.isAnswer = true;
  s.steps = 0;
  travel(s, from);
}

/** The chain and the rule's place in it, from 0, of a number in `hits`. */
export function ruleOf(program: VerdictProgram, hit: number): { readonly link: ChainLink; readonly index: number } | null {
  const link = program.rules.links.findLast((each) => each.firstRule <= hit);
  return link === undefined ? null : { link, index: hit - link.firstRule };
}

