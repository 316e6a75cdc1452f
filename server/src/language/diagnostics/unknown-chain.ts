import { closest } from '../../../../engine/src/closest.ts';
import { once } from '../../../../engine/src/once.ts';
import { didYouMean } from '../bind/did-you-mean.ts';
import { defineDiagnostic, replacement } from './define.ts';
import type { Finding, IptablesView } from './iptables-view.ts';
import { finding, targetSpan } from './iptables-view.ts';

export const unknownChain = defineDiagnostic<{ readonly chain: string; readonly table: string; readonly instead: string | undefined; readonly elsewhere: string | null }>({
  code: 'K8N3004',
  slug: 'unknown-chain',
  severity: 'error',
  message: (p) => p.elsewhere === null
    ? `Table ${p.table} has no chain ${p.chain}${didYouMean(p.instead) || ': a rule for it is missing in what was pasted'}`
    : `Chain ${p.chain} is in table ${p.elsewhere}, and a rule of table ${p.table} cannot jump to it: jump inside one table`,
  fix: (p, at) => replacement(p.instead, at),
});

const MOST_SUGGESTIONS = 30;

export function* unknownChains(view: IptablesView): Iterable<Finding> {
  let searches = 0;
  const homes = once(() => new Map([...view.graphs.map((g) => g.table), ...view.elsewhere].flatMap((t) => t.chains.map((c) => [c.name, t.name] as const))));
  for (const { table, chains, nodes } of view.graphs) {
    const others = new Set(view.elsewhere.filter((t) => t.name === table.name).flatMap((t) => t.chains.map((c) => c.name)));
    for (const { jumps } of nodes) for (const jump of jumps) {
      if (jump.target !== undefined || others.has(jump.to)) continue;
      const elsewhere = homes().get(jump.to) ?? null;
      const instead = elsewhere === null && searches++ < MOST_SUGGESTIONS ? closest(jump.to, chains.keys()) : undefined;
      yield finding(unknownChain, { chain: jump.to, table: table.name, instead, elsewhere }, targetSpan(view, jump.rule));
    }
  }
}
