/** On which of a node's addresses node ports answer (pkg/proxy/util/nodeport_addresses.go; syncProxyRules' last rules). */
import { contains, hostPrefix, isLoopback, parseAddress, parsePrefix } from '../../net/address.ts';
import type { Address, Family, Prefix } from '../../net/address.ts';
import type { Origin } from '../../topology/origin.ts';
import type { KubeProxySettings } from '../../topology/spec.ts';
import { addressType, comment, destination, jump, notDestination, place } from '../iptables-rule.ts';
import type { Placed } from '../iptables-rule.ts';
import { publicAddressOf } from '../plan.ts';
import type { NodePlan, Plan } from '../plan.ts';
import { NODE_PORTS, SERVICES } from './names.ts';

export const LOOPBACK: Readonly<Record<Family, Prefix>> = { 4: parsePrefix('127.0.0.0/8') as Prefix, 6: parsePrefix('::1/128') as Prefix };
const LOCALHOST = parseAddress('127.0.0.1') as Address;

/** Of one family; a list without any means every address. */
const cidrsOf = (settings: KubeProxySettings, family: Family): readonly Prefix[] | 'primary' =>
  settings.nodePortAddresses === 'primary' ? 'primary' : settings.nodePortAddresses.filter((c) => c.address.family === family);

const isEvery = (cidrs: readonly Prefix[] | 'primary'): boolean => cidrs !== 'primary' && (cidrs.length === 0 || cidrs.some((c) => c.length === 0));

/** kube-proxy sets route_localnet only where node ports can answer on 127.0.0.1 (NewProxier: ContainsIPv4Loopback). */
export function answersOnLocalhost(settings: KubeProxySettings): boolean {
  const cidrs = cidrsOf(settings, 4);
  return settings.localhostNodePorts && (isEvery(cidrs) || (cidrs !== 'primary' && cidrs.some((c) => contains(c, LOCALHOST) || contains(LOOPBACK[4], c.address))));
}

/** The last rules of KUBE-SERVICES. IPv6 node ports never answer on localhost. */
export function nodePortsRules(plan: Plan, node: NodePlan, family: Family, origin: Origin): readonly Placed[] {
  const settings = plan.settings.kubeProxy;
  const cidrs = cidrsOf(settings, family);
  const label = comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain');
  if (isEvery(cidrs)) {
    const shut = family === 6 || !answersOnLocalhost(settings) ? [notDestination(LOOPBACK[family])] : [];
    return [place('nat', SERVICES, [...shut, label, addressType('destination', 'LOCAL')], jump(NODE_PORTS), origin)];
  }
  return answering(node, cidrs, family)
    .filter((address) => !isLoopback(address) || (family === 4 && answersOnLocalhost(settings)))
    .map((address) => place('nat', SERVICES, [destination(hostPrefix(address)), label], jump(NODE_PORTS), origin));
}

function answering(node: NodePlan, cidrs: readonly Prefix[] | 'primary', family: Family): readonly Address[] {
  const primary = publicAddressOf(node.spec, node.uplink, family);
  if (cidrs === 'primary') return primary === undefined ? [] : [primary];
  const own = [...node.interfaces.flatMap((i) => i.addresses.map((a) => a.address)), ...(family === 4 ? [LOCALHOST] : [LOOPBACK[6].address])];
  return own.filter((a) => a.family === family && cidrs.some((c) => contains(c, a)));
}
