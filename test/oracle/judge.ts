/** Asks the real kernel and the simulator the same questions of the same topology, and says where they differ. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { labScript, netnsOf } from '../../engine/src/lab/script.ts';
import { formatAddress } from '../../engine/src/net/address.ts';
import { decodePacket } from '../../engine/src/packet/codec.ts';
import type { Header, PacketHeaders } from '../../engine/src/packet/headers.ts';
import type { Host, Namespace, Topology } from '../../engine/src/topology/model.ts';
import type { Flow } from '../../engine/src/trace/flow.ts';
import type { Branch, Hop } from '../../engine/src/trace/model.ts';

const LAB = 'k8';

interface Frame {
  readonly tap: string;
  readonly interface: string;
  readonly out: boolean;
  readonly hex: string;
}

interface RuleEvent {
  readonly tap: string;
  readonly table: string;
  readonly chain: string;
  readonly event: string;
  readonly number: number;
  readonly hex: string;
}

/** What the kernel did with one question. */
export interface Observation {
  readonly frames: readonly Frame[];
  readonly rules: readonly RuleEvent[];
  readonly answer: { readonly kind: 'reply' | 'icmp' | 'error' | 'none'; readonly from: string | null; readonly errno?: string; readonly type?: number; readonly code?: number };
  readonly served: readonly { readonly netns: string; readonly from: string; readonly sourcePort: number; readonly port: number }[];
}

const netns = (host: string, namespace: string): string => `${LAB}-${netnsOf(host, namespace)}`;

export function observe(topology: Topology, flows: readonly Flow[]): readonly Observation[] {
  const places = topology.hosts.flatMap((host) => host.namespaces.map((namespace) => ({ host, namespace })));
  const spec = {
    up: labScript(topology),
    warm: places.flatMap(({ host, namespace }) => podsOf(host, namespace).map((address) => ({ netns: netns(host.name, namespace.name), address }))),
    taps: Object.fromEntries(places.map(({ host, namespace }) => [`${host.name}/${namespace.name}`, netns(host.name, namespace.name)])),
    servers: places.flatMap(({ host, namespace }) => serversOf(namespace, topology, flows).map((server) => ({ netns: netns(host.name, namespace.name), ...server }))),
    questions: flows.map((flow) => ({
      netns: netns(flow.host, flow.namespace),
      protocol: flow.protocol,
      family: flow.destination.family,
      source: flow.source === null ? null : formatAddress(flow.source),
      sourcePort: flow.sourcePort,
      destination: formatAddress(flow.destination),
      destinationPort: flow.destinationPort,
      payload: flow.payload,
    })),
  };
  const run = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', 'python3', path.join(import.meta.dirname, 'kernel.py')], {
    input: `${JSON.stringify(spec)}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LAB, IPTABLES: 'iptables-legacy', IP6TABLES: 'ip6tables-legacy' },
  });
  const answers = run.stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Observation);
  if (answers.length !== flows.length) throw new Error(`the kernel answered ${answers.length} of ${flows.length} questions: ${run.stderr.slice(-3000)}`);
  return answers;
}

/**
 * A node that has been up for a while has spoken with its pods. Before its first packet to a pod has cached the
 * neighbour's header, a bridged DNAT takes another way, through the bridge device (br_nf_pre_routing_finish_bridge).
 */
const podsOf = (host: Host, namespace: Namespace): string[] =>
  namespace.interfaces.flatMap((device) => {
    const peer = device.port !== null && device.device.kind === 'veth' ? device.device.peer : null;
    const pod = host.namespaces.find((n) => n.name === peer?.namespace);
    return (pod?.interfaces.find((i) => i.name === peer?.name)?.addresses ?? []).map(({ address }) => formatAddress(address));
  });

/** Where nothing is said of listeners, a server on every port that is asked for. */
function serversOf(namespace: Namespace, topology: Topology, flows: readonly Flow[]): { protocol: string; port: number; family: number }[] {
  const wanted = namespace.listeners.kind === 'only'
    ? namespace.listeners.listeners.map((l) => ({ protocol: l.protocol, port: l.port }))
    : [
        ...flows.filter((flow) => flow.protocol !== 'ICMP').map((flow) => ({ protocol: flow.protocol, port: flow.destinationPort })),
        ...topology.services.flatMap((s) => s.ports).flatMap((p) => p.endpoints.map((e) => ({ protocol: p.protocol, port: e.port }))),
      ];
  const distinct = new Map(wanted.filter((w) => w.protocol !== 'SCTP').map((w) => [`${w.protocol} ${w.port}`, w]));
  return [...distinct.values()].flatMap((w) => [{ ...w, family: 4 }, { ...w, family: 6 }]);
}

/**
 * Addresses of what lies beyond the hosts. The lab's internet is one segment, so its routers say "host unreachable" for
 * an address that nobody has there; the real one does not tell, and neither does the simulator.
 */
export const addressesBeyond = (topology: Topology): ReadonlySet<string> =>
  new Set(topology.hosts.filter((host) => host.kind !== 'node').flatMap((host) => host.namespaces.flatMap((n) => n.interfaces.flatMap((i) => i.addresses.map((a) => formatAddress(a.address))))));

function isUnreachableFrom(packet: PacketHeaders, beyond: ReadonlySet<string>): boolean {
  const ip = packet.find((h) => h.header === 'ipv4' || h.header === 'ipv6');
  const icmp = packet.find((h) => h.header === 'icmp' || h.header === 'icmpv6');
  const unreachable = icmp !== undefined && ((icmp.header === 'icmp' && icmp.type === 3 && icmp.code === 1) || (icmp.header === 'icmpv6' && icmp.type === 1 && icmp.code === 3));
  return unreachable && ip !== undefined && beyond.has(ip.source);
}

/** The frames of the flow and its answer, one line each: place, direction and the headers less what is random. */
export function framesSeen(observation: Observation, beyond: ReadonlySet<string>): readonly string[] {
  const frames = observation.frames
    .filter((frame) => frame.interface !== 'lo' || !frame.out)
    .map((frame) => ({ frame, packet: decodePacket(Uint8Array.from(Buffer.from(frame.hex, 'hex'))) }))
    .filter(({ packet }) => !packet.some(isHousekeeping) && !isUnreachableFrom(packet, beyond));
  const synAnswered = frames.some(({ packet }) => packet.some((h) => h.header === 'tcp' && h.flags.join(' ') === 'SYN ACK'));
  return frames
    .filter(({ packet }) => packet.every((h) => h.header !== 'tcp' || h.flags.includes('SYN') || (!synAnswered && h.flags.includes('RST'))))
    .map(({ frame, packet }) => `${frame.tap} ${frame.interface} ${frame.out ? 'out' : 'in'}: ${summary(packet)}`);
}

/** ARP, neighbour and router discovery, multicast listener reports: what namespaces say without being asked. */
const isHousekeeping = (header: Header): boolean =>
  header.header === 'arp' || (header.header === 'ipv6' && header.destination.startsWith('ff02:')) || (header.header === 'icmpv6' && ((header.type >= 130 && header.type <= 137) || header.type === 143));

/** A packet that found no neighbour never becomes a frame: its hop has no Ethernet header. A tap shows lo twice. */
export const framesPredicted = (hops: readonly Hop[]): readonly string[] =>
  hops.filter((hop) => (hop.interface === 'lo' ? hop.direction === 'in' : hop.packet[0]?.header === 'ethernet')).map((hop) => `${hop.host}/${hop.namespace} ${hop.interface} ${hop.direction}: ${summary(hop.packet)}`);

/** Without IP ids, sequence numbers, flow labels, the outer UDP source port, and lengths of padding. */
function summary(packet: PacketHeaders): string {
  const tunnelled = packet.some((h) => h.header === 'vxlan');
  let outerUdp = tunnelled;
  return packet.flatMap((h): string[] => {
    switch (h.header) {
      case 'ethernet':
        return h.source === '00:00:00:00:00:00' ? [] : [`${h.source}>${h.destination}`];
      case 'ipv4':
        return [`${h.source}>${h.destination} ttl ${h.ttl}${h.moreFragments || h.fragmentOffset > 0 ? ` fragment ${h.fragmentOffset}` : ''}`];
      case 'ipv6':
        return [`${h.source}>${h.destination} ttl ${h.hopLimit}`];
      case 'icmp':
      case 'icmpv6':
        return [`${h.header} ${h.type}/${h.code}`];
      case 'udp': {
        const source = outerUdp ? '*' : String(h.sourcePort);
        outerUdp = false;
        return [`udp ${source}>${h.destinationPort}`];
      }
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

/** Rules met, in order, per namespace: `nat:KUBE-SERVICES:3`. Of TCP only the packets that a trace follows. */
export function rulesSeen(observation: Observation, beyond: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  return grouped(observation.rules
    .filter((rule) => rule.event === 'rule' && rule.table !== 'raw' && ofTheFlow(rule.hex, beyond))
    .map((rule) => [rule.tap, `${rule.table}:${rule.chain}:${rule.number}`]));
}

/** Of TCP the handshake alone, also inside a tunnel. The hex is an IP packet, cut at 256 bytes. */
function ofTheFlow(hex: string, beyond: ReadonlySet<string>): boolean {
  const packet = decodePacket(Uint8Array.from(Buffer.from(hex, 'hex')), { link: 'ip' });
  return !packet.some(isHousekeeping) && !isUnreachableFrom(packet, beyond) && packet.every((h) => h.header !== 'tcp' || h.flags.includes('SYN') || h.flags.includes('RST'));
}

export function rulesPredicted(branch: Branch): ReadonlyMap<string, readonly string[]> {
  const hops = [...branch.request.hops, ...(branch.reply?.hops ?? [])];
  return grouped(hops.flatMap((hop) => hop.steps.flatMap((step): [string, string][] =>
    step.stage === 'netfilter' && step.event === 'rule' && step.table !== 'raw'
      ? [[`${hop.host}/${hop.namespace}`, `${step.table}:${step.chain}:${step.number ?? '?'}`]]
      : [])));
}

function grouped(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}

/** Source ports and ICMP identifiers that `--random-fully` chose: any of their class would be right. */
const randomPorts = (branch: Branch): ReadonlySet<string> =>
  new Set([...branch.request.hops, ...(branch.reply?.hops ?? [])].flatMap((hop) => hop.steps.flatMap((step) =>
    step.stage === 'nat' && step.by === 'rule' && step.change === 'source' && step.sentence.includes('any port') ? [step.after.split(':').at(-1) ?? ''] : [])));

/** `seen` with the kernel's random ports replaced by those that the simulator chose, where they stand in the same place. */
export function alignRandomPorts(seen: readonly string[], predicted: readonly string[], branch: Branch): readonly string[] {
  const random = randomPorts(branch);
  const chosen = new Map<string, string>();
  const words = (line: string): string[] => line.split(/([^\w.:]+)/);
  for (const [i, line] of predicted.entries()) {
    const other = words(seen[i] ?? '');
    for (const [j, word] of words(line).entries()) if (random.has(word) && other[j] !== undefined) chosen.set(other[j], word);
  }
  return seen.map((line) => words(line).map((word) => chosen.get(word) ?? word).join(''));
}
