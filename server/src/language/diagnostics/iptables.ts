/** The checks of an iptables dump's structure: chains, jumps, targets. Kept under the dump's content. */
import type { CaptureContent } from '../bind/capture-content.ts';
import { chainGraphOf } from '../bind/chain-graph.ts';
import type { Dump } from '../bind/dumps.ts';
import { dumpsIn, hostsWithDumps } from '../bind/dumps.ts';
import type { Check } from './check.ts';
import type { Finding } from './iptables-view.ts';
import { jumpLoops } from './jump-loop.ts';
import { unknownChains } from './unknown-chain.ts';
import { unreachedChains } from './unreached-chain.ts';
import { wrongTables } from './wrong-table.ts';

const CHECKS = [unknownChains, jumpLoops, unreachedChains, wrongTables];

const cache = new WeakMap<CaptureContent, readonly Finding[]>();

function findingsOf({ content, capture }: Dump, others: readonly Dump[]): readonly Finding[] {
  const cached = others.length === 0 ? cache.get(content) : undefined;
  if (cached !== undefined) return cached;
  const view = {
    family: capture.keyword === 'ip6tables' ? 6 as const : 4 as const,
    content,
    graphs: (content.state.tables ?? []).map(chainGraphOf),
    elsewhere: others.flatMap((d) => d.content.state.tables ?? []),
  };
  const found = CHECKS.flatMap((check) => [...check(view)]);
  if (others.length === 0) cache.set(content, found);
  return found;
}

export const checkIptables: Check = function* ({ model, files }) {
  for (const owner of hostsWithDumps(model)) {
    for (const keyword of ['iptables', 'ip6tables'] as const) {
      const dumps = dumpsIn(owner, files, keyword);
      for (const dump of dumps) {
        for (const f of findingsOf(dump, dumps.filter((d) => d !== dump))) yield f.report(dump);
      }
    }
  }
};
