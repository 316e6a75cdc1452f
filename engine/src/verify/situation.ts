/** Where and why one way of a flow went wrong: what the search for causes begins with. */
import { parseAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import type { PacketHeaders } from '../packet/headers.ts';
import type { Service, ServicePort, Topology } from '../topology/model.ts';
import { sameAddress } from '../net/address.ts';
import type { ClusterSpec } from '../topology/spec.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { Flow } from '../trace/flow.ts';
import type { Branch, Hop, Reason, Step, Trace } from '../trace/model.ts';

export interface Situation {
  readonly spec: ClusterSpec;
  readonly topology: Topology;
  readonly flow: Flow;
  readonly branch: Branch;
  /** The request did not arrive, or its answer did not come back, or only the flow's first packet fared well. */
  readonly phase: 'request' | 'answer' | 'second';
  readonly reason: Reason | null;
  /** Of the journey that failed. */
  readonly hops: readonly Hop[];
  /** Where it ended; `undefined` where nothing was ever sent. */
  readonly last: Hop | undefined;
}

/** The likeliest way that fails; where every way arrives and is answered, and something else was wanted, the likeliest of all. */
export function situationOf(spec: ClusterSpec, topology: Topology, flow: Flow, trace: Trace): Situation | undefined {
  const likely = trace.branches.filter((b) => b.probability > 0).sort((a, b) => b.probability - a.probability);
  const branch = likely.find((b) => !isAnswered(b)) ?? likely[0];
  if (branch === undefined) return undefined;
  const { reply, second } = branch;
  const base = { spec, topology, flow, branch };
  if (branch.outcome !== 'delivered') return { ...base, phase: 'request', reason: branch.reason, hops: branch.request.hops, last: branch.request.hops.at(-1) };
  if (second !== undefined && isLostLater(branch)) return { ...base, phase: 'second', reason: second.reason, hops: second.hops, last: second.hops.at(-1) };
  return { ...base, phase: 'answer', reason: reply?.reason ?? null, hops: reply?.hops ?? [], last: reply?.hops.at(-1) ?? branch.request.hops.at(-1) };
}

/** The request arrived, what the sender waits for came back, and the flow's later packets fare as well. */
export const isAnswered = (branch: Branch): boolean => isAnsweredAtFirst(branch) && !isLostLater(branch);

const isAnsweredAtFirst = (branch: Branch): boolean => branch.outcome === 'delivered' && branch.answer.kind === 'reply';

const isLostLater = (branch: Branch): boolean => isAnsweredAtFirst(branch) && branch.second !== undefined && branch.second.outcome !== 'delivered';

/** How far the flow comes: the share of ways that arrive, then how far the likeliest that fails came, in hops and in what was done at the last. */
export function reachOf(trace: Trace): readonly number[] {
  const arrived = trace.branches.filter(isAnswered).reduce((sum, b) => sum + b.probability, 0);
  const [worst] = trace.branches.filter((b) => b.probability > 0 && !isAnswered(b)).sort((a, b) => b.probability - a.probability);
  if (worst === undefined) return [1, 0, 0, 0];
  // What went out into the world for a host of the cluster has gone astray, however far.
  if (worst.reason?.code === 'no-such-destination') return [arrived, 0, 0, 0];
  const hops = (isLostLater(worst) ? worst.second : worst.outcome === 'delivered' ? worst.reply : worst.request)?.hops ?? [];
  return [arrived, isLostLater(worst) ? 2 : worst.outcome === 'delivered' ? 1 : 0, hops.length, hops.at(-1)?.steps.length ?? 0];
}

export function isFarther(a: readonly number[], b: readonly number[]): boolean {
  for (const [i, n] of a.entries()) {
    const other = b[i] ?? 0;
    if (Math.abs(n - other) > 1e-9) return n > other;
  }
  return false;
}

/** Namespaces that the flow passes: where it ended first, then back to where it began. */
export function placesOf({ branch, hops }: Situation): readonly { readonly host: string; readonly namespace: string }[] {
  const all = [...hops].reverse().concat([...(branch.reply?.hops ?? []), ...branch.request.hops, ...(branch.second?.hops ?? [])]);
  const seen = new Map(all.map((h) => [`${h.host}\n${h.namespace}`, { host: h.host, namespace: h.namespace }]));
  return [...seen.values()];
}

export const stepsOf = ({ branch }: Situation): readonly Step[] => [...branch.request.hops, ...(branch.reply?.hops ?? []), ...(branch.second?.hops ?? [])].flatMap((h) => h.steps);

/** Whether a step was decided by the captured line. */
export const usedBy = (steps: readonly Step[], at: SourceRef): boolean => steps.some((s) => 'layer' in s.source && s.source.line === at.line && s.source.file === at.file);

/** The rule or policy that ended the packet, with its place in the table. */
export type Event = Extract<Step, { readonly stage: 'netfilter' }>;

export const decidingEvent = ({ last }: Situation): Event | undefined => last?.steps.filter((s): s is Event => s.stage === 'netfilter').at(-1);

/** The packet's own addresses and ports, without what encapsulates it. */
export interface Conversation {
  readonly family: Family;
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | null;
  readonly destinationPort: number | null;
}

/** As the packet stands at the end of the hop: translated by what was translated there. */
export function conversationAt(hop: Hop): Conversation | undefined {
  const found = innermost(hop.packet);
  if (found === undefined) return undefined;
  return hop.steps.reduce((now, step) => (step.stage === 'nat' ? translated(now, step.change, step.after) : now), found);
}

function innermost(headers: PacketHeaders): Conversation | undefined {
  const ip = headers.filter((h) => h.header === 'ipv4' || h.header === 'ipv6');
  const vxlan = headers.some((h) => h.header === 'vxlan');
  const own = ip[vxlan ? 1 : 0];
  if (own === undefined) return undefined;
  const transport = headers.slice(headers.indexOf(own)).find((h) => h.header === 'tcp' || h.header === 'udp' || h.header === 'sctp');
  const [source, destination] = [parseAddress(own.source), parseAddress(own.destination)];
  if (source === undefined || destination === undefined) return undefined;
  return {
    family: own.header === 'ipv4' ? 4 : 6, source, destination,
    protocol: transport?.header ?? null,
    destinationPort: transport?.destinationPort ?? null,
  };
}

/** `10.0.0.46:53`, `[fd00::1]:53` or an address alone. */
function translated(before: Conversation, change: 'source' | 'destination', text: string): Conversation {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? text);
  if (address === undefined) return before;
  if (change === 'source') return { ...before, source: address };
  return { ...before, destination: address, destinationPort: port === undefined ? before.destinationPort : Number(port) };
}

export interface AskedService {
  readonly service: Service;
  /** `undefined`: the service does not offer the port. */
  readonly port: ServicePort | undefined;
}

/** The service that the flow asks for, by one of its addresses or by a node port. */
export function askedService({ topology, flow }: Situation): AskedService | undefined {
  const protocol = flow.protocol;
  const offers = (service: Service): ServicePort | undefined => service.ports.find((p) => p.protocol === protocol && p.port === flow.destinationPort);
  const isOf = (service: Service): boolean =>
    [...service.clusterAddresses, ...service.externalAddresses, ...service.loadBalancerAddresses].some((a) => sameAddress(a, flow.destination));
  const service = topology.services.filter(isOf).sort((a, b) => Number(offers(b) !== undefined) - Number(offers(a) !== undefined))[0];
  if (service !== undefined) return { service, port: offers(service) };
  const isNode = topology.hosts.some((h) => h.kind === 'node' && h.namespaces[0]?.interfaces.some((i) => i.addresses.some((a) => sameAddress(a.address, flow.destination))) === true);
  if (!isNode || flow.destinationPort === 0) return undefined;
  for (const one of topology.services) {
    const port = one.ports.find((p) => p.protocol === protocol && p.nodePort === flow.destinationPort);
    if (port !== undefined) return { service: one, port };
  }
  return undefined;
}
