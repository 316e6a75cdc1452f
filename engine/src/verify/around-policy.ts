/** A rule for just this conversation in the network policy that shuts it out. */
import { formatAddress, formatPrefix, hostPrefix, sameAddress } from '../net/address.ts';
import { podName } from '../topology/lookup.ts';
import type { Pod } from '../topology/model.ts';
import { METADATA_NAME } from '../topology/network-policy.ts';
import type { LabelSelector, NetworkPolicy, PolicyPeer, PolicyPort, PolicyTraffic } from '../topology/network-policy.ts';
import { inPlace } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { conversationAt } from './situation.ts';
import type { Conversation, Situation } from './situation.ts';

export function aroundThePolicy(situation: Situation): readonly Candidate[] {
  const { last, spec, topology, reason } = situation;
  const packet = last === undefined ? undefined : conversationAt(last);
  const denied = last?.steps.findLast((s) => s.stage === 'network-policy');
  if (last === undefined || packet === undefined || denied?.stage !== 'network-policy' || denied.verdict === 'allow' || reason?.code !== 'network-policy') return [];
  const address = denied.direction === 'ingress' ? packet.source : packet.destination;
  const other = topology.pods.find((p) => !p.hostNetwork && p.addresses.some((a) => sameAddress(a, address)));
  return spec.networkPolicies.filter((p) => denied.policies.includes(podName(p))).slice(0, 1).map((policy): Candidate => {
    const peer = peerOf(policy, other, packet, denied.direction);
    const ports: readonly PolicyPort[] = packet.protocol === null || packet.destinationPort === null ? [] : [{ protocol: packet.protocol.toUpperCase() as PolicyPort['protocol'], port: packet.destinationPort, endPort: null, at: policy.at }];
    const traffic: PolicyTraffic = { peers: [peer.peer], ports, at: policy.at };
    const port = ports.map((p) => `; port ${p.port ?? '*'}/${p.protocol}`).join('');
    const text = `${denied.direction} { ${denied.direction === 'ingress' ? 'from' : 'to'} ${peer.text}${port} }`;
    const who = other === undefined ? formatAddress(address) : podName(other);
    return {
      wrong: `Network policy ${podName(policy)}${inPlace(policy.at)} isolates pod ${denied.pod} for ${denied.direction}, and no rule of it allows ${denied.direction === 'ingress' ? 'what comes from' : 'what goes to'} ${who}.`,
      host: last.host, namespace: last.namespace, at: policy.at,
      title: `allow it in network policy ${podName(policy)}: \`${text}\``,
      // The whole text as the keyword: one more statement, beside those that are there.
      edits: [{ kind: 'statement', owner: { kind: 'network-policy', name: podName(policy) }, inside: null, keyword: text, at: null, text }],
      applied: (now) => ({ ...now, networkPolicies: now.networkPolicies.map((p) => (podName(p) === podName(policy) ? { ...p, [denied.direction]: [...p[denied.direction], traffic] } : p)) }),
    };
  });
}

interface Peer {
  readonly peer: PolicyPeer;
  readonly text: string;
}

/** By its labels where the other end is a pod that has some. */
function peerOf(policy: NetworkPolicy, other: Pod | undefined, packet: Conversation, direction: 'ingress' | 'egress'): Peer {
  const labels = Object.entries(other?.labels ?? {});
  const { at } = policy;
  if (other === undefined || labels.length === 0) {
    const prefix = hostPrefix(direction === 'ingress' ? packet.source : packet.destination);
    return { peer: { kind: 'block', prefix, except: [], at }, text: `ip-block ${formatPrefix(prefix)}` };
  }
  const pods: LabelSelector = { labels: other.labels, expressions: [] };
  const namespaces: LabelSelector | null = other.namespace === policy.namespace ? null : { labels: { [METADATA_NAME]: other.namespace }, expressions: [] };
  const text = `${namespaces === null ? '' : `namespaces ${METADATA_NAME}=${other.namespace} `}pods ${labels.map(([k, v]) => `${k}=${v}`).join(', ')}`;
  return { peer: { kind: 'pods', namespaces, pods, at }, text };
}
