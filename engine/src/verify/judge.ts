/** Whether a trace is what an expectation says, and if not, what happened instead. */
import { formatAddress, parseAddress, sameAddress } from '../net/address.ts';
import { findParty } from '../trace/party-names.ts';
import type { Topology } from '../topology/model.ts';
import type { Branch, Hop, Trace } from '../trace/model.ts';
import type { Expectation } from './model.ts';

/**
 * `null` where the expectation holds, else one or two sentences.
 *
 * An expectation speaks of every way that the packet can take. `delivered` speaks of a conversation: the request arrives
 * and the answer comes back. `not …` holds where no way does what is named. What cannot be decided holds neither way.
 */
export function judge(topology: Topology, trace: Trace, expectation: Expectation): string | null {
  const branches = trace.branches.filter((b) => b.probability > 0);
  if (branches.length === 0) return 'Nothing was sent.';
  const check = expectation.negated ? negated : complaintOf;
  for (const branch of [...branches].sort((a, b) => b.probability - a.probability)) {
    const complaint = check(topology, branch, expectation);
    if (complaint === null) continue;
    return branch.probability < 1 ? `With a probability of ${percent(branch.probability)}, ${complaint}` : capital(complaint);
  }
  return null;
}

const percent = (probability: number): string => `${Math.round(probability * 100)} %`;

/** A sentence may begin with a name, which keeps its letters. */
const capital = (sentence: string): string => sentence.replace(/^(it|the) /, (word) => word.charAt(0).toUpperCase() + word.slice(1));

const reasonOf = (part: { readonly reason: Branch['reason'] }): string => (part.reason === null ? '.' : `: ${part.reason.sentence}`);

/** What a branch did, with a small letter. */
function whatHappened(branch: Branch): string {
  if (branch.outcome !== 'delivered') return `it is ${branch.outcome}${reasonOf(branch)}`;
  return `it is delivered to ${receiverText(branch)}.`;
}

const receiverText = (branch: Branch): string => (branch.deliveredTo === null ? 'a receiver' : `${branch.deliveredTo.kind} ${branch.deliveredTo.name}`);

function negated(topology: Topology, branch: Branch, expectation: Expectation): string | null {
  if (branch.outcome === 'undecided') return `it cannot be told whether it is ${expectation.outcome}${reasonOf(branch)}`;
  if (branch.outcome !== expectation.outcome) return null;
  return conditions(topology, branch, expectation) === null ? whatHappened(branch) : null;
}

function complaintOf(topology: Topology, branch: Branch, expectation: Expectation): string | null {
  if (branch.outcome !== expectation.outcome) return whatHappened(branch);
  const unmet = conditions(topology, branch, expectation);
  if (unmet !== null) return unmet;
  return expectation.outcome === 'delivered' ? lostAnswer(branch, expectation.size) : null;
}

/** `to`, `as` and `via`. */
function conditions(topology: Topology, branch: Branch, expectation: Expectation): string | null {
  const { receiver, seenAs, via } = expectation;
  if (receiver !== null && !isReceiver(topology, branch, receiver)) {
    return branch.deliveredTo === null ? `it reaches no receiver, so not ${receiver} either.` : `it is delivered to ${receiverText(branch)}, not to ${receiver}.`;
  }
  if (seenAs !== null && !isSameText(branch.seenAs?.address, seenAs)) {
    return `${branch.deliveredTo?.name ?? 'the receiver'} sees ${branch.seenAs?.address ?? 'nobody'} as the sender, not ${seenAs}.`;
  }
  const missed = firstMissed(branch.request.hops, via);
  if (missed === undefined) return null;
  const order = via.length > 1 ? ' in the order that is expected' : '';
  return `it does not pass ${missed.host}/${missed.interface}${order}; its way is ${wayOf(branch.request.hops)}.`;
}

function lostAnswer(branch: Branch, size: number | undefined): string | null {
  if (branch.answer.kind === 'reply') return lostLater(branch, size);
  const arrives = `the request arrives at ${receiverText(branch)}, but`;
  if (branch.answer.kind === 'reset') return `${arrives} it answers with a reset.`;
  if (branch.answer.kind === 'icmp') return `${arrives} the sender gets an ICMP error back.`;
  if (branch.reply === null) return `${arrives} nothing is sent in answer.`;
  return `${arrives} the reply is ${branch.reply.outcome === 'delivered' ? 'not what the sender waits for' : branch.reply.outcome}${reasonOf(branch.reply)}`;
}

/** A conversation is more than its first packet. */
const lostLater = ({ second }: Branch, size: number | undefined): string | null =>
  second === undefined || second.outcome === 'delivered' ? null : `the first packet arrives and is answered, but ${size === undefined ? "the flow's next one" : `what is as large as ${size} bytes`} is ${second.outcome}${reasonOf(second)}`;

const isSameText = (a: string | undefined, b: string): boolean => {
  const left = parseAddress(a ?? '');
  const right = parseAddress(b);
  return left !== undefined && right !== undefined && sameAddress(left, right);
};

/** By name, by a service whose endpoint it is, or by address. A pod on the host's network is there where its node is. */
function isReceiver(topology: Topology, branch: Branch, name: string): boolean {
  const receiver = branch.deliveredTo;
  if (receiver === null) return false;
  const party = findParty(topology, name);
  switch (party?.kind) {
    case undefined:
      return isSameText(receiver.address, name.replace(/^\[|\]$/g, ''));
    case 'pod':
      if (party.pod.hostNetwork) return receiver.kind === 'node' && receiver.name === party.pod.node;
      return receiver.kind === 'pod' && receiver.name === `${party.pod.namespace}/${party.pod.name}`;
    case 'service':
      return party.service.ports.some((p) => p.endpoints.some((e) => e.pod === receiver.name || isSameText(receiver.address, formatAddress(e.address))));
    case 'node':
    case 'external':
      return receiver.kind === party.kind && receiver.name === party.host.name;
  }
}

type Via = Expectation['via'][number];

/**
 * A host's own device, or one of a pod by the pod's name. A frame that a bridge hands from port to port passes the bridge,
 * although no capture on the bridge's own device shows it (`br_forward`).
 */
const isAt = (hop: Hop, via: Via): boolean =>
  [hop.host, hop.namespace, hop.namespace.replace(/^default\//, '')].includes(via.host) &&
  (hop.interface === via.interface || hop.steps.some((step) => step.stage === 'bridge' && step.bridge === via.interface));

/** The first of the interfaces that the way does not pass after those before it. */
function firstMissed(hops: readonly Hop[], via: readonly Via[]): Via | undefined {
  let from = 0;
  for (const wanted of via) {
    const found = hops.findIndex((hop, i) => i >= from && isAt(hop, wanted));
    if (found < 0) return wanted;
    from = found;
  }
  return undefined;
}

/** `default/pod1/eth0, host1/cni0, …`, each once in a row. */
function wayOf(hops: readonly Hop[]): string {
  const names = hops.map((h) => `${h.namespace === 'root' ? h.host : h.namespace}/${h.interface}`);
  return names.filter((name, i) => name !== names[i - 1]).join(', ');
}
