/**
 * The portmap plugin, which flannel's conflist calls behind the bridge plugin: the node's ports that lead to containers
 * (containernetworking plugins, plugins/meta/portmap: portmap_iptables.go; pkg/utils/utils.go for the chains' names).
 */
import { hostPrefix, isUnspecified, parseAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { derived } from '../topology/origin.ts';
import type { Origin } from '../topology/origin.ts';
import type { PodPortSpec, PodSpec } from '../topology/spec.ts';
import { podSubnet } from './cni.ts';
import { endpointText } from './endpoints.ts';
import { stableHash } from './hash.ts';
import { addressType, comment, destination, destinationPort, destinationPorts, dnat, inSaveOrder, jump, marked, masquerade, orMark, place, protocol, source } from './iptables-rule.ts';
import type { L4, Part, Placed } from './iptables-rule.ts';
import { podKey } from './plan.ts';
import type { NodePlan } from './plan.ts';
import { sha512Hex } from './sha512.ts';

const DNAT_CHAIN = 'CNI-HOSTPORT-DNAT';
const SETMARK_CHAIN = 'CNI-HOSTPORT-SETMARK';
const MASQ_CHAIN = 'CNI-HOSTPORT-MASQ';
/** markMasqBit 13. */
const MARK = 0x2000;
/** The network's name in kube-flannel's cni-conf.json. */
const NETWORK = 'cbr0';
/** maxChainLength. */
const NAME_LENGTH = 28;
/** What one multiport match takes (XT_MULTI_PORTS). */
const MOST_PORTS = 15;
const LOCALHOST = parseAddress('127.0.0.1') as Address;

/** The runtime makes the id up at random; we take the pod's name, 64 hexadecimal digits as well. */
const containerId = (pod: string): string => Array.from({ length: 8 }, (_, i) => stableHash(`${pod} ${i}`).toString(16).padStart(8, '0')).join('');

export const containerChain = (network: string, id: string): string => `CNI-DN-${sha512Hex(network + id)}`.slice(0, NAME_LENGTH);

export interface PortmapRules {
  /** Put before what POSTROUTING has. */
  readonly first: readonly Placed[];
  readonly rest: readonly Placed[];
}

export const hasHostPorts = (node: NodePlan): boolean => node.pods.some((pod) => pod.ports.some((p) => p.hostPort !== null));

export function portmapRules(node: NodePlan, family: Family): PortmapRules {
  const mapped = node.pods.flatMap((pod) => {
    const address = pod.addresses.find((a) => a.family === family);
    return address === undefined || pod.ports.every((p) => p.hostPort === null) ? [] : [{ pod, address }];
  });
  if (mapped.length === 0) return { first: [], rest: [] };
  const origin = derived('cni', 'host ports', node.spec.at);
  const local = addressType('destination', 'LOCAL');
  return {
    first: [place('nat', 'POSTROUTING', [comment('CNI portfwd requiring masquerade')], jump(MASQ_CHAIN), origin)],
    rest: [
      place('nat', 'PREROUTING', [local], jump(DNAT_CHAIN), origin),
      place('nat', 'OUTPUT', [local], jump(DNAT_CHAIN), origin),
      place('nat', SETMARK_CHAIN, [comment('CNI portfwd masquerade mark')], orMark(MARK), origin),
      place('nat', MASQ_CHAIN, [marked(MARK)], masquerade, origin),
      ...mapped.flatMap(({ pod, address }) => podRules(node, pod, address)),
    ],
  };
}

function podRules(node: NodePlan, pod: PodSpec, address: Address): readonly Placed[] {
  const id = containerId(podKey(pod));
  const chain = containerChain(NETWORK, id);
  const origin = derived('cni', `the host ports of pod ${podKey(pod)}`, pod.at);
  const label = comment(`dnat name: "${NETWORK}" id: "${id}"`);
  const ports = pod.ports.filter((p) => p.hostPort !== null);
  const entries = (['sctp', 'tcp', 'udp'] as const).flatMap((name) =>
    chunks(ports.filter((p) => lower(p) === name).map((p) => p.hostPort ?? 0)).map((some) => place('nat', DNAT_CHAIN, [protocol(name), label, destinationPorts(some)], jump(chain), origin)),
  );
  return [...entries, ...ports.flatMap((port) => portRules(node, port, address, chain, origin))];
}

const lower = (port: PodPortSpec): L4 => port.protocol.toLowerCase() as L4;

const chunks = (ports: readonly number[]): readonly (readonly number[])[] =>
  ports.length === 0 ? [] : [ports.slice(0, MOST_PORTS), ...chunks(ports.slice(MOST_PORTS))];

/** Marked for masquerading: what comes from the pod's own subnet, and in IPv4 from localhost. */
function portRules(node: NodePlan, port: PodPortSpec, address: Address, chain: string, origin: Origin): readonly Placed[] {
  const { hostAddress, hostPort } = port;
  if (hostPort === null || (hostAddress !== null && hostAddress.family !== address.family)) return [];
  const to: readonly Part[] = hostAddress === null || isUnspecified(hostAddress) ? [] : [destination(hostPrefix(hostAddress))];
  const base = [...to, protocol(lower(port)), destinationPort(lower(port), hostPort)];
  const from = (part: Part): Placed => place('nat', chain, inSaveOrder([part, ...base]), jump(SETMARK_CHAIN), origin);
  return [
    from(source(podSubnet(node, address))),
    ...(address.family === 4 ? [from(source(hostPrefix(LOCALHOST)))] : []),
    place('nat', chain, base, dnat(address, port.port, endpointText({ address, port: port.port })), origin),
  ];
}
