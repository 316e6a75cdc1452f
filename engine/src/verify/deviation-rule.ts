/** Captured iptables rules beside those that kube-proxy and flannel would write. */
import type { Chain, Rule, Table } from '../topology/netfilter.ts';
import type { Origin, SourceRef } from '../topology/origin.ts';
import type { CapturedState } from '../topology/spec.ts';
import { placeOf, sameRef } from './candidate.ts';
import type { Compared, Deviation, DeviationKind } from './deviation.ts';
import type { DumpBlock } from './explanation.ts';

/** Comments, and the spelling that depends on the kernel's age, make no difference to a packet's way. */
export const plainRule = (text: string): string =>
  uncounted(text.replace(/ -m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+)/g, '').replace(/ --random-fully$/, ''));

/** From version 1.31 on kube-proxy counts with nfacct where the kernel can, localhost's node ports in a rule before the one for all. */
const uncounted = (text: string): string =>
  text.includes(' -m nfacct ') ? text.replace(/ -m nfacct --nfacct-name +\S+/, '').replace(/^(-A KUBE-NODEPORTS) -d 127\.0\.0\.0\/8 /, '$1 ') : text;

/** A rule without a match, but its comment: without it everything is let through that it was to stop. */
export const isSweeping = (text: string): boolean => /^-A \S+ -j (DROP|REJECT)\b/.test(plainRule(text));

export const chainOf = (rule: Rule): string => rule.text.split(' ')[1] ?? '';

/** A service's own chains: their rules count as a whole, and in their order. */
const WHOLE_CHAIN = /^KUBE-(SVC|SVL|EXT|FW|SEP|XLB)-/;

/** Chains that only the programs write which are simulated here. */
const OWN_CHAIN = /^(KUBE-(?!ROUTER-|POD-FW-|NWPLCY-)|FLANNEL-)/;

export function ruleDeviations(compared: Compared): readonly Deviation[] {
  const tables = compared.captured.tables ?? [];
  return tables.flatMap((table) => {
    const isNamesake = (t: Table): boolean => t.family === table.family && t.name === table.name;
    const programmed = compared.programmed.namespace.tables.find(isNamesake);
    return tableDeviations(compared, table, programmed?.chains ?? [], tables.find((t) => t !== table && isNamesake(t)));
  });
}

/** In iptables-legacy or in iptables-nft: what stands in either is there, and what is in neither is missing where most of the programs' chains are. */
function bothRulesets(table: Table, other: Table | undefined): { readonly chains: readonly Chain[]; readonly isMain: boolean } {
  if (other === undefined) return { chains: table.chains, isMain: true };
  const own = (t: Table): number => t.chains.filter((c) => OWN_CHAIN.test(c.name)).length;
  const rulesOf = (name: string): readonly Rule[] => other.chains.find((c) => c.name === name)?.rules ?? [];
  const more = other.chains.filter((c) => !table.chains.some((t) => t.name === c.name));
  return { chains: [...table.chains.map((c) => ({ ...c, rules: [...c.rules, ...rulesOf(c.name)] })), ...more], isMain: own(table) > own(other) || (own(table) === own(other) && table.ruleset === 'legacy') };
}

/** What one program writes for one reason: rules to add, and chains of a service to write anew. */
interface Group {
  readonly origin: Origin;
  readonly rules: Rule[];
  readonly replaced: Rule[];
}

function tableDeviations(compared: Compared, table: Table, programmed: readonly Chain[], other: Table | undefined): readonly Deviation[] {
  const { chains, isMain } = bothRulesets(table, other);
  const captured = new Map(chains.map((c) => [c.name, c]));
  const groups = new Map<string, Group>();
  const wanted = new Map<string, ReadonlySet<string>>();
  for (const chain of programmed) {
    wanted.set(chain.name, new Set(chain.rules.map((r) => plainRule(r.text))));
    if (isMain) lacking(chain, captured.get(chain.name), groups);
  }
  const common = { compared, table };
  return [
    ...[...groups.values()].map((group) => groupDeviation(common, group, programmed)),
    ...table.chains.flatMap((chain) => surplus(common, chain, wanted.get(chain.name))),
  ];
}

function lacking(chain: Chain, there: Chain | undefined, groups: Map<string, Group>): void {
  const known = new Set(there?.rules.map((r) => plainRule(r.text)));
  const whole = WHOLE_CHAIN.test(chain.name);
  const missing = chain.rules.filter((r) => !known.has(plainRule(r.text)));
  const same = whole ? missing.length === 0 && there?.rules.length === chain.rules.length : missing.length === 0;
  if (same) return;
  for (const rule of whole ? chain.rules : missing) groupOf(groups, rule.origin).rules.push(rule);
  const [first] = chain.rules;
  if (whole && first !== undefined) groupOf(groups, first.origin).replaced.push(...(there?.rules ?? []));
}

function groupOf(groups: Map<string, Group>, origin: Origin): Group {
  const key = origin.kind === 'derived' ? `${origin.by} ${origin.because}` : 'declared';
  const group = groups.get(key) ?? { origin, rules: [], replaced: [] };
  groups.set(key, group);
  return group;
}

interface InTable {
  readonly compared: Compared;
  readonly table: Table;
}

const blockOf = (table: Table): DumpBlock => (table.family === 4 ? 'iptables' : 'ip6tables');

function groupDeviation(common: InTable, { origin, rules, replaced }: Group, programmed: readonly Chain[]): Deviation {
  const { table } = common;
  const empty = emptyTargets(table, rules, new Set(programmed.filter((c) => c.rules.length > 0).map((c) => c.name)));
  const removed = replaced.flatMap((r) => placeOf(r.origin) ?? []);
  const lines = [...empty.map((chain) => `:${chain} - [0:0]`), ...rules.map((r) => r.text)];
  const by = origin.kind === 'derived' ? origin.by : null;
  return {
    ...deviation(common, replaced.length > 0 ? 'stale' : 'missing', replaced, rules),
    by,
    what: origin.kind === 'derived' ? `${origin.by}'s rules for ${origin.because}` : 'the rules that are declared',
    because: origin.kind === 'derived' ? origin.because : null,
    at: removed[0] ?? placeOf(table.origin),
    edits: [{ kind: 'lines', owner: common.compared.owner, block: blockOf(table), table: table.name, remove: removed, add: lines, before: null }],
    applied: (c) => withTable(c, table, (t) => withRules(withoutRules(t, removed), rules, empty)),
  };
}

/** Captured rules that no program would have written. */
function surplus(common: InTable, chain: Chain, wanted: ReadonlySet<string> | undefined): readonly Deviation[] {
  if (wanted !== undefined && WHOLE_CHAIN.test(chain.name)) return [];
  const more = chain.rules.filter((r) => wanted?.has(plainRule(r.text)) !== true);
  const kind = OWN_CHAIN.test(chain.name) ? 'left-over' : 'foreign';
  return more.map((rule) => ruleRemoval(common, rule, kind));
}

function ruleRemoval(common: InTable, rule: Rule, kind: DeviationKind): Deviation {
  const { compared, table } = common;
  const at = placeOf(rule.origin);
  const remove = at === null ? [] : [at];
  return {
    ...deviation(common, kind, [rule], []),
    by: null, because: null, at,
    what: `the rule \`${rule.text}\``,
    edits: [{ kind: 'lines', owner: compared.owner, block: blockOf(table), table: table.name, remove, add: [], before: null }],
    applied: (c) => withTable(c, table, (t) => withoutRules(t, remove)),
  };
}

const deviation = ({ compared, table }: InTable, kind: DeviationKind, there: readonly Rule[], wanted: readonly Rule[]) => ({
  owner: compared.owner, host: compared.host, namespace: compared.programmed.namespace.name, block: blockOf(table), table: table.name, kind, there, wanted,
});

/** Chains that the rules lead to, that the table lacks, and that no rule would make by standing in them. */
function emptyTargets(table: Table, rules: readonly Rule[], filled: ReadonlySet<string>): readonly string[] {
  const targets = rules.flatMap((r) => (r.target?.kind === 'jump' ? [r.target.chain] : []));
  return [...new Set(targets)].filter((name) => !filled.has(name) && !table.chains.some((c) => c.name === name));
}

export const withTable = (captured: CapturedState, which: Pick<Table, 'family' | 'name' | 'ruleset'>, change: (table: Table) => Table): CapturedState =>
  ({ ...captured, tables: (captured.tables ?? []).map((t) => (t.family === which.family && t.name === which.name && t.ruleset === which.ruleset ? change(t) : t)) });

export function withoutRules(table: Table, at: readonly SourceRef[]): Table {
  if (at.length === 0) return table;
  const isGone = (rule: Rule): boolean => {
    const place = placeOf(rule.origin);
    return place !== null && at.some((a) => sameRef(a, place));
  };
  return { ...table, chains: table.chains.map((c) => (c.rules.some(isGone) ? { ...c, rules: c.rules.filter((r) => !isGone(r)) } : c)) };
}

/** The rules at the end of their chains, new chains after the others: as if the lines stood at the end of the table. */
export function withRules(table: Table, rules: readonly Rule[], empty: readonly string[]): Table {
  const chains = new Map(table.chains.map((c) => [c.name, c]));
  for (const name of empty) if (!chains.has(name)) chains.set(name, { name, policy: null, rules: [], origin: table.origin });
  for (const rule of rules) {
    const name = chainOf(rule);
    const chain = chains.get(name) ?? { name, policy: null, rules: [], origin: rule.origin };
    chains.set(name, { ...chain, rules: [...chain.rules, rule] });
  }
  return { ...table, chains: [...chains.values()] };
}
