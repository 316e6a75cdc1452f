/** How a branch ended, in sentences. */
import { assertNever } from '../../../engine/src/assert-never.ts';
import type { Answer, Branch, Journey, Outcome, Receiver } from '../../../engine/src/trace/model.ts';

export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  delivered: 'Delivered', dropped: 'Dropped', rejected: 'Rejected', unreachable: 'Unreachable', looped: 'Looped', undecided: 'Undecided',
};

const withPort = (address: string, port: number | null): string =>
  port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** "Delivered to pod kube-system/kube-dns-1 at 10.0.0.46:53." */
export function headline(branch: Branch): string {
  const to = branch.deliveredTo;
  if (to !== null && branch.outcome === 'delivered') return `Delivered to ${receiverText(to)}${isAnswerLost(branch) ? ', but the answer is lost' : ''}.`;
  const reached = to === null ? '' : ` by ${receiverText(to)}`;
  return `${OUTCOME_WORDS[branch.outcome]}${reached}.`;
}

/** The packet arrives, and what comes back does not: whoever waits for an answer is no better off than with a lost packet. */
export const isAnswerLost = ({ outcome, answer, reply }: Branch): boolean =>
  outcome === 'delivered' && answer.kind === 'none' && reply !== null && (reply.outcome !== 'delivered' || reply.reason !== null);

const receiverText = (to: Receiver): string => `${to.kind === 'external' ? '' : `${to.kind} `}${to.name} at ${withPort(to.address, to.port)}`;

/** What the sender gets back, and as whom the receiver saw it; one or two sentences. */
export function aftermath(branch: Branch): string {
  const seen = branch.seenAs === null ? '' : `The receiver sees ${withPort(branch.seenAs.address, branch.seenAs.port)} as the sender. `;
  return seen + answerText(branch.answer, branch);
}

function answerText(answer: Answer, branch: Branch): string {
  const from = answer.from === null ? '' : ` from ${answer.from}`;
  const ttl = answer.ttl === null ? '' : ` with ${answer.from?.includes(':') === true ? 'hop limit' : 'TTL'} ${answer.ttl}`;
  switch (answer.kind) {
    case 'reply': return `The reply arrives${from}${ttl}.`;
    case 'reset': return `The sender gets a reset${from}${ttl}.`;
    case 'icmp': return `The sender gets ICMP type ${answer.type ?? '?'} code ${answer.code ?? '?'}${from}${ttl}.`;
    case 'none':
      return branch.reply === null || branch.reply.outcome === 'delivered' && branch.reply.reason === null
        ? 'The sender gets no answer.'
        : `The answer is ${OUTCOME_WORDS[branch.reply.outcome].toLowerCase()} on its way back: the sender gets none.`;
    default: return assertNever(answer.kind);
  }
}

/** What this branch needs that neither the file nor dice tell; empty where it supposes nothing. */
export const supposition = ({ supposing }: Branch): string => (supposing.length === 0 ? '' : `if ${supposing.join(' and ')}`);

/** Of the packet after the answer, or of the sender's next try. */
export function secondText(second: Journey, { outcome }: Branch): string {
  const ended = OUTCOME_WORDS[second.outcome].toLowerCase();
  if (second.outcome !== outcome) return `The second packet fares otherwise: it is ${ended}.`;
  return `The second packet is ${ended} too${outcome === 'delivered' ? ', by another way' : ''}.`;
}

export const signOf = (branch: Branch): string => (isAnswerLost(branch) ? '!' : OUTCOME_SIGNS[branch.outcome]);

export const OUTCOME_SIGNS: Readonly<Record<Outcome, string>> = {
  delivered: '✓', dropped: '✕', rejected: '✕', unreachable: '✕', looped: '↻', undecided: '?',
};

/** 1/3 as `33.3 %`, a half as `50 %`. */
export function percent(probability: number): string {
  const value = probability * 100;
  return `${value >= 99.95 || Number.isInteger(value) ? Math.round(value) : value < 0.1 ? '<0.1' : value.toFixed(1)} %`;
}
