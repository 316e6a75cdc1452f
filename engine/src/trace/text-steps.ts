/**
 * The steps of a hop as lines. What decides where a packet goes or what becomes of it stands on a line of its own, behind
 * a word that says what it is; what merely let it pass is told in passing, several on one line.
 */
import { assertNever } from '../assert-never.ts';
import { icmpName } from '../packet/describe.ts';
import { natWord } from './annotate.ts';
import type { Hop, Step, StepSource } from './model.ts';
import { walkAt, walkText } from './text-walk.ts';
import type { WalkEvent } from './text-walk.ts';

type Told =
  | { readonly kind: 'line'; readonly word: string; readonly texts: readonly Sourced[] }
  | { readonly kind: 'passing'; readonly text: string };

interface Sourced {
  readonly text: string;
  /** `null` where the text says it itself. */
  readonly source: StepSource | null;
}

const MARGIN = ' '.repeat(6);
const WORD_WIDTH = 11;
const BELOW = ' '.repeat(MARGIN.length + WORD_WIDTH);
/** In columns; a text that is longer stays on its line, so that it can be found and copied. */
const WIDTH = 120;

export interface StepLines {
  readonly lines: readonly string[];
  /** What was said last of where something came from; it is not said twice in a row. */
  readonly said: string;
}

/** `before`: what the lines above said last. */
export function stepLines(hop: Hop, before: string): StepLines {
  const lines: string[] = [];
  let passing: string[] = [];
  let said = before;
  const flush = (): void => {
    lines.push(...joined(passing));
    passing = [];
  };
  for (const told of toldOf(hop.steps)) {
    if (told.kind === 'passing') {
      passing.push(told.text);
      continue;
    }
    flush();
    for (const [i, { text, source }] of told.texts.entries()) {
      const from = source === null ? '' : describeSource(source);
      lines.push(`${i === 0 ? `${MARGIN}${told.word.padEnd(WORD_WIDTH)}` : BELOW}${text}${from === '' || from === said ? '' : `  [${from}]`}`);
      if (from !== '') said = from;
    }
  }
  flush();
  return { lines, said };
}

/** `      · conntrack NEW · nat PREROUTING: 1 chain, nothing applied; policy ACCEPT` */
function joined(passing: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const text of passing) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length + 3 <= WIDTH) lines[lines.length - 1] = `${last} · ${text}`;
    else lines.push(`${MARGIN}· ${text}`);
  }
  return lines;
}

function toldOf(steps: readonly Step[]): readonly Told[] {
  const told: Told[] = [];
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i];
    if (step === undefined || (isLocal(step) && steps[i + 1]?.stage === 'deliver')) continue;
    if (step.stage !== 'netfilter') {
      told.push(...toldAlone(step));
      continue;
    }
    const walk = walkAt(steps, i);
    i += walk.length - 1;
    const next = steps[i + 1];
    const translated = next?.stage === 'nat' && next.by === 'rule' ? next : null;
    if (translated !== null) i++;
    told.push(...walk.assumed.flatMap(toldAlone), toldWalk(walk.events, translated));
  }
  return told;
}

/** A rule that translated is told with what it made of the address. */
function toldWalk(walk: readonly WalkEvent[], translated: Extract<Step, { readonly stage: 'nat' }> | null): Told {
  const { way, deciding, accepted } = walkText(walk);
  const last = deciding.at(-1);
  if (last === undefined) return { kind: 'passing', text: `${way}${accepted === null ? '' : inBrackets(accepted.source)}` };
  const change = translated === null ? [] : [{ text: `${translated.before} → ${translated.after}`, source: null }];
  const rules = deciding.map((event) => ({ text: event.rule ?? `-P ${event.chain} ${event.verdict}`, source: event.source }));
  return line(last.verdict, ...change, { text: way, source: null }, ...rules);
}

const line = (word: string, ...texts: readonly Sourced[]): Told => ({ kind: 'line', word, texts });

const passing = (text: string): readonly Told[] => [{ kind: 'passing', text }];

type Alone = Exclude<Step, { readonly stage: 'netfilter' }>;

function toldAlone(step: Alone): readonly Told[] {
  const { sentence, source } = step;
  const one = (word: string, text: string): readonly Told[] => [line(word, { text, source })];
  switch (step.stage) {
    case 'name': return one('DNS', `${step.query}: ${step.answer}`);
    // Who sends what is in the hop and its packet; why, where the packet before ended.
    case 'send': return [];
    case 'policy-rule': return one('rule', step.rule);
    case 'route': return toldRoute(step);
    case 'source-check': return step.verdict === 'pass' ? [] : one('MARTIAN', sentence);
    case 'neighbour': return toldNeighbour(step);
    // One port, or the host itself: the next hop says so.
    case 'bridge': return step.how !== 'flood' && step.ports.length === 1 ? [] : passing(`${step.bridge} ${step.how === 'flood' ? 'floods' : '→'} ${step.ports.join(', ') || 'no port'}`);
    case 'fdb': return one('FDB', step.destination === null ? `no entry for ${step.mac}` : `${step.mac} dst ${step.destination}${step.how === 'l2miss' ? ' (flanneld answers the L2 miss)' : step.how === 'default' ? ' (the default entry)' : ''}`);
    // A flow that the node knew before decides where the packet goes.
    case 'conntrack': return 'derivedBy' in source ? passing(`conntrack ${step.state}`) : one('conntrack', `${step.state}, known already: ${step.original}, answered ${step.reply}`);
    case 'nat': return one(natWord(step), `${step.change} ${step.before} → ${step.after}, ${step.by === 'rule' ? 'by a rule' : step.ctdir === 'REPLY' ? 'by conntrack' : 'as the known flow is'}`);
    // The next hop's packet shows the TTL.
    case 'forward': return [];
    case 'encapsulate': return passing(`into ${step.kind}${step.vni === null ? '' : ` vni ${step.vni}`} for ${step.remote}`);
    case 'decapsulate': return passing(`out of ${step.kind}${step.vni === null ? '' : ` vni ${step.vni}`} from ${step.remote}`);
    case 'network-policy': return one(step.verdict === 'allow' ? 'policy' : 'POLICY', sentence);
    case 'fragment': return one('fragment', sentence);
    case 'path-mtu': return one('path MTU', `${step.destination} takes at most ${step.mtu} bytes at once`);
    case 'icmp-error': return one('ICMP', `${icmpName(step.to.includes(':') ? 6 : 4, step.type, step.code)}, to ${step.to}`);
    case 'deliver': return [line('delivered', { text: sentence, source: null })];
    case 'drop': return [line('END', { text: `${step.reason.sentence} [${step.reason.code}]`, source: null })];
    case 'assumption': return one('assumed', sentence);
    case 'undecided': return [line('UNDECIDED', { text: `${step.reason.sentence} [${step.reason.code}]`, source: null })];
    default: return assertNever(step);
  }
}

const isLocal = (step: Step): boolean => step.stage === 'route' && step.table === 255 && step.route.startsWith('local ');

function toldRoute(step: Extract<Step, { readonly stage: 'route' }>): readonly Told[] {
  if (isLocal(step)) return passing(`local ${step.route.split(' ', 2)[1] ?? ''}`);
  const table = step.table === 254 || step.route.includes(' table ') ? '' : ` table ${step.table}`;
  return [line('route', { text: `${step.route}${table}`, source: step.source })];
}

function toldNeighbour(step: Extract<Step, { readonly stage: 'neighbour' }>): readonly Told[] {
  const { address, mac, source } = step;
  if (mac === null) return [line('neighbour', { text: `${address}: nobody answers`, source: null })];
  if (step.how === 'l3miss') return [line('neighbour', { text: `${address} is at ${mac} (flanneld answers the L3 miss)`, source })];
  return passing(step.how === 'entry' ? `${address} is at ${mac}${inBrackets(source)}` : `${address} answers from ${mac}`);
}

const inBrackets = (source: StepSource): string =>
  'derivedBy' in source ? (source.derivedBy === 'kernel' ? '' : ` [${source.derivedBy}]`) : ` [${describeSource(source)}]`;

/** `demo.k8snet:22`, or who derived it from what; empty where it is the way of the kernel or our own word. */
function describeSource(source: StepSource): string {
  if (!('derivedBy' in source)) return `${source.file}:${source.line}`;
  if (source.file === undefined) return source.derivedBy === 'kernel' || source.derivedBy === 'k8snet' ? '' : `${source.derivedBy}: ${source.because}`;
  return `${source.derivedBy}: ${source.because}, ${source.file}${source.line === undefined ? '' : `:${source.line}`}`;
}
