/**
 * The question to the cluster's DNS that comes before a flow to a name: one UDP packet to port 53 of its service, which has
 * to be answered (resolv.conf(5): the first name server is asked, after five seconds again).
 */
import { formatAddress } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import type { Topology } from '../topology/model.ts';
import type { Flow } from './flow.ts';
import type { Branch, Trace } from './model.ts';
import { reason } from './reasons.ts';

const DNS_PORT = 53;

/** Where the file declares it: the service of CoreDNS, as kubeadm calls it. */
export const nameserversOf = (topology: Topology): readonly Address[] =>
  topology.services.find((s) => s.namespace === 'kube-system' && s.name === 'kube-dns' && s.ports.some((p) => p.port === DNS_PORT && p.protocol === 'UDP'))?.clusterAddresses ?? [];

/** `null` where no name was asked for, or nothing is known of who answers. */
export function queryOf({ nameserver, ...flow }: Flow): Flow | null {
  if (nameserver === undefined) return null;
  const { host, namespace, fromText, source, sourcePort } = flow;
  return { fromText, toText: `${formatAddress(nameserver)}:${DNS_PORT}/UDP`, host, namespace, source, sourcePort, destination: nameserver, destinationPort: DNS_PORT, protocol: 'UDP', resolution: [], payload: 0 };
}

const isAnswered = (branch: Branch): boolean => branch.outcome === 'delivered' && branch.answer.kind === 'reply';

/** Whether the name is never told; what cannot be decided may be. */
export const isLost = (query: Trace): boolean => query.branches.every((b) => b.probability === 0 || (!isAnswered(b) && b.outcome !== 'undecided'));

/** The share of questions that get no answer at the first try. */
export const lostShare = (query: Trace): number => query.branches.reduce((sum, b) => (isAnswered(b) || b.outcome === 'undecided' ? sum : sum + b.probability), 0);

/** What the sender sees: its question goes astray, and nothing is sent to the name. */
export function unresolved(flow: Flow, query: Trace): Trace {
  const name = flow.resolution.at(-1)?.query ?? flow.toText;
  const branches = query.branches.map((branch): Branch => {
    const why = branch.outcome === 'delivered' ? (branch.reply?.reason?.sentence ?? 'Nothing is sent in answer.') : (branch.reason?.sentence ?? '');
    return {
      ...branch,
      outcome: 'unreachable',
      reason: reason('name-unresolved', { where: flow.namespace === 'root' ? flow.host : `pod ${flow.namespace}`, what: name, address: query.to, rule: why.replace(/[.?]$/, '') }),
      deliveredTo: null, seenAs: null,
      answer: branch.answer.kind === 'reply' ? { kind: 'none', from: null, type: null, code: null, ttl: null } : branch.answer,
    };
  });
  return { from: flow.fromText, to: flow.toText, branches };
}
