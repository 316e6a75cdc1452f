/** What the kernel did against what the simulator says: frames, rules, conntrack entries and the answer. */
import { formatMac } from '../../engine/src/net/address.ts';
import { decodePacket } from '../../engine/src/packet/codec.ts';
import type { Header, PacketHeaders } from '../../engine/src/packet/headers.ts';
import type { Topology } from '../../engine/src/topology/model.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import type { Answer, Branch, Hop, Trace } from '../../engine/src/trace/model.ts';
import { numberWithoutTrace } from './kernel.ts';
import type { KernelTuple, Observation } from './kernel.ts';

export interface Comparison {
  /** The branch that the kernel took, or the first where none is like it. */
  readonly branch: Branch;
  /** Empty where they agree. */
  readonly differences: readonly string[];
}

/** Of several endpoints the kernel chose one; its branch must be among those predicted, and be right in everything. */
export function compare(topology: Topology, flow: Flow, trace: Trace, observation: Observation): Comparison {
  const context: Context = { chains: chainLengths(topology), identifier: flow.sourcePort, segment: flow.tcpFlags !== undefined };
  let best: Comparison | null = null;
  const withoutBystanders = { ...observation, frames: framesForSomebody(topology, observation.frames) };
  // Where a frame is flooded, a trace shows the copy that somebody took.
  for (const [branch, seen] of trace.branches.flatMap((b) => [[b, observation], [b, withoutBystanders]] as const)) {
    const differences = differencesOf(branch, seen, context);
    if (best === null || differences.length < best.differences.length) best = { branch, differences };
    if (differences.length === 0) break;
  }
  if (best === null) throw new Error('a trace without a branch');
  return best;
}

/** Without the copies that come to a device with another MAC, on both ends of its link. */
function framesForSomebody(topology: Topology, frames: Observation['frames']): Observation['frames'] {
  const macs: ReadonlyMap<string, string> = new Map(topology.hosts.flatMap((h) => h.namespaces.flatMap((n) => n.interfaces.flatMap((i) => (i.port === null && i.mac !== null ? [[`${h.name}/${n.name} ${i.name}`, formatMac(i.mac).replaceAll(':', '')] as const] : [])))));
  const left = new Set<number>();
  for (const [i, frame] of frames.entries()) {
    const mac = macs.get(`${frame.tap} ${frame.interface}`);
    const destination = frame.hex.slice(0, 12);
    if (frame.out || mac === undefined || destination === mac || (Number.parseInt(destination.slice(0, 2), 16) & 1) === 1) continue;
    left.add(i);
    const sent = frames.findLastIndex((other, k) => k < i && other.out && other.hex === frame.hex && !left.has(k));
    if (sent >= 0) left.add(sent);
  }
  return frames.filter((_, i) => !left.has(i));
}

interface Context {
  /** How many rules a chain has, by `host1/root 4 nat POSTROUTING`. */
  readonly chains: ReadonlyMap<string, number>;
  /** What is sent is a single TCP segment, and not a connection's beginning. */
  readonly segment: boolean;
  /** The flow's ICMP identifier as it was sent. */
  readonly identifier: number;
}

const chainLengths = (topology: Topology): ReadonlyMap<string, number> =>
  new Map(topology.hosts.flatMap((h) => h.namespaces.flatMap((n) => n.tables.flatMap((t) => (t.ruleset === 'nft' ? [] : t.chains).map((c) => [`${h.name}/${n.name} ${t.family} ${t.name} ${c.name}`, c.rules.length] as const)))));

function differencesOf(branch: Branch, observation: Observation, context: Context): readonly string[] {
  const captured = framesOf(observation);
  const opens = ofTheOpening(captured, context);
  const frames = captured.filter(({ packet }) => opens(packet)).map(({ frame, packet }) => `${frame.tap} ${frame.interface} ${frame.out ? 'out' : 'in'}: ${summary(packet)}`);
  const hops = hopsOf(branch);
  const predicted = framesPredicted(hops);
  const align = aligner(frames, predicted, branch, context);
  const rules = rulesSeen(observation.rules ?? [], context, opens);
  const met = observation.rules === null ? new Map<string, readonly string[]>() : rulesPredicted(hops);
  // A trace ends with the answer; what an answer that was lost leads to (an error to the receiver) is beyond it. So are the
  // further fragments of a packet that it shows whole.
  const cut = (seen: readonly string[], length: number): readonly string[] => (isOpenEnded(branch, hops) ? seen.slice(0, length) : seen);
  return [
    ...compareLists('frames', ...inOneOrder(cut(frames, predicted.length).map(align), predicted)),
    ...[...new Set([...rules.keys(), ...met.keys()])].flatMap((place) => compareLists(`rules in ${place}`, cut(rules.get(place) ?? [], met.get(place)?.length ?? 0), met.get(place) ?? [])),
    ...flowsMissing(hops, observation, align, randomPorts(branch, context)),
    ...compareAnswers(branch.answer, observation.answer),
  ];
}

const hopsOf = (branch: Branch): readonly Hop[] => [...branch.request.hops, ...(branch.reply?.hops ?? [])];

/** A bridge floods a frame to the port that was added last first, a trace in the order of the ports: neither is a promise. */
const inOneOrder = (kernel: readonly string[], simulator: readonly string[]): readonly [readonly string[], readonly string[]] =>
  simulator.some((line) => /[13579bdf]:..:..:..:..:.. /.test(line.split('>')[1] ?? '')) ? [[...kernel].sort(), [...simulator].sort()] : [kernel, simulator];

/** One entry a line that differs, from the first on. */
function compareLists(what: string, kernel: readonly string[], simulator: readonly string[]): readonly string[] {
  const differences: string[] = [];
  for (let i = 0; i < Math.max(kernel.length, simulator.length); i++)
    if (kernel[i] !== simulator[i]) differences.push(`${what}, ${i + 1}: kernel ${kernel[i] ?? '-'} / simulator ${simulator[i] ?? '-'}`);
  return differences;
}

interface Captured {
  readonly frame: Observation['frames'][number];
  readonly packet: PacketHeaders;
}

/** The frames of the flow and its answer, and of nothing that namespaces say without being asked. */
const framesOf = (observation: Observation): readonly Captured[] =>
  observation.frames
    .filter((frame) => frame.interface !== 'lo' || !frame.out)
    .map((frame) => ({ frame, packet: decodePacket(withoutFragmenting(Uint8Array.from(Buffer.from(frame.hex, 'hex')), 14)) }))
    .filter(({ packet }) => !packet.some(isHousekeeping) && !packet.some(isLaterFragment));

/** Of TCP the SYN and what answers it. Where that was a SYN ACK, a reset is the end of the connection, of which a trace tells nothing. */
function ofTheOpening(captured: readonly Captured[], { segment }: Context): (packet: PacketHeaders) => boolean {
  const synAnswered = captured.some(({ packet }) => packet.some((h) => h.header === 'tcp' && h.flags.join(' ') === 'SYN ACK'));
  return (packet) => packet.every((h) => h.header !== 'tcp' || segment || h.flags.includes('SYN') || (!synAnswered && h.flags.includes('RST')));
}

/** ARP, neighbour and router discovery, redirects, multicast listener reports: what namespaces say without being asked. */
const isHousekeeping = (header: Header): boolean =>
  (header.header === 'icmp' && header.type === 5) ||
  header.header === 'arp' || (header.header === 'ipv6' && header.destination.startsWith('ff02:')) || (header.header === 'icmpv6' && ((header.type >= 130 && header.type <= 137) || header.type === 143));

/** The trace shows a packet whole that travels in pieces; the first piece has its headers. */
const isLaterFragment = (header: Header): boolean => (header.header === 'ipv4' && header.fragmentOffset > 0) || (header.header === 'ipv6' && header.nextHeader === FRAGMENT_HEADER);

const FRAGMENT_HEADER = 44;
const TUNNEL_PORTS: readonly number[] = [8472, 4789];

/** The first fragment as the packet that it begins, so that its headers are read; `at` is where IP begins. */
function withoutFragmenting(bytes: Uint8Array, at: number): Uint8Array {
  const version = (bytes[at] ?? 0) >> 4;
  if (version === 4) {
    const offset = (((bytes[at + 6] ?? 0) & 0x1f) << 8) | (bytes[at + 7] ?? 0);
    if (offset === 0) bytes[at + 6] = (bytes[at + 6] ?? 0) & 0xdf;
    return offset === 0 ? inTunnel(bytes, at + 20, bytes[at + 9] ?? 0) : bytes;
  }
  if (version !== 6) return bytes;
  const offset = ((bytes[at + 42] ?? 0) << 8) | ((bytes[at + 43] ?? 0) & 0xf8);
  if (bytes[at + 6] !== FRAGMENT_HEADER || offset !== 0) return inTunnel(bytes, at + 40, bytes[at + 6] ?? 0);
  bytes[at + 6] = bytes[at + 40] ?? 0;
  const whole = new Uint8Array(bytes.length - 8);
  whole.set(bytes.subarray(0, at + 40));
  whole.set(bytes.subarray(at + 48), at + 40);
  return inTunnel(whole, at + 40, whole[at + 6] ?? 0);
}

/** The inner frame of VXLAN begins 8 bytes of UDP, 8 of VXLAN and 14 of Ethernet after the outer IP header; what an error quotes, 8 of ICMP. */
function inTunnel(bytes: Uint8Array, at: number, protocol: number): Uint8Array {
  const type = bytes[at] ?? 0;
  if ((protocol === 1 && [3, 11].includes(type)) || (protocol === 58 && type < 128)) return withoutFragmenting(bytes, at + 8);
  const port = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return protocol === 17 && TUNNEL_PORTS.includes(port) ? withoutFragmenting(bytes, at + 30) : bytes;
}

/** A packet that found no neighbour never becomes a frame: its hop has no Ethernet header. A tap shows lo twice. */
const framesPredicted = (hops: readonly Hop[]): readonly string[] =>
  hops.filter((hop) => (hop.interface === 'lo' ? hop.direction === 'in' : hop.packet[0]?.header === 'ethernet')).map((hop) => `${hop.host}/${hop.namespace} ${hop.interface} ${hop.direction}: ${summary(hop.packet)}`);

/** Without IP ids, sequence numbers, flow labels, the outer UDP source port, and lengths of padding. */
function summary(packet: PacketHeaders): string {
  return packet.flatMap((h): string[] => {
    switch (h.header) {
      case 'ethernet':
        return h.source === '00:00:00:00:00:00' ? [] : [`${h.source}>${h.destination}`];
      case 'ipv4':
        return [`${h.source}>${h.destination} ttl ${h.ttl}${h.tos === 0 ? '' : ` tos ${h.tos}`}`];
      case 'ipv6':
        return [`${h.source}>${h.destination} ttl ${h.hopLimit}${h.trafficClass === 0 ? '' : ` tos ${h.trafficClass}`}`];
      case 'icmp':
      case 'icmpv6':
        return [`${h.header} ${h.type}/${h.code}${h.identifier === undefined ? '' : ` id ${h.identifier}`}${h.mtu === undefined ? '' : ` mtu ${h.mtu}`}`];
      case 'udp':
        return [`udp ${TUNNEL_PORTS.includes(h.destinationPort) ? '*' : h.sourcePort}>${h.destinationPort}`];
      case 'tcp':
        return [`tcp ${h.sourcePort}>${h.destinationPort} ${h.flags.join(' ')}`];
      case 'sctp':
        return [`sctp ${h.sourcePort}>${h.destinationPort} ${h.chunk}`];
      case 'vxlan':
        return [`vxlan ${h.vni}`];
      case 'arp':
      case 'payload':
        return [];
    }
  }).join(' | ');
}

/**
 * Rules met, in order, per namespace: `nat:KUBE-SERVICES:3`. Of TCP only the packets that a trace follows, also in a tunnel. The kernel
 * calls a rule without a condition a policy or a return (ip_tables.c: get_chainname_rulenum); its number tells.
 */
function rulesSeen(rules: NonNullable<Observation['rules']>, { chains }: Context, opens: (packet: PacketHeaders) => boolean): ReadonlyMap<string, readonly string[]> {
  return grouped(rules.flatMap((rule): [string, string][] => {
    const number = numberWithoutTrace(rule);
    const length = chains.get(`${rule.tap} ${rule.family} ${rule.table} ${rule.chain}`) ?? 0;
    return number !== null && number <= length && ofTheFlow(rule.hex, opens) ? [[rule.tap, `${rule.table}:${rule.chain}:${number}`]] : [];
  }));
}

/** The hex is an IP packet, cut at 256 bytes. */
function ofTheFlow(hex: string, opens: (packet: PacketHeaders) => boolean): boolean {
  const packet = decodePacket(withoutFragmenting(Uint8Array.from(Buffer.from(hex, 'hex')), 0), { link: 'ip' });
  return !packet.some(isHousekeeping) && !packet.some(isLaterFragment) && opens(packet);
}

const rulesPredicted = (hops: readonly Hop[]): ReadonlyMap<string, readonly string[]> =>
  grouped(hops.flatMap((hop) => hop.steps.flatMap((step): [string, string][] =>
    step.stage === 'netfilter' && step.event === 'rule' && step.ruleset !== 'nft' ? [[`${hop.host}/${hop.namespace}`, `${step.table}:${step.chain}:${step.number ?? '?'}`]] : [])));

function grouped(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}

/**
 * Entries that answers found: both tuples are final then, and the kernel's table must have them. A reset in answer to a
 * SYN ends the entry (nf_conntrack_proto_tcp.c), and tunnels' outer packets have a source port of the flow's hash.
 */
function flowsMissing(hops: readonly Hop[], observation: Observation, align: (line: string) => string, random: ReadonlySet<string>): readonly string[] {
  // A port that was picked at random and is not in any frame is one of its class all the same.
  const anyRandom = (line: string): string => line.split(/([^\w.]+)/).map((word) => (random.has(word) ? '?' : word)).join('');
  const like = (line: string, other: string): boolean => line === other || (random.size > 0 && sameButFor(anyRandom(line), other));
  return hops.flatMap((hop) => {
    const flows = observation.flows[`${hop.host}/${hop.namespace}`];
    // Without a rule that needs it there is no connection tracking in a namespace; it would change nothing.
    if (flows === undefined || flows.length === 0) return [];
    const known = new Set(flows.map(([original, reply]) => align(`${tupleText(original)} / ${tupleText(reply)}`)));
    return hop.steps.flatMap((step) => {
      const isReset = hop.packet.some((h) => h.header === 'tcp' && h.flags.includes('RST'));
      if (step.stage !== 'conntrack' || step.state !== 'ESTABLISHED' || isReset || /:(8472|4789)$/.test(step.original)) return [];
      const wanted = `${step.original} / ${step.reply}`;
      return [...known].some((line) => like(wanted, line)) ? [] : [`conntrack of ${hop.host}/${hop.namespace}: kernel ${[...known].join('; ')} / simulator ${wanted}`];
    });
  });
}

/** `?` stands for any word. */
function sameButFor(pattern: string, line: string): boolean {
  const [words, others] = [pattern, line].map((text) => text.split(/([^\w.?]+)/));
  return words !== undefined && words.length === others?.length && words.every((word, i) => word === '?' || word === others[i]);
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };

function tupleText([source, destination, protocol, first, second]: KernelTuple): string {
  const name = PROTOCOLS[protocol] ?? `protocol ${protocol}`;
  if (protocol === 1 || protocol === 58) return `${name} ${source} -> ${destination} type ${second} id ${first}`;
  const end = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
  return `${name} ${end(source, first)} -> ${end(destination, second)}`;
}

/** net/ipv4/icmp.c: icmp_err_convert; net/ipv6/icmp.c: icmpv6_err_convert. */
const ERRNO: Readonly<Record<string, string>> = {
  '3/0': 'ENETUNREACH', '3/1': 'EHOSTUNREACH', '3/2': 'ENOPROTOOPT', '3/3': 'ECONNREFUSED', '3/4': 'EMSGSIZE', '3/9': 'ENETUNREACH', '3/10': 'EHOSTUNREACH', '3/13': 'EHOSTUNREACH', '11/0': 'EHOSTUNREACH',
  'v6 1/0': 'ENETUNREACH', 'v6 1/1': 'EACCES', 'v6 1/3': 'EHOSTUNREACH', 'v6 1/4': 'ECONNREFUSED', 'v6 1/5': 'EACCES', 'v6 1/6': 'EACCES', 'v6 2/0': 'EMSGSIZE', 'v6 3/0': 'EHOSTUNREACH',
};

function compareAnswers(simulator: Answer, kernel: Observation['answer']): readonly string[] {
  const version = simulator.from?.includes(':') === true ? 'v6 ' : '';
  const errno = simulator.kind === 'reset' ? 'ECONNREFUSED' : simulator.kind === 'icmp' ? ERRNO[`${version}${simulator.type ?? ''}/${simulator.code ?? ''}`] : undefined;
  const same = ((): boolean => {
    switch (kernel.kind) {
      case 'reply':
        return simulator.kind === 'reply';
      case 'icmp':
        return simulator.kind === 'icmp' && simulator.type === kernel.type && simulator.code === kernel.code && simulator.from === kernel.from;
      case 'none':
        return simulator.kind === 'none';
      case 'error':
        // What the socket's own host refuses is an errno, at once (EPERM) or without a packet.
        return simulator.kind === 'none' || errno === kernel.errno || (kernel.errno === 'EPERM' && simulator.kind !== 'reply');
    }
  })();
  return same ? [] : [`answer: kernel ${JSON.stringify(kernel)} / simulator ${JSON.stringify(simulator)}`];
}

/** Ports and ICMP identifiers that `--random-fully` chose: any of their class would be right. */
function randomPorts(branch: Branch, { identifier }: Context): ReadonlySet<string> {
  const steps = hopsOf(branch).flatMap((hop) => hop.steps);
  const translations = steps.flatMap((step) => (step.stage === 'nat' && step.by === 'rule' ? [step] : []));
  const ports = translations.flatMap((step) => (/any port of/.test(step.sentence) ? [step.after.split(':').at(-1) ?? ''] : []));
  if (!translations.some((step) => /any identifier of/.test(step.sentence))) return new Set(ports);
  const inTuples = steps.flatMap((step) => (step.stage === 'conntrack' ? [...`${step.original} ${step.reply}`.matchAll(/ id (\d+)/g)].map(([, id]) => id ?? '') : []));
  const inPackets = hopsOf(branch).flatMap((hop) => hop.packet.flatMap((h) => ((h.header === 'icmp' || h.header === 'icmpv6') && h.identifier !== undefined ? [String(h.identifier)] : [])));
  return new Set([...ports, ...inTuples, ...inPackets].filter((id) => id !== String(identifier)));
}

/** Replaces the kernel's random ports by those that the simulator chose, where they stand in the same place. */
function aligner(seen: readonly string[], predicted: readonly string[], branch: Branch, context: Context): (line: string) => string {
  const random = randomPorts(branch, context);
  if (random.size === 0) return (line) => line;
  const chosen = new Map<string, string>();
  const known = new Set(predicted.flatMap((line) => line.split(/([^\w.]+)/)));
  const words = (line: string): string[] => line.split(/([^\w.]+)/);
  for (const [i, line] of predicted.entries()) {
    const other = words(seen[i] ?? '');
    for (const [j, word] of words(line).entries()) if (random.has(word) && other[j] !== undefined && !known.has(other[j])) chosen.set(other[j], word);
  }
  return (line) => words(line).map((word) => chosen.get(word) ?? word).join('');
}

const isOpenEnded = (branch: Branch, hops: readonly Hop[]): boolean =>
  (branch.reply !== null && branch.reply.outcome !== 'delivered') || hops.some((hop) => hop.steps.some((step) => step.stage === 'fragment'));
