/**
 * A trace in a few words: what each step did, what decided a hop, and which lines of the file took part. The picture,
 * the table and the notes at the lines' ends all say it in these words.
 */
import { assertNever } from '../assert-never.ts';
import { journeysOf } from './journeys.ts';
import type { Branch, Hop, Step } from './model.ts';
import { jumpTarget, withoutEffect } from './walks.ts';

export interface Annotation {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Numbers of the hops, from 1, through all journeys of the branch. */
  readonly hops: readonly number[];
  /** `DNAT → 10.0.0.46:53` */
  readonly note: string;
  /** The sentences of the steps, each once, in the order of the trace. */
  readonly details: readonly string[];
}

export interface StepNote {
  readonly text: string;
  /** Which of several notes says most: an end above a translation, that above an encapsulation, a route, a lookup. */
  readonly weight: number;
}

const END = 6;
const TRANSLATED = 5;
const TUNNELLED = 4;
const ROUTED = 3;
const LOOKED_UP = 2;
const ASIDE = 1;
const JUMP = 0;

const note = (text: string, weight: number): StepNote => ({ text, weight });

/** `null` where the step changed and decided nothing that a reader would look for. */
export function noteOf(step: Step): StepNote | null {
  switch (step.stage) {
    case 'name': return nameNote(step);
    case 'send': return null;
    case 'policy-rule': return step.table >= 253 ? null : note(`lookup ${step.table}`, ASIDE);
    case 'route': return routeNote(step);
    case 'source-check': return step.verdict === 'pass' ? null : note('martian source', END);
    case 'neighbour': return neighbourNote(step);
    case 'bridge': return step.how === 'local' ? null : note(`${step.how === 'flood' ? 'flooded' : 'bridged'} → ${step.ports.join(', ') || 'no port'}`, ASIDE);
    case 'fdb': return note(step.destination === null ? 'no FDB entry' : `FDB → ${step.destination}`, LOOKED_UP);
    case 'netfilter': return netfilterNote(step);
    case 'conntrack': return null;
    case 'nat': return natNote(step);
    case 'network-policy': return note(`${step.direction} policy ${step.verdict === 'allow' ? 'allows' : step.verdict === 'deny' ? 'denies' : 'leaves open'}`, TRANSLATED);
    case 'forward': return null;
    case 'encapsulate': return note(`${step.kind.toUpperCase()} → ${step.remote}`, TUNNELLED);
    case 'decapsulate': return note(`${step.kind.toUpperCase()} from ${step.remote}`, TUNNELLED);
    case 'fragment': return note(`fragmented to ${step.mtu}`, TUNNELLED);
    case 'path-mtu': return note(`path MTU ${step.mtu}`, TRANSLATED);
    case 'icmp-error': return note(`ICMP ${step.type}/${step.code} → ${step.to}`, TRANSLATED);
    case 'deliver': return note('delivered', END);
    case 'drop': return note(`✕ ${step.reason.code}`, END);
    case 'assumption': return null;
    case 'undecided': return note(`? ${step.reason.code}`, END);
    default: return assertNever(step);
  }
}

function routeNote(step: Extract<Step, { stage: 'route' }>): StepNote {
  if (step.route.startsWith('local ')) return note('local', ASIDE);
  if (step.device === null) return note(step.route.split(' ', 1)[0] ?? 'no route', ROUTED);
  return note(step.via === null ? `→ ${step.device}` : `→ ${step.device} via ${step.via}`, ROUTED);
}

function neighbourNote(step: Extract<Step, { stage: 'neighbour' }>): StepNote {
  if (step.mac === null) return note(`nobody is ${step.address}`, LOOKED_UP);
  return note(step.how === 'l3miss' ? `flanneld: ${step.address} is at ${step.mac}` : `${step.address} is at ${step.mac}`, LOOKED_UP);
}

/** A name that is not found, on the way through the search list, is worth no more than a lookup. */
function nameNote(step: Extract<Step, { stage: 'name' }>): StepNote {
  const address = /^(?:A|AAAA) (.+)$/.exec(step.answer)?.[1];
  return address === undefined ? note(`DNS: ${step.answer}`, ASIDE) : note(`DNS → ${address}`, ROUTED);
}

/** A jump is worth a word only on its own rule's line; what ends the walk is worth one in the picture too. */
function netfilterNote(step: Extract<Step, { stage: 'netfilter' }>): StepNote | null {
  if (step.event !== 'rule') return null;
  const target = jumpTarget(step);
  if (target !== null) return note(`→ ${target}`, JUMP);
  const ends = /^(DROP|REJECT)/i.test(step.verdict);
  return note(step.verdict, ends ? TRANSLATED : ASIDE);
}

function natNote(step: Extract<Step, { stage: 'nat' }>): StepNote {
  return note(`${natWord(step)} → ${step.after}`, TRANSLATED);
}

/** In the flow's other direction a translation is the mirror image: a reply's source undoes the request's DNAT. */
export function natWord({ change, ctdir }: Extract<Step, { stage: 'nat' }>): 'DNAT' | 'SNAT' | 'un-DNAT' | 'un-SNAT' {
  if (ctdir === 'ORIGINAL') return change === 'destination' ? 'DNAT' : 'SNAT';
  return change === 'destination' ? 'un-SNAT' : 'un-DNAT';
}

/** The hop's notes, the weightiest first, each once; equals stay in the order of the trace. */
export function notesOf(hop: Hop): readonly StepNote[] {
  const notes = new Map<string, StepNote>();
  for (const step of hop.steps) {
    const found = noteOf(step);
    if (found !== null && !notes.has(found.text)) notes.set(found.text, found);
  }
  return [...notes.values()].sort((a, b) => b.weight - a.weight);
}

/** The step that says most of where the packet went from here, and has a line to open where any such step has one. */
export function decidingStep(hop: Hop): Step | null {
  let best: Step | null = null;
  let bestWeight = -1;
  for (const step of hop.steps) {
    const weight = (noteOf(step)?.weight ?? 0) + (lineOf(step) === null ? 0 : 10);
    if (weight > bestWeight) {
      best = step;
      bestWeight = weight;
    }
  }
  return best;
}

export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** The line that caused the step: its own, or the declaration that led to derived state. */
export function lineOf(step: Step): SourceLine | null {
  const { source } = step;
  return source.file === undefined || source.line === undefined ? null : { file: source.file, line: source.line };
}

/** Every hop of the branch in the order of its numbers. */
export const hopsOf = (branch: Branch): readonly Hop[] => journeysOf(branch).flatMap(({ hops }) => hops);

interface Gathered {
  readonly file: string;
  readonly line: number;
  readonly hops: Set<number>;
  readonly notes: Map<string, StepNote>;
  readonly details: Set<string>;
}

/** One note a line of the file that took part in the branch, in the order in which the packet came to the lines. */
export function annotate(branch: Branch): readonly Annotation[] {
  const lines = new Map<string, Gathered>();
  for (const [i, hop] of hopsOf(branch).entries()) {
    const idle = withoutEffect(hop.steps);
    for (const [s, step] of hop.steps.entries()) {
      // What kube-proxy programs everywhere and what let the packet on would mark the same line at every hop.
      if (!(idle.has(s) && 'derivedBy' in step.source)) gather(lines, i + 1, step);
    }
  }
  return [...lines.values()].map(({ file, line, hops, notes, details }) => ({
    file, line, hops: [...hops], note: inWords([...notes.values()]), details: [...details],
  }));
}

function gather(lines: Map<string, Gathered>, number: number, step: Step): void {
  const at = lineOf(step);
  if (at === null) return;
  const key = `${at.file}\n${at.line}`;
  let line = lines.get(key);
  if (line === undefined) {
    line = { ...at, hops: new Set(), notes: new Map(), details: new Set() };
    lines.set(key, line);
  }
  line.hops.add(number);
  line.details.add(step.sentence);
  const found = noteOf(step);
  if (found !== null) line.notes.set(found.text, found);
}

/** At most two notes fit at a line's end; notes of least weight stand only where nothing else does. */
function inWords(notes: readonly StepNote[]): string {
  const sorted = [...notes].sort((a, b) => b.weight - a.weight);
  const worth = sorted.filter((n) => n.weight === sorted[0]?.weight);
  return worth.length <= 2 ? worth.map((n) => n.text).join(', ') : `${worth.slice(0, 2).map((n) => n.text).join(', ')} …`;
}
