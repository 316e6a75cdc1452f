import type { Match, Rule, Table, TableName, Target } from '../../../../engine/src/topology/netfilter.ts';
import { tablesOfTarget } from '../native/iptables/registry.ts';
import { defineDiagnostic } from './define.ts';
import type { Finding, IptablesView } from './iptables-view.ts';
import { finding, targetSpan } from './iptables-view.ts';
import { lineOfRecord, wordInLine } from '../bind/dumps.ts';

export const wrongTable = defineDiagnostic<{ readonly target: string; readonly place: string; readonly allowed: string }>({
  code: 'K8N3007',
  slug: 'wrong-table',
  severity: 'error',
  message: (p) => `${p.target} cannot stand in ${p.place}: the kernel takes it in ${p.allowed} only`,
});

/** The built-in chains of each NAT target: its `hooks` in xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c, xt_NETMAP.c; REJECT's in ipt_REJECT.c. */
const HOOKS: Readonly<Record<string, readonly string[]>> = {
  DNAT: ['PREROUTING', 'OUTPUT'],
  SNAT: ['POSTROUTING', 'INPUT'],
  MASQUERADE: ['POSTROUTING'],
  REDIRECT: ['PREROUTING', 'OUTPUT'],
  REJECT: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** Matches that the kernel takes in some places only: owner_mt_check() in xt_owner.c, the hooks in xt_mac.c, rpfilter_check() in ipt_rpfilter.c and ip6t_rpfilter.c. */
const MATCH_PLACES: Partial<Readonly<Record<Match['kind'], { readonly tables: readonly TableName[] | null; readonly chains: readonly string[] }>>> = {
  owner: { tables: null, chains: ['OUTPUT', 'POSTROUTING'] },
  'mac-source': { tables: null, chains: ['PREROUTING', 'INPUT', 'FORWARD'] },
  rpfilter: { tables: ['raw', 'mangle'], chains: ['PREROUTING'] },
};

/** The name that iptables has for a target. */
function nameOf(target: Target): string | null {
  switch (target.kind) {
    case 'accept': case 'drop': case 'return': case 'jump': case 'log': return null;
    case 'unknown': return target.name;
    default: return target.kind.toUpperCase();
  }
}

export function* wrongTables(view: IptablesView): Iterable<Finding> {
  for (const graph of view.graphs) {
    const { table } = graph;
    for (const node of graph.nodes) {
      const { chain } = node;
      for (const rule of chain.rules) {
        if (rule.matches.some(({ kind }) => MATCH_PLACES[kind] !== undefined)) yield* misplacedMatches(view, table, rule, graph.origins(node));
        const target = rule.target === null ? null : nameOf(rule.target);
        if (target === null) continue;
        const tables = tablesOfTarget(target);
        const from = graph.origins(node).find((c) => HOOKS[target]?.includes(c) === false);
        if (tables !== null && !tables.includes(table.name)) {
          yield finding(wrongTable, { target, place: `table ${table.name}`, allowed: `table ${tables.join(' and ')}` }, targetSpan(view, rule));
        } else if (from !== undefined) {
          const place = from === chain.name ? `chain ${from}` : `${chain.name}, to which packets come from ${from}`;
          yield finding(wrongTable, { target, place, allowed: `chains under ${(HOOKS[target] ?? []).join(' and ')}` }, targetSpan(view, rule));
        }
      }
    }
  }
}

function* misplacedMatches(view: IptablesView, table: Table, rule: Rule, origins: readonly string[]): Iterable<Finding> {
  for (const { kind } of rule.matches) {
    const places = MATCH_PLACES[kind];
    if (places === undefined) continue;
    const from = origins.find((chain) => !places.chains.includes(chain));
    const name = kind === 'mac-source' ? 'mac' : kind;
    const at = wordInLine(view.content, lineOfRecord(rule), name);
    if (places.tables?.includes(table.name) === false) {
      yield finding(wrongTable, { target: `-m ${name}`, place: `table ${table.name}`, allowed: `table ${places.tables.join(' and ')}` }, at);
    } else if (from !== undefined) {
      yield finding(wrongTable, { target: `-m ${name}`, place: `a chain to which packets come from ${from}`, allowed: `chains under ${places.chains.join(' and ')}` }, at);
    }
  }
}
