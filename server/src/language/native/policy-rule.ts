/** `ip rule`: iproute2's iprule.c print_rule(). */
import type { Family } from '../../../../engine/src/net/address.ts';
import { parsePrefix } from '../../../../engine/src/net/address.ts';
import type { PolicyRule } from '../../../../engine/src/topology/model.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, LineProblem, Report } from './dump.ts';
import { onLine, reporter } from './dump.ts';
import { protocolNumber } from './iptables/names.ts';
import { closest } from '../../../../engine/src/closest.ts';
import { tableNumber } from './route.ts';
import type { Cursor, Word } from './words.ts';
import { cursorOver, wordsOf } from './words.ts';

export type PolicyRuleBody = Omit<PolicyRule, 'origin'>;

export interface PolicyRuleLine {
  readonly rule: PolicyRuleBody | null;
  readonly problems: readonly LineProblem[];
}

type Draft = { -readonly [K in keyof PolicyRuleBody]: PolicyRuleBody[K] } & { suppress: number | null; unknown: string | null };

/** Selectors that are printed and not modelled: a packet that comes to such a rule cannot be told to match or not. */
const UNKNOWN_SELECTORS = ['uidrange', 'sport', 'dport', 'tos', 'dsfield', 'dscp', 'tun_id', 'suppress_ifgroup', 'realms'];
const IGNORED_WITH_VALUE = ['proto', 'protocol'];
const IGNORED = ['[detached]'];
const ACTIONS = ['unreachable', 'blackhole', 'prohibit', 'nop'] as const;
const KEYWORDS = ['not', 'from', 'to', 'fwmark', 'iif', 'oif', 'ipproto', 'lookup', 'goto', 'l3mdev', 'suppress_prefixlength', ...ACTIONS, ...UNKNOWN_SELECTORS, ...IGNORED_WITH_VALUE];

export function readPolicyRuleLine(text: string, family: Family): PolicyRuleLine {
  const { problems, report } = reporter();
  const cursor = cursorOver(wordsOf(text));
  const first = cursor.take();
  if (first === undefined || first.text.startsWith('#')) return { rule: null, problems };
  if (!/^\d+:$/.test(first.text) || Number.parseInt(first.text, 10) > 0xffff_ffff) {
    report(first, 'bad-value', `\`${first.text}\` is no priority: a line of \`ip rule\` begins with one, such as \`32766:\`.`);
    return { rule: null, problems };
  }
  const draft: Draft = {
    family, priority: Number.parseInt(first.text, 10), inverted: false, from: null, to: null, inInterface: null, outInterface: null, mark: null, protocol: null,
    action: { kind: 'nop' }, text: text.trim(), suppress: null, unknown: null,
  };
  let acts = false;
  for (let word = cursor.take(); word !== undefined; word = cursor.take()) acts = readWord(word, cursor, draft, report) || acts;
  const { suppress, unknown, ...rule } = draft;
  if (unknown !== null) return { rule: { ...rule, action: { kind: 'unknown', text: unknown } }, problems };
  if (!acts) {
    report(first, 'missing-value', 'This rule says nothing to do: `lookup TABLE`, `unreachable`, `blackhole`, `prohibit` or `goto` is missing.');
    return { rule: null, problems };
  }
  const action = rule.action.kind === 'lookup' ? { ...rule.action, suppressPrefixLength: suppress } : rule.action;
  return { rule: { ...rule, action }, problems };
}

/** True where the word is the rule's action. */
function readWord(word: Word, cursor: Cursor, draft: Draft, report: Report): boolean {
  const { text } = word;
  const simple = ACTIONS.find((action) => action === text);
  if (simple !== undefined) {
    draft.action = { kind: simple };
    return true;
  }
  if (text === 'not') draft.inverted = true;
  if (text === 'not' || IGNORED.includes(text)) return false;
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
      if (prefix === undefined || (prefix !== null && prefix.address.family !== draft.family)) return bad(`\`all\` or an IPv${draft.family} prefix`);
      draft[word.text] = prefix;
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
      draft.protocol = protocolNumber(value.text) ?? null;
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

export function readPolicyRules(lines: readonly DumpLine[], family: Family): { readonly rules: readonly PolicyRule[]; readonly problems: readonly DumpProblem[] } {
  const readings = lines.map((line) => ({ ...readPolicyRuleLine(line.text, family), at: line.at }));
  return {
    rules: readings.flatMap(({ rule, at }) => (rule === null ? [] : [{ ...rule, origin: captured(at) }])),
    problems: readings.flatMap(({ problems }, index) => onLine(problems, index)),
  };
}
