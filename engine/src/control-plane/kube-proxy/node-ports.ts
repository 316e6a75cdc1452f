/** On which of a node's addresses node ports answer (pkg/proxy/util/nodeport_addresses.go). */
import { contains, hostPrefix, parseAddress, parsePrefix } from '../../net/address.ts';
import type { Address, Family, Prefix } from '../../net/address.ts';
import type { KubeProxySettings } from '../../topology/spec.ts';
import { nodeAddressOf } from '../plan.ts';
import type { NodePlan } from '../plan.ts';

export const LOOPBACK: Readonly<Record<Family, Prefix>> = { 4: parsePrefix('127.0.0.0/8') as Prefix, 6: parsePrefix('::1/128') as Prefix };
export const LOCALHOST: Readonly<Record<Family, Address>> = { 4: parseAddress('127.0.0.1') as Address, 6: LOOPBACK[6].address };

/** Of one family; `null` means every address: none was given, or one of length 0 (NewNodePortAddresses). */
export function nodePortCidrs({ nodePortAddresses }: KubeProxySettings, node: NodePlan, family: Family): readonly Prefix[] | null {
  const given = nodePortAddresses === 'primary' ? primaryOf(node, family) : nodePortAddresses.filter((c) => c.address.family === family);
  return given.length === 0 || given.some((c) => c.length === 0) ? null : given;
}

/** cmd/kube-proxy/app/server.go: newProxyServer. */
function primaryOf(node: NodePlan, family: Family): readonly Prefix[] {
  const primary = nodeAddressOf(node, family);
  return primary === undefined ? [] : [hostPrefix(primary)];
}

/** kube-proxy sets route_localnet only where node ports can answer on 127.0.0.1 (NewProxier: ContainsIPv4Loopback). */
export function answersOnLocalhost(settings: KubeProxySettings, node: NodePlan): boolean {
  const cidrs = nodePortCidrs(settings, node, 4);
  return settings.localhostNodePorts && (cidrs === null || cidrs.some((c) => contains(c, LOOPBACK[4].address) || contains(LOOPBACK[4], c.address)));
}
