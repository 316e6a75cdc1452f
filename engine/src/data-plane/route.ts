/**
 * Routing: policy rules in order of priority, each table by longest prefix, TOS, metric, then one of the nexthops.
 * net/core/fib_rules.c: fib_rules_lookup; net/ipv4/fib_trie.c: fib_table_lookup; net/ipv6/route.c: ip6_pol_route.
 */
import { memo, perRecord } from '../memo.ts';
import { contains, formatAddress, formatPrefix, isLoopback } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { matching } from '../net/lpm.ts';
import type { Lpm } from '../net/lpm.ts';
import { LOCAL_TABLE, MAIN_TABLE } from '../topology/model.ts';
import type { Nexthop, PolicyRule, Route } from '../topology/model.ts';
import type { Step } from '../trace/model.ts';
import { neighbourKey } from './compile.ts';
import type { CompiledNamespace } from './compile.ts';
import { deviceMatches } from './netfilter/matches/ip.ts';
import { end, sourceOf, step } from './run-state.ts';
import type { Fate, Run, Skb } from './run-state.ts';
import { either, forwards } from './sysctl.ts';

export interface RouteKey {
  readonly family: Family;
  readonly destination: Address;
  readonly source: Address | null;
  readonly mark: number;
  readonly protocol: number;
  readonly tos: number;
  /** `lo` for what is sent here. */
  readonly input: string;
  /** The device that it must leave by. */
  readonly output: string | null;
}

export interface Found {
  readonly kind: 'found';
  readonly route: Route;
  readonly rule: PolicyRule;
  readonly device: string;
  /** The gateway; `null`: the destination itself. */
  readonly via: Address | null;
}

export type Lookup =
  | Found
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly how: 'unreachable' | 'blackhole' | 'prohibit'; readonly by: Route | PolicyRule }
  | { readonly kind: 'undecided'; readonly why: 'policy-rule-unknown'; readonly by: PolicyRule }
  | { readonly kind: 'undecided'; readonly why: 'route-unknown'; readonly by: Route };

export const keyOf = (skb: Skb, input: string, output: string | null = null): RouteKey => {
  const { ip } = skb.packet;
  return { family: ip.family, destination: ip.destination, source: ip.source, mark: skb.mark, protocol: ip.protocol, tos: ip.tos & 0x1c, input, output };
};

/** Where nothing but the destination decides, an answer holds for every packet. */
export function lookup(run: Run, ns: CompiledNamespace, key: RouteKey): Lookup {
  if (!decides(ns, key.family).alone) return search(run, ns, key);
  const text = formatAddress(key.destination);
  const known = answers.get(ns)?.get(key.output)?.get(text);
  if (known !== undefined) return known;
  const found = search(run, ns, key);
  remember(ns, key.output, text, found);
  return found;
}

/** By the device that a packet must leave by, then by destination. */
const answers = new WeakMap<CompiledNamespace, Map<string | null, Map<string, Lookup>>>();

function remember(ns: CompiledNamespace, output: string | null, destination: string, found: Lookup): void {
  const byOutput = answers.get(ns) ?? new Map<string | null, Map<string, Lookup>>();
  answers.set(ns, byOutput);
  const known = byOutput.get(output);
  // Who asks for every address there is does not fill the memory.
  if (known === undefined || known.size >= MOST_REMEMBERED) byOutput.set(output, new Map([[destination, found]]));
  else known.set(destination, found);
}

const MOST_REMEMBERED = 10_000;

/** `destination`: no rule and no route asks for more of a packet. `alone`: nor is anything left to chance. */
export const decides = perRecord((ns: CompiledNamespace, family: Family) => {
  const byRules = ns.rules[family].every((r) => (r.from === null || r.from.length === 0) && r.inInterface === null && r.mark === null && r.protocol === null);
  const routes = ns.namespace.routes.filter((r) => r.destination.address.family === family);
  const destination = byRules && routes.every((r) => r.tos === 0);
  return { destination, alone: destination && routes.every((r) => r.nexthops.length <= 1) && (family === 4 || !haveSiblings(routes)) };
});

/** Routes of one prefix and metric, which are nexthops of each other. */
const haveSiblings = (routes: readonly Route[]): boolean => new Set(routes.map((r) => `${r.table} ${formatPrefix(r.destination)} ${r.metric}`)).size < routes.length;

function search(run: Run, ns: CompiledNamespace, key: RouteKey): Lookup {
  const rules = ns.rules[key.family];
  let from = 0;
  for (const rule of rules) {
    if (rule.priority < from || !ruleMatches(rule, key)) continue;
    switch (rule.action.kind) {
      case 'lookup': {
        const result = inTable(run, ns, rule, rule.action.table, rule.action.suppressPrefixLength, key);
        if (result !== null) return result;
        break;
      }
      case 'goto':
        from = Math.max(from, rule.action.priority);
        break;
      case 'nop':
        break;
      case 'unknown':
        return { kind: 'undecided', why: 'policy-rule-unknown', by: rule };
      case 'unreachable':
      case 'blackhole':
      case 'prohibit':
        return { kind: 'refused', how: rule.action.kind, by: rule };
    }
  }
  return { kind: 'none' };
}

function ruleMatches(rule: PolicyRule, key: RouteKey): boolean {
  const all =
    (rule.from === null || (key.source !== null && contains(rule.from, key.source)) || rule.from.length === 0) &&
    (rule.to === null || contains(rule.to, key.destination)) &&
    (rule.inInterface === null || deviceMatches(rule.inInterface, key.input)) &&
    (rule.outInterface === null || rule.outInterface === key.output) &&
    (rule.mark === null || ((key.mark & rule.mark.mask) >>> 0) === rule.mark.value >>> 0) &&
    (rule.protocol === null || rule.protocol === key.protocol);
  return all !== rule.inverted;
}

/** `null`: nothing here decides (or a throw route says so), and the next rule is asked. */
function inTable(run: Run, ns: CompiledNamespace, rule: PolicyRule, table: number, suppress: number | null, key: RouteKey): Lookup | null {
  const lpm = ns.routes.get(table)?.[key.family];
  if (lpm === undefined) return null;
  // net/ipv6/route.c: fib6_table_lookup: routes by dead gateways only where there is no other.
  const dead = key.family === 4 ? null : deadGateways(ns, key.family);
  return (dead === null ? null : inLpm(run, ns, rule, lpm, suppress, key, dead)) ?? inLpm(run, ns, rule, lpm, suppress, key, null);
}

/** Neighbours that a dump calls FAILED, where the node does not forward IPv6 (rt6_check_neigh); `null`: none. */
const deadGateways = perRecord((ns: CompiledNamespace, family: Family): ReadonlySet<string> | null => {
  const failed = ns.namespace.neighbours.filter((n) => n.state === 'failed' && n.address.family === family);
  return failed.length === 0 || forwards(ns, family, 'all') ? null : new Set(failed.map((n) => neighbourKey(n.device, n.address)));
});

function inLpm(run: Run, ns: CompiledNamespace, rule: PolicyRule, lpm: Lpm<Route>, suppress: number | null, key: RouteKey, dead: ReadonlySet<string> | null): Lookup | null {
  for (const routes of matching(lpm, key.destination)) {
    // Of one destination, routes by source are asked before the others (net/ipv6/ip6_fib.c: fib6_node_lookup_1).
    const bySource = routes.find((r) => r.unmodelled === 'source' && (suppress === null || r.destination.length > suppress));
    if (bySource !== undefined) return { kind: 'undecided', why: 'route-unknown', by: bySource };
    for (const route of routes) {
      if (suppress !== null && route.destination.length <= suppress) continue;
      if (route.tos !== 0 && route.tos !== key.tos) continue;
      switch (route.type) {
        case 'throw':
          return null;
        case 'unreachable':
        case 'blackhole':
        case 'prohibit':
          return { kind: 'refused', how: route.type, by: route };
        default: {
          const nexthop = pickNexthop(run, ns, route, routes, key, dead);
          if (nexthop?.route.unmodelled !== undefined) return { kind: 'undecided', why: 'route-unknown', by: nexthop.route };
          if (nexthop !== null) return { kind: 'found', route: nexthop.route, rule, device: nexthop.device, via: nexthop.via };
        }
      }
    }
  }
  return null;
}

interface Picked {
  readonly route: Route;
  readonly device: string;
  readonly via: Address | null;
}

/**
 * One nexthop by weight: the kernel takes it from a hash of the flow, so each is possible and the same flow gets the
 * same. IPv6 routes of one prefix and metric are nexthops of each other.
 */
function pickNexthop(run: Run, ns: CompiledNamespace, route: Route, siblings: readonly Route[], key: RouteKey, dead: ReadonlySet<string> | null): Picked | null {
  const group = key.family === 6 && route.type === 'unicast' ? siblings.filter((r) => r.metric === route.metric && r.type === 'unicast' && r.nexthops.some((n) => n.via !== null)) : [];
  const members = group.length > 1 && group.includes(route) ? group : [route];
  const usable = members.flatMap((r) => r.nexthops.filter((n) => isUsable(ns, r, n, key) && !(dead !== null && n.via !== null && n.device !== null && dead.has(neighbourKey(n.device, n.via)))).map((nexthop) => ({ route: r, nexthop })));
  const weights = usable.map((u) => Math.max(u.nexthop.weight, 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (usable.length === 0) return null;
  const index = usable.length === 1 ? 0 : run.choose(`route ${ns.index} ${route.table} ${route.text} ${formatAddress(key.destination)}`, weights.map((weight) => ({ probability: weight / total })));
  const picked = usable[index] ?? usable[0];
  return picked === undefined ? null : { route: picked.route, device: picked.nexthop.device ?? 'lo', via: picked.nexthop.via };
}

/** A route whose device is down is dead; one whose device is unknown is kept, so that the trace can say so. */
function isUsable(ns: CompiledNamespace, route: Route, nexthop: Nexthop, key: RouteKey): boolean {
  if (key.output !== null && nexthop.device !== key.output) return false;
  return route.type === 'local' || nexthop.device === null || ns.devices.get(nexthop.device)?.up !== false;
}

/** Writes what decided. The rules that every namespace has go without saying. */
export function recordRoute(run: Run, ns: CompiledNamespace, found: Found, subject: string): void {
  for (const each of wordsOf(found, subject)(ns)) step(run, each);
}

const wordsOf = perRecord((found: Found, subject: string) => memo((ns: CompiledNamespace) => [...policyStep(ns, found), routeStep(ns, found, subject)]));

function policyStep(ns: CompiledNamespace, { rule }: Found): readonly Step[] {
  if (rule.action.kind !== 'lookup' || isDefault(rule, 0, LOCAL_TABLE) || isDefault(rule, 32766, MAIN_TABLE) || rule.priority === 32767) return [];
  return [{ stage: 'policy-rule', rule: rule.text, table: rule.action.table, sentence: `The policy rule \`${rule.text.trim()}\` on ${ns.label} chooses the table.`, source: sourceOf(rule.origin) }];
}

function routeStep(ns: CompiledNamespace, found: Found, subject: string): Step {
  const { route } = found;
  const via = found.via === null ? null : formatAddress(found.via);
  const where = route.type === 'local' ? `it is for ${ns.label} itself` : `it leaves by ${found.device}${via === null ? '' : ` towards ${via}`}`;
  return {
    stage: 'route', route: route.text, table: route.table, via, device: found.device,
    sentence: `${subject} matches \`${route.text}\` on ${ns.label}: ${where}.`,
    source: sourceOf(route.origin),
  };
}

const isDefault = (rule: PolicyRule, priority: number, table: number): boolean =>
  rule.priority === priority && rule.action.kind === 'lookup' && rule.action.table === table && rule.from === null && rule.mark === null;

/**
 * __mkroute_output: a loopback source leaves the host only with route_localnet; connect() then says EINVAL. `null`: it
 * may leave.
 */
export function refuseLoopback(run: Run, ns: CompiledNamespace, skb: Skb, { route, device }: Found): Fate | null {
  const { source } = skb.packet.ip;
  if (route.type === 'local' || ns.devices.get(device)?.device.kind === 'loopback' || !isLoopback(source) || (source.family === 4 && either(ns, 4, device, 'route_localnet'))) return null;
  return end(run, ns, skb, 'martian-source', { address: formatAddress(source), device, what: 'a loopback address leaves a host only where route_localnet is 1' }, sourceOf(route.origin));
}

const beyond = (by: Route | PolicyRule): string => ('unmodelled' in by && by.unmodelled === 'source' ? 'is for some sources only' : 'has an encapsulation of its own');

/** The end of a packet that has no way; what is told to the sender is the caller's business. */
export function refuse(run: Run, ns: CompiledNamespace, skb: Skb, result: Exclude<Lookup, Found>): Fate {
  const address = formatAddress(skb.packet.ip.destination);
  switch (result.kind) {
    case 'none':
      return end(run, ns, skb, 'no-route', { address });
    case 'undecided':
      return end(run, ns, skb, result.why, { rule: result.by.text, what: beyond(result.by) }, sourceOf(result.by.origin));
    case 'refused':
      return end(run, ns, skb, `route-${result.how}`, { address, rule: result.by.text }, sourceOf(result.by.origin));
  }
}
