/**
 * A trace for a terminal: every branch with its end, the numbered hops of request and reply, and at each hop the packet
 * with what changed, what decided, and the line that says so.
 */
import { assertNever } from '../assert-never.ts';
import { headerChanges, headersRemoved } from '../packet/changes.ts';
import type { HeaderChange } from '../packet/changes.ts';
import { describeHeader, icmpName } from '../packet/describe.ts';
import type { PacketHeaders } from '../packet/headers.ts';
import type { Answer, Branch, Hop, Journey, Reason, Step, StepSource, Trace } from './model.ts';

/** Lines joined by newlines, the last one ended too; no colour, so that it is the same in a file and in a test. */
export function renderTrace(trace: Trace): string {
  const many = trace.branches.length > 1;
  const lines = [`${trace.from} -> ${trace.to}${many ? `: ${trace.branches.length} branches` : ''}`];
  for (const [i, branch] of trace.branches.entries()) {
    lines.push('');
    if (many) lines.push(`branch ${i + 1} of ${trace.branches.length}, probability ${percent(branch.probability)}`);
    lines.push(...branchLines(branch));
  }
  return `${lines.join('\n')}\n`;
}

/** Two decimals at most: 33.33 %, 50 %. */
const percent = (probability: number): string => `${Math.round(probability * 10_000) / 100} %`;

function branchLines(branch: Branch): readonly string[] {
  const request = branch.request.hops;
  const lines = [endOf(branch), `answer: ${describeAnswer(branch.answer)}`, '', 'request', ...hopLines(request, 0)];
  if (branch.reply !== null) lines.push('', `reply: ${journeyEnd(branch.reply)}`, ...hopLines(branch.reply.hops, request.length));
  return lines;
}

function endOf(branch: Branch): string {
  const to = branch.deliveredTo;
  const seen = branch.seenAs === null ? '' : `, which sees ${withPort(branch.seenAs.address, branch.seenAs.port)}`;
  const receiver = to === null ? '' : ` to ${to.kind} ${to.name} at ${withPort(to.address, to.port)}${seen}`;
  return `${branch.outcome}${receiver}${reasonOf(branch.reason)}`;
}

const reasonOf = (reason: Reason | null): string => (reason === null ? '' : `: ${reason.sentence} [${reason.code}]`);

const journeyEnd = (journey: Journey): string => `${journey.outcome}${reasonOf(journey.reason)}`;

const withPort = (address: string, port: number | null): string =>
  port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

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

/** Behind a hop's number; headers, steps and sources line up below it. */
const INDENT = ' '.repeat(6);

/** `before`: hops that are numbered already. */
function hopLines(hops: readonly Hop[], before: number): readonly string[] {
  return hops.flatMap((hop, i) => [
    `${String(before + i + 1).padStart(4)}  ${placeOf(hop)} ${hop.direction}`,
    ...packetLines(hops[i - 1]?.packet ?? null, hop.packet),
    ...hop.steps.flatMap((step) => stepLines(step)),
  ]);
}

/** `host1 cni0`, `host1 pod default/pod1 eth0`. */
const placeOf = (hop: Hop): string =>
  hop.namespace === 'root' ? `${hop.host} ${hop.interface}` : `${hop.host} pod ${hop.namespace} ${hop.interface}`;

/** A header that changed is marked `~` and says what it was, a new one `+`, those that were taken off `-`. */
function packetLines(before: PacketHeaders | null, packet: PacketHeaders): readonly string[] {
  const removed = headersRemoved(before, packet);
  const changes = headerChanges(before, packet);
  if (before !== null && removed === 0 && changes.every((each) => each.change === 'same')) return [`${INDENT}= the same packet`];
  const unwrapped = removed === 0 ? [] : [`${INDENT}- ${before?.slice(0, removed).map(describeHeader).join(' / ') ?? ''}`];
  const quote = quoteStart(packet);
  return [...unwrapped, ...changes.map((each, i) => `${INDENT}${MARKS[each.change]} ${i < quote ? '' : '| '}${describeHeader(each.header)}${wasOf(each)}`)];
}

/** Where the packet begins that an ICMP error quotes; it is set off by a bar. */
function quoteStart(packet: PacketHeaders): number {
  const error = packet.findIndex((each, i) => (each.header === 'icmp' || each.header === 'icmpv6') && packet[i + 1]?.header.startsWith('ip') === true);
  return error < 0 ? packet.length : error + 1;
}

const MARKS: Readonly<Record<HeaderChange['change'], string>> = { same: ' ', changed: '~', added: '+' };

/** MACs change at every router: the hop before shows what they were. */
const wasOf = (change: HeaderChange): string =>
  change.was.length === 0 || change.header.header === 'ethernet' ? '' : `   (${change.was.map(({ field, value }) => `${FIELDS[field] ?? field} was ${value}`).join(', ')})`;

/** Fields whose names are two words. */
const FIELDS: Readonly<Record<string, string>> = {
  hopLimit: 'hop limit', sourcePort: 'source port', destinationPort: 'destination port', etherType: 'type', nextHeader: 'next header',
  dontFragment: 'DF', moreFragments: 'MF', fragmentOffset: 'offset',
};

function stepLines(step: Step): readonly string[] {
  const detail = detailOf(step);
  const source = `[${describeSource(step.source)}]`;
  const head = `${INDENT}* ${step.stage}: ${step.sentence}`;
  return detail === null || detail === step.sentence ? [`${head} ${source}`] : [head, `${INDENT}    ${detail} ${source}`];
}

/** `demo.k8snet:22`, or who derived it from what. */
export function describeSource(source: StepSource): string {
  if (!('derivedBy' in source)) return `${source.file}:${source.line}, ${source.layer}`;
  const at = source.file === undefined ? '' : `, ${source.file}${source.line === undefined ? '' : `:${source.line}`}`;
  return `derived by ${source.derivedBy} (${source.because})${at}`;
}

/** The state that decided, in its tool's own notation; `null` where the sentence says it all. */
function detailOf(step: Step): string | null {
  switch (step.stage) {
    case 'name': return `${step.query} -> ${step.answer}`;
    case 'policy-rule': return step.rule;
    case 'route': return step.table === 254 ? step.route : `${step.route} (table ${step.table === 255 ? 'local' : step.table})`;
    case 'neighbour': return step.mac === null ? `${step.address}: no MAC (${step.how})` : `${step.address} lladdr ${step.mac} (${step.how})`;
    case 'bridge': return `${step.bridge} -> ${step.ports.join(', ') || 'no port'} (${step.how})`;
    case 'fdb': return `${step.mac} dst ${step.destination ?? 'none'} (${step.how})`;
    case 'netfilter': return netfilterDetail(step);
    case 'conntrack': return `${step.hook} ${step.state}: ${step.original}, reply ${step.reply}`;
    case 'nat': return `${step.hook} ${step.change}: ${step.before} -> ${step.after} (${step.by})`;
    case 'encapsulate': case 'decapsulate': return step.vni === null ? `${step.kind} ${step.remote}` : `${step.kind} vni ${step.vni} ${step.remote}`;
    case 'icmp-error': return `type ${step.type}, code ${step.code}, to ${step.to}`;
    case 'drop': case 'undecided': return step.reason.sentence === step.sentence ? step.reason.code : `${step.reason.code}: ${step.reason.sentence}`;
    case 'deliver': return step.listener;
    case 'send': case 'source-check': case 'forward': case 'fragment': case 'assumption': return null;
    default: return assertNever(step);
  }
}

function netfilterDetail(step: Extract<Step, { readonly stage: 'netfilter' }>): string {
  const number = step.number === null ? '' : ` ${step.number}`;
  const place = `${step.hook} ${step.table} ${step.chain} ${step.event}${number}`;
  return `${place}: ${step.rule === null ? '' : `${step.rule} `}=> ${step.verdict}`;
}
