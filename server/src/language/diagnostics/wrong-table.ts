import type { Target } from '../../../../engine/src/topology/netfilter.ts';
import type { ChainGraph } from '../bind/chain-graph.ts';
import { tablesOfTarget } from '../native/iptables/registry.ts';
import { defineDiagnostic } from './define.ts';
import type { Finding, IptablesView } from './iptables-view.ts';
import { finding, targetSpan } from './iptables-view.ts';

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

/** The name that iptables has for a target. */
function nameOf(target: Target): string | null {
  switch (target.kind) {
    case 'accept': case 'drop': case 'return': case 'jump': case 'log': return null;
    case 'unknown': return target.name;
    default: return target.kind.toUpperCase();
  }
}

/** For each chain the built-in ones from which packets come to it. */
function originsOf(graph: ChainGraph): ReadonlyMap<string, ReadonlySet<string>> {
  const origins = new Map<string, Set<string>>();
  for (const builtin of graph.table.chains.filter((c) => c.policy !== null)) {
    const waiting = [builtin.name];
    for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
      const known = origins.get(chain) ?? new Set();
      if (known.has(builtin.name)) continue;
      origins.set(chain, known.add(builtin.name));
      for (const { to } of graph.jumps.get(chain) ?? []) waiting.push(to);
    }
  }
  return origins;
}

export function* wrongTables(view: IptablesView): Iterable<Finding> {
  for (const graph of view.graphs) {
    const { table } = graph;
    const origins = originsOf(graph);
    for (const chain of table.chains) {
      for (const rule of chain.rules) {
        const target = rule.target === null ? null : nameOf(rule.target);
        if (target === null) continue;
        const tables = tablesOfTarget(target);
        const from = [...(origins.get(chain.name) ?? [])].find((c) => HOOKS[target]?.includes(c) === false);
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
