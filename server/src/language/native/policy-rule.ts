/** `ip rule`, `ip -6 rule`: iproute2's iprule.c print_rule(). */
import type { Family } from '../../../../engine/src/net/address.ts';
import { parsePrefix } from '../../../../engine/src/net/address.ts';
import { DEFAULT_TABLE } from '../../../../engine/src/topology/model.ts';
import type { CapturedRule } from '../../../../engine/src/topology/spec.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, LineProblem, Report } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import { protocolNumber } from './iptables/names.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { tableNumber } from './route.ts';
import type { Cursor, Word } from './words.ts';
import { cursorOver, wordsOf } from './words.ts';

/** Of the family of its addresses; `null` where it has none. */
type PolicyRuleBody = Omit<CapturedRule, 'origin'>;

export interface PolicyRuleLine {
  readonly rule: PolicyRuleBody | null;
  /** `# ip -6 rule`: the rules below it are of this family. */
  readonly heads: Family | null;
  readonly problems: readonly LineProblem[];
}

type Draft = { -readonly [K in keyof PolicyRuleBody]: PolicyRuleBody[K] } & { suppress: number | null; unknown: string | null };

/** Selectors that are printed and not modelled: a packet that comes to such a rule cannot be told to match or not. */
const UNKNOWN_SELECTORS = ['uidrange', 'sport', 'dport', 'tos', 'dsfield', 'dscp', 'tun_id', 'suppress_ifgroup'];
/** A realm is for accounting; `map-to` and `masquerade` do nothing since Linux 2.6. */
const IGNORED_WITH_VALUE = ['proto', 'protocol', 'realms', 'map-to'];
/** No packet comes in by a device that is not there. */
const IGNORED = ['[detached]', 'masquerade'];
const ACTIONS = ['unreachable', 'blackhole', 'prohibit', 'nop'] as const;
/** As `ip -N` prints them (linux/rtnetlink.h). */
const ACTION_NUMBERS: ReadonlyMap<string, (typeof ACTIONS)[number]> = new Map([['6', 'blackhole'], ['7', 'unreachable'], ['8', 'prohibit']]);
const KEYWORDS = ['not', 'from', 'to', 'fwmark', 'iif', 'oif', 'ipproto', 'lookup', 'goto', 'l3mdev', 'suppress_prefixlength', ...ACTIONS, ...UNKNOWN_SELECTORS, ...IGNORED_WITH_VALUE];

export function readPolicyRuleLine(text: string): PolicyRuleLine {
  const { problems, report } = reporter();
  const cursor = cursorOver(wordsOf(text));
  const first = cursor.take();
  if (first === undefined || first.text.startsWith('#')) return { rule: null, heads: headed(text), problems };
  if (!/^\d+:$/.test(first.text) || Number.parseInt(first.text, 10) > 0xffff_ffff) {
    report(first, 'bad-value', `\`${first.text}\` is no priority: a line of \`ip rule\` begins with one, such as \`32766:\`.`);
    return { rule: null, heads: null, problems };
  }
  const draft: Draft = {
    family: null, priority: Number.parseInt(first.text, 10), inverted: false, from: null, to: null, inInterface: null, outInterface: null, mark: null, protocol: null,
    action: { kind: 'nop' }, text: text.trim(), suppress: null, unknown: null,
  };
  let acts = false;
  for (let word = cursor.take(); word !== undefined; word = cursor.take()) acts = readWord(word, cursor, draft, report) || acts;
  const { suppress, unknown, ...rule } = draft;
  if (unknown !== null) return { rule: { ...rule, action: { kind: 'unknown', text: unknown } }, heads: null, problems };
  if (!acts) {
    report(first, 'missing-value', 'This rule says nothing to do: `lookup TABLE`, `unreachable`, `blackhole`, `prohibit` or `goto` is missing.');
    return { rule: null, heads: null, problems };
  }
  const action = rule.action.kind === 'lookup' ? { ...rule.action, suppressPrefixLength: suppress } : rule.action;
  return { rule: { ...rule, action }, heads: null, problems };
}

function headed(text: string): Family | null {
  const options = /^#\s*\$?\s*ip ((?:-\S+ )*)ru(?:le)?\b/.exec(text.trim())?.[1];
  return options === undefined ? null : /(^| )-(6|f(amily)? inet6) /.test(options) ? 6 : 4;
}

/** True where the word is the rule's action. */
function readWord(word: Word, cursor: Cursor, draft: Draft, report: Report): boolean {
  const { text } = word;
  const simple = ACTIONS.find((action) => action === text) ?? ACTION_NUMBERS.get(text);
  if (simple !== undefined) {
    draft.action = { kind: simple };
    return true;
  }
  if (text === 'not') draft.inverted = true;
  if (text === 'not' || IGNORED.includes(text)) return false;
  if (text === '[unresolved]') {
    // A goto whose rule is not there is passed over (net/core/fib_rules.c: fib_rules_lookup).
    draft.action = { kind: 'nop' };
    return true;
  }
  if (text === 'l3mdev') {
    leaveOpen(word, null, draft, report);
    return true;
  }
  if (!KEYWORDS.includes(text)) {
    report(word, 'unknown-word', `\`ip rule\` prints no \`${text}\` here: a trace that comes to this rule ends undecided.`, { suggestion: closest(text, KEYWORDS) ?? null });
    draft.unknown ??= text;
    return false;
  }
  const value = cursor.take();
  if (value === undefined) {
    report(word, 'missing-value', `The value of \`${text}\` is missing.`);
    draft.unknown ??= text;
    return false;
  }
  return readValue(word, value, draft, report);
}

function leaveOpen(word: Word, value: Word | null, draft: Draft, report: Report): void {
  report(word, 'not-modelled', `k8snet does not model \`${word.text}\` in a rule: a trace that comes to this rule ends undecided.`, { severity: 'warning' });
  draft.unknown ??= value === null ? word.text : `${word.text} ${value.text}`;
}

function readValue(word: Word, value: Word, draft: Draft, report: Report): boolean {
  const bad = (expected: string): false => {
    report(value, 'bad-value', `\`${value.text}\` is no value of \`${word.text}\`: write ${expected}.`);
    draft.unknown ??= `${word.text} ${value.text}`;
    return false;
  };
  switch (word.text) {
    case 'from':
    case 'to': {
      const prefix = value.text === 'all' || value.text === 'default' ? null : parsePrefix(value.text);
      if (prefix === undefined || (prefix !== null && draft.family !== null && prefix.address.family !== draft.family)) return bad(draft.family === null ? '`all` or a prefix' : `\`all\` or an IPv${draft.family} prefix`);
      draft[word.text] = prefix;
      draft.family ??= prefix?.address.family ?? null;
      return false;
    }
    case 'fwmark': {
      const mark = readMark(value.text);
      if (mark === undefined) return bad('a mark such as 0x4000/0x4000');
      draft.mark = mark;
      return false;
    }
    case 'iif':
      draft.inInterface = value.text;
      return false;
    case 'oif':
      draft.outInterface = value.text;
      return false;
    case 'ipproto':
      // `ip -N` prints `ipproto-6`.
      draft.protocol = protocolNumber(value.text.replace(/^ipproto-/, '')) ?? null;
      return draft.protocol === null ? bad('a protocol such as tcp') : false;
    case 'suppress_prefixlength':
      draft.suppress = /^\d+$/.test(value.text) ? Number(value.text) : null;
      return draft.suppress === null ? bad('a prefix length') : false;
    case 'lookup': {
      if (value.text === '[l3mdev-table]') {
        leaveOpen(word, value, draft, report);
        return true;
      }
      const table = tableNumber(value.text);
      if (table === undefined) return bad('a number, `main`, `local` or `default` (`ip -N rule` prints numbers)');
      draft.action = { kind: 'lookup', table, suppressPrefixLength: null };
      return true;
    }
    case 'goto': {
      if (!/^\d+$/.test(value.text)) return bad('the priority of a later rule');
      draft.action = { kind: 'goto', priority: Number(value.text) };
      return true;
    }
    default:
      if (UNKNOWN_SELECTORS.includes(word.text)) leaveOpen(word, value, draft, report);
      return false;
  }
}

function readMark(text: string): { value: number; mask: number } | undefined {
  const m = /^(0x[0-9a-f]+|\d+)(?:\/(0x[0-9a-f]+|\d+))?$/i.exec(text);
  if (m === null) return undefined;
  const value = Number(m[1]);
  const mask = m[2] === undefined ? 0xffff_ffff : Number(m[2]);
  return value > 0xffff_ffff || mask > 0xffff_ffff ? undefined : { value, mask };
}

interface ReadLine {
  readonly reading: PolicyRuleLine;
  readonly at: DumpLine['at'];
}

/** A whole dump, or those of both families one below the other. */
export const readPolicyRules = (lines: readonly DumpLine[]): ReturnType<typeof assemblePolicyRules> =>
  assemblePolicyRules(lines.map(({ text, at }) => ({ reading: readPolicyRuleLine(text), at })));

/** The same from lines that were read before, one by one. */
export function assemblePolicyRules(lines: readonly ReadLine[]): { readonly rules: readonly CapturedRule[]; readonly problems: readonly DumpProblem[] } {
  return {
    rules: dumpsOf(lines).flatMap((dump) => dump.rules.map((rule) => ({ ...rule, family: rule.family ?? dump.family }))),
    problems: lines.flatMap(({ reading }, index) => onLine(reading.problems, index)),
  };
}

interface Dump {
  readonly family: Family | null;
  readonly rules: readonly CapturedRule[];
}

/** The kernel tells its rules by rising priority: where it falls, another dump begins, and so it does below a command. */
function dumpsOf(lines: readonly ReadLine[]): readonly Dump[] {
  const dumps: { head: Family | null; readonly rules: CapturedRule[] }[] = [];
  for (const { reading: { rule, heads }, at } of lines) {
    const current = dumps.at(-1);
    if (heads !== null) dumps.push({ head: heads, rules: [] });
    if (rule === null) continue;
    const located = { ...rule, origin: captured(at) };
    if (current === undefined || rule.priority < (current.rules.at(-1)?.priority ?? 0)) dumps.push({ head: null, rules: [located] });
    else current.rules.push(located);
  }
  return dumps.map(({ head, rules }) => ({ family: head ?? familyOf(rules), rules }));
}

/** By an address; the rule of table default is in every IPv4 namespace and in none of IPv6 (net/ipv4/fib_rules.c: fib_default_rules_init). */
function familyOf(rules: readonly CapturedRule[]): Family | null {
  const told = new Set(rules.flatMap((rule) => rule.family ?? (rule.action.kind === 'lookup' && rule.action.table === DEFAULT_TABLE ? 4 : [])));
  const [family] = told;
  return told.size === 1 ? (family ?? null) : null;
}
