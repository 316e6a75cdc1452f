/** The pods as records, with the resolv.conf that kubelet writes (pkg/kubelet/network/dns/dns.go: GetPodDNS). */
import { contains, sameAddress } from '../net/address.ts';
import { keptMap } from '../kept.ts';
import type { Address } from '../net/address.ts';
import type { Pod } from '../topology/model.ts';
import { declared } from '../topology/origin.ts';
import type { PodSpec } from '../topology/spec.ts';
import { CLUSTER_NDOTS, clusterSearch, fittingSearch } from './dns.ts';
import { nodeAddressOf } from './plan.ts';
import type { NodePlan, Plan } from './plan.ts';

const known = keptMap<PodSpec, Pod>();
const alone = keptMap<PodSpec, boolean>();

/** The same records as long as their declarations are: services are kept by their pods. */
export function podsOf(plan: Plan): readonly Pod[] {
  const kept = alone(plan.pods, (spec, before) => before ?? standsAlone(spec));
  return known(plan.pods, (spec, before, i) => (before !== undefined && kept[i] === true ? before : makePod(plan, spec)), plan.settings.domain);
}

/** Else the node and its DNS are asked for, which other declarations tell of. */
const standsAlone = (spec: PodSpec): boolean => !spec.hostNetwork && spec.nameservers === null && spec.captured.resolver === undefined;

function makePod(plan: Plan, spec: PodSpec): Pod {
  const node = plan.nodes.get(spec.node);
  const { namespace, name, hostNetwork, ready, terminating, hostname, subdomain, labels } = spec;
  return {
    namespace, name, node: spec.node, hostNetwork, ready, terminating, hostname, subdomain, labels,
    addresses: hostNetwork && node !== undefined ? nodeAddresses(node) : spec.addresses,
    ports: spec.ports.filter((p) => p.name !== '').map((p) => ({ name: p.name, protocol: p.protocol, port: p.port })),
    ...resolverOf(plan, spec),
    origin: declared(spec.at),
  };
}

const nodeAddresses = (node: NodePlan): Pod['addresses'] => ([4, 6] as const).flatMap((family) => nodeAddressOf(node, family) ?? []);

/** The node's own resolver has no search list that the file tells of, and the resolver's own ndots (resolv.conf(5)). */
function resolverOf(plan: Plan, spec: PodSpec): Pick<Pod, 'search' | 'ndots' | 'clusterDns'> {
  const { dnsPolicy, hostNetwork, nameservers } = spec;
  const { resolver } = spec.captured;
  if (resolver !== undefined) return { search: resolver.search, ndots: resolver.ndots, clusterDns: resolver.nameservers.some((n) => isClusterDns(plan, n)) };
  const asksCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  const search = fittingSearch(spec.search ?? (asksCluster ? clusterSearch(spec.namespace, plan.settings.domain) : []));
  // A pod on the host's network that was given the cluster's search list was given its name server, too.
  const given = dnsPolicy === 'ClusterFirst' && search.length > 0;
  return {
    search,
    ndots: spec.ndots ?? (dnsPolicy === 'None' || dnsPolicy === 'Default' ? 1 : CLUSTER_NDOTS),
    clusterDns: nameservers === null ? asksCluster || given : nameservers.some((n) => dnsAddresses(plan).some((a) => sameAddress(a, n))),
  };
}

/** kubeadm and flannel's own examples call CoreDNS's service so. */
const dnsAddresses = (plan: Plan): Pod['addresses'] => plan.services.find((s) => s.namespace === 'kube-system' && s.name === 'kube-dns')?.clusterAddresses ?? [];

/** Where the file does not declare the service of CoreDNS, an address among the services' is taken for it. */
function isClusterDns(plan: Plan, nameserver: Address): boolean {
  const known = dnsAddresses(plan);
  return known.length > 0 ? known.some((a) => sameAddress(a, nameserver)) : plan.settings.serviceCidrs.some((cidr) => contains(cidr, nameserver));
}
