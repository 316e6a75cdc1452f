/**
 * The working memory of one runner: the packet and its sk_buff as numbers, the flows and the learned entries of one
 * run. Everything is made once and written over by each run; two runners share none of it.
 */
import type { NatRange } from '../../topology/netfilter.ts';
import type { AddressBook } from './address-book.ts';
import { addressBook } from './address-book.ts';
import type { FlowHandle } from './verdict.ts';
import type { PairTable } from './pair-table.ts';
import { pairTable } from './pair-table.ts';
import type { NeighbourWay, RemoteWay, RouteWay, ForwardingWay } from './ways.ts';
import type { ProgramDevice, ProgramNamespace, VerdictProgram } from './program.ts';

/** Addresses and MACs by their numbers; -1 where there is none. An ICMP identifier stands in both ports. */
export interface PacketRecord {
  /** 0 IPv4, 1 IPv6. */
  family: 0 | 1;
  source: number;
  destination: number;
  protocol: number;
  sourcePort: number;
  destinationPort: number;
  /** TCP flags; in SCTP 1 INIT, 2 INIT ACK, 4 ABORT. */
  flags: number;
  icmpType: number;
  ttl: number;
  /** From the IP header on, in bytes. */
  length: number;
  dontFragment: boolean;
  frameSource: number;
  frameDestination: number;
  /** The VNI of a VXLAN packet, else -1. */
  vni: number;
}

/** A flow in a conntrack table; only confirmed ones are found. */
export interface FlowRecord {
  namespace: number;
  protocol: number;
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  icmpType: number;
  replySource: number;
  replySourcePort: number;
  replyDestination: number;
  replyDestinationPort: number;
  replyIcmpType: number;
  confirmed: boolean;
  seenReply: boolean;
  mark: number;
  sourceNat: boolean;
  destinationNat: boolean;
  sourceSettled: boolean;
  destinationSettled: boolean;
}

/** nf_conntrack's ctinfo. */
export const INFO = { none: 0, new: 1, established: 2, invalid: 4 } as const;

/** What comes back to the sender, or would. `unmodelled`: an ICMP error, which the exact engine follows. */
export const ANSWER = { none: 0, reply: 1, reset: 2, unmodelled: 3 } as const;

/** A packet waits to be put into a tunnel, or to be taken out of one. */
export const TUNNEL = { none: 0, encapsulate: 1, decapsulate: 2 } as const;

export interface Scratch {
  readonly program: VerdictProgram;
  readonly book: AddressBook;
  /** By depth of encapsulation; `packet` is the outermost. */
  readonly packets: readonly PacketRecord[];
  packet: PacketRecord;
  depth: number;
  mark: number;
  /** Index into `flows`, -1 for none. */
  tracked: number;
  isReply: boolean;
  info: number;
  local: boolean;
  tunnels: number;
  physIn: ProgramDevice | null;
  physOut: ProgramDevice | null;
  preroutingDone: boolean;
  /** Where the packet stands for a chain; no device is the empty name. */
  hook: number;
  namespace: ProgramNamespace;
  input: ProgramDevice | null;
  output: ProgramDevice | null;
  nextHop: number;
  /** The tunnel's work that is next, and its device. */
  tunnelWork: number;
  tunnel: ProgramDevice | null;
  /** Set by the packet's end or by `giveUp`. */
  over: boolean;
  gaveUp: boolean;
  isAnswer: boolean;
  steps: number;
  handle: FlowHandle;
  sender: ProgramNamespace;

  /** Index into REASON_CODES; -1: delivered. */
  reason: number;
  receiver: ProgramNamespace | null;
  readonly arrived: PacketRecord;
  answer: number;
  answerFrom: ProgramNamespace | null;

  readonly flows: readonly FlowRecord[];
  flowCount: number;
  /** bridge, MAC, port and so on, three numbers an entry. */
  readonly learned: Int32Array;
  learnedCount: number;
  /** Which dynamic neighbour entries this run has made. */
  readonly resolved: Int32Array;
  resolvedCount: number;

  /** Numbers of the rules that were hit, in order; see `ruleOf`. */
  readonly hits: Int32Array;
  hitCount: number;
  /** The sender's own port had a say in this run. */
  portAsked: boolean;
  /** Options taken where the kernel leaves it to chance: the first `scripted` are given, what follows comes from `seed`, or is the first option. */
  readonly chosen: Uint8Array;
  /** The probability of the first option of each. */
  readonly chances: Float64Array;
  chosenCount: number;
  scripted: number;
  seed: number;
  /** One number, the product of what was chosen: a fraction outside an array may be put on the heap by every store. */
  readonly probability: Float64Array;

  readonly memo: Memo;
}

/** Answers of the exact engine's own functions, kept by numbers. */
export interface Memo {
  readonly routes: RouteWay[];
  /** By namespace and destination. */
  readonly routeTo: PairTable;
  /** By device that the packet must leave by, and destination. */
  readonly routeBy: PairTable;
  /** By route and destination; one more than the address, 0 for none. */
  readonly sourceFor: PairTable;
  /** By device and next hop; one more than the address, 0 for none. */
  readonly masquerade: PairTable;
  /** By device and source: 0 passes, else one more than the reason. */
  readonly sourceCheck: PairTable;
  /** The numbers of the addresses that nat rules name. */
  readonly ranges: Map<NatRange, number>;
  readonly neighbours: NeighbourWay[];
  readonly neighbour: PairTable;
  readonly forwardings: ForwardingWay[];
  /** By bridge and MAC. */
  readonly forwarding: PairTable;
  readonly remotes: RemoteWay[];
  /** By vxlan device and MAC. */
  readonly remote: PairTable;
  /** By device and MAC: one more than the taker's number, 0 for none or several. */
  readonly taker: PairTable;
  /** By device (0 for any) and address. */
  readonly addressType: PairTable;
}

const packetRecord = (): PacketRecord => ({
  family: 0, source: -1, destination: -1, protocol: 0, sourcePort: 0, destinationPort: 0, flags: 0, icmpType: -1, ttl: 0, length: 0, dontFragment: true,
  frameSource: -1, frameDestination: -1, vni: -1,
});

const flowRecord = (): FlowRecord => ({
  namespace: 0, protocol: 0, source: -1, sourcePort: 0, destination: -1, destinationPort: 0, icmpType: -1,
  replySource: -1, replySourcePort: 0, replyDestination: -1, replyDestinationPort: 0, replyIcmpType: -1,
  confirmed: false, seenReply: false, mark: 0, sourceNat: false, destinationNat: false, sourceSettled: false, destinationSettled: false,
});

export const MAX_TUNNELS = 4;
const MAX_FLOWS = 32;
export const MAX_LEARNED = 96;
export const MAX_CHOICES = 64;

export function makeScratch(program: VerdictProgram, handle: FlowHandle, somewhere: ProgramNamespace): Scratch {
  const packets = Array.from({ length: MAX_TUNNELS + 2 }, packetRecord);
  return {
    program, book: addressBook(), packets, packet: packets[0] as PacketRecord, depth: 0,
    mark: 0, tracked: -1, isReply: false, info: INFO.none, local: true, tunnels: 0, physIn: null, physOut: null, preroutingDone: false,
    hook: 0, namespace: somewhere, input: null, output: null, nextHop: -1,
    tunnelWork: TUNNEL.none, tunnel: null, over: false, gaveUp: false, isAnswer: false, steps: 0, handle, sender: somewhere,
    reason: -1, receiver: null, arrived: packetRecord(), answer: ANSWER.none, answerFrom: null,
    flows: Array.from({ length: MAX_FLOWS }, flowRecord), flowCount: 0,
    learned: new Int32Array(3 * MAX_LEARNED), learnedCount: 0, resolved: new Int32Array(MAX_LEARNED), resolvedCount: 0,
    hits: new Int32Array(4096), hitCount: 0, portAsked: false,
    chosen: new Uint8Array(MAX_CHOICES), chances: new Float64Array(MAX_CHOICES), chosenCount: 0, scripted: 0, seed: 0, probability: Float64Array.of(1),
    memo: {
      routes: [], routeTo: pairTable(), routeBy: pairTable(), sourceFor: pairTable(), masquerade: pairTable(), sourceCheck: pairTable(), ranges: new Map(),
      neighbours: [], neighbour: pairTable(), forwardings: [], forwarding: pairTable(), remotes: [], remote: pairTable(), taker: pairTable(), addressType: pairTable(),
    },
  };
}

/** What stands in the way is not modelled here: the exact engine answers. */
export function giveUp(s: Scratch): void {
  s.gaveUp = true;
  s.over = true;
}

/** The packet ends here; `code` is an index into REASON_CODES. */
export function endHere(s: Scratch, code: number): void {
  s.reason = code;
  s.over = true;
}

export function copyPacket(from: PacketRecord, to: PacketRecord): void {
  to.family = from.family;
  to.source = from.source;
  to.destination = from.destination;
  to.protocol = from.protocol;
  to.sourcePort = from.sourcePort;
  to.destinationPort = from.destinationPort;
  to.flags = from.flags;
  to.icmpType = from.icmpType;
  to.ttl = from.ttl;
  to.length = from.length;
  to.dontFragment = from.dontFragment;
  to.frameSource = from.frameSource;
  to.frameDestination = from.frameDestination;
  to.vni = from.vni;
}
