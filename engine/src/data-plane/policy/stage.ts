/**
 * NetworkPolicy where the packet passes between a pod and its node: what leaves a pod once its destination has been
 * translated, and what enters one as it arrives there. Whichever controller enforces it, this is what it enforces.
 *
 *   pod -> PREROUTING -> route or bridge -> [egress] -> FORWARD …
 *   … POSTROUTING -> bridge -> [ingress] -> veth -> pod
 */
import { formatAddress, sameAddress } from '../../net/address.ts';
import type { Address } from '../../net/address.ts';
import { podName } from '../../topology/lookup.ts';
import { ROOT_NAMESPACE } from '../../topology/model.ts';
import type { Pod } from '../../topology/model.ts';
import type { NetworkPolicy, PolicyType } from '../../topology/network-policy.ts';
import type { SourceRef } from '../../topology/origin.ts';
import type { CompiledNamespace } from '../compile.ts';
import { destinationPortOf, protocolName } from '../packet.ts';
import type { Packet } from '../packet.ts';
import { end, step } from '../run-state.ts';
import type { Fate, Run, Skb } from '../run-state.ts';
import { isOwn } from '../source-address.ts';
import { decide } from './decide.ts';
import type { Decision } from './decide.ts';
import { ownerOf } from './isolation.ts';
import type { Isolated, Isolation } from './isolation.ts';

/** What leaves a pod of this node. `null`: it goes on. */
export function egressPolicy(run: Run, ns: CompiledNamespace, skb: Skb): Fate | null {
  const isolation = run.compiled.isolation;
  if (isolation === null || ns.namespace.name !== ROOT_NAMESPACE || ns.host.kind !== 'node') return null;
  const pod = ownerOf(isolation, skb.packet.ip.source);
  const isolated = pod === undefined || pod.node !== ns.host.name ? undefined : isolation.pods.get(podName(pod));
  if (isolated === undefined || isolated.egress.length === 0) return null;
  return judge(run, ns, skb, { isolation, isolated, direction: 'Egress', peers: [skb.packet.ip.destination] });
}

/** What enters a pod of this node; `to` is the pod's own namespace. */
export function ingressPolicy(run: Run, ns: CompiledNamespace, to: CompiledNamespace, skb: Skb): Fate | null {
  const isolation = run.compiled.isolation;
  const isolated = isolation?.pods.get(to.namespace.name);
  const { destination, source } = skb.packet.ip;
  if (isolation === null || isolated === undefined || isolated.ingress.length === 0 || ns === to) return null;
  if (!isolated.pod.addresses.some((a) => sameAddress(a, destination))) return null;
  const original = skb.tracked?.direction === 'original' ? (skb.tracked.entry?.original.source ?? source) : source;
  const peers = sameAddress(original, source) ? [source] : [original, source];
  return judge(run, ns, skb, { isolation, isolated, direction: 'Ingress', peers });
}

interface Case {
  readonly isolation: Isolation;
  readonly isolated: Isolated;
  readonly direction: PolicyType;
  /** The other end; two where this node translated the source, and controllers may see either. */
  readonly peers: readonly Address[];
}

type Judgement = Decision | { readonly kind: 'exempt'; readonly sentence: string };

function judge(run: Run, ns: CompiledNamespace, skb: Skb, at: Case): Fate | null {
  const { isolated, direction } = at;
  const policies = policiesOf(at);
  const pod = podName(isolated.pod);
  const tell = (verdict: 'allow' | 'deny' | 'undefined', by: readonly NetworkPolicy[], sentence: string, where: SourceRef): void =>
    step(run, { stage: 'network-policy', direction: direction === 'Ingress' ? 'ingress' : 'egress', pod, policies: by.map(podName), verdict, sentence, source: { file: where.file, line: where.line, layer: 'declared' } });
  const first = policies[0] as NetworkPolicy;
  const because = `${named(policies)} ${policies.length === 1 ? 'isolates' : 'isolate'} pod ${pod} for ${direction.toLowerCase()}`;
  if (run.phase === 'answer') {
    tell('allow', policies, `${because}; what answers a packet that was let through is always let through.`, first.at);
    return null;
  }
  const judgements = at.peers.map((peer) => judgementOf(ns, skb.packet, at, peer));
  const [one, other = one] = judgements;
  if (one === undefined || other === undefined) return null;
  const subject = subjectText(skb.packet, direction, at);
  if (passes(one) && passes(other)) {
    if (one.kind === 'allow') tell('allow', [one.policy], `Network policy ${podName(one.policy)} lets pod ${pod} ${direction === 'Ingress' ? 'get' : 'send'} ${subject}.`, one.rule.at);
    else if (one.kind === 'exempt') tell('allow', policies, `${because}; ${one.sentence}.`, first.at);
    return null;
  }
  if (one.kind === 'deny' && other.kind === 'deny') {
    tell('deny', policies, `${because}, and no rule allows ${subject}.`, first.at);
    return end(run, ns, skb, 'network-policy', { what: because, rule: subject }, { file: first.at.file, line: first.at.line, layer: 'declared' });
  }
  const why = one.kind === 'undefined' || other.kind === 'undefined'
    ? `it says nothing of ${protocolName(skb.packet.ip.protocol)}, which most controllers then drop`
    : `${formatAddress(at.peers[0] as Address)} was translated to ${formatAddress(at.peers[1] as Address)} on ${ns.label}, and whether a policy sees the one or the other is the controller's to say`;
  tell('undefined', policies, `${because}, and ${why}.`, first.at);
  return end(run, ns, skb, 'network-policy-undefined', { what: because, rule: why }, { file: first.at.file, line: first.at.line, layer: 'declared' });
}

const policiesOf = ({ isolated, direction }: Case): readonly NetworkPolicy[] => (direction === 'Ingress' ? isolated.ingress : isolated.egress);

const passes = (j: Judgement): boolean => j.kind === 'allow' || j.kind === 'exempt';

/** A pod's own node and the pod itself are never shut out. */
function judgementOf(ns: CompiledNamespace, packet: Packet, at: Case, peer: Address): Judgement {
  const { pod } = at.isolated;
  if (pod.addresses.some((a) => sameAddress(a, peer))) return { kind: 'exempt', sentence: 'a pod always reaches itself' };
  if (isOwn(ns, peer)) return { kind: 'exempt', sentence: `traffic between a pod and its own node, ${ns.label}, is always let through` };
  const receiver: Pod | undefined = at.direction === 'Ingress' ? pod : ownerOf(at.isolation, peer);
  return decide(at.isolation, { direction: at.direction, policies: policiesOf(at), peer, receiver, protocol: packet.ip.protocol, port: destinationPortOf(packet) });
}

const named = (policies: readonly NetworkPolicy[]): string =>
  policies.length === 1 ? `Network policy ${policies.map(podName).join('')}` : `Network policies ${policies.map(podName).join(' and ')}`;

/** "8080/TCP from pod default/client (10.244.1.5)", "80/TCP to 203.0.113.7" */
function subjectText(packet: Packet, direction: PolicyType, { isolation, peers }: Case): string {
  const port = destinationPortOf(packet);
  const protocol = protocolName(packet.ip.protocol);
  const what = port === null ? protocol : `${port}/${protocol}`;
  const [peer] = peers;
  if (peer === undefined) return what;
  const pod = ownerOf(isolation, peer);
  const who = pod === undefined ? formatAddress(peer) : `pod ${podName(pod)} (${formatAddress(peer)})`;
  return `${what} ${direction === 'Ingress' ? 'from' : 'to'} ${who}`;
}
