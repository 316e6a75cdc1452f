/**
 * A trace for a terminal, to be read by somebody tired: the ends and their reasons first, then the numbered hops of
 * request and reply, with the packet where it changed and what decided its way. The JSON of a trace has every step.
 */
import { assertNever } from '../assert-never.ts';
import { describePacket, endpoint, icmpName } from '../packet/describe.ts';
import { JOURNEY_WORDS, journeysOf } from './journeys.ts';
import type { NamedJourney } from './journeys.ts';
import type { Answer, Branch, Hop, Reason, Trace } from './model.ts';
import { stepLines } from './text-steps.ts';

/** Lines joined by newlines, the last one ended too; no colour, so that it is the same in a file and in a test. */
export function renderTrace(trace: Trace): string {
  const { branches } = trace;
  const title = `${trace.from} -> ${trace.to}`;
  const [first] = branches;
  if (branches.length === 1 && first !== undefined) return text([title, '', endOf(first), answerOf(first), ...secondOf(first), ...journeys(first, null)]);
  const ends = branches.flatMap((branch, i) => [`${String(i + 1).padStart(4)}  ${shareOf(branch).padEnd(8)} ${endOf(branch)}`, ...branch.supposing.map((clause) => `${' '.repeat(15)}if ${clause}`), `${' '.repeat(15)}${answerOf(branch)}`, ...secondOf(branch).map((line) => `${' '.repeat(15)}${line}`)]);
  const details = branches.flatMap((branch, i) => ['', `branch ${i + 1} of ${branches.length}, ${branch.supposing.length === 0 ? shareOf(branch) : `if ${branch.supposing.join(' and ')}`}: ${endOf(branch)}`, ...journeys(branch, i === 0 ? null : (first ?? null))]);
  return text([`${title}: ${branches.length} branches`, '', ...ends, ...details]);
}

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** Two decimals at most: 33.33 %, 50 %. What supposes something has no share. */
const shareOf = ({ probability, supposing }: Branch): string => (supposing.length === 0 ? `${Math.round(probability * 10_000) / 100} %` : 'or');

function endOf(branch: Branch): string {
  const to = branch.deliveredTo;
  const seen = branch.seenAs === null ? '' : `, which sees ${endpoint(branch.seenAs.address, branch.seenAs.port)}`;
  const receiver = to === null ? '' : ` to ${to.kind} ${to.name} at ${endpoint(to.address, to.port)}${seen}`;
  return `${branch.outcome}${receiver}${reasonOf(branch.reason)}`;
}

const reasonOf = (reason: Reason | null): string => (reason === null ? '' : `: ${reason.sentence} [${reason.code}]`);

function answerOf({ answer, reply }: Branch): string {
  const lost = answer.kind === 'none' && reply !== null && reply.outcome !== 'delivered';
  return `answer: ${describeAnswer(answer)}${lost ? `, as what was sent back is ${reply.outcome}${reasonOf(reply.reason)}` : ''}`;
}

const secondOf = ({ second }: Branch): readonly string[] => (second === undefined ? [] : [`the second packet: ${second.outcome}${reasonOf(second.reason)}`]);

/** What the sender finally gets back, in a few words. */
export function describeAnswer(answer: Answer): string {
  const from = answer.from === null ? '' : ` from ${answer.from}`;
  const ttl = answer.ttl === null ? '' : `, ttl ${answer.ttl}`;
  switch (answer.kind) {
    case 'none': return 'none';
    case 'reply': return `a reply${from}${ttl}`;
    case 'reset': return `a reset${from}${ttl}`;
    case 'icmp': return `ICMP ${errorName(answer)}${from}${ttl}`;
    default: return assertNever(answer.kind);
  }
}

const errorName = (answer: Answer): string =>
  answer.type === null ? 'error' : icmpName(answer.from?.includes(':') === true ? 6 : 4, answer.type, answer.code ?? 0);

/** `shown`: the branch that stands above already; the hops that both begin with are not told again. */
function journeys(branch: Branch, shown: Branch | null): readonly string[] {
  return journeysOf(branch).flatMap((journey) => {
    const { name, hops, before } = journey;
    const shared = shown === null || name !== 'request' ? 0 : sharedHops(shown.request.hops, hops);
    const as = shared === 0 ? [] : [`${shared === 1 ? '   1' : `   1 to ${shared}`}  as in branch 1`];
    return ['', headingOf(journey), ...as, ...hopLines(hops, before, shared)];
  });
}

/** How the request ended, and why the others did, stands at the top. */
const headingOf = ({ name, outcome }: NamedJourney): string => (name === 'request' ? name : `${name === 'second' ? 'the ' : ''}${JOURNEY_WORDS[name]}: ${outcome}`);

function sharedHops(shown: readonly Hop[], hops: readonly Hop[]): number {
  const first = hops.findIndex((hop, i) => JSON.stringify(hop) !== JSON.stringify(shown[i]));
  return first < 0 ? hops.length : first;
}

/** `before`: hops that are numbered already; `skipped`: those of these that are told elsewhere. */
function hopLines(hops: readonly Hop[], before: number, skipped: number): readonly string[] {
  const lines: string[] = [];
  const places = hops.map((hop) => `${placeOf(hop)} ${hop.direction}`);
  // Most packets come nowhere twice.
  const alike = new Set(places).size === places.length ? [] : places.map((place, i) => `${place} ${stepLines(hops[i] as Hop, '').lines.join()}`);
  let said = '';
  for (let i = skipped; i < hops.length; i++) {
    const hop = hops[i] as Hop;
    const packet = describePacket(hops[i - 1]?.packet ?? null, hop.packet);
    const steps = stepLines(hop, said);
    ({ said } = steps);
    lines.push(`${numberOf(before + i)}  ${placeOf(hop)} ${hop.direction}${packet === '' ? '' : `   ${packet}`}`, ...steps.lines);
    const round = roundBefore(alike, i + 1);
    if (round === null) continue;
    lines.push(`${numberOf(before + i + 1)} to ${before + i + round.hops + 1}  the same ${round.length} hops again, ${round.hops / round.length} times`);
    i += round.hops;
  }
  return lines;
}

const numberOf = (index: number): string => String(index + 1).padStart(4);

interface Round {
  /** Hops of one time round. */
  readonly length: number;
  /** How many follow that only go round again. */
  readonly hops: number;
}

const LONGEST_ROUND = 24;

/** A packet that goes in a circle is told once round, if what stands before `index` comes at least twice more. */
function roundBefore(alike: readonly string[], index: number): Round | null {
  for (let length = 2; length <= Math.min(LONGEST_ROUND, index); length++) {
    let again = 0;
    while (index + again < alike.length && alike[index + again] === alike[index + again - length]) again++;
    if (again >= 2 * length) return { length, hops: again - (again % length) };
  }
  return null;
}

/** `host1 cni0`, `host1 pod default/pod1 eth0`. */
const placeOf = (hop: Hop): string =>
  hop.namespace === 'root' ? `${hop.host} ${hop.interface}` : `${hop.host} pod ${hop.namespace} ${hop.interface}`;
