/** Values that the file itself suggests for an argument: the next free address, a name that is used elsewhere. */
import { formatAddress, formatPrefix, networkOf } from '../../../../engine/src/net/address.ts';
import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import type { Listener } from '../../../../engine/src/topology/model.ts';
import { firstFree } from '../bind/addresses.ts';
import type { Declaration } from '../bind/declarations.ts';
import { declarationAt } from '../bind/occurrences.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Candidate } from './completions.ts';

interface Here {
  readonly snapshot: Snapshot;
  /** What the cursor stands in. */
  readonly declaration: Declaration | undefined;
}

type Values = (here: Here) => readonly Candidate[];

const value = (label: string, detail: string): Candidate => ({ label, kind: 'value', detail });

const distinct = (candidates: readonly Candidate[]): readonly Candidate[] => [...new Map(candidates.map((c) => [c.label, c])).values()];

/** Kubernetes hands out node ports from here on (--service-node-port-range). */
const FIRST_NODE_PORT = 30_000;

const freeIn = ({ snapshot: { model } }: Here, prefixes: readonly Prefix[], text: (free: Address, prefix: Prefix) => string): readonly Candidate[] => prefixes.flatMap((prefix) => {
  const free = firstFree(model, prefix);
  return free === undefined ? [] : [value(text(free, prefix), `free in ${formatPrefix(prefix)}`)];
});

const networks = ({ snapshot: { model } }: Here): readonly Prefix[] => model.networks.flatMap((n) => n.declaration.prefixes.map((p) => p.value));

const podCidrs = ({ snapshot: { model } }: Here): readonly Candidate[] => model.clusters.flatMap((c) => c.declaration.podCidrs.map((p) => value(formatPrefix(p.value), "the cluster's pods")));

const leases = ({ snapshot: { model } }: Here): readonly Candidate[] => model.nodes.flatMap((n) => n.declaration.podCidrs.map((p) => value(formatPrefix(p.value), `pods of ${n.declaration.name?.value ?? ''}`)));

const networkPrefixes: Values = (here) => networks(here).map((p) => value(formatPrefix(p), 'a network'));

const nodeAddresses = ({ snapshot: { model } }: Here): readonly Candidate[] => model.nodes.flatMap(({ declaration: d }) => d.interfaces.flatMap((i) => i.addresses.map((a) => value(formatAddress(a.value.address), `${d.name?.value ?? ''}'s ${i.name.value}`))));

const interfaceAddress: Values = (here) => freeIn(here, networks(here), (free, prefix) => `${formatAddress(free)}/${prefix.length}`);

/** The first /24 or /64 of the cluster's networks that no node has. */
const nextLease: Values = ({ snapshot: { model } }) => model.clusters.flatMap((cluster) => cluster.declaration.podCidrs.flatMap(({ value: cidr }) => {
  const length = cidr.address.family === 4 ? 24 : 64;
  const taken = new Set(model.nodes.flatMap((n) => n.declaration.podCidrs.map((p) => formatPrefix(p.value))));
  const [a, b, c, d] = cidr.address.words;
  for (let n = 1; n < 256 && cidr.length < length; n++) {
    const words = cidr.address.family === 4 ? [a, b, c, d + n * 256] as const : [a, b + n, c, d] as const;
    const lease = formatPrefix(networkOf({ address: { family: cidr.address.family, words }, length }));
    if (!taken.has(lease)) return [value(lease, 'the next lease')];
  }
  return [];
}));

const podAddresses: Values = ({ snapshot: { model } }) => model.pods.flatMap(({ declaration: d }) => d.addresses.map((a) => value(formatAddress(a.value), `pod ${d.name?.value.name ?? ''}`)));

/** Where pods listen, as `text` writes it. */
const listeners = ({ snapshot: { model } }: Here, text: (listener: Listener) => string): readonly Candidate[] =>
  distinct(model.pods.flatMap(({ declaration: d }) => (d.listeners ?? []).map((l) => value(text(l), `pod ${d.name?.value.name ?? ''} listens there`))));

const portNames = ({ snapshot: { model } }: Here): readonly Candidate[] =>
  distinct(model.pods.flatMap(({ declaration: d }) => d.ports.flatMap((p) => (p.name === null ? [] : [value(p.name.value, `a port of pod ${d.name?.value.name ?? ''}`)]))));

const targetPorts: Values = (here) => [...listeners(here, (l) => String(l.port)), ...portNames(here)];

const policyPorts: Values = (here) => distinct([...listeners(here, (l) => `${l.port}/${l.protocol}`), ...portNames(here), value('53/UDP', 'DNS'), value('*', 'every port of TCP')]);

const nodePort: Values = ({ snapshot: { model } }) => {
  const taken = new Set<number>(model.services.flatMap((s) => s.declaration.ports.flatMap((p) => (p.nodePort === null ? [] : [p.nodePort.value]))));
  let port = FIRST_NODE_PORT;
  while (taken.has(port)) port++;
  return [value(String(port), 'free on every node')];
};

/** `shop/`: the namespaces that the file has; the name is the person's own. */
const namespaces: Values = (here) => namesOfNamespaces(here).filter((n) => n !== 'default').map((n) => value(`${n}/`, 'namespace'));

function namesOfNamespaces({ snapshot: { model } }: Here): readonly string[] {
  const used = [...model.pods, ...model.services, ...model.policies].flatMap((p) => p.declaration.name?.value.namespace ?? []);
  return [...new Set([...model.namespaces.flatMap((n) => n.declaration.name?.value ?? []), ...used, 'kube-system'])].sort();
}

/** Those without a declaration of their own. */
const undeclaredNamespaces: Values = (here) => namesOfNamespaces(here).filter((n) => here.snapshot.model.namespaces.every((d) => d.declaration.name?.value !== n)).map((n) => value(n, 'namespace'));

const servicePorts: Values = ({ declaration: d }) => (d?.kind === 'service' ? d.ports.flatMap((p) => (p.name === null ? [] : [value(p.name.value, 'port of this service')])) : []);

const headlessServices: Values = ({ snapshot: { model }, declaration: d }) => model.services.flatMap(({ declaration: s }) =>
  (s.headless && s.name !== null && (d?.kind !== 'pod' || s.name.value.namespace === d.name?.value.namespace) ? [value(s.name.value.name, 'headless service')] : []));

const zones: Values = ({ snapshot: { model } }) => distinct(model.nodes.flatMap((n) => n.declaration.labels.flatMap((l) => (l.value[0] === 'topology.kubernetes.io/zone' ? [value(l.value[1], `zone of ${n.declaration.name?.value ?? ''}`)] : []))));

const dnsServices: Values = ({ snapshot: { model } }) => model.services.flatMap(({ declaration: s }) => (s.ports.some((p) => p.listener.value.port === 53) ? s.clusterAddresses.map((a) => value(formatAddress(a.value), `service ${s.name?.value.name ?? ''}`)) : []));

const podAddress: Values = (here) => {
  const d = here.declaration;
  return d?.kind === 'pod' ? freeIn(here, (here.snapshot.names.nodes.get(d.host?.value ?? '')?.declaration.podCidrs ?? []).map((c) => c.value), formatAddress) : [];
};

const clusterAddress: Values = (here) => freeIn(here, (here.snapshot.model.clusters[0]?.declaration.serviceCidrs ?? []).map((c) => c.value), formatAddress);

const freeOnNetworks: Values = (here) => freeIn(here, networks(here), formatAddress);

const ownAddresses: Values = ({ declaration: d }) => (d?.kind === 'node' ? d.interfaces.flatMap((i) => i.addresses.map((a) => value(formatAddress(a.value.address), i.name.value))) : []);

const fixed = (...values: readonly (readonly [string, string])[]): Values => () => values.map(([label, detail]) => value(label, detail));

/** By `CONTEXT KEYWORD ARGUMENT` of the grammar. What a person alone can name has no entry. */
const VALUES: Readonly<Record<string, Values>> = {
  'file pod [NAMESPACE/]NAME': namespaces,
  'file service [NAMESPACE/]NAME': namespaces,
  'file network-policy [NAMESPACE/]NAME': namespaces,
  'file namespace NAME': undeclaredNamespaces,
  'cluster domain NAME': fixed(['cluster.local', 'the default']),
  'cluster pod-cidr CIDR': fixed(['10.244.0.0/16', 'the default'], ['fd00:10:244::/56', 'beside it, for dual stack']),
  'cluster service-cidr CIDR': fixed(['10.96.0.0/12', 'the default'], ['fd00:10:96::/112', 'beside it, for dual stack']),
  'flannel vni N': fixed(['1', 'the default']),
  'flannel port N': fixed(['8472', 'the default of vxlan'], ['8285', 'the default of udp']),
  'flannel mtu N': fixed(['1450', 'of vxlan on an underlay of 1500'], ['1472', 'of udp on an underlay of 1500']),
  'flannel subnet-len N': fixed(['24', 'the default']),
  'flannel ipv6-subnet-len N': fixed(['64', 'the default']),
  'kube-proxy detect-local NAME': fixed(['cni0', 'the bridge'], ['veth', "pods' devices on the node"]),
  'kube-proxy cluster-cidr CIDR': podCidrs,
  'kube-proxy node-port-addresses CIDR': networkPrefixes,
  'network gateway ADDRESS': ({ snapshot, declaration: d }) => (d?.kind === 'network' ? freeIn({ snapshot, declaration: d }, d.prefixes.map((p) => p.value), formatAddress) : []),
  'network mtu N': fixed(['1500', 'the default'], ['9000', 'jumbo frames']),
  'interface mtu N': fixed(['1500', 'Ethernet'], ['9000', 'jumbo frames']),
  'node address ADDRESS/LENGTH': interfaceAddress,
  'node interface NAME': fixed(['eth0', 'device'], ['eth1', 'device'], ['docker0', 'device']),
  'node interface ADDRESS/LENGTH': interfaceAddress,
  'node pod-cidr CIDR': nextLease,
  'node public-ip ADDRESS': ownAddresses,
  'node docker ADDRESS/LENGTH': fixed(['172.17.0.1/16', 'the default']),
  'pod ip ADDRESS': podAddress,
  'pod port N': (here) => listeners(here, (l) => String(l.port)),
  'pod port ADDRESS': nodeAddresses,
  'pod nameserver ADDRESS': dnsServices,
  'pod subdomain NAME': headlessServices,
  'pod search DOMAIN': ({ snapshot: { model }, declaration: d }) => (d?.kind === 'pod' ? [value(`${d.name?.value.namespace ?? 'default'}.svc.${model.clusters[0]?.declaration.domain?.value ?? 'cluster.local'}`, 'as the kubelet writes it')] : []),
  'pod ndots N': fixed(['5', 'the default'], ['1', "a host's usual"]),
  'service cluster-ip ADDRESS': clusterAddress,
  'service port TARGET': targetPorts,
  'service port N': nodePort,
  'service endpoints ADDRESS[:PORT]': podAddresses,
  'service endpoints PORT': servicePorts,
  'service endpoints ZONE': zones,
  'service external-ip ADDRESS': nodeAddresses,
  'service load-balancer-ip ADDRESS': freeOnNetworks,
  'service load-balancer-source-ranges CIDR': networkPrefixes,
  'service session-affinity SECONDS': fixed(['10800', "Kubernetes' default"]),
  'service health-check-node-port N': nodePort,
  'ingress port PORT[-LAST][/PROTOCOL]': policyPorts,
  'egress port PORT[-LAST][/PROTOCOL]': policyPorts,
};

export function valuesFor(snapshot: Snapshot, slot: { readonly context: string; readonly keyword: string; readonly argument: string }, offset: number): readonly Candidate[] {
  const values = VALUES[`${slot.context} ${slot.keyword} ${slot.argument}`];
  return values?.({ snapshot, declaration: declarationAt(snapshot.model, offset)?.declaration }) ?? [];
}

/** Prefixes that a policy's `ip-block` may mean, and what it may leave out. */
export function blockPrefixes(snapshot: Snapshot): readonly Candidate[] {
  const here: Here = { snapshot, declaration: undefined };
  return distinct([...podCidrs(here), ...leases(here), ...networkPrefixes(here), value('0.0.0.0/0', 'everything of IPv4'), value('::/0', 'everything of IPv6')]);
}
