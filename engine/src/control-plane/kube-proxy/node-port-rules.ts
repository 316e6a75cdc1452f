/** The rules that lead to node ports (pkg/proxy/iptables/proxier.go: syncProxyRules' last rules). */
import { compareAddresses, contains, hostPrefix, isLoopback } from '../../net/address.ts';
import type { Address, Family } from '../../net/address.ts';
import type { Origin } from '../../topology/origin.ts';
import { bridgeDevices } from '../cni.ts';
import { dockerDevices } from '../docker.ts';
import { flannelDevices } from '../flannel/device.ts';
import { addressType, comment, destination, jump, notDestination, place } from '../iptables-rule.ts';
import type { Placed } from '../iptables-rule.ts';
import type { NodePlan, Plan } from '../plan.ts';
import { NODE_PORTS, SERVICES } from './names.ts';
import { LOCALHOST, LOOPBACK, answersOnLocalhost, nodePortCidrs } from './node-ports.ts';

/** The last rules of KUBE-SERVICES. IPv6 node ports never answer on localhost. */
export function nodePortsRules(plan: Plan, node: NodePlan, family: Family, origin: Origin): readonly Placed[] {
  const settings = plan.settings.kubeProxy;
  const cidrs = nodePortCidrs(settings, node, family);
  const onLocalhost = family === 4 && answersOnLocalhost(settings, node);
  const label = comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain');
  if (cidrs === null) {
    const shut = onLocalhost ? [] : [notDestination(LOOPBACK[family])];
    return [place('nat', SERVICES, [...shut, label, addressType('destination', 'LOCAL')], jump(NODE_PORTS), origin)];
  }
  return ownAddresses(plan, node)
    .filter((a) => a.family === family && cidrs.some((c) => contains(c, a)) && (!isLoopback(a) || onLocalhost))
    .map((address) => place('nat', SERVICES, [destination(hostPrefix(address)), label], jump(NODE_PORTS), origin));
}

/** Of every device, by number; kube-proxy walks a map (GetNodeIPs). */
function ownAddresses(plan: Plan, node: NodePlan): readonly Address[] {
  const devices = [...node.interfaces, ...flannelDevices(plan, node), ...bridgeDevices(plan, node), ...dockerDevices(node)];
  const all = [...Object.values(LOCALHOST), ...devices.flatMap((i) => i.addresses.map((a) => a.address))].sort(compareAddresses);
  return all.filter((a, i) => all.findIndex((o) => compareAddresses(a, o) === 0) === i);
}
