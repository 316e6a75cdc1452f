/** From a question as a person asks it, `{from, to}`, to the flow that a socket of the sender would send. */
import { formatAddress, ipv4, isUnspecified, parseAddress, sameAddress } from '../net/address.ts';
import type { Address, Family, Port } from '../net/address.ts';
import { CLUSTER_NDOTS, clusterSearch, endpointAddresses, resolve } from '../control-plane/dns.ts';
import type { Resolution, Resolver } from '../control-plane/dns.ts';
import { stableHash } from '../control-plane/hash.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import { globalAddresses, namespaceOfPod, podName } from '../topology/lookup.ts';
import type { Host, Interface, Namespace, Pod, Service, Topology } from '../topology/model.ts';
import type { Flow, Protocol } from './flow.ts';
import { nameserversOf } from './name-query.ts';
import { findParty, shortName, suggestionsFor } from './party-names.ts';
import type { Party } from './party-names.ts';
import { partyReadings, partyText } from './party-text.ts';
import type { PartyText } from './party-text.ts';

export { partnersOf } from './partners.ts';
export type { Partner, Partners } from './partners.ts';

export interface Question {
  /** `pod1`, `host1`, `kube-system/kube-dns`, `10.0.14.15`, … */
  readonly from: string;
  /** The same with `[:PORT][/PROTOCOL]`: a port without a protocol is TCP, no port a ping. */
  readonly to: string;
  /** Bytes of the IP packet, headers included; of TCP those of a segment behind the handshake, and of its answer. Absent: what `PAYLOAD` gives. */
  readonly size?: number;
  /** TCP flags, bits as on the wire, of a segment that is no SYN. */
  readonly flags?: number;
}

export interface QuestionError {
  /** One or two sentences. */
  readonly error: string;
  /** Names that were perhaps meant, the likeliest first. */
  readonly suggestions: readonly string[];
}

export type Resolved = { readonly flow: Flow } | QuestionError;

const isError = (value: object): value is QuestionError => 'error' in value;

const error = (sentence: string, suggestions: readonly string[] = []): QuestionError => ({ error: sentence, suggestions });

/** The grammar is the last section of docs/language.md. */
export function resolveQuestion(topology: Topology, question: Question): Resolved {
  const sender = senderOf(topology, question.from);
  if (isError(sender)) return sender;
  const target = targetOf(topology, question.to, sender);
  if (isError(target)) return target;
  const { port, protocol } = target;
  const payload = question.size === undefined ? PAYLOAD[protocol] : payloadOf(question.size, protocol, target.address.family);
  if (typeof payload !== 'number') return payload;
  if (question.flags !== undefined && protocol !== 'TCP') return FLAGS_OF_TCP;
  const nameserver = target.resolution.length > 0 && sender.resolver.clusterDns ? chosen(nameserversOf(topology), sender) : undefined;
  return {
    flow: {
      fromText: question.from,
      toText: question.to,
      host: sender.host,
      namespace: sender.namespace.name,
      source: sender.source,
      destination: target.address,
      protocol,
      sourcePort: sender.port ?? ephemeralPort(question),
      destinationPort: port,
      resolution: target.resolution,
      ...(target.assumption === undefined ? {} : { assumption: target.assumption }),
      ...(nameserver === undefined ? {} : { nameserver }),
      ...(question.flags === undefined ? {} : { tcpFlags: question.flags }),
      payload,
    },
  };
}

export const FLAGS_OF_TCP: QuestionError = { error: 'Flags are of TCP: name a port, as in pod1:80.', suggestions: [] };

const HEADERS: Readonly<Record<Exclude<Protocol, 'SCTP'>, number>> = { ICMP: 8, TCP: 20, UDP: 8 };

function payloadOf(size: number, protocol: Protocol, family: Family): number | QuestionError {
  if (protocol === 'SCTP') return error('A size is of a ping, UDP or TCP: leave it out for SCTP.');
  const least = (family === 4 ? 20 : 40) + HEADERS[protocol];
  if (size < least || size > 65535) return error(`A packet of ${size} bytes cannot be: with its headers an IPv${family} ${protocol === 'ICMP' ? 'ping' : `${protocol} packet`} has ${least} to 65535.`);
  return size - least;
}

/**
 * Bytes: ping(8) sends 56, a SYN and an INIT none. A datagram is empty: whatever bytes were made up for it would be a
 * malformed message of the port's protocol to everybody who reads the capture.
 */
export const PAYLOAD: Readonly<Record<Protocol, number>> = { ICMP: 56, TCP: 0, UDP: 0, SCTP: 0 };

/** net.ipv4.ip_local_port_range is 32768 to 60999; the same question always gets the same port. */
export const ephemeralPort = (question: Question): Port => 32768 + (stableHash(`${question.from} -> ${question.to}`) % 28232);

interface Sender {
  readonly host: string;
  readonly namespace: Namespace;
  readonly source: Address | null;
  readonly port: Port | null;
  readonly resolver: Resolver;
}

function senderOf(topology: Topology, text: string): Sender | QuestionError {
  if (text.trim() === '') return error('Say who sends: a pod, a node, a service or an external.');
  const readings = partyReadings(text);
  for (const reading of readings) {
    const party = findParty(topology, reading.name);
    if (party !== undefined) return partySender(topology, party, reading.port);
  }
  const reading = readings[0];
  const address = parseAddress(reading.name);
  if (address !== undefined) return addressSender(topology, address, reading.port);
  const named = resolve(topology, reading.name, clusterResolver(topology, 'default')).addresses[0];
  const service = named === undefined ? undefined : topology.services.find((s) => s.clusterAddresses.some((a) => sameAddress(a, named)));
  if (service !== undefined) return serviceSender(topology, service, reading.port);
  if (named !== undefined) return addressSender(topology, named, reading.port);
  return unknownName(topology, reading.name);
}

const unknownName = (topology: Topology, name: string): QuestionError => {
  const fault = faultBehind(topology, name);
  if (fault !== undefined) return error(fault);
  const suggestions = suggestionsFor(topology, name);
  const wayOut = suggestions[0] === undefined ? ': declare it, or write an address.' : `; did you mean '${suggestions[0]}'?`;
  return error(`No pod, node, service or external is named '${name}'${wayOut}`, suggestions);
};

/** `web:80/QUIC`, `web:99999`, `web:80/TCP/UDP`: the name is known, and what stands behind it is not. */
function faultBehind(topology: Topology, text: string): string | undefined {
  const [, bracketed, plain, behind = ''] = /^(?:\[([^\]]*)\]|([^:]+)):(.*)$/.exec(text) ?? [];
  const name = bracketed ?? plain;
  if (name === undefined || (findParty(topology, name) === undefined && parseAddress(name) === undefined && !name.includes('.'))) return undefined;
  const [, digits = '', protocol = ''] = /^(\d+)\/(.*)$/.exec(behind) ?? [];
  if (/^(tcp|udp|sctp|icmp)$/i.test(protocol)) return `Two protocols stand behind ${name}:${digits}: write one.`;
  if (digits !== '') return `'${protocol}' is no protocol: TCP, UDP, SCTP and ICMP are known.`;
  return `'${behind}' is no port: a number from 1 to 65535 is needed.`;
}

const clusterResolver = (topology: Topology, namespace: string): Resolver => {
  return { search: clusterSearch(namespace, topology.cluster.domain), ndots: CLUSTER_NDOTS, clusterDns: true };
};

/** A host's own resolver: no search list, and a name server outside of the cluster. */
const HOST_RESOLVER: Resolver = { search: [], ndots: 1, clusterDns: false };

function partySender(topology: Topology, party: Party, port: Port | null): Sender | QuestionError {
  switch (party.kind) {
    case 'pod':
      return podSender(topology, party.pod, port);
    case 'service':
      return serviceSender(topology, party.service, port);
    case 'node':
    case 'external':
      return hostSender(party.host, null, port);
  }
}

function podSender(topology: Topology, pod: Pod, port: Port | null): Sender | QuestionError {
  const host = topology.hosts.find((h) => h.kind === 'node' && h.name === pod.node);
  const namespace = host?.namespaces.find((n) => n.name === (pod.hostNetwork ? ROOT_NAMESPACE : podName(pod)));
  if (host === undefined || namespace === undefined) return error(`The pod ${shortName(pod)} is on node '${pod.node}', which is not declared.`);
  const resolver = { search: pod.search, ndots: pod.ndots, clusterDns: pod.clusterDns };
  return { host: host.name, namespace, source: null, port, resolver };
}

function hostSender(host: Host, source: Address | null, port: Port | null): Sender | QuestionError {
  const namespace = host.namespaces[0];
  return namespace === undefined ? error(`${host.name} has no network namespace.`) : { host: host.name, namespace, source, port, resolver: HOST_RESOLVER };
}

/** A service sends nothing itself: one of its pods does. */
function serviceSender(topology: Topology, service: Service, port: Port | null): Sender | QuestionError {
  const endpoints = service.ports.flatMap((p) => p.endpoints).filter((e) => e.ready);
  for (const endpoint of endpoints) {
    const pod = topology.pods.find((p) => podName(p) === endpoint.pod);
    if (pod !== undefined) return podSender(topology, pod, port);
    const host = topology.hosts.find((h) => h.name === endpoint.node);
    if (host !== undefined) return hostSender(host, endpoint.address, port);
  }
  return error(`The service ${shortName(service)} has no ready endpoint that could send.`);
}

function addressSender(topology: Topology, address: Address, port: Port | null): Sender | QuestionError {
  for (const host of topology.hosts) {
    for (const namespace of host.namespaces) {
      if (!namespace.interfaces.some((i) => i.device.kind !== 'loopback' && i.addresses.some((a) => sameAddress(a.address, address)))) continue;
      const pod = topology.pods.find((p) => podName(p) === namespace.name);
      const sender = pod === undefined ? hostSender(host, address, port) : podSender(topology, pod, port);
      return isError(sender) ? sender : { ...sender, namespace, source: address };
    }
  }
  const service = topology.services.find((s) => s.clusterAddresses.some((a) => sameAddress(a, address)));
  if (service !== undefined) return serviceSender(topology, service, port);
  return error(`No device has the address ${formatAddress(address)}, so nothing can send from it.`);
}

interface Target {
  readonly address: Address;
  readonly port: Port;
  readonly protocol: Protocol;
  readonly resolution: Flow['resolution'];
  readonly assumption?: string;
}

type Addresses = Pick<Target, 'resolution' | 'assumption'> & { readonly addresses: readonly Address[]; readonly ports: readonly OfferedPort[] };

interface OfferedPort {
  readonly protocol: Protocol;
  readonly port: Port;
}

function targetOf(topology: Topology, text: string, sender: Sender): Target | QuestionError {
  const readings = partyReadings(text);
  const reading = readings.find((r) => findParty(topology, r.name) !== undefined) ?? readings[0];
  if (reading.name === '') return error('Say where to: a pod, a node, a service, an external, a DNS name or an address.');
  const found = addressesOf(topology, reading.name, sender);
  if (isError(found)) return found;
  const address = chosen(found.addresses, sender);
  if (address === undefined) return error(`${reading.name} has no address.`);
  const asked = portAndProtocol(reading, found.ports);
  return isError(asked) ? asked : { address, ...asked, resolution: found.resolution, ...(found.assumption === undefined ? {} : { assumption: found.assumption }) };
}

function portAndProtocol(reading: PartyText, offered: readonly OfferedPort[]): Pick<Target, 'port' | 'protocol'> | QuestionError {
  const { port, protocol } = reading;
  if (port === null && (protocol === null || protocol === 'ICMP')) return { port: 0, protocol: 'ICMP' };
  if (port !== null && protocol === 'ICMP') return error(`A ping has no port: write ${reading.name}/ICMP, or a port with TCP, UDP or SCTP.`);
  if (port !== null) return { port, protocol: protocol ?? 'TCP' };
  const matching = offered.filter((o) => o.protocol === protocol);
  const only = matching[0];
  if (only === undefined || matching.length > 1) {
    const choices = matching.map((o) => partyText(reading.name, o.port, o.protocol));
    return error(`Say which port of ${reading.name}: ${choices[0] ?? partyText(reading.name, 80, protocol ?? 'TCP')}.`, choices);
  }
  return { port: only.port, protocol: only.protocol };
}

/** The families that the sender can speak; one that has no address of any family leaves the choice to the receiver. */
function chosen(addresses: readonly Address[], sender: Sender): Address | undefined {
  const own = sender.source === null ? sender.namespace.interfaces.flatMap(globalAddresses) : [sender.source];
  const speaks = (family: Family): boolean => own.some((a) => a.family === family);
  const ofFamily = (family: Family): Address | undefined => addresses.find((a) => a.family === family && speaks(family));
  return ofFamily(4) ?? ofFamily(6) ?? addresses[0];
}

function addressesOf(topology: Topology, name: string, sender: Sender): Addresses | QuestionError {
  const party = findParty(topology, name);
  if (party !== undefined) return partyAddresses(topology, party, sender);
  const address = parseAddress(name);
  if (address !== undefined) return { addresses: [isUnspecified(address) ? loopbackOf(address.family) : address], ports: [], resolution: [] };
  return dnsAddresses(topology, name, sender);
}

/** Who connects to 0.0.0.0 or :: speaks to himself: ip_route_output_key_hash_rcu, tcp_v6_connect. */
const loopbackOf = (family: Family): Address => (family === 4 ? ipv4(0x7f000001) : { family, words: [0, 0, 0, 1] });

const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i;

function dnsAddresses(topology: Topology, name: string, sender: Sender): Addresses | QuestionError {
  if (!HOST_NAME.test(name)) return unknownName(topology, name);
  const found = resolve(topology, name, sender.resolver);
  if (found.addresses.length > 0) return named(topology, found);
  const inCluster = resolve(topology, name, clusterResolver(topology, 'default'));
  if (inCluster.addresses.length > 0 && !sender.resolver.clusterDns) {
    if (sender.namespace.name === ROOT_NAMESPACE && topology.hosts.find((h) => h.name === sender.host)?.kind === 'node') {
      return { ...named(topology, inCluster), assumption: `The resolver of ${sender.host} does not ask the cluster's DNS; '${name}' is taken to be resolved as a pod of the namespace default resolves it.` };
    }
    const who = sender.namespace.name === ROOT_NAMESPACE ? sender.host : `pod ${sender.namespace.name}`;
    return error(`${who} does not ask the cluster's DNS, so '${name}' has no address there. Name the service itself, or an address.`, suggestionsFor(topology, name));
  }
  if (inCluster.addresses.length > 0) {
    const asked = found.queries.map((q) => q.query).join(', ');
    return error(`'${name}' has no address for the sender, whose resolver asks for ${asked}. Write the name in full, with .svc.${topology.cluster.domain}, or mend its search list.`, fullNames(topology, inCluster));
  }
  const empty = headlessBehind(topology, found);
  return empty === undefined ? unknownName(topology, name) : serviceAddresses(topology, empty, sender);
}

/** A headless service that nobody is behind has a name all the same. */
const headlessBehind = ({ services, cluster }: Topology, { queries }: Resolution): Service | undefined =>
  services.find((s) => s.type !== 'ExternalName' && s.clusterAddresses.length === 0 && endpointAddresses(s).length === 0 && queries.some((q) => q.query.toLowerCase().replace(/\.$/, '') === `${s.name}.${s.namespace}.svc.${cluster.domain}`.toLowerCase()));

/** As every resolver of the cluster's DNS finds it. */
const fullNames = (topology: Topology, { addresses }: Resolution): readonly string[] =>
  topology.services.filter((s) => s.clusterAddresses.some((c) => addresses.some((a) => sameAddress(a, c)))).map((s) => `${s.name}.${s.namespace}.svc.${topology.cluster.domain}`);

/** A name that is a service's offers its ports. */
function named(topology: Topology, { addresses, queries }: Resolution): Addresses {
  const service = topology.services.find((s) => s.clusterAddresses.some((c) => addresses.some((a) => sameAddress(a, c))));
  return { addresses, ports: service?.ports ?? [], resolution: queries };
}

function partyAddresses(topology: Topology, party: Party, sender: Sender): Addresses | QuestionError {
  switch (party.kind) {
    case 'pod':
      return { addresses: party.pod.addresses, ports: listenersOf(namespaceOfPod(topology, party.pod)), resolution: [] };
    case 'node':
    case 'external':
      return { addresses: hostAddresses(party.host), ports: listenersOf(party.host.namespaces[0]), resolution: [] };
    case 'service':
      return serviceAddresses(topology, party.service, sender);
  }
}

function serviceAddresses(topology: Topology, service: Service, sender: Sender): Addresses | QuestionError {
  if (service.type === 'ExternalName' && service.externalName === null) return error(`The service ${shortName(service)} does not say which name it stands for: add 'external-name NAME'.`);
  if (service.externalName !== null) {
    const external = findParty(topology, `external/${service.externalName}`);
    return external === undefined ? dnsAddresses(topology, service.externalName, sender) : partyAddresses(topology, external, sender);
  }
  const addresses = service.clusterAddresses.length > 0 ? service.clusterAddresses : endpointAddresses(service);
  if (addresses.length === 0) return error(`The service ${shortName(service)} is headless and has no ready endpoint, so its name has no address.`);
  return { addresses, ports: service.ports, resolution: [] };
}

const listenersOf = (namespace: Namespace | undefined): readonly OfferedPort[] => (namespace?.listeners.kind === 'only' ? namespace.listeners.listeners : []);

/** A host's own addresses: what flannel is reached at, then those on networks, then the others. */
export function hostAddresses(host: Host): readonly Address[] {
  const interfaces = host.namespaces[0]?.interfaces ?? [];
  const underlay = new Set(interfaces.flatMap((i) => (i.device.kind === 'vxlan' && i.device.underlay !== null ? [i.device.underlay] : [])));
  const rank = (i: Interface): number => (underlay.has(i.name) ? 0 : i.device.kind === 'physical' && i.device.network !== null ? 1 : 2);
  return [...interfaces].sort((a, b) => rank(a) - rank(b)).flatMap(globalAddresses);
}
