/** What a dump does not say in so many words: the hosts' networks, and the cluster's ranges. Each guess is marked as one. */
import type { Address, Family, Prefix } from '../../../../engine/src/net/address.ts';
import { addressPlus, bitsOf, contains, firstAddress, lastAddress, networkOf, overlaps, parsePrefix, sameAddress, samePrefix } from '../../../../engine/src/net/address.ts';
import type { ClusterSpec, NodeSpec } from '../../../../engine/src/topology/spec.ts';
import { DEFAULTS } from '../bind/defaults.ts';
import type { ObjectModel } from '../kubernetes/assemble.ts';
import { programsOf } from './programs.ts';
import type { Programs } from './programs.ts';

export interface InferredNetwork {
  readonly name: string;
  readonly prefixes: readonly Prefix[];
  readonly gateways: readonly Address[];
  readonly mtu: number;
  /** No device's prefix length told it. */
  readonly guessed: boolean;
}

export interface InferredInterface {
  readonly node: string;
  readonly device: string;
  readonly addresses: readonly Prefix[];
  readonly network: string;
}

export interface Inferred {
  readonly networks: readonly InferredNetwork[];
  readonly interfaces: readonly InferredInterface[];
  /** Leases of nodes that no Node object tells of. */
  readonly leases: ReadonlyMap<string, readonly Prefix[]>;
  readonly podCidrs: Guess | null;
  readonly serviceCidrs: Guess | null;
  readonly programs: Programs;
}

export interface Guess {
  readonly prefixes: readonly Prefix[];
  /** "as FLANNEL-FWD of host1 has it" */
  readonly because: string;
}

/** `spec`: of a file that names all dumps and objects and nothing else. */
export function infer(spec: ClusterSpec, model: ObjectModel): Inferred {
  const plugged = spec.nodes.flatMap((node) => plugs(node, model).map((device) => ({ node: node.name, device })));
  const seen = segments(plugged.map((p) => p.device));
  const known = seen.map(({ prefixes, mtu }, i): InferredNetwork => ({ name: nameOf(i), prefixes, gateways: prefixes.flatMap((p) => gatewayOf(spec, p) ?? []), mtu, guessed: false }));
  const interfaces = plugged.flatMap(({ node, device }): InferredInterface[] => {
    const network = known.find((n) => n.prefixes.some((p) => device.addresses.some((a) => samePrefix(networkOf(a), p))));
    return network === undefined ? [] : [{ node, device: device.name, addresses: device.addresses, network: network.name }];
  });
  const podCidrs = podCidrsOf(spec, model);
  return { networks: [...known, ...guessedNetworks(model, known)], interfaces, leases: leasesOf(spec), podCidrs, serviceCidrs: serviceCidrsOf(spec, model, podCidrs), programs: programsOf(spec) };
}

const nameOf = (index: number): string => (index === 0 ? 'lan' : `lan${index + 1}`);

/** Devices with a prefix in common are on one segment, which has the prefixes of all of them: dual stack. */
function segments(devices: readonly Plug[]): { readonly prefixes: Prefix[]; readonly mtu: number }[] {
  const found: { prefixes: Prefix[]; mtu: number }[] = [];
  for (const { addresses, mtu } of devices) {
    const prefixes = addresses.map(networkOf);
    const segment = found.find((s) => s.prefixes.some((p) => prefixes.some((q) => samePrefix(p, q))));
    if (segment === undefined) found.push({ prefixes, mtu });
    else segment.prefixes.push(...prefixes.filter((p) => !segment.prefixes.some((q) => samePrefix(p, q))));
  }
  return found;
}

interface Plug {
  readonly name: string;
  readonly addresses: readonly Prefix[];
  readonly mtu: number;
}

/** Devices that programs make on a host: they lead to no network of the hosts. */
const MADE_HERE = /^(lo|cni\d*|docker\d*|br-.*|veth.*|flannel.*|cali.*|tunl\d+|kube-ipvs0|nodelocaldns|dummy\d*)$/;

/** The devices by which a node is reached: those with the Node's own addresses, else those of its default routes. */
function plugs(node: NodeSpec, model: ObjectModel): Plug[] {
  const devices = (node.captured.interfaces ?? []).filter((i) => !MADE_HERE.test(i.name) && i.addresses !== null);
  const own = model.nodes.find((n) => n.declaration.name?.value === node.name)?.addresses.map((a) => a.value) ?? [];
  const holders = devices.filter((d) => d.addresses?.some((x) => own.some((a) => sameAddress(x.address, a))));
  const leaving = new Set((node.captured.routes ?? []).filter((r) => r.destination.length === 0).flatMap((r) => r.nexthops.map((h) => h.device)));
  return (holders.length > 0 ? holders : devices.filter((d) => leaving.has(d.name))).map((d) => ({
    name: d.name,
    // An address of a single host, as kube-vip and its like add, is of no network.
    addresses: (d.addresses ?? []).filter((a) => a.scope === 'global' && a.length < bitsOf(a.address.family)).map((a) => ({ address: a.address, length: a.length })),
    mtu: d.mtu,
  })).filter((p) => p.addresses.length > 0);
}

function gatewayOf(spec: ClusterSpec, prefix: Prefix): Address | null {
  for (const node of spec.nodes) {
    for (const route of node.captured.routes ?? []) {
      if (route.destination.length !== 0) continue;
      for (const hop of route.nexthops) if (hop.via !== null && contains(prefix, hop.via)) return hop.via;
    }
  }
  return null;
}

const WIDEST: Readonly<Record<Family, number>> = { 4: 8, 6: 16 };
const USUAL: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

/** Node objects without a dump tell their addresses, but not how long the prefix is. */
function guessedNetworks(model: ObjectModel, known: readonly InferredNetwork[]): InferredNetwork[] {
  const homeless = model.nodes.flatMap((n) => n.addresses.map((a) => a.value)).filter((a) => !known.some((n) => n.prefixes.some((p) => contains(p, a))));
  const prefixes = ([4, 6] as const).flatMap((family) => around(homeless.filter((a) => a.family === family), USUAL[family], WIDEST[family]) ?? []);
  const gateways = prefixes.map((p) => firstOf(p, homeless));
  return prefixes.length === 0 ? [] : [{ name: nameOf(known.length), prefixes, gateways, mtu: 1500, guessed: true }];
}

/** Routers are the first host of a network more often than not; where a node has that address, the last. */
function firstOf(prefix: Prefix, taken: readonly Address[]): Address {
  const first = addressPlus(firstAddress(prefix), 1);
  return taken.some((a) => sameAddress(a, first)) ? addressPlus(lastAddress(prefix), -1) : first;
}

/** The longest prefix, at most `usual`, that holds all addresses. */
function around(addresses: readonly Address[], usual: number, widest: number): Prefix | null {
  const [first] = addresses;
  if (first === undefined) return null;
  for (let length = usual; length >= widest; length--) {
    const prefix = networkOf({ address: first, length });
    if (addresses.every((a) => contains(prefix, a))) return prefix;
  }
  return null;
}

/** The bridge's own address is of the lease. */
function leasesOf(spec: ClusterSpec): Map<string, readonly Prefix[]> {
  return new Map(spec.nodes.flatMap((node) => {
    const bridge = node.captured.interfaces?.find((i) => i.name === 'cni0');
    const leases = (bridge?.addresses ?? []).filter((a) => a.scope === 'global').map((a) => networkOf({ address: a.address, length: a.length }));
    return node.podCidrs.length > 0 || leases.length === 0 ? [] : [[node.name, leases] as const];
  }));
}

const prefixOfMatch = (text: string): string | undefined => /(?:^|\s)-[sd] (\S+)/.exec(text)?.[1];

function podCidrsOf(spec: ClusterSpec, model: ObjectModel): Guess | null {
  if (model.cluster?.podCidrs !== undefined) return null;
  for (const node of spec.nodes) {
    const texts = (node.captured.tables ?? []).flatMap((t) => t.chains.find((c) => c.name === 'FLANNEL-FWD')?.rules.map((r) => r.text) ?? []);
    const prefixes = [...new Set(texts.flatMap((t) => prefixOfMatch(t) ?? []))].flatMap((text) => parsed(text));
    if (prefixes.length > 0) return { prefixes, because: `as FLANNEL-FWD of ${node.name} has it` };
  }
  const leases = [...spec.nodes.flatMap((n) => n.podCidrs), ...leasesOf(spec).values()].flat();
  const prefixes = ([4, 6] as const).flatMap((f) => around(leases.filter((l) => l.address.family === f).map((l) => l.address), f === 4 ? 16 : 56, WIDEST[f]) ?? []);
  return prefixes.length === 0 ? null : { prefixes, because: "assumed: it holds every node's pod-cidr" };
}

function parsed(text: string): Prefix[] {
  const prefix = parsePrefix(text);
  return prefix === undefined ? [] : [prefix];
}

function serviceCidrsOf(spec: ClusterSpec, model: ObjectModel, podCidrs: Guess | null): Guess | null {
  if (model.cluster?.serviceCidrs !== undefined) return null;
  const addresses = spec.services.flatMap((s) => s.clusterAddresses);
  // 10.96.0.0/12 reaches to 10.111: where pods or nodes live there, it is not what the cluster has.
  const others = [...spec.nodes.flatMap((n) => n.podCidrs), ...(podCidrs?.prefixes ?? []), ...(model.cluster?.podCidrs ?? []).map((c) => c.value), ...model.nodes.flatMap((n) => n.addresses.map((a) => ({ address: a.value, length: bitsOf(a.value.family) })))];
  const isFree = !DEFAULTS.serviceCidrs.some((c) => others.some((other) => overlaps(c, other)));
  if (addresses.length === 0 || (isFree && addresses.every((a) => DEFAULTS.serviceCidrs.some((c) => contains(c, a))))) return null;
  const prefixes = ([4, 6] as const).flatMap((family) => around(addresses.filter((a) => a.family === family), family === 4 ? 16 : 112, WIDEST[family]) ?? []);
  return prefixes.length === 0 ? null : { prefixes, because: 'assumed: it holds every cluster-ip' };
}
