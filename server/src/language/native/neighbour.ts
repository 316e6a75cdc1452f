/** `ip neigh`: iproute2's ipneigh.c print_neigh(). */
import { parseAddress, parseMac } from '../../../../engine/src/net/address.ts';
import type { Mac } from '../../../../engine/src/net/address.ts';
import type { Neighbour, NeighbourState } from '../../../../engine/src/topology/model.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, LineProblem } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { cursorOver, wordsOf } from './words.ts';

export type NeighbourBody = Omit<Neighbour, 'origin'>;

export interface NeighbourLine {
  /** `null` on an empty line and where the entry cannot be used. */
  readonly neighbour: NeighbourBody | null;
  readonly problems: readonly LineProblem[];
}

const STATES: readonly NeighbourState[] = ['permanent', 'noarp', 'reachable', 'stale', 'delay', 'probe', 'incomplete', 'failed', 'proxy'];
const IGNORED = ['router', 'extern_learn', 'managed', 'offload'];
const IGNORED_WITH_VALUE = ['ref', 'used', 'probes', 'proto', 'nhid', 'vid'];
const KEYWORDS = ['dev', 'lladdr', 'nud', ...IGNORED, ...IGNORED_WITH_VALUE, ...STATES.map((s) => (s === 'proxy' ? s : s.toUpperCase()))];

export function readNeighbourLine(text: string): NeighbourLine {
  const { problems, report } = reporter();
  const cursor = cursorOver(wordsOf(text));
  const first = cursor.take();
  if (first === undefined || first.text.startsWith('#')) return { neighbour: null, problems };
  const address = parseAddress(first.text);
  if (address === undefined) {
    report(first, 'bad-value', `\`${first.text}\` is no address: a neighbour's line begins with one, such as 10.0.5.0.`);
    return { neighbour: null, problems };
  }
  // `ip -br neigh` has columns for the device and the MAC, and no words between.
  const brief = cursor.peek();
  if (brief !== undefined && !KEYWORDS.includes(brief.text) && brief.text !== 'NONE') {
    report(brief, 'unknown-word', `\`ip neigh\` prints no \`${brief.text}\` here: a line goes on with \`dev\`, and what \`ip -br neigh\` prints says too little.`, { suggestion: closest(brief.text, KEYWORDS) ?? null });
    return { neighbour: null, problems };
  }
  let device: string | null = null;
  let mac: Mac | null = null;
  let state: NeighbourState | null = null;
  let usable = true;
  for (let word = cursor.take(); word !== undefined; word = cursor.take()) {
    const lower = word.text.toLowerCase();
    const named = STATES.find((s) => s === lower);
    if (named !== undefined) state = named;
    else if (word.text === 'NONE') {
      usable = false;
      report(word, 'not-modelled', 'This neighbour is left out: an entry without a state is not used.', { severity: 'warning' });
    } else if (IGNORED.includes(word.text) || word.text === 'nud') continue;
    else if (word.text === 'dev' || word.text === 'lladdr' || IGNORED_WITH_VALUE.includes(word.text)) {
      const value = cursor.take();
      // `ip -s neigh` prints `used 0/0/0probes 4`, without a blank between.
      if (word.text === 'used' && value?.text.endsWith('probes') === true) cursor.take();
      if (value === undefined) report(word, 'missing-value', `The value of \`${word.text}\` is missing.`);
      else if (word.text === 'dev') device = value.text;
      else if (word.text === 'lladdr') {
        mac = parseMac(value.text) ?? null;
        if (mac === null) report(value, 'bad-value', `\`${value.text}\` is no MAC address: write six bytes such as 0a:58:0a:00:05:96.`);
      }
    } else report(word, 'unknown-word', `\`ip neigh\` prints no \`${word.text}\` here.`, { suggestion: closest(word.text, KEYWORDS) ?? null });
  }
  if (device === null) report(first, 'missing-value', 'The device is missing: `ip neigh` prints `dev NAME` where it is not asked for one device.');
  if (device === null || !usable) return { neighbour: null, problems };
  // `ip neigh add` without a state makes a permanent entry.
  const known = state ?? 'permanent';
  const resolved = known !== 'incomplete' && known !== 'failed' && known !== 'proxy';
  if (resolved && mac === null && known !== 'noarp') {
    if (problems.length === 0) report(first, 'missing-value', `The MAC is missing: an entry that is ${known.toUpperCase()} has \`lladdr\`.`);
    return { neighbour: null, problems };
  }
  return { neighbour: { device, address, mac: resolved ? mac : null, state: known, text: text.trim() }, problems };
}

export function readNeighbours(lines: readonly DumpLine[]): { readonly neighbours: readonly Neighbour[]; readonly problems: readonly DumpProblem[] } {
  const readings = lines.map((line) => ({ ...readNeighbourLine(line.text), at: line.at }));
  return {
    neighbours: readings.flatMap(({ neighbour, at }) => (neighbour === null ? [] : [{ ...neighbour, origin: captured(at) }])),
    problems: readings.flatMap(({ problems }, index) => onLine(problems, index)),
  };
}
