/** A rule for just this conversation in the network policy that shuts it out. */
import { SCTP, TCP, UDP } from '../data-plane/packet.ts';
import { decide } from '../data-plane/policy/decide.ts';
import { isolationOf } from '../data-plane/policy/isolation.ts';
import { contains, formatAddress, formatPrefix, hostPrefix, sameAddress } from '../net/address.ts';
import { podName } from '../topology/lookup.ts';
import type { Pod } from '../topology/model.ts';
import { METADATA_NAME } from '../topology/network-policy.ts';
import type { LabelSelector, NetworkPolicy, PolicyPeer, PolicyPort, PolicyTraffic } from '../topology/network-policy.ts';
import { inPlace } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { patched } from './commands.ts';
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
      wrong: `Network policy ${podName(policy)}${inPlace(policy.at)} isolates pod ${denied.pod} for ${denied.direction}, and no rule of it allows ${denied.direction === 'ingress' ? 'what comes from' : 'what goes to'} ${who}${nearestOf(situation, policy, packet, denied.direction)}.`,
      host: last.host, namespace: last.namespace, at: policy.at,
      title: `allow it in network policy ${podName(policy)}: \`${text}\``,
      commands: [patched(policy.namespace, 'networkpolicy', policy.name, [added(policy, denied.direction, { [denied.direction === 'ingress' ? 'from' : 'to']: [peer.object], ...(ports.length === 0 ? {} : { ports: ports.map((p) => ({ protocol: p.protocol, port: p.port })) }) })])],
      // The whole text as the keyword: one more statement, beside those that are there.
      edits: [{ kind: 'statement', owner: { kind: 'network-policy', name: podName(policy) }, inside: null, keyword: text, at: null, text }],
      applied: (now) => ({ ...now, networkPolicies: now.networkPolicies.map((p) => (podName(p) === podName(policy) ? { ...p, [denied.direction]: [...p[denied.direction], traffic] } : p)) }),
    };
  });
}

/** The rule of the policy of which one half holds, and why the other does not; nothing where no rule comes near. */
function nearestOf(situation: Situation, policy: NetworkPolicy, packet: Conversation, direction: 'ingress' | 'egress'): string {
  const { topology } = situation;
  const isolation = isolationOf(topology);
  if (isolation === null || packet.protocol === null) return '';
  const receiver = topology.pods.find((p) => !p.hostNetwork && p.addresses.some((a) => sameAddress(a, packet.destination)));
  const subject = { direction: direction === 'ingress' ? 'Ingress' : 'Egress', peer: direction === 'ingress' ? packet.source : packet.destination, receiver, protocol: { tcp: TCP, udp: UDP, sctp: SCTP }[packet.protocol], port: packet.destinationPort } as const;
  const allows = (rule: PolicyTraffic): boolean => decide(isolation, { ...subject, policies: [{ ...policy, [direction]: [rule] }] }).kind === 'allow';
  const near = (half: string, holds: (rule: PolicyTraffic) => boolean): readonly string[] => policy[direction].filter(holds).map((rule) => `; nearest comes its ${direction}${inPlace(rule.at)}, which ${half}`);
  const wanted = `${packet.destinationPort ?? ''}/${packet.protocol.toUpperCase()}`;
  const [best] = [
    ...near(`has the right peer, but not port ${wanted}${direction === 'ingress' ? ', which the pod itself sees' : ', which a service translates to'}`, (rule) => rule.ports.length > 0 && allows({ ...rule, ports: [] })),
    ...near('names the service\'s address, and is judged behind its translation', (rule) => situation.flow.destination !== packet.destination && rule.peers.some((p) => p.kind === 'block' && contains(p.prefix, situation.flow.destination)) && allows({ ...rule, peers: [] })),
    ...near('has the right port, but another peer', (rule) => rule.peers.length > 0 && rule.ports.length > 0 && allows({ ...rule, peers: [] })),
  ];
  return best ?? '';
}

/** Behind the rules that are there, or the first. */
const added = (policy: NetworkPolicy, direction: 'ingress' | 'egress', rule: object): object =>
  policy[direction].length === 0 ? { op: 'add', path: `/spec/${direction}`, value: [rule] } : { op: 'add', path: `/spec/${direction}/-`, value: rule };

interface Peer {
  readonly peer: PolicyPeer;
  readonly text: string;
  /** As the API has it. */
  readonly object: object;
}

/** By its labels where the other end is a pod that has some. */
function peerOf(policy: NetworkPolicy, other: Pod | undefined, packet: Conversation, direction: 'ingress' | 'egress'): Peer {
  const labels = Object.entries(other?.labels ?? {});
  const { at } = policy;
  if (other === undefined || labels.length === 0) {
    const prefix = hostPrefix(direction === 'ingress' ? packet.source : packet.destination);
    return { peer: { kind: 'block', prefix, except: [], at }, text: `ip-block ${formatPrefix(prefix)}`, object: { ipBlock: { cidr: formatPrefix(prefix) } } };
  }
  const pods: LabelSelector = { labels: other.labels, expressions: [] };
  const namespaces: LabelSelector | null = other.namespace === policy.namespace ? null : { labels: { [METADATA_NAME]: other.namespace }, expressions: [] };
  const text = `${namespaces === null ? '' : `namespaces ${METADATA_NAME}=${other.namespace} `}pods ${labels.map(([k, v]) => `${k}=${v}`).join(', ')}`;
  const object = { ...(namespaces === null ? {} : { namespaceSelector: { matchLabels: namespaces.labels } }), podSelector: { matchLabels: other.labels } };
  return { peer: { kind: 'pods', namespaces, pods, at }, text, object };
}
