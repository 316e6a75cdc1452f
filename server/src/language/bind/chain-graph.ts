/** Who jumps where in one table of a pasted iptables dump. */
import { memo } from '../../../../engine/src/memo.ts';
import type { Chain, Rule, Table } from '../../../../engine/src/topology/netfilter.ts';

export interface Jump {
  readonly from: string;
  readonly to: string;
  /** `undefined` where the table has no such chain. */
  readonly target: ChainNode | undefined;
  readonly rule: Rule;
}

export interface ChainNode {
  readonly chain: Chain;
  /** Among the table's chains. */
  readonly index: number;
  readonly jumps: readonly Jump[];
}

export interface ChainGraph {
  readonly table: Table;
  readonly nodes: readonly ChainNode[];
  readonly chains: ReadonlyMap<string, ChainNode>;
  /** The built-in chains from which a packet can come to this one. */
  readonly origins: (node: ChainNode) => readonly string[];
  /** Jumps that lead back to a chain on the way, the kernel's "loop" (nf_tables_check_loops(), mark_source_chains()). */
  readonly loops: readonly Jump[];
}

/** kube-proxy and kubelet watch these empty chains to see whether somebody flushed the table; nothing jumps to them. */
const isCanary = (chain: Chain): boolean => chain.rules.length === 0 && chain.name.endsWith('-CANARY');

/** Left by kubelets up to 1.26 and made ready for whoever wants to jump there. */
const KEPT_IN_STORE: ReadonlySet<string> = new Set(['KUBE-MARK-DROP', 'KUBE-MARK-MASQ']);

export const mayStandAlone = (chain: Chain): boolean => chain.policy !== null || isCanary(chain) || KEPT_IN_STORE.has(chain.name);

/** A node has tens of thousands of chains: they are told by their numbers, and a name is looked up once a jump. */
export function chainGraphOf(table: Table): ChainGraph {
  const nodes = table.chains.map((chain, index) => ({ chain, index, jumps: [] as Jump[] }));
  const chains = new Map(nodes.map((node) => [node.chain.name, node]));
  for (const { chain, jumps } of nodes) {
    for (const rule of chain.rules) {
      if (rule.target?.kind === 'jump') jumps.push({ from: chain.name, to: rule.target.chain, target: chains.get(rule.target.chain), rule });
    }
  }
  return { table, nodes, chains, origins: originsIn(nodes), loops: loopsOf(nodes) };
}

function originsIn(nodes: readonly ChainNode[]): ChainGraph['origins'] {
  const builtin = nodes.filter((node) => node.chain.policy !== null);
  /** A bit for each built-in chain. */
  const origins = new Uint8Array(nodes.length);
  for (const [bit, start] of builtin.entries()) visit([start], (node) => {
    const seen = (origins[node.index] ?? 0) & (1 << bit);
    origins[node.index] = (origins[node.index] ?? 0) | (1 << bit);
    return seen === 0;
  });
  const names = memo((bits: number): readonly string[] => builtin.filter((_, bit) => (bits & (1 << bit)) !== 0).map((node) => node.chain.name));
  return (node) => names(origins[node.index] ?? 0);
}

/** From these chains on, wherever a jump leads. `isNew` marks a chain, and says whether it was not yet. */
function visit(starts: readonly ChainNode[], isNew: (node: ChainNode) => boolean): void {
  const waiting = starts.filter(isNew);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const { target } of node.jumps) if (target !== undefined && isNew(target)) waiting.push(target);
  }
}

const OPEN = 1;
const DONE = 2;

/** Depth first, without recursion: a dump may chain thousands of chains. */
function loopsOf(nodes: readonly ChainNode[]): Jump[] {
  const state = new Uint8Array(nodes.length);
  const loops: Jump[] = [];
  for (const start of nodes) {
    if (state[start.index] !== 0) continue;
    const stack = [{ node: start, next: 0 }];
    state[start.index] = OPEN;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const jump = top.node.jumps[top.next++];
      if (jump === undefined) {
        state[top.node.index] = DONE;
        stack.pop();
      } else if (jump.target !== undefined && state[jump.target.index] === OPEN) loops.push(jump);
      else if (jump.target !== undefined && state[jump.target.index] === 0) {
        state[jump.target.index] = OPEN;
        stack.push({ node: jump.target, next: 0 });
      }
    }
  }
  return loops;
}

/** Chains to blame where nothing reaches them: those that nothing at all jumps to, and one of each circle that has no way in. */
export function unreachedRoots({ nodes, origins }: ChainGraph): Chain[] {
  const unreached = nodes.filter((node) => origins(node).length === 0 && !mayStandAlone(node.chain));
  if (unreached.length === 0) return [];
  const called = new Set(nodes.flatMap((node) => node.jumps.flatMap(({ target }) => (target === undefined || target === node ? [] : [target]))));
  const roots = unreached.filter((node) => !called.has(node));
  const explained = new Set<ChainNode>();
  const explain = (starts: readonly ChainNode[]): void => visit(starts, (node) => !explained.has(node) && explained.add(node).has(node));
  explain([...roots, ...nodes.filter((node) => mayStandAlone(node.chain))]);
  for (const node of unreached) {
    if (explained.has(node)) continue;
    roots.push(node);
    explain([node]);
  }
  return roots.map((node) => node.chain);
}
