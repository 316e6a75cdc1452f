/**
 * The Kubernetes objects that `objects from "FILES"` names, beside what the file itself declares. What both say of one
 * node, pod or the cluster is put together: the file's own word counts, statement by statement.
 */
import { clusterSearch } from '../../../../engine/src/control-plane/dns.ts';
import { DEFAULT_FLANNEL, DEFAULT_KUBE_PROXY } from '../../../../engine/src/control-plane/settings.ts';
import type { Address } from '../../../../engine/src/net/address.ts';
import { contains, formatAddress } from '../../../../engine/src/net/address.ts';
import type { Range } from '../diagnostics/define.ts';
import type { ObjectModel } from '../kubernetes/assemble.ts';
import type { ClusterPart } from '../kubernetes/config-map.ts';
import type { NodeObject } from '../kubernetes/node.ts';
import type { ObjectFile } from '../kubernetes/read.ts';
import { readObjects } from '../kubernetes/read.ts';
import type { FileLookup, FileReading } from './capture-content.ts';
import type { ClusterDeclaration, Declaration, InterfaceDeclaration, NetworkDeclaration, NodeDeclaration, ObjectsDeclaration, PodDeclaration } from './declarations.ts';
import type { Located } from './decode.ts';
import { DEFAULT_DOMAIN } from './defaults.ts';
import type { FileModel, Placed } from './file-model.ts';
import type { NameIndex } from './names.ts';
import { fullName } from './names.ts';

/** A file of objects, and where the `.k8snet` file names it. */
export interface NamedObjects {
  readonly objects: ObjectFile;
  readonly path: string;
  readonly at: Range;
}

const readings = new WeakMap<FileReading, ObjectFile>();

/** Each file once, in the order of the statements. */
export function objectFilesOf(statements: readonly Placed<ObjectsDeclaration>[], files: FileLookup): NamedObjects[] {
  const found = new Map<string, NamedObjects>();
  for (const { declaration: { patterns }, offset } of statements) {
    for (const pattern of patterns) {
      for (const name of files.list(pattern.value) ?? []) {
        const reading = files.read(name);
        if (!reading.ok || found.has(reading.path)) continue;
        const objects = readings.get(reading) ?? readObjects(reading.path, reading.text);
        readings.set(reading, objects);
        found.set(reading.path, { objects, path: reading.path, at: { start: offset + pattern.start, end: offset + pattern.end } });
      }
    }
  }
  return [...found.values()];
}

type Declared = Pick<FileModel, 'clusters' | 'networks' | 'nodes' | 'pods' | 'services' | 'namespaces' | 'policies'>;

/** What the file declares together with the objects. */
export function withObjects(declared: Declared, model: ObjectModel, places: readonly NamedObjects[]): Declared {
  const [anywhere] = places;
  if (anywhere === undefined) return declared;
  const byPath = new Map(places.map((p) => [p.path, p.at]));
  const whereNamed = ({ elsewhere }: Range): Range => byPath.get(elsewhere?.file ?? '') ?? anywhere.at;
  const placed = <D extends Range>(declaration: D): Placed<D> =>
    declaration.elsewhere === undefined ? { declaration, offset: 0, objects: whereNamed(declaration) } : { declaration, offset: 0, objects: whereNamed(declaration), elsewhere: declaration.elsewhere };
  const clusters = withCluster(declared.clusters, model.cluster, anywhere.at);
  const domain = clusters[0]?.declaration.domain?.value ?? DEFAULT_DOMAIN;
  const joined = <D extends Range>(own: readonly Placed<D>[], objects: readonly D[], keyOf: (d: D) => string, both: (own: D, object: D) => D): Placed<D>[] => {
    if (objects.length === 0) return [...own];
    const rest = new Map(objects.map((o) => [keyOf(o), o]));
    const mine = own.map((p): Placed<D> => {
      const object = rest.get(keyOf(p.declaration));
      if (object === undefined) return p;
      rest.delete(keyOf(p.declaration));
      return { ...p, declaration: both(p.declaration, object), objects: whereNamed(object) };
    });
    return [...mine, ...[...rest.values()].map(placed)];
  };
  return {
    clusters,
    networks: declared.networks,
    nodes: joined(declared.nodes, model.nodes.map((n) => plugged(n, declared.networks)), (d) => d.name?.value ?? '', bothNodes),
    pods: joined(declared.pods, model.pods.map((p) => withClusterDns(p, domain)), (d) => (d.name === null ? '' : fullName(d.name.value)), bothPods),
    services: [...declared.services, ...model.services.map(placed)],
    namespaces: [...declared.namespaces, ...model.namespaces.map(placed)],
    policies: [...declared.policies, ...model.policies.map(placed)],
  };
}

/** A Node does not name its devices: its addresses are taken to be on one for each network that holds them. */
function plugged({ declaration, addresses }: NodeObject, networks: readonly Placed<NetworkDeclaration>[]): NodeDeclaration {
  const interfaces: InterfaceDeclaration[] = [];
  for (const { declaration: network } of networks) {
    const own = addresses.flatMap((a) => {
      const prefix = network.prefixes.find((p) => contains(p.value, a.value));
      return prefix === undefined ? [] : [{ ...a, value: { address: a.value, length: prefix.value.length } }];
    });
    const [first] = own;
    if (first === undefined || network.name === null) continue;
    const at = { ...first, value: `eth${interfaces.length}` };
    interfaces.push({ ...first, name: at, addresses: own, network: { ...first, value: network.name.value }, mac: null, mtu: null });
  }
  return { ...declaration, interfaces, internalAddresses: addresses.map((a) => a.value) };
}

/**
 * dnsConfig's search domains come behind the policy's own, and so do its name servers, which are then asked only where the
 * cluster's does not answer (pkg/kubelet/network/dns, appendDNSConfig).
 */
function withClusterDns(pod: PodDeclaration, domain: string): PodDeclaration {
  const ofCluster = pod.dnsPolicy === 'ClusterFirstWithHostNet' || (pod.dnsPolicy === 'ClusterFirst' && !pod.hostNetwork);
  if (!ofCluster || (pod.search === null && pod.nameservers === null)) return pod;
  const search = pod.search === null ? null : [...clusterSearch(pod.name?.value.namespace ?? 'default', domain), ...pod.search];
  return { ...pod, search, nameservers: null };
}

const ownFirst = <T>(own: readonly T[], object: readonly T[]): readonly T[] => (own.length > 0 ? own : object);

function bothLabels(own: NodeDeclaration['labels'], object: NodeDeclaration['labels']): NodeDeclaration['labels'] {
  const keys = new Set(own.map((l) => l.value[0]));
  return [...own, ...object.filter((l) => !keys.has(l.value[0]))];
}

const bothNodes = (own: NodeDeclaration, object: NodeDeclaration): NodeDeclaration => ({
  ...own,
  interfaces: ownFirst(own.interfaces, object.interfaces),
  podCidrs: ownFirst(own.podCidrs, object.podCidrs),
  labels: bothLabels(own.labels, object.labels),
  publicAddress: own.publicAddress ?? object.publicAddress,
  vtepMac: own.vtepMac ?? object.vtepMac,
  ...(object.internalAddresses === undefined ? {} : { internalAddresses: object.internalAddresses }),
});

const bothPods = (own: PodDeclaration, object: PodDeclaration): PodDeclaration => ({
  ...own,
  addresses: ownFirst(own.addresses, object.addresses),
  labels: bothLabels(own.labels, object.labels),
  hostNetwork: own.hostNetwork || object.hostNetwork,
  ready: own.ready && object.ready,
  terminating: own.terminating || object.terminating,
  ports: ownFirst(own.ports, object.ports),
  dnsPolicy: own.dnsPolicy === 'ClusterFirst' ? object.dnsPolicy : own.dnsPolicy,
  nameservers: own.nameservers ?? object.nameservers,
  search: own.search ?? object.search,
  ndots: own.ndots ?? object.ndots,
  hostname: own.hostname ?? object.hostname,
  subdomain: own.subdomain ?? object.subdomain,
});

/** `flannel` and `kube-proxy` of the file stand for the whole of those settings. */
function withCluster(own: readonly Placed<ClusterDeclaration>[], part: ClusterPart | null, at: Range): readonly Placed<ClusterDeclaration>[] {
  const [first, ...others] = own;
  if (part === null) return own;
  const { place: elsewhere } = part;
  if (first === undefined) return [{ declaration: clusterOf(part), offset: 0, objects: at, elsewhere }];
  const { declaration: d } = first;
  const says = (keyword: string): boolean => d.node.block?.children.some((c) => c.kind === 'statement' && c.tokens[0]?.text === keyword) ?? false;
  const declaration: ClusterDeclaration = {
    ...d,
    domain: d.domain ?? part.domain ?? null,
    podCidrs: ownFirst(d.podCidrs, part.podCidrs ?? []),
    serviceCidrs: ownFirst(d.serviceCidrs, part.serviceCidrs ?? []),
    flannel: says('flannel') ? d.flannel : (part.flannel ?? d.flannel),
    kubeProxy: says('kube-proxy') ? d.kubeProxy : (part.kubeProxy ?? d.kubeProxy),
    ...(d.networkPlugin !== undefined || says('flannel') || part.networkPlugin === undefined ? {} : { networkPlugin: part.networkPlugin }),
  };
  return [{ ...first, declaration, objects: at }, ...others];
}

const clusterOf = (part: ClusterPart): ClusterDeclaration => ({
  ...part.base,
  kind: 'cluster',
  name: null,
  domain: part.domain ?? null,
  podCidrs: part.podCidrs ?? [],
  serviceCidrs: part.serviceCidrs ?? [],
  flannel: part.flannel ?? DEFAULT_FLANNEL,
  kubeProxy: part.kubeProxy ?? DEFAULT_KUBE_PROXY,
  ...(part.networkPlugin === undefined ? {} : { networkPlugin: part.networkPlugin }),
});

/** Which declarations of the file an object completes: what they leave out it may say. */
export function completedBy(model: ObjectModel): (d: Declaration) => boolean {
  const nodes = new Set(model.nodes.map((n) => n.declaration.name?.value));
  const pods = new Set(model.pods.map((p) => (p.name === null ? '' : fullName(p.name.value))));
  return (d) => (d.kind === 'node' && nodes.has(d.name?.value)) || (d.kind === 'pod' && d.name !== null && pods.has(fullName(d.name.value)));
}

/** The nodes whose addresses no network of the file holds, each with its first address as text. */
export function* homelessNodes(model: ObjectModel, networks: readonly Placed<NetworkDeclaration>[], nodes: NameIndex<NodeDeclaration>): Iterable<{ readonly name: Located<string>; readonly address: string }> {
  for (const { declaration: { name }, addresses } of model.nodes) {
    const [address] = addresses;
    if (name === null || address === undefined) continue;
    const known = nodes.get(name.value)?.declaration;
    if (known !== undefined && (known.interfaces.length > 0 || known.captures.some((c) => c.keyword === 'addresses'))) continue;
    if (!networks.some((n) => n.declaration.prefixes.some((p) => addresses.some((a: Located<Address>) => contains(p.value, a.value))))) yield { name, address: formatAddress(address.value) };
  }
}
