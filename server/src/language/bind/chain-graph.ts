/** Who jumps where in one table of a pasted iptables dump. */
import type { Chain, Rule, Table } from '../../../../engine/src/topology/netfilter.ts';

export interface Jump {
  readonly from: string;
  readonly to: string;
  readonly rule: Rule;
}

export interface ChainGraph {
  readonly table: Table;
  readonly chains: ReadonlyMap<string, Chain>;
  /** By the chain that jumps. */
  readonly jumps: ReadonlyMap<string, readonly Jump[]>;
  /** Chains that a packet can come to from a built-in one. */
  readonly reached: ReadonlySet<string>;
  /** Jumps that lead back to a chain on the way, the kernel's "loop" (nf_tables_check_loops(), mark_source_chains()). */
  readonly loops: readonly Jump[];
}

/** kube-proxy and kubelet watch these empty chains to see whether somebody flushed the table; nothing jumps to them. */
const isCanary = (chain: Chain): boolean => chain.rules.length === 0 && chain.name.endsWith('-CANARY');

/** Left by kubelets up to 1.26 and made ready for whoever wants to jump there. */
const KEPT_IN_STORE: ReadonlySet<string> = new Set(['KUBE-MARK-DROP', 'KUBE-MARK-MASQ']);

export const mayStandAlone = (chain: Chain): boolean => chain.policy !== null || isCanary(chain) || KEPT_IN_STORE.has(chain.name);

export function chainGraphOf(table: Table): ChainGraph {
  const chains = new Map(table.chains.map((c) => [c.name, c]));
  const jumps = new Map<string, Jump[]>();
  for (const chain of table.chains) {
    const own = chain.rules.flatMap((rule): Jump[] => (rule.target?.kind === 'jump' ? [{ from: chain.name, to: rule.target.chain, rule }] : []));
    if (own.length > 0) jumps.set(chain.name, own);
  }
  return { table, chains, jumps, reached: reachedFrom(table.chains.filter((c) => c.policy !== null).map((c) => c.name), jumps), loops: loopsOf(table, jumps) };
}

function reachedFrom(starts: readonly string[], jumps: ReadonlyMap<string, readonly Jump[]>): Set<string> {
  const reached = new Set(starts);
  const waiting = [...starts];
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    for (const { to } of jumps.get(chain) ?? []) {
      if (!reached.has(to)) {
        reached.add(to);
        waiting.push(to);
      }
    }
  }
  return reached;
}

/** Depth first, without recursion: a dump may chain thousands of chains. */
function loopsOf(table: Table, jumps: ReadonlyMap<string, readonly Jump[]>): Jump[] {
  const state = new Map<string, 'open' | 'done'>();
  const loops: Jump[] = [];
  for (const { name } of table.chains) {
    if (state.has(name)) continue;
    const stack = [{ chain: name, next: 0 }];
    state.set(name, 'open');
    while (stack.length > 0) {
      const top = stack.at(-1) as { chain: string; next: number };
      const jump = jumps.get(top.chain)?.[top.next++];
      if (jump === undefined) {
        state.set(top.chain, 'done');
        stack.pop();
      } else if (state.get(jump.to) === 'open') loops.push(jump);
      else if (!state.has(jump.to)) {
        state.set(jump.to, 'open');
        stack.push({ chain: jump.to, next: 0 });
      }
    }
  }
  return loops;
}

/** Chains to blame where nothing reaches them: those that nothing at all jumps to, and one of each circle that has no way in. */
export function unreachedRoots(graph: ChainGraph): Chain[] {
  const unreached = graph.table.chains.filter((c) => !graph.reached.has(c.name) && !mayStandAlone(c));
  const called = new Set<string>();
  for (const chain of graph.table.chains) for (const jump of graph.jumps.get(chain.name) ?? []) if (jump.to !== chain.name) called.add(jump.to);
  const roots = unreached.filter((c) => !called.has(c.name));
  const explained = reachedFrom([...roots.map((c) => c.name), ...graph.table.chains.filter(mayStandAlone).map((c) => c.name)], graph.jumps);
  for (const chain of unreached) {
    if (explained.has(chain.name)) continue;
    roots.push(chain);
    for (const name of reachedFrom([chain.name], graph.jumps)) explained.add(name);
  }
  return roots;
}
