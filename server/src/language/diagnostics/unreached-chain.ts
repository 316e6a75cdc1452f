import { unreachedRoots } from '../bind/chain-graph.ts';
import { defineDiagnostic } from './define.ts';
import type { Finding, IptablesView } from './iptables-view.ts';
import { chainSpan, finding } from './iptables-view.ts';

export const unreachedChain = defineDiagnostic<{ readonly chain: string; readonly table: string }>({
  code: 'K8N3006',
  slug: 'unreached-chain',
  severity: 'warning',
  message: (p) => `No packet comes to chain ${p.chain}: no built-in chain of table ${p.table} leads to it; jump to it, or remove it`,
});

export function* unreachedChains(view: IptablesView): Iterable<Finding> {
  for (const graph of view.graphs) {
    // Jumps may stand in another dump of the same table.
    if (view.elsewhere.some((t) => t.name === graph.table.name)) continue;
    for (const chain of unreachedRoots(graph)) yield finding(unreachedChain, { chain: chain.name, table: graph.table.name }, chainSpan(view, chain));
  }
}
