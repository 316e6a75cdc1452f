/** A Service: the fields that kube-proxy and CoreDNS read (pkg/proxy/serviceport.go, pkg/proxy/servicechangetracker.go). */
import type { Address, Port, Prefix } from '../../../../engine/src/net/address.ts';
import type { PortDeclaration, ServiceDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import type { Fields } from './fields.ts';
import { baseOf, rangeOf, tellAt } from './fields.ts';
import type { Metadata } from './metadata.ts';
import { metadataOf, objectName } from './metadata.ts';

/** Without its endpoints, which other objects have. */
export interface ServiceObject extends Omit<ServiceDeclaration, 'endpoints' | 'endpointsAre'> {
  /** The annotation topology-mode Auto: the EndpointSlices have the hints. */
  readonly autoHints: Located<string> | null;
}

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
const POLICIES = ['Cluster', 'Local'] as const;
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'] as const;
/** service.spec.sessionAffinityConfig.clientIP.timeoutSeconds where nothing is said (apis/core/v1/defaults.go). */
const DEFAULT_AFFINITY_SECONDS = 10800;

/** `loadBalancerIP` is a wish: what was given stands in the status. */
const IGNORED_SPEC = ['ipFamilies', 'ipFamilyPolicy', 'loadBalancerClass', 'loadBalancerIP', 'topologyKeys'];

export function readService(object: Fields): ServiceObject | null {
  const metadata = metadataOf(object);
  const spec = object.map('spec');
  if (metadata === null || spec === null) {
    if (metadata !== null) object.bad(`service ${metadata.namespace}/${metadata.name.value} has no spec and is left out`, object.tree);
    return null;
  }
  const balancer = balancerOf(object.map('status'));
  const ips = clusterIpsOf(spec);
  const service: ServiceObject = {
    kind: 'service',
    ...baseOf(object),
    name: objectName(metadata),
    type: spec.choice('type', TYPES) ?? 'ClusterIP',
    ...ips,
    ports: spec.maps('ports').flatMap((p) => portOf(p) ?? []),
    selector: selectorOf(spec),
    externalAddresses: spec.values('externalIPs', 'address'),
    loadBalancerAddresses: balancer.addresses,
    loadBalancerProxies: balancer.proxies,
    loadBalancerSourceRanges: sourceRanges(spec, metadata),
    ...settingsOf(spec, metadata),
    ...unproxiedBy(spec, metadata),
  };
  spec.rest(IGNORED_SPEC);
  return service;
}

/** A headless service has no rules anyway. */
function unproxiedBy(spec: Fields, { labels }: Metadata): Pick<ServiceObject, 'unproxied'> {
  const of = (key: string): Located<unknown> | undefined => labels.find((l) => l.value[0] === `service.kubernetes.io/${key}`);
  const proxy = of('service-proxy-name');
  const headless = of('headless');
  if (spec.text('clusterIP')?.value === 'None') return {};
  if (proxy !== undefined) {
    tellAt(spec.source, 'not-modelled', 'the label service.kubernetes.io/service-proxy-name leaves the service to another program than kube-proxy: what goes to it ends undecided', proxy);
    return { unproxied: 'another-proxy' };
  }
  return headless === undefined ? {} : { unproxied: 'nobody' };
}

type Setting =
  | 'externalName' | 'sessionAffinitySeconds' | 'externalTrafficPolicy' | 'internalTrafficPolicy' | 'trafficDistribution' | 'publishNotReady' | 'allocateNodePorts' | 'healthCheckNodePort';

function settingsOf(spec: Fields, metadata: Metadata): Pick<ServiceObject, Setting | 'autoHints'> {
  const affinity = spec.choice('sessionAffinity', ['None', 'ClientIP']);
  const timeout = spec.map('sessionAffinityConfig')?.map('clientIP')?.value('timeoutSeconds', 'seconds')?.value;
  const hints = metadata.annotations.get('service.kubernetes.io/topology-mode') ?? metadata.annotations.get('service.kubernetes.io/topology-aware-hints');
  const distribution = spec.choice('trafficDistribution', DISTRIBUTIONS);
  return {
    externalName: spec.text('externalName')?.value ?? null,
    sessionAffinitySeconds: affinity === 'ClientIP' ? (timeout ?? DEFAULT_AFFINITY_SECONDS) : null,
    externalTrafficPolicy: spec.choice('externalTrafficPolicy', POLICIES) ?? 'Cluster',
    internalTrafficPolicy: spec.choice('internalTrafficPolicy', POLICIES) ?? 'Cluster',
    allocateNodePorts: spec.yesOrNo('allocateLoadBalancerNodePorts') ?? true,
    healthCheckNodePort: portOrZero(spec, 'healthCheckNodePort')?.value ?? null,
    trafficDistribution: distribution,
    autoHints: distribution === null && hints !== undefined && /^auto$/i.test(hints.value) ? hints : null,
    publishNotReady: spec.flag('publishNotReadyAddresses'),
  };
}

/** 0 is "none". */
function portOrZero(fields: Fields, key: string): Located<Port> | null {
  const tree = fields.get(key);
  return tree?.kind === 'scalar' && tree.value === 0 ? null : fields.value(key, 'port');
}

function clusterIpsOf(spec: Fields): Pick<ServiceObject, 'clusterAddresses' | 'headless'> {
  const one = spec.text('clusterIP');
  const several = spec.list('clusterIPs');
  if (one?.value === 'None') return { clusterAddresses: [], headless: true };
  if (several.length > 0) return { clusterAddresses: spec.values('clusterIPs', 'address'), headless: false };
  const address = one === null || one.value === '' ? null : spec.value('clusterIP', 'address');
  return { clusterAddresses: address === null ? [] : [address], headless: false };
}

/** An empty selector is none: endpoints are somebody else's business (endpointslice controller, syncService). */
function selectorOf(spec: Fields): ServiceObject['selector'] {
  const labels = spec.labels('selector');
  return labels.length === 0 ? null : labels;
}

function sourceRanges(spec: Fields, { annotations }: Metadata): Located<Prefix>[] {
  const ranges = spec.values('loadBalancerSourceRanges', 'cidr');
  const old = annotations.get('service.beta.kubernetes.io/load-balancer-source-ranges');
  if (ranges.length === 0 && old !== undefined && old.value.trim() !== '') {
    tellAt(spec.source, 'not-modelled', 'source ranges in an annotation are not read: write them to spec.loadBalancerSourceRanges', old);
  }
  return ranges;
}

function balancerOf(status: Fields | null): { readonly addresses: readonly Located<Address>[]; readonly proxies: readonly Located<Address>[] } {
  const balancer = status?.map('loadBalancer') ?? null;
  const addresses: Located<Address>[] = [];
  const proxies: Located<Address>[] = [];
  for (const ingress of balancer?.maps('ingress') ?? []) {
    const ip = ingress.value('ip', 'address');
    const mode = ingress.choice('ipMode', ['VIP', 'Proxy']);
    ingress.rest(['hostname', 'ports']);
    if (ip === null) continue;
    if (mode === 'Proxy') proxies.push(ip);
    else addresses.push(ip);
  }
  balancer?.rest([]);
  status?.rest(['conditions']);
  return { addresses, proxies };
}

function portOf(port: Fields): PortDeclaration | null {
  const number = port.value('port', 'port');
  const protocol = port.choice('protocol', PROTOCOLS) ?? 'TCP';
  const made = { ...rangeOf(port), name: port.text('name'), target: targetOf(port), nodePort: portOrZero(port, 'nodePort') };
  port.rest(['appProtocol']);
  if (number === null) port.bad(`${port.path} has no port`, port.tree);
  return number === null ? null : { ...made, listener: { ...number, value: { protocol, port: number.value } } };
}

/** 0 is "as the port". */
function targetOf(port: Fields): PortDeclaration['target'] {
  const tree = port.get('targetPort');
  return tree?.kind === 'scalar' && (tree.value === 0 || tree.value === '') ? null : port.value('targetPort', 'target-port');
}
