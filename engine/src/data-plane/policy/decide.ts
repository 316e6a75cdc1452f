/**
 * What NetworkPolicies say of one packet at one pod: allowed where any rule of any policy that isolates the pod allows it
 * (networking.k8s.io/v1; kubernetes.io/docs/concepts/services-networking/network-policies).
 */
import { contains } from '../../net/address.ts';
import type { Address } from '../../net/address.ts';
import type { Pod } from '../../topology/model.ts';
import type { NetworkPolicy, PolicyPeer, PolicyPort, PolicyTraffic, PolicyType } from '../../topology/network-policy.ts';
import { matchesSelector } from '../../topology/selector.ts';
import { SCTP, TCP, UDP } from '../packet.ts';
import { labelsOfNamespace, ownerOf } from './isolation.ts';
import type { Isolation } from './isolation.ts';

/** The packet as a policy sees it. */
export interface Subject {
  readonly direction: PolicyType;
  readonly policies: readonly NetworkPolicy[];
  /** The other end: the source of ingress, the destination of egress after every translation. */
  readonly peer: Address;
  /** The pod that the packet goes to, of whose container ports a name is; `undefined`: no pod. */
  readonly receiver: Pod | undefined;
  readonly protocol: number;
  readonly port: number | null;
}

export type Decision =
  | { readonly kind: 'allow'; readonly policy: NetworkPolicy; readonly rule: PolicyTraffic }
  | { readonly kind: 'deny' }
  /** NetworkPolicy speaks of TCP, UDP and SCTP only; each controller has its own mind of the rest. */
  | { readonly kind: 'undefined' };

const PROTOCOL: Readonly<Record<PolicyPort['protocol'], number>> = { TCP, UDP, SCTP };

export function decide(isolation: Isolation, subject: Subject): Decision {
  for (const policy of subject.policies) {
    for (const rule of subject.direction === 'Ingress' ? policy.ingress : policy.egress) {
      if (allows(isolation, subject, policy, rule)) return { kind: 'allow', policy, rule };
    }
  }
  return Object.values(PROTOCOL).includes(subject.protocol) ? { kind: 'deny' } : { kind: 'undefined' };
}

const allows = (isolation: Isolation, subject: Subject, policy: NetworkPolicy, rule: PolicyTraffic): boolean =>
  (rule.peers.length === 0 || rule.peers.some((peer) => isPeer(isolation, peer, policy, subject.peer))) &&
  (rule.ports.length === 0 || rule.ports.some((port) => isPort(port, subject)));

function isPeer(isolation: Isolation, peer: PolicyPeer, policy: NetworkPolicy, address: Address): boolean {
  if (peer.kind === 'block') return contains(peer.prefix, address) && !peer.except.some((e) => contains(e, address));
  const pod = ownerOf(isolation, address);
  if (pod === undefined) return false;
  const namespace = peer.namespaces === null ? pod.namespace === policy.namespace : matchesSelector(peer.namespaces, labelsOfNamespace(isolation, pod.namespace));
  return namespace && (peer.pods === null || matchesSelector(peer.pods, pod.labels));
}

function isPort(port: PolicyPort, subject: Subject): boolean {
  if (PROTOCOL[port.protocol] !== subject.protocol || subject.port === null) return false;
  if (port.port === null) return true;
  const { port: number } = subject;
  if (typeof port.port === 'string') return subject.receiver?.ports.some((p) => p.name === port.port && p.protocol === port.protocol && p.port === number) === true;
  return port.endPort === null ? number === port.port : number >= port.port && number <= port.endPort;
}
