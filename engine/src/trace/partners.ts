/** Whom a party can talk to, as the choices above a declaration: names and ports that `resolveQuestion` takes. */
import { formatAddress } from '../net/address.ts';
import { globalAddresses, namespaceOfPod, podName } from '../topology/lookup.ts';
import type { Host, Namespace, Pod, Service, ServicePort, Topology } from '../topology/model.ts';
import { findOfKind, nameOf } from './party-names.ts';
import type { Party, PartyKind } from './party-names.ts';
import { partyText } from './party-text.ts';

export interface Partner {
  /** As a question's `from` or `to` takes it: `kube-system/kube-dns:53/UDP`. */
  readonly to: string;
  readonly label: string;
  readonly detail: string;
  readonly kind: PartyKind;
}

export interface Partners {
  /** What the partners are: who sends to a service or an external, whom a pod or a node sends to. */
  readonly role: 'sender' | 'receiver';
  /** The ports of a service or an external, as `to` texts. */
  readonly offers: readonly Partner[];
  readonly partners: readonly Partner[];
}

/** Empty lists where no object has the name. */
export function partnersOf(topology: Topology, kind: PartyKind, name: string): Partners {
  const party = findOfKind(topology, kind, name);
  const role = kind === 'pod' || kind === 'node' ? 'receiver' : 'sender';
  if (party === undefined) return { role, offers: [], partners: [] };
  const others = (parties: readonly Party[]): readonly Party[] => parties.filter((p) => objectOf(p) !== objectOf(party));
  if (role === 'receiver') return { role, offers: [], partners: others(receivers(topology)).flatMap((p) => offersOf(topology, p)) };
  return { role, offers: offersOf(topology, party), partners: others(senders(topology)).map((p) => partner(topology, p, null)) };
}

/** Everybody that can send, and everybody and every port that can be sent to. */
export function partiesOf(topology: Topology): { readonly senders: readonly Partner[]; readonly receivers: readonly Partner[] } {
  return {
    senders: senders(topology).map((party) => partner(topology, party, null)),
    receivers: receivers(topology).flatMap((party) => offersOf(topology, party)),
  };
}

const objectOf = (party: Party): Pod | Service | Host => (party.kind === 'pod' ? party.pod : party.kind === 'service' ? party.service : party.host);

const podParties = (topology: Topology): readonly Party[] => topology.pods.map((pod): Party => ({ kind: 'pod', pod }));

const hostParties = (topology: Topology, kind: 'node' | 'external'): readonly Party[] =>
  topology.hosts.filter((h) => h.kind === kind).map((host): Party => ({ kind, host }));

const senders = (topology: Topology): readonly Party[] => [...podParties(topology), ...hostParties(topology, 'node'), ...hostParties(topology, 'external')];

/** A headless service without a ready endpoint has a name that leads nowhere. */
const hasAddress = (service: Service): boolean =>
  service.externalName !== null || service.clusterAddresses.length > 0 || service.ports.some((p) => p.endpoints.some((e) => e.ready));

/** Services first: they are asked for most. */
const receivers = (topology: Topology): readonly Party[] => [
  ...topology.services.filter(hasAddress).map((service): Party => ({ kind: 'service', service })),
  ...senders(topology),
];

type Offered = { readonly port: number; readonly protocol: 'TCP' | 'UDP' | 'SCTP' };

function partner(topology: Topology, party: Party, offered: Offered | null): Partner {
  const name = nameOf(topology, party);
  const to = offered === null ? name : partyText(name, offered.port, offered.protocol);
  return { to, label: to, detail: detailOf(party), kind: party.kind };
}

/** The ports that are really offered; a ping to everything but a service, which answers none. */
function offersOf(topology: Topology, party: Party): readonly Partner[] {
  const ports = portsOf(topology, party).map((p) => partner(topology, party, p));
  return party.kind === 'service' && ports.length > 0 ? ports : [...ports, partner(topology, party, null)];
}

function portsOf(topology: Topology, party: Party): readonly Offered[] {
  switch (party.kind) {
    case 'service':
      return party.service.externalName === null && party.service.clusterAddresses.length === 0 ? headlessPorts(party.service) : party.service.ports;
    case 'pod':
      return podPorts(topology, party.pod);
    case 'node':
    case 'external':
      return listened(party.host.namespaces[0]) ?? (party.kind === 'external' ? [{ port: 443, protocol: 'TCP' }] : []);
  }
}

/** A headless service's name leads to the pods themselves: their ports count. */
const headlessPorts = (service: Service): readonly Offered[] => service.ports.map((p) => ({ port: p.endpoints[0]?.port ?? p.port, protocol: p.protocol }));

const listened = (namespace: Namespace | undefined): readonly Offered[] | undefined =>
  namespace?.listeners.kind === 'only' ? namespace.listeners.listeners : undefined;

/** What the pod said it listens on, else the ports that services send to it. */
function podPorts(topology: Topology, pod: Pod): readonly Offered[] {
  const said = listened(namespaceOfPod(topology, pod));
  if (said !== undefined) return said;
  const own = (port: ServicePort): readonly Offered[] => port.endpoints.filter((e) => e.pod === podName(pod)).map((e) => ({ port: e.port, protocol: port.protocol }));
  const targets = topology.services.flatMap((s) => s.ports.flatMap(own));
  return targets.filter((t, i) => targets.findIndex((o) => o.port === t.port && o.protocol === t.protocol) === i);
}

function detailOf(party: Party): string {
  switch (party.kind) {
    case 'pod':
      return `pod on ${party.pod.node}${addressList(party.pod.addresses.map(formatAddress))}`;
    case 'service':
      return `service${addressList(party.service.clusterAddresses.map(formatAddress))}`;
    case 'node':
    case 'external':
      return `${party.kind}${addressList(hostTexts(party.host))}`;
  }
}

const addressList = (texts: readonly string[]): string => (texts.length === 0 ? '' : `, ${texts.join(', ')}`);

const hostTexts = (host: Host): readonly string[] =>
  (host.namespaces[0]?.interfaces ?? []).filter((i) => i.device.kind === 'physical').flatMap((i) => globalAddresses(i).map(formatAddress));

