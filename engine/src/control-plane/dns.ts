/**
 * Names: resolv.conf as kubelet writes it, the order in which a resolver asks, and what CoreDNS answers (kubernetes/dns,
 * docs/specification.md; the kubernetes plugin with `pods insecure`, as kubeadm configures it).
 */
import { formatAddress, parseAddress, sameAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { globalAddresses } from '../topology/lookup.ts';
import type { Service, Topology } from '../topology/model.ts';

/** kubelet, pkg/kubelet/network/dns: the search list of a pod with the ClusterFirst policy. */
export const clusterSearch = (namespace: string, domain: string): readonly string[] => [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];

export const CLUSTER_NDOTS = 5;

/** MaxDNSSearchPaths, MaxDNSSearchListChars (apis/core/validation); the longest name that DNS has. */
const MOST_DOMAINS = 32;
const LONGEST_LIST = 2048;
const LONGEST_DOMAIN = 253;

/** What kubelet writes of a search list: each domain once, and what is too much left out from the end (dns.go: formDNSSearchFitsLimits). */
export function fittingSearch(domains: readonly string[]): readonly string[] {
  const kept = [...new Set(domains)].slice(0, MOST_DOMAINS).filter((d) => d.length <= LONGEST_DOMAIN);
  while (kept.join(' ').length > LONGEST_LIST) kept.pop();
  return kept;
}

/** Who asks. `clusterDns`: the name server is CoreDNS, which answers for the cluster's domain. */
export interface Resolver {
  readonly search: readonly string[];
  readonly ndots: number;
  readonly clusterDns: boolean;
}

export interface Query {
  readonly query: string;
  /** `A 10.16.0.10`, `NXDOMAIN`, … */
  readonly answer: string;
}

export interface Resolution {
  readonly queries: readonly Query[];
  /** Of the first question that was answered, in the answer's order; empty where none was. */
  readonly addresses: readonly Address[];
}

/** resolv.conf(5): with fewer dots than ndots the search list comes first; a last dot asks the name alone. */
export function questionsOf(name: string, resolver: Resolver): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = resolver.search.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= resolver.ndots ? [name, ...searched] : [...searched, name];
}

export function resolve(topology: Topology, name: string, resolver: Resolver): Resolution {
  const queries: Query[] = [];
  for (const question of questionsOf(name, resolver)) {
    const answer = answerTo(topology, question.toLowerCase(), resolver.clusterDns, 0);
    queries.push({ query: question, answer: answer.text });
    if (answer.addresses.length > 0) return { queries, addresses: answer.addresses };
  }
  return { queries, addresses: [] };
}

interface Answer {
  readonly text: string;
  readonly addresses: readonly Address[];
}

const NXDOMAIN: Answer = { text: 'NXDOMAIN', addresses: [] };
/** The name exists, but no record of the types asked for. */
const NODATA: Answer = { text: 'no A or AAAA record', addresses: [] };

const RECORD: Readonly<Record<Family, string>> = { 4: 'A', 6: 'AAAA' };

const addressAnswer = (addresses: readonly Address[]): Answer =>
  addresses.length === 0 ? NODATA : { text: addresses.map((a) => `${RECORD[a.family]} ${formatAddress(a)}`).join(', '), addresses };

/** CNAMEs are followed as often as CoreDNS's upstream lookup does: eight times. */
const MAX_ALIASES = 8;

function answerTo(topology: Topology, name: string, clusterDns: boolean, aliases: number): Answer {
  const { domain } = topology.cluster;
  if (name.endsWith(`.${domain.toLowerCase()}`)) {
    if (!clusterDns) return { text: `NXDOMAIN (this resolver does not know ${domain})`, addresses: [] };
    return clusterAnswer(topology, name.slice(0, -domain.length - 1), aliases);
  }
  if (name.endsWith('.arpa')) return clusterDns ? reverseAnswer(topology, name) : NXDOMAIN;
  const host = topology.hosts.find((h) => h.kind === 'external' && h.name.toLowerCase() === name);
  return host === undefined ? NXDOMAIN : addressAnswer((host.namespaces[0]?.interfaces ?? []).flatMap(globalAddresses));
}

/** `name` without the domain: `kube-dns.kube-system.svc`. */
function clusterAnswer(topology: Topology, name: string, aliases: number): Answer {
  const labels = name.split('.');
  const kind = labels.at(-1);
  if (kind === 'pod' && labels.length === 3) return podAnswer(labels[0] ?? '');
  const service = topology.services.find((s) => s.namespace === labels.at(-2) && s.name === labels.at(-3));
  if (kind !== 'svc' || service === undefined) return NXDOMAIN;
  const below = labels.slice(0, -3);
  if (below.length === 2) return serviceRecord(topology, service, below);
  if (below.length === 1) return endpointAnswer(service, below[0] ?? '');
  if (below.length > 0) return NXDOMAIN;
  if (service.externalName !== null) return aliasAnswer(topology, service.externalName, aliases);
  if (service.clusterAddresses.length > 0) return addressAnswer(service.clusterAddresses);
  return service.members.length === 0 ? NXDOMAIN : addressAnswer(endpointAddresses(service));
}

/** `_http._tcp.web.default.svc`: the port, and of whom (kubernetes/dns, 2.3.2 and 2.4.2). */
function serviceRecord(topology: Topology, service: Service, [portLabel = '', protocolLabel = '']: readonly string[]): Answer {
  const port = service.ports.find((p) => `_${p.name}` === portLabel && `_${p.protocol.toLowerCase()}` === protocolLabel && p.name !== '');
  if (port === undefined) return NXDOMAIN;
  const suffix = `${service.name}.${service.namespace}.svc.${topology.cluster.domain}`;
  const headless = service.clusterAddresses.length === 0;
  const records = headless ? service.members.map((m) => `SRV ${port.endpoints.find((e) => sameAddress(e.address, m.address))?.port ?? port.port} ${memberLabel(m)}.${suffix}`) : [`SRV ${port.port} ${suffix}`];
  const { text, addresses } = addressAnswer(headless ? endpointAddresses(service) : service.clusterAddresses);
  return records.length === 0 ? NXDOMAIN : { text: [...records, text].join(', '), addresses };
}

function aliasAnswer(topology: Topology, target: string, aliases: number): Answer {
  if (aliases === MAX_ALIASES) return { text: `CNAME ${target}, a loop`, addresses: [] };
  const answer = answerTo(topology, target.toLowerCase().replace(/\.$/, ''), true, aliases + 1);
  return { text: `CNAME ${target}, ${answer.text}`, addresses: answer.addresses };
}

/** `10-0-14-15`: the address itself, whoever has it. */
function podAnswer(label: string): Answer {
  const address = parseAddress(label.replaceAll('-', '.')) ?? parseAddress(label.replaceAll('-', ':'));
  return address === undefined ? NXDOMAIN : addressAnswer([address]);
}

/** Whom the name of a headless service stands for. */
export const endpointAddresses = (service: Service): readonly Address[] => service.members.map((m) => m.address);

/** Without a hostname an endpoint is named by its address with dashes. */
const memberLabel = (member: Service['members'][number]): string => member.hostname?.toLowerCase() ?? formatAddress(member.address).replaceAll(/[.:]/g, '-');

/** CoreDNS knows the endpoints of a service with an address by name, too (plugin/kubernetes: findServices). */
const namedEndpoints = (service: Service): Service['members'] =>
  service.clusterAddresses.length === 0 ? service.members : [...new Map(service.ports.flatMap((p) => p.endpoints.filter((e) => e.ready).map((e) => [formatAddress(e.address), e] as const))).values()];

function endpointAnswer(service: Service, label: string): Answer {
  const named = namedEndpoints(service).filter((m) => memberLabel(m) === label);
  return named.length === 0 ? NXDOMAIN : addressAnswer(named.map((m) => m.address));
}

/**
 * `1.0.244.10.in-addr.arpa`: a service's cluster IP, else an endpoint that has a hostname (kubernetes/dns, 2.3.3 and 2.4.3;
 * plugin/kubernetes/reverse.go: serviceRecordForIP).
 */
function reverseAnswer(topology: Topology, name: string): Answer {
  const address = reversed(name);
  if (address === undefined) return NXDOMAIN;
  const nameOf = (service: Service): string => `${service.name}.${service.namespace}.svc.${topology.cluster.domain}`;
  const owner = topology.services.find((s) => s.clusterAddresses.some((a) => sameAddress(a, address)));
  if (owner !== undefined) return { text: `PTR ${nameOf(owner)}`, addresses: [] };
  const named = topology.services.flatMap((s) => namedEndpoints(s).flatMap((m) => (m.hostname !== null && sameAddress(m.address, address) ? `PTR ${m.hostname}.${nameOf(s)}` : [])));
  return named.length === 0 ? NXDOMAIN : { text: [...new Set(named)].join(', '), addresses: [] };
}

function reversed(name: string): Address | undefined {
  const labels = name.split('.').slice(0, -2).reverse();
  if (name.endsWith('.in-addr.arpa')) return parseAddress(labels.join('.'));
  return labels.length === 32 ? parseAddress((labels.join('').match(/.{4}/g) ?? []).join(':')) : undefined;
}
