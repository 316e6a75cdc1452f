/** Changes of how nodes and pods stand on their networks: a netmask, the network that a device is plugged into, a family that one of them lacks. */
import { selects } from '../control-plane/selection.ts';
import { contains, formatPrefix, networkOf } from '../net/address.ts';
import type { Family, Prefix } from '../net/address.ts';
import { podName } from '../topology/lookup.ts';
import type { InterfaceSpec, NodeSpec, PodSpec } from '../topology/spec.ts';
import { shortName } from '../trace/party-names.ts';
import { addressedPod } from './around-plan.ts';
import { inPlace, nodeOwner, withNode } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { candidate, statement } from './declared-change.ts';
import { askedService } from './situation.ts';
import type { Situation } from './situation.ts';

export function aroundTheNetwork(situation: Situation): readonly Candidate[] {
  const { nodes, pods } = situation.spec;
  return [
    ...nodes.flatMap((node) => node.interfaces.flatMap((device) => plugs(situation, node, device))),
    ...missingLeases(situation, nodes, pods),
    ...missingAddresses(situation),
  ];
}

/** Another prefix length than its network's, or a network whose addresses are others. */
function plugs(situation: Situation, node: NodeSpec, device: InterfaceSpec): readonly Candidate[] {
  const { networks } = situation.spec;
  const where = `${device.name} on ${node.name}${inPlace(device.at)}`;
  return device.addresses.flatMap((own): readonly Candidate[] => {
    const home = networks.find((n) => n.prefixes.some((p) => contains(p, own.address)));
    const subnet = home?.prefixes.find((p) => contains(p, own.address));
    if (home === undefined || subnet === undefined) return [];
    const right: Prefix = { address: own.address, length: subnet.length };
    if (home.name === device.network) {
      if (own.length === subnet.length) return [];
      const addresses = device.addresses.map((a) => (a === own ? right : a));
      const wrong = `${where} has ${formatPrefix(own)}, and the network ${home.name}${inPlace(home.at)} is ${formatPrefix(subnet)}: with that netmask it has no route to all of its neighbours.`;
      return [replug(situation, node, device, { ...device, addresses }, wrong, `give ${device.name} on ${node.name} the netmask of ${home.name}: ${formatPrefix(right)}`)];
    }
    const plugged = device.network === null ? 'is plugged into no network' : `is plugged into ${device.network}`;
    const wrong = `${where} ${plugged}, and its address ${formatPrefix(own)} is of the network ${home.name}${inPlace(home.at)}.`;
    return [replug(situation, node, device, { ...device, network: home.name }, wrong, `plug ${device.name} on ${node.name} into ${home.name}`)];
  });
}

function replug(situation: Situation, node: NodeSpec, before: InterfaceSpec, after: InterfaceSpec, wrong: string, title: string): Candidate {
  const on = after.network === null ? '' : ` on ${after.network}`;
  return {
    ...candidate(situation, {
      wrong, at: before.at, title,
      edits: [statement(nodeOwner(node.name), 'interface', `interface ${after.name} ${after.addresses.map(formatPrefix).join(', ')}${on}`, before.at)],
      applied: (spec) => withNode(spec, node.name, (n) => ({ ...n, interfaces: n.interfaces.map((i) => (i.name === before.name ? after : i)) })),
    }),
    host: node.name, namespace: 'root',
  };
}

const USUAL_LEASE: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

/** A pod has an address of a family of which its node has no lease. */
function missingLeases(situation: Situation, nodes: readonly NodeSpec[], pods: readonly PodSpec[]): readonly Candidate[] {
  const family = situation.flow.destination.family;
  return nodes.flatMap((node): readonly Candidate[] => {
    if (node.podCidrs.length === 0 || node.podCidrs.some((c) => c.address.family === family)) return [];
    const pod = pods.find((p) => p.node === node.name && !p.hostNetwork && p.addresses.some((a) => a.family === family));
    const address = pod?.addresses.find((a) => a.family === family);
    if (pod === undefined || address === undefined) return [];
    const others = nodes.flatMap((n) => n.podCidrs.filter((c) => c.address.family === family));
    const lease = networkOf({ address, length: others[0]?.length ?? USUAL_LEASE[family] });
    if (others.some((c) => contains(c, lease.address) || contains(lease, c.address))) return [];
    const podCidrs = [...node.podCidrs, lease];
    return [candidate(situation, {
      wrong: `${node.name}${inPlace(node.at)} has no IPv${family} pod-cidr, and ${shortName(pod)}${inPlace(pod.at)} has an IPv${family} address.`,
      at: node.at, title: `give ${node.name} the pod-cidr ${formatPrefix(lease)}, too`,
      edits: [statement(nodeOwner(node.name), 'pod-cidr', `pod-cidr ${podCidrs.map(formatPrefix).join(', ')}`)],
      applied: (spec) => withNode(spec, node.name, (n) => ({ ...n, podCidrs })),
    })];
  });
}

/** The sender or a pod behind the service has no address of the flow's family, of which its node has a lease. */
function missingAddresses(situation: Situation): readonly Candidate[] {
  const { spec, flow } = situation;
  const { family } = flow.destination;
  const asked = askedService(situation)?.service;
  const service = spec.services.find((s) => asked !== undefined && podName(s) === podName(asked));
  const isBehind = (pod: PodSpec): boolean => service !== undefined && service.selector !== null && pod.namespace === service.namespace && pod.ready && selects(service.selector, pod.labels);
  return spec.pods.filter((p) => !p.hostNetwork && (podName(p) === flow.namespace || isBehind(p)) && p.addresses.length > 0 && !p.addresses.some((a) => a.family === family)).flatMap((pod) => {
    const lease = spec.nodes.find((n) => n.name === pod.node)?.podCidrs.find((c) => c.address.family === family);
    if (lease === undefined) return [];
    return addressedPod(situation, pod, null, lease, `${shortName(pod)}${inPlace(pod.at)} has no IPv${family} address, and the way to ${flow.toText} is IPv${family}${podName(pod) === flow.namespace ? '' : ', so it is no endpoint there'}.`);
  });
}
