/**
 * Docker on a node: docker0 without containers, its chains, and a FORWARD policy of DROP (moby before version 28, as
 * Kubernetes nodes have it: libnetwork/drivers/bridge/setup_ip_tables.go, libnetwork/iptables, libnetwork/firewall_linux.go).
 * It leaves IPv6 alone.
 */
import { networkOf, parsePrefix } from '../net/address.ts';
import type { Prefix } from '../net/address.ts';
import type { Interface } from '../topology/model.ts';
import { derived } from '../topology/origin.ts';
import { accept, addressType, drop, inInterface, inState, jump, masquerade, notDestination, notOutInterface, outInterface, place, returns, source } from './iptables-rule.ts';
import type { Placed } from './iptables-rule.ts';
import { interfaceAddress } from './kernel.ts';
import { inventedMac } from './mac.ts';
import type { NodePlan } from './plan.ts';

const BRIDGE = 'docker0';
const LOOPBACK = parsePrefix('127.0.0.0/8') as Prefix;

/** Of the filter table; without containers nothing stands in it. */
export const DOCKER_CHAIN = { table: 'filter', chain: 'DOCKER' } as const;

/** docker0, unless the node declares it itself. */
export function dockerDevices(node: NodePlan): readonly Interface[] {
  const { docker, name } = node.spec;
  if (docker === null) return [];
  const origin = derived('docker', `Docker on ${name}`, docker.at);
  return [{
    name: BRIDGE,
    mac: inventedMac(`docker ${name}`),
    mtu: 1500,
    up: true,
    addresses: [interfaceAddress(docker.bridge.address, docker.bridge.length, origin)],
    port: null,
    device: { kind: 'bridge' },
    origin,
  }];
}

/** Docker starts before kube-proxy, which then puts its jumps in front. */
export function dockerRules(node: NodePlan): readonly Placed[] {
  const { docker, name } = node.spec;
  if (docker === null) return [];
  const origin = derived('docker', `Docker on ${name}`, docker.at);
  const declared = node.interfaces.find((i) => i.name === BRIDGE)?.addresses.find((a) => a.address.family === 4);
  const subnet = networkOf(declared ?? docker.bridge);
  const [into, away, from] = [outInterface(BRIDGE), notOutInterface(BRIDGE), inInterface(BRIDGE)];
  const local = addressType('destination', 'LOCAL');
  return [
    place('filter', 'FORWARD', [], jump('DOCKER-USER'), origin),
    place('filter', 'FORWARD', [], jump('DOCKER-ISOLATION-STAGE-1'), origin),
    place('filter', 'FORWARD', [into, inState('RELATED', 'ESTABLISHED')], accept, origin),
    place('filter', 'FORWARD', [into], jump('DOCKER'), origin),
    place('filter', 'FORWARD', [from, away], accept, origin),
    place('filter', 'FORWARD', [from, into], accept, origin),
    place('filter', 'DOCKER-ISOLATION-STAGE-1', [from, away], jump('DOCKER-ISOLATION-STAGE-2'), origin),
    place('filter', 'DOCKER-ISOLATION-STAGE-1', [], returns, origin),
    place('filter', 'DOCKER-ISOLATION-STAGE-2', [into], drop, origin),
    place('filter', 'DOCKER-ISOLATION-STAGE-2', [], returns, origin),
    place('filter', 'DOCKER-USER', [], returns, origin),
    place('nat', 'PREROUTING', [local], jump('DOCKER'), origin),
    place('nat', 'OUTPUT', [notDestination(LOOPBACK), local], jump('DOCKER'), origin),
    place('nat', 'POSTROUTING', [source(subnet), away], masquerade, origin),
    place('nat', 'DOCKER', [from], returns, origin),
  ];
}
