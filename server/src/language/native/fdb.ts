/** `bridge fdb show`: iproute2's bridge/fdb.c print_fdb(). */
import { parseAddress, parseMac } from '../../../../engine/src/net/address.ts';
import type { FdbEntry } from '../../../../engine/src/topology/model.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, LineProblem, Report } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import { closest } from '../../../../engine/src/closest.ts';
import type { Cursor, Word } from './words.ts';
import { cursorOver, wordsOf } from './words.ts';

export type FdbBody = Omit<FdbEntry, 'origin'>;

export interface FdbLine {
  readonly entry: FdbBody | null;
  readonly problems: readonly LineProblem[];
}

type Draft = { -readonly [K in keyof FdbBody]: FdbBody[K] };

const IGNORED = ['self', 'static', 'offload', 'extern_learn', 'extern_learned', 'sticky', 'local', 'dynamic', 'locked', 'added_by_user', 'added_by_ext', 'router'];
const IGNORED_WITH_VALUE = ['used', 'state', 'src_vni', 'link-netnsid', 'link-netns', 'activity_notify'];
const KEYWORDS = ['dev', 'master', 'dst', 'port', 'vni', 'via', 'vlan', 'permanent', 'nhid', ...IGNORED, ...IGNORED_WITH_VALUE];

export function readFdbLine(text: string): FdbLine {
  const { problems, report } = reporter();
  const cursor = cursorOver(wordsOf(text));
  const first = cursor.take();
  if (first === undefined || first.text.startsWith('#')) return { entry: null, problems };
  const mac = parseMac(first.text);
  if (mac === undefined) {
    report(first, 'bad-value', `\`${first.text}\` is no MAC address: a line of \`bridge fdb\` begins with one.`);
    return { entry: null, problems };
  }
  const draft: Draft = { device: '', mac, master: null, destination: null, port: null, vni: null, via: null, permanent: false, text: text.trim() };
  let usable = true;
  for (let word = cursor.take(); word !== undefined; word = cursor.take()) usable = readWord(word, cursor, draft, report) && usable;
  if (draft.device === '') report(first, 'missing-value', 'The device is missing: write `dev NAME`.');
  return { entry: usable && draft.device !== '' ? draft : null, problems };
}

/** False where the entry cannot be used without what the word says. */
function readWord(word: Word, cursor: Cursor, draft: Draft, report: Report): boolean {
  if (word.text === 'permanent') draft.permanent = true;
  if (word.text === 'permanent' || IGNORED.includes(word.text)) return true;
  if (!KEYWORDS.includes(word.text)) {
    report(word, 'unknown-word', `\`bridge fdb\` prints no \`${word.text}\` here.`, { suggestion: closest(word.text, KEYWORDS) ?? null });
    return true;
  }
  const value = cursor.take();
  if (value === undefined) {
    report(word, 'missing-value', `The value of \`${word.text}\` is missing.`);
    return false;
  }
  switch (word.text) {
    case 'dev':
      draft.device = value.text;
      return true;
    case 'master':
      draft.master = value.text;
      return true;
    case 'via':
      draft.via = value.text;
      return true;
    case 'dst':
      draft.destination = parseAddress(value.text) ?? null;
      if (draft.destination === null) report(value, 'bad-value', `\`${value.text}\` is no address of a VTEP.`);
      return draft.destination !== null;
    case 'port':
      draft.port = readNumber(value, 65535, report);
      return true;
    case 'vni':
      draft.vni = readNumber(value, 0xff_ffff, report);
      return true;
    case 'vlan':
      // The untagged VLAN of a port without filtering is 1; tags are another matter.
      if (value.text === '1') return true;
      report(word, 'not-modelled', 'k8snet does not model VLANs on a bridge: a trace that comes to this entry ends undecided.', { severity: 'warning' });
      draft.unmodelled = 'VLAN';
      return true;
    case 'nhid':
      report(word, 'not-modelled', 'k8snet does not model nexthop groups of a VXLAN device: a trace that comes to this entry ends undecided.', { severity: 'warning' });
      draft.unmodelled = 'nexthop group';
      return true;
    default:
      return true;
  }
}

function readNumber(word: Word, max: number, report: Report): number | null {
  const n = /^\d+$/.test(word.text) ? Number(word.text) : -1;
  if (n >= 0 && n <= max) return n;
  report(word, 'bad-value', `\`${word.text}\` cannot stand here: write a number from 0 to ${max}.`);
  return null;
}

export function readFdb(lines: readonly DumpLine[]): { readonly entries: readonly FdbEntry[]; readonly problems: readonly DumpProblem[] } {
  const readings = lines.map((line) => ({ ...readFdbLine(line.text), at: line.at }));
  return {
    entries: readings.flatMap(({ entry, at }) => (entry === null ? [] : [{ ...entry, origin: captured(at) }])),
    problems: readings.flatMap(({ problems }, index) => onLine(problems, index)),
  };
}
