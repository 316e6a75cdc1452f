/**
 * Names: resolv.conf as kubelet writes it, the order in which a resolver asks, and what CoreDNS answers (kubernetes/dns,
 * docs/specification.md; the kubernetes plugin with `pods insecure`, as kubeadm configures it).
 */
import { formatAddress, parseAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { globalAddresses } from '../topology/lookup.ts';
import type { Service, Topology } from '../topology/model.ts';

/** kubelet, pkg/kubelet/network/dns: the search list of a pod with the ClusterFirst policy. */
export const clusterSearch = (namespace: string, domain: string): readonly string[] => [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];

export const CLUSTER_NDOTS = 5;

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
  const host = topology.hosts.find((h) => h.kind === 'external' && h.name.toLowerCase() === name);
  return host === undefined ? NXDOMAIN : addressAnswer((host.namespaces[0]?.interfaces ?? []).flatMap(globalAddresses));
}

/** `name` without the domain: `kube-dns.kube-system.svc`. */
function clusterAnswer(topology: Topology, name: string, aliases: number): Answer {
  const labels = name.split('.');
  const kind = labels.at(-1);
  const namespace = labels.at(-2);
  if (kind === 'pod' && labels.length === 3) return podAnswer(labels[0] ?? '');
  if (kind !== 'svc' || labels.length < 3 || labels.length > 4) return NXDOMAIN;
  const service = topology.services.find((s) => s.namespace === namespace && s.name === labels.at(-3));
  if (service === undefined) return NXDOMAIN;
  if (labels.length === 4) return endpointAnswer(service, labels[0] ?? '');
  if (service.externalName !== null) return aliasAnswer(topology, service.externalName, aliases);
  return addressAnswer(service.clusterAddresses.length > 0 ? service.clusterAddresses : endpointAddresses(service));
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

/** Of the ready endpoints, each address once. */
export function endpointAddresses(service: Service): readonly Address[] {
  const byText = new Map(service.ports.flatMap((p) => p.endpoints.filter((e) => e.ready).map((e) => [formatAddress(e.address), e.address] as const)));
  return [...byText.values()];
}

/** An endpoint without a hostname is named by its address with dashes. */
function endpointAnswer(service: Service, label: string): Answer {
  const named = endpointAddresses(service).filter((a) => formatAddress(a).replaceAll(/[.:]/g, '-') === label);
  return named.length === 0 ? NXDOMAIN : addressAnswer(named);
}
