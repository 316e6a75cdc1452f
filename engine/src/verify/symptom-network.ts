/** What only the administrator of the network knows how to mend: an address that two have, a network without a gateway, a family that one side lacks. */
import { contains, formatAddress, parseAddress, sameAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { podName } from '../topology/lookup.ts';
import type { NetworkSpec, NodeSpec } from '../topology/spec.ts';
import { inPlace } from './candidate.ts';
import { askedService } from './situation.ts';
import type { Situation } from './situation.ts';
import type { Symptom } from './symptom.ts';

export function networkSymptom(situation: Situation): Symptom | undefined {
  const code = situation.reason?.code;
  if (code === 'no-route' || code === 'no-such-destination') return otherFamily(situation) ?? lackingFamily(situation) ?? withoutGateway(situation);
  return code === 'other-host' || code === 'neighbour-failed' || code === 'no-lease' ? sharedAddress(situation) : undefined;
}

/** Either of them answers for it (arp_process). */
function sharedAddress({ spec }: Situation): Symptom | undefined {
  for (const [i, node] of spec.nodes.entries()) {
    const shared = addressesOf(node).find((a) => spec.nodes.slice(0, i).some((n) => addressesOf(n).some((other) => sameAddress(a, other))));
    const first = shared === undefined ? undefined : spec.nodes.find((n) => addressesOf(n).some((other) => sameAddress(shared, other)));
    if (shared !== undefined && first !== undefined) return { sentence: `${first.name}${inPlace(first.at)} and ${node.name}${inPlace(node.at)} both have ${formatAddress(shared)}, and either answers for it: give one of them an address of its own.`, at: node.at };
  }
  return undefined;
}

/** Only what is plugged in is heard. */
const addressesOf = (node: NodeSpec): readonly Address[] => node.interfaces.flatMap((i) => (i.network === null ? [] : i.addresses.map((a) => a.address)));

/** The way out of the sender's network, or back from the receiver's. */
function withoutGateway({ spec, last, reason }: Situation): Symptom | undefined {
  const node = spec.nodes.find((n) => n.name === last?.host);
  const destination = outermost(last?.packet ?? []);
  if (destination === undefined) return undefined;
  const lacks = (n: NetworkSpec): boolean => !n.gateways.some((g) => g.family === destination.family);
  const own = reason?.code === 'no-route' ? spec.networks.find((n) => lacks(n) && node?.interfaces.some((i) => i.network === n.name) === true) : undefined;
  const far = spec.networks.find((n) => lacks(n) && n.prefixes.some((p) => contains(p, destination)));
  const network = own ?? far;
  if (network === undefined) return undefined;
  const where = own !== undefined ? `so ${last?.host ?? ''} has no route to ${formatAddress(destination)}` : `so no route leads to ${formatAddress(destination)} from elsewhere`;
  return { sentence: `The network ${network.name}${inPlace(network.at)} has no IPv${destination.family} gateway, ${where}: write \`gateway ADDRESS\` in it.`, at: network.at };
}

function outermost(packet: readonly { readonly header: string; readonly destination?: unknown }[]): Address | undefined {
  const ip = packet.find((h) => h.header === 'ipv4' || h.header === 'ipv6');
  return typeof ip?.destination === 'string' ? parseAddress(ip.destination) : undefined;
}

/** A node that has a lease of a family, and no address of it through which the others could reach it. */
function lackingFamily({ spec, flow }: Situation): Symptom | undefined {
  const { family } = flow.destination;
  const node = spec.nodes.find((n) => n.podCidrs.some((c) => c.address.family === family) && !addressesOf(n).some((a) => a.family === family));
  if (node === undefined || !spec.pods.some((p) => p.node === node.name && (podName(p) === flow.namespace || p.addresses.some((a) => sameAddress(a, flow.destination))))) return undefined;
  return { sentence: `${node.name}${inPlace(node.at)} has an IPv${family} pod-cidr, and no IPv${family} address on a network, so flannel leads nothing to it and from it: give its device one.`, at: node.at };
}

/** A sender of one family, and a service of the other. */
function otherFamily(situation: Situation): Symptom | undefined {
  const { spec, flow } = situation;
  const asked = askedService(situation)?.service;
  const sender = spec.pods.find((p) => podName(p) === flow.namespace);
  const { family } = flow.destination;
  if (asked === undefined || sender === undefined || sender.addresses.some((a) => a.family === family)) return undefined;
  const own: Family = family === 4 ? 6 : 4;
  if (asked.clusterAddresses.some((a) => a.family === own)) return undefined;
  const service = spec.services.find((s) => podName(s) === podName(asked));
  return { sentence: `Service ${podName(asked)}${inPlace(service?.at ?? null)} has an IPv${family} cluster IP only, and ${podName(sender)}${inPlace(sender.at)} an IPv${own} address only: make the service dual-stack (\`ipFamilyPolicy: PreferDualStack\`), or the pod.`, at: service?.at ?? null };
}
