/**
 * What changes while one run's packets travel, in one record that is made per run: nothing mutable is shared. Stages
 * take the run and a packet, record hops and steps, and return a `Fate`, which only the functions here can make: a
 * packet cannot end without an outcome and a reason.
 */
import type { Address, Mac } from '../net/address.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { Origin, Programmer } from '../topology/origin.ts';
import type { PacketHeaders } from '../packet/headers.ts';
import type { Interface } from '../topology/model.ts';
import type { Ruleset } from '../topology/netfilter.ts';
import type { Flow } from '../trace/flow.ts';
import type { Hop, Outcome, Reason, Receiver, Step, StepSource } from '../trace/model.ts';
import { outcomeOf, reason } from '../trace/reasons.ts';
import type { Details, ReasonCode } from '../trace/reasons.ts';
import { MAX_HOPS } from './budgets.ts';
import type { CompiledNamespace, CompiledTopology } from './compile.ts';
import type { EndedWalk } from './netfilter/chain.ts';
import type { ConntrackTable, Tracked } from './netfilter/conntrack.ts';
import type { SharedHook } from './netfilter/rulesets.ts';
import type { NetfilterState } from './netfilter/state.ts';
import { headersOf } from './packet-headers.ts';
import { withFrame } from './packet.ts';
import type { Packet } from './packet.ts';

/** The packet and what the kernel keeps about it in its sk_buff. */
export interface Skb {
  readonly packet: Packet;
  readonly mark: number;
  readonly tracked: Tracked | null;
  /** It starts in this namespace. */
  readonly local: boolean;
  /** It belongs to a socket of this namespace, as what a tunnel makes of a socket's packet still does (skb->sk). */
  readonly hasSocket: boolean;
  /** How often it was encapsulated on its way through this namespace. */
  readonly tunnels: number;
  /** The bridge ports it came in by and leaves by, for br_netfilter. */
  readonly physIn: string | null;
  readonly physOut: string | null;
  /** The device whose address an ICMPv6 error about it has (IP6CB(skb)->iif); `null` until IP has taken it in. */
  readonly input: string | null;
  /** br_netfilter has already run PREROUTING (ip_sabotage_in). */
  readonly preroutingDone: boolean;
  readonly packetType: 'unicast' | 'broadcast' | 'multicast';
}

/** Written out, for V8 copies an object literal of fixed fields many times faster than a spread of nine. */
export const withSkb = (skb: Skb, change: Partial<Skb>): Skb => ({
  packet: change.packet ?? skb.packet,
  mark: change.mark ?? skb.mark,
  tracked: change.tracked === undefined ? skb.tracked : change.tracked,
  local: change.local ?? skb.local,
  hasSocket: change.hasSocket ?? skb.hasSocket,
  tunnels: change.tunnels ?? skb.tunnels,
  physIn: change.physIn === undefined ? skb.physIn : change.physIn,
  physOut: change.physOut === undefined ? skb.physOut : change.physOut,
  input: change.input === undefined ? skb.input : change.input,
  preroutingDone: change.preroutingDone ?? skb.preroutingDone,
  packetType: change.packetType ?? skb.packetType,
});

export interface Choice {
  readonly probability: number;
}

/** What is sent back, once the packet's own journey is over. */
export interface PendingAnswer {
  readonly kind: 'reply' | 'reset' | 'icmp';
  readonly ns: CompiledNamespace;
  /** The source is unspecified where the route back decides it. */
  readonly packet: Packet;
  readonly tracked: Tracked | null;
  /** Where the packet has a frame: the device that it leaves by as it stands. */
  readonly device: string | null;
  readonly sentence: string;
  readonly source: StepSource;
}

export interface End {
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly receiver: Receiver | null;
  readonly packet: Packet | null;
  /**
   * `bystander`: somebody else's copy of a flooded frame, whose way is not shown. `aside`: a copy for everyone that came back
   * to its sender or to who has no use for it; no end of the journey as long as another copy has one.
   */
  readonly role: 'own' | 'aside' | 'bystander';
}

interface MutableHop extends Hop {
  readonly steps: Step[];
}

export interface JourneyState {
  readonly hops: MutableHop[];
  /** Where what is told belongs to; each of several copies goes on at the hop where they parted. */
  current: MutableHop | null;
  /** The packet that was shown last: what leaves by one device comes in by the next as it is. */
  seen: { readonly packet: Packet; readonly headers: PacketHeaders } | null;
  /** Steps before the packet was seen at an interface. */
  readonly before: Step[];
  readonly ends: End[];
  /** Namespaces that forwarded the packet, for telling a loop from a long way. */
  readonly forwardedBy: Set<string>;
}

export interface Run {
  readonly compiled: CompiledTopology;
  readonly flow: Flow;
  /** The namespace whose socket asked. */
  readonly sender: CompiledNamespace;
  /** Which of the options holds in this run; `key` makes the same question get the same answer. */
  readonly choose: (key: string, options: readonly Choice[]) => number;
  /** Which of two rulesets this run takes to be asked first where both have rules. */
  readonly firstAsked: (where: SharedHook) => Ruleset;
  /** The request, or what came back for it. */
  phase: 'request' | 'answer' | 'second';
  /** A stack: a flooded copy comes to its end before the next one starts. */
  readonly queue: Work[];
  readonly answers: PendingAnswer[];
  /** By namespace. */
  readonly conntrack: Map<number, ConntrackTable>;
  /** Resolved during the run, by namespace and `neighbourKey`. */
  readonly neighbours: Map<string, Mac>;
  /** Self-learned: by namespace and bridge, the port of a MAC. */
  readonly learned: Map<string, Map<Mac, string>>;
  /** Self-learned VTEPs: by namespace and vxlan device, the remote of a MAC. */
  readonly learnedRemotes: Map<string, Map<Mac, Address>>;
  readonly netfilter: NetfilterState;
  /** Told of the walks that end packets; `null` where nobody asks. */
  readonly watch: ((walk: EndedWalk) => void) | null;
  /** Learned from ICMP errors, by namespace and destination. */
  readonly pathMtus: Map<string, number>;
  journey: JourneyState;
  /** Against `MAX_RULES`. */
  rulesAsked: number;
  nextId: number;
}

/** What is still to be done: the stage, and the packet where it stands. `work.ts` calls the stages. */
export type Work =
  | { readonly kind: 'receive' | 'receive-up' | 'receive-copy' | 'transmit'; readonly ns: CompiledNamespace; readonly device: Interface; readonly skb: Skb }
  | { readonly kind: 'send'; readonly ns: CompiledNamespace; readonly sending: Sending }
  /** The rest of a stage, for one of several copies. */
  | { readonly kind: 'within'; readonly stage: () => Fate }
  | { readonly kind: 'forget'; readonly since: { readonly hops: number; readonly ends: number; readonly at: MutableHop | null; readonly steps: number } };

/** A packet that starts in a namespace. */
export interface Sending {
  /** The source is unspecified where the route decides it. With a frame, it leaves by `device` as it stands. */
  readonly packet: Packet;
  readonly tracked: Tracked | null;
  readonly mark: number;
  /** The device that it must leave by. */
  readonly device: string | null;
  readonly tunnels: number;
  /** Of what a tunnel wraps; everything else that starts here has a socket. */
  readonly hasSocket?: boolean;
  /** Said before anything else happens, once the source is known. */
  readonly announce: ((packet: Packet) => Step) | null;
}

declare const fateBrand: unique symbol;
/** Proof that a packet either goes on or has ended by name. */
export interface Fate {
  readonly [fateBrand]: true;
}
const FATE = {} as Fate;

export const emptyJourney = (): JourneyState => ({ hops: [], current: null, seen: null, before: [], ends: [], forwardedBy: new Set() });

/** The packet goes on in another stage, or later in this one. */
export function passOn(run: Run, work: Work): Fate {
  run.queue.push(work);
  return FATE;
}

/** Some copies of one frame; what is recorded of one of several that was nobody's is taken back. */
export function passCopies(run: Run, copies: readonly Work[]): Fate {
  const [only] = copies;
  if (only !== undefined && copies.length === 1) return passOn(run, only);
  const { current: at } = run.journey;
  for (const copy of [...copies].reverse()) {
    run.queue.push({
      kind: 'within',
      stage: () => {
        const { hops, ends } = run.journey;
        run.journey.current = at;
        run.queue.push({ kind: 'forget', since: { hops: hops.length, ends: ends.length, at, steps: at?.steps.length ?? 0 } }, copy);
        return FATE;
      },
    });
  }
  return FATE;
}

/** Takes back what was recorded since, if nothing but bystanders came of it. */
export function forget(run: Run, since: Extract<Work, { kind: 'forget' }>['since']): void {
  const { hops, ends } = run.journey;
  const news = ends.slice(since.ends);
  if (news.length === 0 || !news.every((e) => e.role === 'bystander')) return;
  hops.length = since.hops;
  if (since.at !== null) since.at.steps.length = Math.min(since.at.steps.length, since.steps);
}

export function end(run: Run, ns: CompiledNamespace, skb: Skb, code: ReasonCode, details: Omit<Details, 'where'>, source?: StepSource): Fate {
  const why = reason(code, { where: ns.label, ...details });
  const outcome = outcomeOf(code);
  const stage = outcome === 'undecided' ? 'undecided' : 'drop';
  step(run, { stage, reason: why, sentence: why.sentence, source: source ?? kernel('the way of the packet') });
  run.journey.ends.push({ outcome, reason: why, receiver: null, packet: skb.packet, role: roleOf(skb, code) });
  if (outcome === 'undecided') run.queue.length = 0;
  return FATE;
}

const roleOf = (skb: Skb, code: ReasonCode): End['role'] =>
  code === 'other-host' ? 'bystander' : code === 'group-not-joined' || (skb.packetType !== 'unicast' && code === 'martian-source') ? 'aside' : 'own';

export function delivered(run: Run, receiver: Receiver, packet: Packet): Fate {
  run.journey.ends.push({ outcome: 'delivered', reason: null, receiver, packet, role: 'own' });
  return FATE;
}

export function step(run: Run, value: Step): void {
  (run.journey.current?.steps ?? run.journey.before).push(value);
}

/** The packet as a capture at a device shows it: without a link layer where the device has none. */
export const seenAt = (device: Interface, packet: Packet): PacketHeaders => headersOf(isBare(device) ? withFrame(packet, null) : packet);

const isBare = (device: Interface): boolean => device.device.kind === 'loopback' || device.device.kind === 'tun' || device.mac === null;

/** The packet at a device. */
export function hop(run: Run, ns: CompiledNamespace, device: Interface, direction: 'in' | 'out', packet: Packet): void {
  const { journey } = run;
  const { seen } = journey;
  const headers = seen?.packet === packet && !isBare(device) ? seen.headers : seenAt(device, packet);
  journey.seen = isBare(device) ? null : { packet, headers };
  const here: MutableHop = {
    host: ns.host.name,
    namespace: ns.namespace.name,
    interface: device.name,
    direction,
    packet: headers,
    steps: journey.hops.length === 0 ? journey.before.splice(0) : [],
  };
  journey.hops.push(here);
  journey.current = here;
}

/** True once there is no sense in following the packet on. */
export const exhausted = (run: Run): boolean => run.journey.hops.length >= MAX_HOPS;

export const kernel = (because: string): StepSource => ({ derivedBy: 'kernel', because });

export const program = (by: Programmer, because: string, at?: SourceRef): StepSource =>
  at === undefined ? { derivedBy: by, because } : { derivedBy: by, because, file: at.file, line: at.line };

export function sourceOf(origin: Origin): StepSource {
  switch (origin.kind) {
    case 'declared':
    case 'captured':
      return { file: origin.at.file, line: origin.at.line, layer: origin.kind };
    case 'derived':
      return program(origin.by, origin.because, origin.at);
  }
}

export const stateKey = (ns: CompiledNamespace, name: string): string => `${ns.index} ${name}`;

export function nextId(run: Run): number {
  run.nextId = (run.nextId + 1) & 0xffff;
  return run.nextId;
}

/** FNV-1a over the text, for everything that the kernel takes from a hash of the flow. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** The journey ends here, whatever is still under way. */
export function abandon(run: Run): void {
  const why = reason('too-many-hops', { where: run.journey.current?.host ?? run.sender.label });
  step(run, { stage: 'undecided', reason: why, sentence: why.sentence, source: kernel('the way of the packet') });
  run.journey.ends.push({ outcome: 'undecided', reason: why, receiver: null, packet: null, role: 'own' });
  run.queue.length = 0;
}
