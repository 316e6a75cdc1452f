/** Services as a node's captured rules have them, said in the file: endpoints, node ports, cluster IPs, whole services. */
import { groupBy } from '../group-by.ts';
import { formatAddress, sameAddress } from '../net/address.ts';
import type { Service, Topology } from '../topology/model.ts';
import type { ClusterSpec, KubeProxySettings, PodSpec, ServicePortSpec } from '../topology/spec.ts';
import { podName } from '../topology/lookup.ts';
import { capturedOf, podOwner, serviceOwner } from './candidate.ts';
import type { Deviation } from './deviation.ts';
import type { Edit, Repair } from './explanation.ts';
import { servicesInRules } from './rules-service.ts';
import type { RuledPort } from './rules-service.ts';

export function acceptedServices(spec: ClusterSpec, topology: Topology, found: readonly Deviation[]): readonly Repair[] {
  const [first] = found;
  const family = first?.block === 'iptables' ? 4 : first?.block === 'ip6tables' ? 6 : null;
  if (first?.table !== 'nat' || family === null) return [];
  const table = capturedOf(spec, first.owner)?.tables?.find((t) => t.family === family && t.name === 'nat');
  const ruled = table === undefined ? [] : servicesInRules(table);
  const said = ruledServices(ruled).flatMap((ports) => acceptedService({ spec, topology, ruled }, ports));
  return [...masqueradingAll(spec, found), ...together(said)];
}

/** What a node's rules say of services. */
interface Seen {
  readonly spec: ClusterSpec;
  readonly topology: Topology;
  readonly ruled: readonly RuledPort[];
}

interface Word {
  readonly says: string;
  readonly edit: Edit;
}

const SHOWN = 3;

/** One fix: said of one service alone, the others would still differ. */
function together(words: readonly Word[]): readonly Repair[] {
  const said = [...new Map(words.map((w) => [w.says, w])).values()];
  if (said.length === 0) return [];
  const more = said.length - SHOWN;
  return [{ title: `say that ${said.slice(0, SHOWN).map((s) => s.says).join(', and ')}${more > 0 ? `, and ${more} more` : ''}`, edits: said.map((s) => s.edit) }];
}

type Ports = readonly [RuledPort, ...RuledPort[]];

const ruledServices = (ruled: readonly RuledPort[]): readonly Ports[] => [...groupBy(ruled, (port) => port.service).values()];

function acceptedService(seen: Seen, ports: Ports): readonly Word[] {
  const [first] = ports;
  const service = seen.topology.services.find((s) => podName(s) === first.service);
  const declared = seen.spec.services.find((s) => podName(s) === first.service);
  if (service === undefined || declared === undefined) return [newService(ports)];
  return [...otherAddress(service, first), ...ports.flatMap((port) => [...otherEndpoints(seen, service, port), ...otherNodePort(declared.ports, service, port)])];
}

const target = ({ address, port }: RuledPort['endpoints'][number]): string => (address.family === 4 ? `${formatAddress(address)}:${port}` : `[${formatAddress(address)}]:${port}`);

function newService(ports: Ports): Word {
  const [{ service, clusterAddress, affinity }] = ports;
  const lines = [
    `cluster-ip ${formatAddress(clusterAddress)}`,
    ...ports.map((p) => `port ${p.name === '' ? '' : `${p.name} `}${p.port}/${p.protocol}${p.nodePort === null ? '' : ` node-port ${p.nodePort}`}`),
    ...ports.flatMap((p) => (p.endpoints.length === 0 ? [] : [`endpoints ${p.endpoints.map(target).join(', ')}${p.name === '' ? '' : ` port ${p.name}`}`])),
    ...(affinity === null ? [] : [`session-affinity ${affinity}`]),
  ];
  return { says: `there is a service ${service}, as in the rules`, edit: { kind: 'declaration', text: [`service ${service} {`, ...lines.map((l) => `  ${l}`), '}'].join('\n') } };
}

/** Of one family only: a list would lose the other's. */
function otherAddress(service: Service, { clusterAddress }: RuledPort): readonly Word[] {
  const [address, ...more] = service.clusterAddresses;
  if (address === undefined || more.length > 0 || address.family !== clusterAddress.family || sameAddress(address, clusterAddress)) return [];
  const text = `cluster-ip ${formatAddress(clusterAddress)}`;
  return [{ says: `the cluster IP of service ${podName(service)} is ${formatAddress(clusterAddress)}`, edit: { kind: 'statement', owner: serviceOwner(service), inside: null, keyword: 'cluster-ip', at: null, text } }];
}

function otherEndpoints(seen: Seen, service: Service, ruled: RuledPort): readonly Word[] {
  // Slices say all that there is: a word of the file on a pod changes none of them.
  if (seen.spec.services.find((s) => podName(s) === podName(service))?.endpointsAre === 'instead') return [];
  const port = service.ports.find((p) => p.name === ruled.name && p.protocol === ruled.protocol);
  if (port === undefined || ruled.endpoints.length === 0) return [];
  const known = port.endpoints.filter((e) => e.ready && e.address.family === ruled.clusterAddress.family);
  const added = ruled.endpoints.filter((e) => !known.some((k) => sameAddress(k.address, e.address) && k.port === e.port));
  const gone = known.filter((k) => !ruled.endpoints.some((e) => sameAddress(k.address, e.address) && k.port === e.port));
  const unready = added.map((e) => port.endpoints.find((k) => !k.ready && sameAddress(k.address, e.address) && k.port === e.port)?.pod ?? null);
  const byHand = added.filter((_, i) => unready[i] === null);
  const leaving = gone.map((k) => seen.spec.pods.find((p) => podName(p) === k.pod));
  // An endpoint by hand goes by hand, and a pod that is an endpoint of others is ready.
  if (leaving.some((pod) => pod?.ready !== true || pod.terminating || isEndpoint(seen, pod))) return [];
  if (unready.some((pod) => pod !== null && !isEverywhere(seen, pod))) return [];
  const where = `service ${podName(service)}${port.name === '' ? '' : ` port ${port.name}`}`;
  const text = `endpoints ${byHand.map(target).join(', ')}${port.name === '' ? '' : ` port ${port.name}`}`;
  return [
    ...(byHand.length === 0 ? [] : [{ says: `${where} has the endpoint${byHand.length === 1 ? '' : 's'} ${byHand.map(target).join(', ')}`, edit: { kind: 'statement' as const, owner: serviceOwner(service), inside: null, keyword: text, at: null, text } }]),
    ...unready.flatMap((pod) => (pod === null ? [] : [{ says: `${pod} is ready`, edit: { kind: 'statement' as const, owner: podOwner(pod), inside: null, keyword: 'not-ready', at: null, text: null } }])),
    ...leaving.flatMap((pod) => (pod === undefined ? [] : [{ says: `${podName(pod)} is not ready`, edit: { kind: 'statement' as const, owner: podOwner(podName(pod)), inside: null, keyword: 'not-ready', at: null, text: 'not-ready' } }])),
  ];
}

const isEndpoint = ({ ruled }: Seen, { addresses }: PodSpec): boolean => ruled.some((r) => r.endpoints.some((e) => addresses.some((a) => sameAddress(a, e.address))));

/** In the rules of each service that would have the pod, were it ready. */
const isEverywhere = ({ topology, ruled }: Seen, pod: string): boolean => ruled.every((r) => {
  const port = topology.services.find((s) => podName(s) === r.service)?.ports.find((p) => p.name === r.name && p.protocol === r.protocol);
  const own = port?.endpoints.filter((e) => e.pod === pod && e.address.family === r.clusterAddress.family) ?? [];
  return own.every((e) => r.endpoints.some((other) => sameAddress(other.address, e.address)));
});

function otherNodePort(ports: readonly ServicePortSpec[], service: Service, ruled: RuledPort): readonly Word[] {
  const port = ports.find((p) => p.name === ruled.name && p.protocol === ruled.protocol);
  // A line that has two ports does not tell which is meant; a service without a node port may be a load balancer's.
  if (port === undefined || ruled.nodePort === null || port.nodePort === ruled.nodePort || ports.some((p) => p !== port && p.at.line === port.at.line)) return [];
  const to = port.targetPortName ?? (port.targetPort === port.port ? null : String(port.targetPort));
  const text = `port ${port.name === '' ? '' : `${port.name} `}${port.port}/${port.protocol}${to === null ? '' : ` -> ${to}`} node-port ${ruled.nodePort}`;
  return [{ says: `the node port of service ${podName(service)}${port.name === '' ? '' : ` port ${port.name}`} is ${ruled.nodePort}`, edit: { kind: 'statement', owner: serviceOwner(service), inside: null, keyword: 'port', at: port.at, text } }];
}

/** `--masquerade-all`: in every service that differs, the rule that marks leaves out whose packets it is for. */
function masqueradingAll(spec: ClusterSpec, found: readonly Deviation[]): readonly Repair[] {
  const services = found.filter((d) => d.because?.startsWith('service ') === true);
  const isMarking = (text: string): boolean => /^-A KUBE-SVC-\S+ .*-j KUBE-MARK-MASQ$/.test(text);
  const everyone = (text: string): string => (isMarking(text) ? text.replace(/ ! -s \S+/, '') : text);
  const differs = services.length > 0 && services.every((d) => d.there.some((e) => isMarking(e.text) && !e.text.includes(' ! -s ')) && d.wanted.some((e) => isMarking(e.text) && e.text !== everyone(e.text)));
  if (!differs || spec.cluster?.kubeProxy.masqueradeAll === true) return [];
  return [{
    title: 'say that kube-proxy masquerades all that goes to services',
    edits: [{ kind: 'statement', owner: { kind: 'cluster', name: '' }, inside: 'kube-proxy', keyword: 'masquerade-all', at: null, text: 'masquerade-all', ...(isPlain(spec.cluster?.kubeProxy) ? { opening: 'kube-proxy iptables' } : {}) }],
  }];
}

/** Said by nobody yet: a block that is opened in the file would undo what a ConfigMap says. */
const isPlain = (settings: KubeProxySettings | undefined): boolean => settings === undefined
  || (settings.detectLocal.mode === 'ClusterCIDR' && settings.detectLocal.cidrs === null && settings.nodePortAddresses.length === 0 && settings.localhostNodePorts && !settings.tcpBeLiberal);
