/** The smallest addition to one captured block that makes a failed expectation hold. */
import type { CapturedState, ClusterSpec, NodeSpec } from '../topology/spec.ts';
import type { Trace } from '../trace/model.ts';
import { missingOn } from './missing.ts';
import type { Missing } from './missing.ts';
import type { Repair } from './model.ts';

/** Each try builds the topology and traces once more. */
const MAX_TRIES = 24;

/**
 * Tries what the captured blocks of the nodes on the way lack, one group at a time, small groups first; then whole
 * blocks, from which groups that turn out not to be needed are taken away again.
 */
export function repairOf(spec: ClusterSpec, trace: Trace, holds: (mended: ClusterSpec) => boolean): Repair | null {
  const groups = nodesOf(trace).flatMap((node) => missingOn(spec, node)).sort((a, b) => a.lines.length - b.lines.length);
  let tries = 0;
  const works = (parts: readonly Missing[]): boolean => {
    tries += 1;
    return tries <= MAX_TRIES && holds(mended(spec, parts));
  };
  const single = groups.slice(0, MAX_TRIES / 2).find((group) => works([group]));
  if (single !== undefined) return repairFrom([single]);
  for (const block of blocksOf(groups)) {
    if (block.length < 2 || !works(block)) continue;
    return repairFrom(block.reduceRight((kept, part) => (kept.length > 1 && works(kept.filter((p) => p !== part)) ? kept.filter((p) => p !== part) : kept), block));
  }
  return null;
}

const nodesOf = (trace: Trace): readonly string[] => [
  ...new Set(trace.branches.flatMap((b) => [...b.request.hops, ...(b.reply?.hops ?? [])].map((h) => h.host))),
];

const blockKey = (group: Missing): string => `${group.node} ${group.block} ${group.table ?? ''}`;

function blocksOf(groups: readonly Missing[]): readonly (readonly Missing[])[] {
  const blocks = new Map<string, Missing[]>();
  for (const group of groups) {
    const block = blocks.get(blockKey(group));
    if (block === undefined) blocks.set(blockKey(group), [group]);
    else block.push(group);
  }
  return [...blocks.values()].sort((a, b) => a.length - b.length);
}

function mended(spec: ClusterSpec, parts: readonly Missing[]): ClusterSpec {
  const capturedBy = (node: NodeSpec): CapturedState => parts.filter((p) => p.node === node.name).reduce((captured, part) => part.added(captured), node.captured);
  return { ...spec, nodes: spec.nodes.map((node) => ({ ...node, captured: capturedBy(node) })) };
}

const PLACE: Readonly<Record<Repair['block'], string>> = {
  iptables: 'table', ip6tables: 'IPv6 table', routes: 'routes', neighbours: 'neighbours', fdb: 'FDB', sysctl: 'sysctls',
};

function repairFrom(parts: readonly Missing[]): Repair | null {
  const [first] = parts;
  if (first === undefined) return null;
  const place = `${first.table === null ? '' : `${first.table} `}${PLACE[first.block]} of ${first.node}`;
  const what = parts.map((p) => p.what).join(', ');
  return {
    title: `add ${what} to the ${place}`,
    sentence: `The captured ${place} lack${first.table === null && first.block !== 'fdb' ? '' : 's'} ${what}.`,
    node: first.node,
    block: first.block,
    table: first.table,
    lines: parts.flatMap((p) => p.lines),
  };
}
