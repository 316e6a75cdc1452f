/** Declarations to the engine's `ClusterSpec`, every part with the line that it comes from. */
import { ipv4 } from '../../../../engine/src/net/address.ts';
import type { Address, Prefix } from '../../../../engine/src/net/address.ts';
import type { SourceRef } from '../../../../engine/src/topology/origin.ts';
import type { CapturedState, ClusterSettings, ClusterSpec, ExternalSpec, InterfaceSpec, NetworkSpec, NodeSpec, PodSpec, ServiceSpec } from '../../../../engine/src/topology/spec.ts';
import type { Labels } from '../../../../engine/src/topology/model.ts';
import type { Expectation } from '../../../../engine/src/verify/model.ts';
import { lowerNamespace, lowerPolicy } from './lower-policy.ts';
import type { Capture, ClusterDeclaration, ExternalDeclaration, InterfaceDeclaration, NetworkDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration } from '../bind/declarations.ts';
import type { Located } from '../bind/decode.ts';
import { DEFAULTS, DEFAULT_CLUSTER_NAME, DEFAULT_DOMAIN } from '../bind/defaults.ts';
import type { FileModel, Place, Placed } from '../bind/file-model.ts';
import type { Range } from '../diagnostics/define.ts';

/** What lowering asks of the version that it lowers. */
export interface LowerContext {
  readonly model: FileModel;
  /** The line of a range inside a declaration. */
  readonly at: (place: Place, range: Range) => SourceRef;
  readonly captured: (captures: readonly Capture[], offset: number) => CapturedState;
}

/**
 * A declaration that an edit has left on its line keeps its record, and with it all that is derived from it. For those
 * that nothing but their own text and their line goes into; `alone` tells.
 */
function keeping<D extends Range, S>(one: (context: LowerContext, placed: Placed<D>) => S | null, alone: (declaration: D) => boolean): typeof one {
  const known = new WeakMap<D, { readonly at: SourceRef; readonly spec: S | null }>();
  return (context, placed) => {
    const { declaration } = placed;
    if (!alone(declaration)) return one(context, placed);
    const at = lineOf(context, placed);
    const before = known.get(declaration);
    if (before?.at.line === at.line && before.at.file === at.file) return before.spec;
    const spec = one(context, placed);
    known.set(declaration, { at, spec });
    return spec;
  };
}

const keptPod = keeping(lowerPod, (d) => d.captures.length === 0 && !d.hostNetwork);
const keptService = keeping(lowerService, () => true);

export function lowerSpec(context: LowerContext): ClusterSpec {
  const { model } = context;
  const [cluster] = model.clusters;
  const lower = <D, S>(placed: readonly Placed<D>[], one: (context: LowerContext, p: Placed<D>) => S | null): S[] =>
    placed.flatMap((p) => one(context, p) ?? []);
  return {
    cluster: cluster === undefined ? null : lowerCluster(context, cluster),
    networks: lower(model.networks, lowerNetwork),
    externals: lower(model.externals, lowerExternal),
    nodes: lower(model.nodes, lowerNode),
    pods: lower(model.pods, keptPod),
    services: lower(model.services, keptService),
    namespaces: lower(model.namespaces, lowerNamespace),
    networkPolicies: lower(model.policies, lowerPolicy),
  };
}

const plain = <T>(values: readonly Located<T>[]): T[] => values.map((v) => v.value);

const labelsOf = (labels: readonly Located<readonly [string, string]>[]): Labels => Object.fromEntries(plain(labels));

const lineOf = (context: LowerContext, placed: Placed<Range>): SourceRef => context.at(placed, placed.declaration);

function lowerCluster(context: LowerContext, placed: Placed<ClusterDeclaration>): ClusterSettings {
  const { declaration: d } = placed;
  return {
    name: d.name?.value ?? DEFAULT_CLUSTER_NAME,
    domain: d.domain?.value ?? DEFAULT_DOMAIN,
    podCidrs: d.podCidrs.length > 0 ? plain(d.podCidrs) : DEFAULTS.podCidrs,
    serviceCidrs: d.serviceCidrs.length > 0 ? plain(d.serviceCidrs) : DEFAULTS.serviceCidrs,
    flannel: d.flannel,
    kubeProxy: d.kubeProxy,
    ...(d.networkPlugin === undefined ? {} : { networkPlugin: d.networkPlugin }),
    ...(d.kubeletChains === true ? { kubeletChains: true } : {}),
    at: lineOf(context, placed),
  };
}

function lowerNetwork(context: LowerContext, placed: Placed<NetworkDeclaration>): NetworkSpec | null {
  const { declaration: d, offset } = placed;
  if (d.name === null) return null;
  return {
    name: d.name.value,
    prefixes: plain(d.prefixes),
    gateways: plain(d.gateways),
    mtu: d.mtu,
    routes: context.captured(d.captures, offset).routes ?? [],
    at: lineOf(context, placed),
  };
}

function lowerExternal(context: LowerContext, placed: Placed<ExternalDeclaration>): ExternalSpec | null {
  const { declaration: d } = placed;
  return d.name === null ? null : { name: d.name.value, addresses: plain(d.addresses), listeners: d.listeners, at: lineOf(context, placed) };
}

function lowerInterface(context: LowerContext, place: Place, i: InterfaceDeclaration): InterfaceSpec {
  return {
    name: i.name.value,
    addresses: plain(i.addresses),
    network: i.network?.value ?? null,
    mac: i.mac,
    mtu: i.mtu,
    at: context.at(place, i),
  };
}

/** Docker's default-address-pools begin so (moby, libnetwork/ipamutils). */
const DOCKER_BRIDGE: Prefix = { address: ipv4(0xac11_0001), length: 16 };

function lowerNode(context: LowerContext, placed: Placed<NodeDeclaration>): NodeSpec | null {
  const { declaration: d, offset } = placed;
  if (d.name === null) return null;
  return {
    name: d.name.value,
    interfaces: d.interfaces.filter((i) => i.name.value !== '').map((i) => lowerInterface(context, placed, i)),
    podCidrs: plain(d.podCidrs),
    labels: labelsOf(d.labels),
    publicAddress: d.publicAddress?.value ?? null,
    vtepMac: d.vtepMac,
    ...(d.internalAddresses === undefined || d.internalAddresses.length === 0 ? {} : { internalAddresses: d.internalAddresses }),
    listeners: d.listeners,
    docker: d.docker === null ? null : { bridge: d.docker.value === 'default' ? DOCKER_BRIDGE : d.docker.value, at: context.at(placed, d.docker) },
    captured: context.captured(d.captures, offset),
    at: lineOf(context, placed),
  };
}

function lowerPod(context: LowerContext, placed: Placed<PodDeclaration>): PodSpec | null {
  const { declaration: d, offset } = placed;
  if (d.name === null || d.host === null) return null;
  const host = d.host.value;
  return {
    ...d.name.value,
    node: host,
    addresses: d.addresses.length > 0 || !d.hostNetwork ? plain(d.addresses) : nodeAddresses(context, host),
    mac: d.mac,
    labels: labelsOf(d.labels),
    hostNetwork: d.hostNetwork,
    ready: d.ready,
    terminating: d.terminating,
    ports: d.ports.map((p) => ({
      name: p.name?.value ?? '', protocol: p.listener.value.protocol, port: p.listener.value.port,
      hostPort: p.hostPort?.value ?? null, hostAddress: p.hostAddress?.value ?? null, at: context.at(placed, p),
    })),
    listeners: d.listeners,
    dnsPolicy: d.dnsPolicy,
    nameservers: d.nameservers,
    search: d.search,
    ndots: d.ndots,
    hostname: d.hostname,
    subdomain: d.subdomain,
    captured: context.captured(d.captures, offset),
    at: lineOf(context, placed),
  };
}

/** A host-network pod has the node's addresses: those on a network. */
function nodeAddresses(context: LowerContext, name: string): Address[] {
  const node = context.model.nodes.find((n) => n.declaration.name?.value === name);
  const [first] = node?.declaration.interfaces.filter((i) => i.network !== null) ?? [];
  return first === undefined ? [] : first.addresses.map((a) => a.value.address);
}

function lowerService(context: LowerContext, placed: Placed<ServiceDeclaration>): ServiceSpec | null {
  const { declaration: d } = placed;
  if (d.name === null) return null;
  return {
    ...d.name.value,
    type: d.type,
    clusterAddresses: plain(d.clusterAddresses),
    headless: d.headless,
    ports: d.ports.map((p) => ({
      name: p.name?.value ?? '',
      protocol: p.listener.value.protocol,
      port: p.listener.value.port,
      targetPort: typeof p.target?.value === 'number' ? p.target.value : p.listener.value.port,
      targetPortName: typeof p.target?.value === 'string' ? p.target.value : null,
      nodePort: p.nodePort?.value ?? null,
      at: context.at(placed, p),
    })),
    selector: d.selector === null ? null : labelsOf(d.selector),
    endpoints: d.endpoints.map((e) => ({
      ...e.value, portName: e.portName, ready: e.ready, serving: e.serving, terminating: e.terminating,
      node: e.node, hostname: e.hostname, hints: e.hints, at: context.at(placed, e),
    })),
    endpointsAre: d.endpointsAre,
    externalAddresses: plain(d.externalAddresses),
    loadBalancerAddresses: plain(d.loadBalancerAddresses),
    loadBalancerProxies: plain(d.loadBalancerProxies),
    loadBalancerSourceRanges: plain(d.loadBalancerSourceRanges),
    externalName: d.externalName,
    sessionAffinitySeconds: d.sessionAffinitySeconds,
    externalTrafficPolicy: d.externalTrafficPolicy,
    internalTrafficPolicy: d.internalTrafficPolicy,
    trafficDistribution: d.trafficDistribution,
    publishNotReady: d.publishNotReady,
    ...(d.unproxied === undefined ? {} : { unproxied: d.unproxied }),
    allocateNodePorts: d.allocateNodePorts,
    healthCheckNodePort: d.healthCheckNodePort,
    at: lineOf(context, placed),
  };
}

export const lowerExpectations = (context: LowerContext): Expectation[] =>
  context.model.expectations.flatMap((p) => (p.declaration.expectation === null ? [] : [{ ...p.declaration.expectation, at: lineOf(context, p) }]));
