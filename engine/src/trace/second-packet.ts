/**
 * Whether the second packet of a flow may fare otherwise than the first: conntrack has it ESTABLISHED, no nat rule is
 * asked, a SYN is followed by an ACK, and limits and lists have counted one. Most rulesets are made so that it does not,
 * and tell so by their form alone.
 */
import type { CompiledTopology } from '../data-plane/compile.ts';
import { namespaceKey } from '../data-plane/compile.ts';
import { ACK, SYN } from '../data-plane/packet.ts';
import type { Chain, Match, Rule, Table } from '../topology/netfilter.ts';
import type { Hop } from './model.ts';

export function mayDiffer(compiled: CompiledTopology, hops: readonly Hop[]): boolean {
  return hops.some((hop, i) => {
    if (hop.steps.some((step) => step.stage === 'netfilter' && step.table === 'nat' && step.verdict === 'MARK')) return true;
    const before = hops[i - 1];
    if (before?.host === hop.host && before.namespace === hop.namespace) return false;
    return compiled.byName.get(namespaceKey(hop.host, hop.namespace))?.namespace.tables.some((table) => table.name !== 'nat' && tellsThemApart(table)) === true;
  });
}

/** The same interfaces in the same order, and the same end. */
export const sameWay = (a: readonly Hop[], b: readonly Hop[]): boolean => wayOf(a) === wayOf(b);

const wayOf = (hops: readonly Hop[]): string => hops.map((hop) => `${namespaceKey(hop.host, hop.namespace)} ${hop.interface} ${hop.direction}`).join();

const known = new WeakMap<Table, boolean>();

function tellsThemApart(table: Table): boolean {
  const before = known.get(table);
  if (before !== undefined) return before;
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const result = table.chains.some((chain) => chain.rules.some((rule) => isFelt(rule, table, chains)));
  known.set(table, result);
  return result;
}

const COUNTING: readonly Match['kind'][] = ['limit', 'hashlimit', 'recent'];

/** Whether the difference between the packets at this rule may lead to another end of the second. */
function isFelt({ matches, target }: Rule, table: Table, chains: ReadonlyMap<string, Chain>): boolean {
  if (target === null || target.kind === 'log') return false;
  if (matches.some((match) => COUNTING.includes(match.kind))) return true;
  const first = matches.every((match) => mayMatch(match, 'first'));
  const second = matches.every((match) => mayMatch(match, 'second'));
  if (first === second) return false;
  if (second) return !(target.kind === 'accept' && (table.name === 'filter' || table.name === 'security'));
  return !endsOrReturns(target, chains, []);
}

/** What the first packet met here and came through, the second misses without a difference. */
function endsOrReturns(target: Rule['target'], chains: ReadonlyMap<string, Chain>, above: readonly string[]): boolean {
  if (target === null || target.kind === 'log' || target.kind === 'drop' || target.kind === 'reject') return true;
  if (target.kind !== 'jump' || target.via === 'goto' || above.includes(target.chain)) return false;
  return chains.get(target.chain)?.rules.every((rule) => rule.target?.kind === 'return' || endsOrReturns(rule.target, chains, [...above, target.chain])) ?? false;
}

function mayMatch(match: Match, which: 'first' | 'second'): boolean {
  switch (match.kind) {
    case 'conntrack-state':
      return match.states.some((state) => state === (which === 'first' ? 'NEW' : 'ESTABLISHED') || state === 'SNAT' || state === 'DNAT') !== match.inverted;
    case 'conntrack-status':
      return which === 'second' || match.inverted || !match.statuses.includes('SEEN_REPLY');
    case 'tcp-flags':
      return (((which === 'first' ? SYN : ACK) & match.mask) === match.compare) !== match.inverted;
    default:
      return true;
  }
}
