/** What a node's captured blocks lack of what would be derived there: the groups of entries that could be added. */
import { formatPrefix } from '../net/address.ts';
import { buildTopology } from '../topology/build.ts';
import { MAIN_TABLE } from '../topology/model.ts';
import type { FdbEntry, Namespace, Neighbour, Route, Sysctl } from '../topology/model.ts';
import type { Rule, Table } from '../topology/netfilter.ts';
import type { Origin } from '../topology/origin.ts';
import type { CapturedState, ClusterSpec } from '../topology/spec.ts';
import type { Repair } from './model.ts';

/** Entries of one block that belong together: what one program programs for one reason. */
export interface Missing {
  readonly node: string;
  readonly block: Repair['block'];
  readonly table: string | null;
  /** `flannel's rules for the lease of host2` */
  readonly what: string;
  readonly lines: readonly string[];
  /** The captured state with the entries added at its end. */
  readonly added: (captured: CapturedState) => CapturedState;
}

/** Nothing where the node captured nothing. Small groups first. */
export function missingOn(spec: ClusterSpec, node: string): readonly Missing[] {
  const captured = spec.nodes.find((n) => n.name === node)?.captured;
  if (captured === undefined || Object.keys(captured).length === 0) return [];
  const derived = derivedNamespace(spec, node);
  if (derived === undefined) return [];
  return [
    ...missingRules(node, captured, derived),
    ...missingRoutes(node, captured, derived),
    ...missingEntries(node, 'neighbours', captured.neighbours, derived.neighbours, withNeighbours),
    ...missingEntries(node, 'fdb', captured.fdb, derived.fdb, withFdb),
    ...missingSysctls(node, captured, derived),
  ].sort((a, b) => a.lines.length - b.lines.length);
}

type Adding<T> = (captured: CapturedState, more: readonly T[]) => CapturedState;

const withRoutes: Adding<Route> = (c, more) => ({ ...c, routes: [...(c.routes ?? []), ...more] });
const withNeighbours: Adding<Neighbour> = (c, more) => ({ ...c, neighbours: [...(c.neighbours ?? []), ...more] });
const withFdb: Adding<FdbEntry> = (c, more) => ({ ...c, fdb: [...(c.fdb ?? []), ...more] });
/** A later line of a sysctl block counts. */
const withSysctl = (c: CapturedState, value: Sysctl): CapturedState => ({ ...c, sysctls: [...(c.sysctls ?? []).filter((s) => s.name !== value.name), value] });

/** The node's own namespace as it would be without what it captured, but with its captured devices. */
function derivedNamespace(spec: ClusterSpec, node: string): Namespace | undefined {
  const nodes = spec.nodes.map((n) => (n.name === node ? { ...n, captured: n.captured.interfaces === undefined ? {} : { interfaces: n.captured.interfaces } } : n));
  return buildTopology({ ...spec, nodes }).hosts.find((h) => h.kind === 'node' && h.name === node)?.namespaces[0];
}

const because = (origin: Origin): string => (origin.kind === 'derived' ? `${origin.by}'s # for ${origin.because}` : '# that is declared');

function grouped<T extends { readonly origin: Origin }>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = because(item.origin);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function missingRules(node: string, captured: CapturedState, derived: Namespace): readonly Missing[] {
  return (captured.tables ?? []).flatMap((table) => {
    const known = new Set(table.chains.flatMap((c) => c.rules.map((r) => r.text)));
    const programmed = derived.tables.find((t) => t.family === table.family && t.name === table.name)?.chains.flatMap((c) => c.rules) ?? [];
    const filled = new Set(programmed.map(chainOf));
    const groups = grouped(programmed.filter((r) => !known.has(r.text)));
    return [...groups].map(([what, rules]): Missing => {
      const empty = emptyTargets(table, rules, filled);
      return {
        node,
        block: table.family === 4 ? 'iptables' : 'ip6tables',
        table: table.name,
        what: what.replace('#', 'rules'),
        lines: [...empty.map((chain) => `:${chain} - [0:0]`), ...rules.map((r) => r.text)],
        added: (c) => ({ ...c, tables: (c.tables ?? []).map((t) => (t.family === table.family && t.name === table.name ? withRules(t, rules, empty) : t)) }),
      };
    });
  });
}

/** Chains that the rules lead to, that the table lacks, and that no rule would make by standing in them. */
function emptyTargets(table: Table, rules: readonly Rule[], filled: ReadonlySet<string>): readonly string[] {
  const targets = rules.flatMap((r) => (r.target?.kind === 'jump' ? [r.target.chain] : []));
  return [...new Set(targets)].filter((name) => !filled.has(name) && !table.chains.some((c) => c.name === name));
}

const chainOf = (rule: Rule): string => rule.text.split(' ')[1] ?? '';

/** The rules at the end of their chains, new chains after the others: as if the lines stood at the end of the table. */
function withRules(table: Table, rules: readonly Rule[], empty: readonly string[]): Table {
  const chains = new Map(table.chains.map((c) => [c.name, c]));
  for (const name of empty) if (!chains.has(name)) chains.set(name, { name, policy: null, rules: [], origin: table.origin });
  for (const rule of rules) {
    const name = chainOf(rule);
    const chain = chains.get(name) ?? { name, policy: null, rules: [], origin: rule.origin };
    chains.set(name, { ...chain, rules: [...chain.rules, rule] });
  }
  return { ...table, chains: [...chains.values()] };
}

function missingRoutes(node: string, captured: CapturedState, derived: Namespace): readonly Missing[] {
  const { routes } = captured;
  if (routes === undefined) return [];
  const known = new Set(routes.filter((r) => r.table === MAIN_TABLE).map((r) => formatPrefix(r.destination)));
  const families = new Set(routes.length === 0 ? [4] : routes.map((r) => r.destination.address.family));
  const lacking = derived.routes.filter((r) => r.table === MAIN_TABLE && families.has(r.destination.address.family) && !known.has(formatPrefix(r.destination)));
  return missingEntries(node, 'routes', [], lacking, withRoutes);
}

function missingEntries<T extends { readonly text: string; readonly origin: Origin }>(
  node: string,
  block: 'routes' | 'neighbours' | 'fdb',
  captured: readonly { readonly text: string }[] | undefined,
  derived: readonly T[],
  add: Adding<T>,
): readonly Missing[] {
  if (captured === undefined) return [];
  const known = new Set(captured.map((e) => e.text.toLowerCase()));
  const noun = { routes: 'routes', neighbours: 'neighbours', fdb: 'FDB entries' }[block];
  return [...grouped(derived.filter((e) => !known.has(e.text.toLowerCase())))].map(([what, entries]) => ({
    node,
    block,
    table: null,
    what: what.replace('#', noun),
    lines: entries.map((e) => e.text),
    added: (c) => add(c, entries),
  }));
}

function missingSysctls(node: string, captured: CapturedState, derived: Namespace): readonly Missing[] {
  return (captured.sysctls ?? []).flatMap((said): readonly Missing[] => {
    const usual = derived.sysctls.find((s) => s.name === said.name);
    if (usual === undefined || usual.value === said.value) return [];
    const line = `${said.name} = ${usual.value}`;
    return [{ node, block: 'sysctl', table: null, what: line, lines: [line], added: (c) => withSysctl(c, { ...said, value: usual.value }) }];
  });
}
