/**
 * Any packet, put in at any interface as if it had arrived there: what stands at that point of the way is asked alone,
 * without the namespaces that come before it.
 */
import { closest } from '../closest.ts';
import { firstPacket, withMss } from '../data-plane/answers.ts';
import { namespaceKey } from '../data-plane/compile.ts';
import type { CompiledNamespace, CompiledTopology } from '../data-plane/compile.ts';
import { destinationText, sourceText, withFrame } from '../data-plane/packet.ts';
import type { Frame, Packet } from '../data-plane/packet.ts';
import { kernel } from '../data-plane/run-state.ts';
import type { Run, Skb } from '../data-plane/run-state.ts';
import { facing, hearers } from '../data-plane/segment.ts';
import { isOwn } from '../data-plane/source-address.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import type { Address, Mac, Port } from '../net/address.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Interface, Namespace, Topology } from '../topology/model.ts';
import { podName } from '../topology/lookup.ts';
import type { Flow, Protocol } from './flow.ts';
import type { Trace } from './model.ts';
import { ephemeralPort, FLAGS_OF_TCP, hostAddresses, PAYLOAD } from './party.ts';
import type { QuestionError } from './party.ts';
import { findParty, suggestionsFor } from './party-names.ts';
import { partyReadings } from './party-text.ts';
import type { PartyText } from './party-text.ts';
import { runFrom } from './run.ts';

export interface InjectionText {
  /** A node, a pod, a router or an external: `host1`, `kube-system/kube-dns-1`. */
  readonly at: string;
  /** The name of an interface there. */
  readonly interface: string;
  /** `10.0.14.15`, `10.0.14.15:4000`, `[fd00::1]:4000` */
  readonly source: string;
  /** The same with `/PROTOCOL`; a port without a protocol is TCP, no port a ping. */
  readonly destination: string;
  /** As `Question.flags`. */
  readonly flags?: number;
}

export interface Injection {
  /** `host` and `namespace` are where the packet arrives. */
  readonly flow: Flow;
  readonly interface: string;
}

const isError = (value: object): value is QuestionError => 'error' in value;

const error = (sentence: string, suggestions: readonly string[] = []): QuestionError => ({ error: sentence, suggestions });

export function resolveInjection(topology: Topology, text: InjectionText): Injection | QuestionError {
  const place = placeOf(topology, text.at);
  if (isError(place)) return place;
  const { host, namespace } = place;
  if (!namespace.interfaces.some((device) => device.name === text.interface)) return unknownInterface(text, namespace);
  const source = endOf(topology, text.source, 'source');
  if (isError(source)) return source;
  const destination = endOf(topology, text.destination, 'destination');
  if (isError(destination)) return destination;
  const asked = protocolOf(source, destination);
  if (isError(asked)) return asked;
  const { protocol, sourcePort } = asked;
  if (text.flags !== undefined && protocol !== 'TCP') return FLAGS_OF_TCP;
  return {
    interface: text.interface,
    flow: {
      fromText: text.source, toText: text.destination, host, namespace: namespace.name,
      source: source.address, destination: destination.address, protocol,
      sourcePort: sourcePort ?? ephemeralPort({ from: text.source, to: text.destination }),
      destinationPort: destination.reading.port ?? 0,
      resolution: [],
      ...(text.flags === undefined ? {} : { tcpFlags: text.flags }),
      payload: PAYLOAD[protocol],
    },
  };
}

interface Place {
  readonly host: string;
  readonly namespace: Namespace;
}

function placeOf(topology: Topology, name: string): Place | QuestionError {
  const party = findParty(topology, name);
  if (party?.kind === 'service') return error(`'${name}' is a service, which has no interface: name a node or a pod.`);
  const pod = party?.kind === 'pod' ? party.pod : null;
  const host = party?.kind === 'node' || party?.kind === 'external' ? party.host : topology.hosts.find((h) => h.name === (pod === null ? name : pod.node));
  const wanted = pod === null || pod.hostNetwork ? ROOT_NAMESPACE : podName(pod);
  const namespace = host?.namespaces.find((n) => n.name === wanted);
  if (host !== undefined && namespace !== undefined) return { host: host.name, namespace };
  const suggestions = suggestionsFor(topology, name);
  return error(`No node, pod, router or external is named '${name}'${suggestions[0] === undefined ? '.' : `; did you mean '${suggestions[0]}'?`}`, suggestions);
}

function unknownInterface(text: InjectionText, namespace: Namespace): QuestionError {
  const names = namespace.interfaces.map((device) => device.name);
  const near = closest(text.interface, names);
  return error(`'${text.at}' has no interface '${text.interface}'; ${near === undefined ? `it has ${names.join(', ')}.` : `did you mean '${near}'?`}`, near === undefined ? [] : [near]);
}

interface EndOfFlow {
  readonly address: Address;
  readonly reading: PartyText;
}

function endOf(topology: Topology, text: string, which: 'source' | 'destination'): EndOfFlow | QuestionError {
  const [reading] = partyReadings(text);
  const address = parseAddress(reading.name);
  if (address !== undefined) return { address, reading };
  const addresses = addressesOf(topology, reading.name);
  return error(`The ${which} '${text}' is no address: write ADDRESS, ADDRESS:PORT or [IPV6]:PORT${which === 'source' ? '' : ', with /PROTOCOL behind it'}.`, addresses);
}

/** Of what the name is of: a packet has addresses only. */
function addressesOf(topology: Topology, name: string): readonly string[] {
  const party = findParty(topology, name);
  const addresses = party === undefined ? [] : party.kind === 'pod' ? party.pod.addresses : party.kind === 'service' ? party.service.clusterAddresses : hostAddresses(party.host);
  return addresses.map((address) => formatAddress(address));
}

function protocolOf(source: EndOfFlow, destination: EndOfFlow): { readonly protocol: Protocol; readonly sourcePort: Port | null } | QuestionError {
  const [a, b] = [formatAddress(source.address), formatAddress(destination.address)];
  if (source.address.family !== destination.address.family) {
    return error(`The source ${a} is IPv${source.address.family} and the destination ${b} is IPv${destination.address.family}: a packet has addresses of one family.`);
  }
  if (source.reading.protocol !== null) return error(`The protocol stands behind the destination, not behind the source ${a}.`);
  const { port } = destination.reading;
  const protocol = destination.reading.protocol ?? (port === null ? 'ICMP' : 'TCP');
  if (protocol === 'ICMP' && (port !== null || source.reading.port !== null)) return error(`A ping has no port: leave it out, or write TCP, UDP or SCTP behind ${b}.`);
  if (protocol !== 'ICMP' && port === null) return error(`Say to which port of ${b}: ${destination.address.family === 6 ? `[${b}]` : b}:80/${protocol}.`);
  return { protocol, sourcePort: source.reading.port };
}

/** The answer is waited for by whoever has the source address; where nobody has it, by the place itself. */
export function runInjected(compiled: CompiledTopology, { flow, interface: name }: Injection, watch?: Run['watch']): Trace {
  const at = compiled.byName.get(namespaceKey(flow.host, flow.namespace));
  const device = at?.devices.get(name);
  const { source } = flow;
  if (at === undefined || device === undefined || source === null) throw new Error(`an injection into ${flow.host}/${flow.namespace}/${name}, which is not there`);
  const owner = compiled.namespaces.find((ns) => isOwn(ns, source));
  return runFrom(compiled, flow, {
    sender: owner ?? at,
    at,
    ...(watch === undefined ? {} : { watch }),
    begin: (run) => {
      const packet = withMss(firstPacket(run, owner ?? at, flow, source), device.mtu);
      const skb = arrived(withFrame(packet, frameFor(compiled, at, device, packet)));
      const sentence = `A packet from ${sourceText(packet)} to ${destinationText(packet)} is put in at ${name} of ${at.label}, as if it had arrived there.`;
      return { work: { kind: 'receive', ns: at, device, skb }, before: [{ stage: 'send', sentence, source: kernel('whoever put it in') }] };
    },
  });
}

const arrived = (packet: Packet): Skb => ({
  packet, mark: 0, tracked: null, local: false, hasSocket: false, tunnels: 0, physIn: null, physOut: null, input: null, preroutingDone: false, packetType: 'unicast',
});

/** Locally administered, and nobody's. */
const NOBODY = 0x02_00_00_00_00_01 as Mac;

/**
 * The frame comes from who has the source address on the other side, else from the gateway. It is for the device itself; on
 * a bridge port for whom the device at the other end would write to: who has the address on the bridge, else the bridge.
 */
function frameFor(compiled: CompiledTopology, ns: CompiledNamespace, device: Interface, packet: Packet): Frame | null {
  if (device.mac === null) return null;
  const others = facing(compiled, ns, device);
  const sender = others.find((other) => isOwn(other.ns, packet.ip.source)) ?? others.find((other) => others.length === 1 || other.ns.host.kind === 'router');
  const source = sender?.device.mac ?? NOBODY;
  if (device.port === null) return { source, destination: device.mac };
  const hearer = sender === undefined ? undefined : hearers(compiled, sender.ns, sender.device).find(({ at }) => isOwn(at.ns, packet.ip.destination));
  return { source, destination: hearer?.at.device.mac ?? ns.devices.get(device.port.master)?.mac ?? device.mac };
}
