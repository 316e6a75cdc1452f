/**
 * One flow, every branch. A run is a function of the topology, the flow and the choices made where the kernel leaves
 * something to chance; the driver replays it with each other choice, in order, until none is left.
 */
import { formatAddress } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import { firstPacket } from '../data-plane/answers.ts';
import { HOP_AS_STEPS, MAX_BRANCHES, MAX_RULES_OF_BRANCHES, MAX_STEPS } from '../data-plane/budgets.ts';
import { namespaceKey } from '../data-plane/compile.ts';
import type { CompiledNamespace, CompiledTopology } from '../data-plane/compile.ts';
import { ACK, destinationText, isIcmpError, sourcePortOf, sourceText } from '../data-plane/packet.ts';
import type { Packet } from '../data-plane/packet.ts';
import { sharedHookKey } from '../data-plane/netfilter/rulesets.ts';
import type { SharedHook } from '../data-plane/netfilter/rulesets.ts';
import { emptyNetfilterState } from '../data-plane/netfilter/state.ts';
import { headersOf } from '../data-plane/packet-headers.ts';
import { pathMtu } from '../data-plane/path-mtu.ts';
import { emptyJourney, kernel, passOn } from '../data-plane/run-state.ts';
import type { Choice, End, JourneyState, PendingAnswer, Run, Sending, Work } from '../data-plane/run-state.ts';
import { workOff } from '../data-plane/work.ts';
import type { Ruleset } from '../topology/netfilter.ts';
import type { Flow } from './flow.ts';
import type { Answer, Branch, Hop, Journey, Step, Trace } from './model.ts';
import { inEveryOrder, USUAL } from './orders.ts';
import type { InOrder, Orders } from './orders.ts';
import { isLost, lostShare, queryOf, unresolved } from './name-query.ts';
import { reason } from './reasons.ts';
import { mayDiffer, sameWay } from './second-packet.ts';

interface Chosen {
  readonly index: number;
  readonly options: readonly Choice[];
}

/** How a run's request begins: a socket sends it, or it arrives at a device. */
export interface Beginning {
  /** The namespace whose socket waits for the answer. */
  readonly sender: CompiledNamespace;
  /** Where the request is seen first. */
  readonly at: CompiledNamespace;
  /** `before`: what is told before anything else. */
  readonly begin: (run: Run) => { readonly work: Work; readonly before: readonly Step[] };
  readonly watch?: Run['watch'];
}

/** Every branch with its probability; those of the earlier choice first, so that endpoints come in the rules' order. */
export function runTrace(compiled: CompiledTopology, flow: Flow, watch?: Run['watch']): Trace {
  const sender = compiled.byName.get(namespaceKey(flow.host, flow.namespace));
  if (sender === undefined) return { from: flow.fromText, to: flow.toText, branches: [openBranch(1, 'no-sender', `${flow.host}/${flow.namespace}`)] };
  const asked = queryOf(flow);
  const query = asked === null ? null : runFrom(compiled, asked, sending(asked, sender));
  if (query !== null && isLost(query)) return unresolved(flow, query);
  return runFrom(compiled, flow, { ...sending(flow, sender, query), ...(watch === undefined ? {} : { watch }) });
}

const sending = (flow: Flow, sender: CompiledNamespace, query: Trace | null = null): Beginning => ({
  sender, at: sender,
  begin: (run) => ({ work: { kind: 'send', ns: sender, sending: requestOf(run) }, before: resolutionOf(flow, sender, query) }),
});

export const runFrom = (compiled: CompiledTopology, flow: Flow, beginning: Beginning): Trace =>
  ({ from: flow.fromText, to: flow.toText, branches: inEveryOrder((orders) => branchesOf(compiled, flow, beginning, orders)) });

/** The driver: one run after the other, until no choice is left. */
function branchesOf(compiled: CompiledTopology, flow: Flow, beginning: Beginning, orders: Orders): InOrder {
  const met = new Map<string, SharedHook>();
  const firstAsked = (where: SharedHook): Ruleset => {
    const key = sharedHookKey(where);
    met.set(key, where);
    return orders.get(key) ?? USUAL;
  };
  const branches: Branch[] = [];
  let choices: readonly number[] = [];
  let open = 1;
  let room = 0;
  let asked = 0;
  for (;;) {
    const { branch, chosen, rulesAsked } = runOnce(compiled, flow, beginning, choices, firstAsked);
    branches.push(branch);
    open -= branch.probability;
    room += roomOf(branch);
    asked += rulesAsked;
    const next = nextChoices(chosen);
    if (next === null) return { branches, met };
    if (branches.length >= MAX_BRANCHES || room >= MAX_STEPS || asked >= MAX_RULES_OF_BRANCHES) return { branches: [...branches, openBranch(Math.max(open, 0), 'too-many-branches', beginning.at.label)], met };
    choices = next;
  }
}

const roomOf = ({ request, reply, second }: Branch): number => [...request.hops, ...(reply?.hops ?? []), ...(second?.hops ?? [])].reduce((sum, hop) => sum + hop.steps.length + HOP_AS_STEPS, 0);

/** The last choice that has an option left takes its next one; what followed it is asked afresh. */
function nextChoices(chosen: readonly Chosen[]): readonly number[] | null {
  for (let i = chosen.length - 1; i >= 0; i--) {
    const last = chosen[i];
    if (last !== undefined && last.index + 1 < last.options.length) return [...chosen.slice(0, i).map((c) => c.index), last.index + 1];
  }
  return null;
}

const NO_ANSWER: Answer = { kind: 'none', from: null, type: null, code: null, ttl: null };

const openBranch = (probability: number, code: 'no-sender' | 'too-many-branches', where: string): Branch => ({
  probability,
  supposing: [],
  outcome: 'undecided',
  reason: reason(code, { where }),
  deliveredTo: null,
  seenAs: null,
  answer: NO_ANSWER,
  request: { hops: [] },
  reply: null,
});

function runOnce(compiled: CompiledTopology, flow: Flow, beginning: Beginning, choices: readonly number[], firstAsked: Run['firstAsked']): { branch: Branch; chosen: readonly Chosen[]; rulesAsked: number } {
  const chosen: Chosen[] = [];
  const answers = new Map<string, number>();
  const choose = (key: string, options: readonly Choice[]): number => {
    const before = key === '' ? undefined : answers.get(key);
    if (before !== undefined) return before;
    const index = choices[chosen.length] ?? 0;
    chosen.push({ index, options });
    if (key !== '') answers.set(key, index);
    return index;
  };
  const run = newRun(compiled, flow, beginning, choose, firstAsked);
  const { work, before } = beginning.begin(run);
  const request = journey(run, beginning.at, work, before);
  const answer = run.answers.shift();
  const reply = answer === undefined || request.ending.outcome === 'undecided' ? null : journeyOfAnswer(run, answer);
  const second = beginning.at === run.sender ? secondOf(run, beginning, request, reply) : null;
  const probability = chosen.reduce((product, c) => product * (c.options[c.index]?.probability ?? 1), 1);
  return { branch: { ...branchOf(probability, run.netfilter.supposing, request, answer, reply), ...(second === null ? {} : { second: journeyRecord(second) }) }, chosen, rulesAsked: run.rulesAsked };
}

function newRun(compiled: CompiledTopology, flow: Flow, { sender, watch = null }: Beginning, choose: Run['choose'], firstAsked: Run['firstAsked']): Run {
  return {
    compiled, flow, sender, choose, firstAsked,
    phase: 'request',
    queue: [],
    answers: [],
    conntrack: new Map(),
    neighbours: new Map(),
    learned: new Map(),
    learnedRemotes: new Map(),
    netfilter: emptyNetfilterState(),
    watch,
    pathMtus: new Map(),
    journey: emptyJourney(),
    rulesAsked: 0,
    nextId: 0,
  };
}

interface Travelled {
  readonly hops: readonly Hop[];
  readonly ending: End;
}

/** Runs the queue down. The journey ends where a copy was delivered, else where its first copy ended. */
function journey(run: Run, from: CompiledNamespace, work: Work, before: readonly Step[]): Travelled {
  const state = emptyJourney();
  run.journey = state;
  state.before.push(...before);
  passOn(run, work);
  workOff(run);
  return { hops: hopsOf(from, state), ending: endingOf(state) };
}

function endingOf(state: JourneyState): End {
  const { ends } = state;
  const first = ends.find((e) => e.outcome === 'undecided') ?? ends.find((e) => e.outcome === 'delivered') ?? ends.find((e) => e.role === 'own') ?? ends.find((e) => e.role === 'aside') ?? ends[0];
  if (first === undefined) throw new Error('a packet has neither ended nor gone on');
  return first;
}

/** What never came to a device has one hop all the same, at the device that its route named, for its steps. */
function hopsOf(from: CompiledNamespace, state: JourneyState): readonly Hop[] {
  const packet = state.ends[0]?.packet ?? null;
  if (state.hops.length > 0 || packet === null) return state.hops;
  const routed = state.before.flatMap((s) => (s.stage === 'route' && s.device !== null ? [s.device] : [])).at(-1);
  return [{ host: from.host.name, namespace: from.namespace.name, interface: routed ?? 'lo', direction: 'out', packet: headersOf({ ...packet, frame: null }), steps: state.before }];
}

function resolutionOf({ resolution, assumption }: Flow, sender: CompiledNamespace, query: Trace | null): readonly Step[] {
  const asked = resolution.map(({ query, answer }): Step => ({
    stage: 'name', query, answer, sentence: `${sender.label} asks for ${query}: ${answer}.`, source: { derivedBy: 'coredns', because: 'the names of services and pods' },
  }));
  const assumed: Step[] = assumption === undefined ? [] : [{ stage: 'assumption', sentence: assumption, source: { derivedBy: 'k8snet', because: 'a name of the cluster, asked for by a node' } }];
  const share = query === null ? 0 : lostShare(query);
  const slow: Step[] = query === null || share === 0 ? [] : [{
    stage: 'assumption', sentence: `${Math.round(share * 100)} % of the questions to ${query.to} get no answer; the resolver is taken to ask again, after five seconds.`, source: { derivedBy: 'coredns', because: 'the names of services and pods' },
  }];
  return [...assumed, ...asked, ...slow];
}

function requestOf(run: Run): Sending {
  const { sender } = run;
  const isSecond = run.phase === 'second';
  const flow = isSecond && run.flow.protocol === 'TCP' ? { ...run.flow, tcpFlags: ACK } : run.flow;
  const unspecified: Address = { family: flow.destination.family, words: [0, 0, 0, 0] };
  const what = isSecond ? 'the next packet of the flow' : flow.protocol === 'ICMP' ? 'a ping' : flow.protocol === 'TCP' ? (flow.tcpFlags === undefined ? 'a SYN' : 'a TCP segment') : `the first ${flow.protocol} packet`;
  return {
    packet: firstPacket(run, sender, flow, flow.source ?? unspecified),
    tracked: null,
    mark: 0,
    device: null,
    tunnels: 0,
    announce: (packet) => ({
      stage: 'send', sentence: `${sender.label} sends ${what} from ${sourceText(packet)} to ${destinationText(packet)}.`, source: kernel('a socket of the sender'),
    }),
  };
}

function journeyOfAnswer(run: Run, answer: PendingAnswer): Travelled {
  run.phase = 'answer';
  run.answers.length = 0;
  const { ns, packet, tracked, device, sentence, source } = answer;
  return journey(run, ns, { kind: 'send', ns, sending: { packet, tracked, mark: 0, device, tunnels: 0, announce: () => ({ stage: 'send', sentence, source }) } }, []);
}

/** Where an answer came back, the flow's next packet, if it fares otherwise; where the path's MTU was learned, another try. */
function secondOf(run: Run, beginning: Beginning, request: Travelled, reply: Travelled | null): Travelled | null {
  const { compiled, flow, sender } = run;
  if (pathMtu(run, sender, flow.destination) !== undefined) return journeyOfSecond(run, beginning, 'request');
  const isAnswered = request.ending.outcome === 'delivered' && reply?.ending.outcome === 'delivered' && flow.protocol !== 'SCTP' && flow.tcpFlags === undefined;
  const carries = flow.protocol === 'TCP' && flow.payload > 0;
  if (!isAnswered || !(carries || mayDiffer(compiled, request.hops))) return null;
  const second = carries ? dataOf(run, beginning, request.ending.packet, reply.ending.packet) : journeyOfSecond(run, beginning, 'second');
  return second.ending.outcome === 'delivered' && sameWay(request.hops, second.hops) ? null : second;
}

/** What the first packet taught holds: flows, neighbours, the path's MTU. `second`: a packet of a flow that was answered. */
function journeyOfSecond(run: Run, beginning: Beginning, phase: 'request' | 'second'): Travelled {
  run.phase = phase;
  run.answers.length = 0;
  const { work } = beginning.begin(run);
  return journey(run, beginning.at, work, []);
}

/**
 * A segment of the flow's size, and one as large in answer, neither larger than the other side's MSS. Where an error tells
 * the path's MTU, again with what fits.
 */
function dataOf(first: Run, beginning: Beginning, syn: Packet | null, synAck: Packet | null): Travelled {
  const run: Run = { ...first, flow: { ...first.flow, payload: Math.min(first.flow.payload, mssOf(synAck)) } };
  for (let tries = 0; ; tries++) {
    const sent = journeyOfSecond(run, beginning, 'second');
    const answer = run.answers.shift();
    if (sent.ending.outcome === 'delivered') return answer === undefined ? sent : dataBack(run, withPayloadOf(answer, mssOf(syn)), sent);
    if (answer === undefined || tries === PATH_MTU_TRIES) return sent;
    const known = pathMtu(run, run.sender, run.flow.destination);
    journeyOfAnswer(run, answer);
    if (pathMtu(run, run.sender, run.flow.destination) === known) return sent;
  }
}

/** What arrived, if its answer comes back; else the answer. */
function dataBack(run: Run, answer: PendingAnswer, sent: Travelled): Travelled {
  for (let tries = 0; ; tries++) {
    const back = journeyOfAnswer(run, answer);
    if (back.ending.outcome === 'delivered') return sent;
    const error = run.answers.shift();
    if (error === undefined || tries === PATH_MTU_TRIES) return back;
    const known = pathMtu(run, answer.ns, answer.packet.ip.destination);
    journeyOfAnswer(run, error);
    if (pathMtu(run, answer.ns, answer.packet.ip.destination) === known) return back;
  }
}

/** Each learns a smaller MTU than the one before. */
const PATH_MTU_TRIES = 4;

const mssOf = (packet: Packet | null): number => (packet?.transport.kind === 'tcp' ? (packet.transport.mss ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY);

function withPayloadOf(answer: PendingAnswer, limit: number): PendingAnswer {
  const { transport } = answer.packet;
  return transport.kind === 'tcp' && transport.payload > limit ? { ...answer, packet: { ...answer.packet, transport: { ...transport, payload: limit } } } : answer;
}

function branchOf(probability: number, supposing: readonly string[], request: Travelled, answer: PendingAnswer | undefined, reply: Travelled | null): Branch {
  const { ending } = request;
  const arrived = ending.outcome === 'delivered' ? ending.packet : null;
  return {
    probability,
    supposing,
    outcome: ending.outcome,
    reason: ending.reason,
    deliveredTo: ending.receiver,
    seenAs: arrived === null ? null : { address: formatAddress(arrived.ip.source), port: sourcePortOf(arrived) },
    answer: answer === undefined || reply === null ? NO_ANSWER : answerOf(answer, reply),
    request: { hops: request.hops },
    reply: reply === null ? null : journeyRecord(reply),
  };
}

const journeyRecord = (travelled: Travelled): Journey => ({ outcome: travelled.ending.outcome, reason: travelled.ending.reason, hops: travelled.hops });

/** What the sender gets, as it arrives; `none` where it does not arrive or nobody waits for it. */
function answerOf(answer: PendingAnswer, reply: Travelled): Answer {
  const { ending } = reply;
  const packet: Packet | null = ending.packet;
  if (ending.outcome !== 'delivered' || packet === null) return NO_ANSWER;
  const icmp = isIcmpError(packet) && packet.transport.kind === 'icmp' ? packet.transport : null;
  const kind = icmp !== null ? 'icmp' : answer.kind;
  return { kind, from: formatAddress(packet.ip.source), type: icmp?.type ?? null, code: icmp?.code ?? null, ttl: packet.ip.ttl };
}
