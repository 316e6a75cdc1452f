/** The rule that came nearest to letting a packet pass, and what it missed by. */
import { formatAddress, formatPrefix } from '../net/address.ts';
import type { EndedWalk } from '../data-plane/netfilter/chain.ts';
import { stateName } from '../data-plane/netfilter/conntrack.ts';
import { isIpPart, matches } from '../data-plane/netfilter/matches/evaluate.ts';
import type { Chain, Match, PortRange, Rule } from '../topology/netfilter.ts';
import { placeOf, placeText } from './candidate.ts';
import type { NearestRule } from './explanation.ts';
import type { Event } from './situation.ts';

interface Missed {
  readonly chain: Chain;
  readonly number: number;
  readonly rule: Rule;
  readonly failed: readonly Match[];
  readonly held: number;
}

/** `events`: of the walk, the last of them what decided. `null` where no rule accepts anything like the packet. */
export function nearestRule(walk: EndedWalk, events: readonly Event[]): NearestRule | null {
  const decided = events.at(-1);
  // What kube-proxy refuses by itself, no rule beside it would have let pass.
  if (decided === undefined || decided.chain.startsWith('KUBE-')) return null;
  const entered = (chain: string, number: number): boolean => events.some((e) => e.event === 'rule' && e.chain === chain && e.number === number);
  const [best] = [...visited(walk, events)].flatMap((chain) => missesOf(walk, chain, entered))
    .filter((m) => (m.failed.length === 1 || m.held > 0 || m.failed.length === 0))
    .sort((a, b) => a.failed.length - b.failed.length || Number(a.failed.some(isOfState)) - Number(b.failed.some(isOfState)) || b.held - a.held);
  if (best === undefined) return null;
  const { chain, number, rule, failed } = best;
  const at = placeOf(rule.origin);
  const place = `rule ${number} of ${chain.name}${at === null ? '' : ` (${placeText(at)})`}`;
  return { table: walk.table.table.name, chain: chain.name, number, rule: rule.text, at, sentence: sentenceOf(walk, place, rule, failed, decided) };
}

function sentenceOf(walk: EndedWalk, place: string, rule: Rule, failed: readonly Match[], decided: Event): string {
  const how = rule.target?.kind === 'jump' ? 'would have led it to a rule that accepts it' : 'would have accepted it';
  if (failed.length > 0) return `\`${rule.text}\`, ${place}, ${how}, but ${failed.map((m) => failure(walk, m)).join(', and ')}.`;
  return `\`${rule.text}\`, ${place}, ${how}, but ${decided.rule === null ? 'it is never reached' : `\`${decided.rule}\` decides before it`}.`;
}

/** The built-in chain, and those that the packet was led into. */
function visited({ table, at }: EndedWalk, events: readonly Event[]): ReadonlySet<Chain> {
  const names = [at.hook, ...events.map((e) => e.chain)];
  return new Set(names.flatMap((name) => table.chains.get(name) ?? []));
}

/** `entered`: rules that did match, and led nowhere. */
function missesOf(walk: EndedWalk, chain: Chain, entered: (chain: string, number: number) => boolean): readonly Missed[] {
  return chain.rules.flatMap((rule, i): readonly Missed[] => {
    if (!accepts(walk, rule) || entered(chain.name, i + 1) || rule.matches.some(isOfLoopback)) return [];
    const tested = rule.matches.filter((m) => m.kind !== 'comment');
    if (tested.some(hasMemory)) return [];
    const failed = tested.filter((match) => !holds(walk, rule, match));
    return [{ chain, number: i + 1, rule, failed, held: tested.length - failed.length }];
  });
}

const holds = (walk: EndedWalk, rule: Rule, match: Match): boolean =>
  matches({ ...walk, packet: walk.skb.packet, rule }, isIpPart(match) ? { ip: [match], rest: [] } : { ip: [], rest: [match] }) === true;

/** By itself, or by a chain in which a rule would accept this very packet. */
function accepts(walk: EndedWalk, { target }: Rule): boolean {
  if (target?.kind === 'accept') return true;
  if (target?.kind !== 'jump') return false;
  const inside = walk.table.chains.get(target.chain)?.rules ?? [];
  return inside.some((r) => r.target?.kind === 'accept' && !r.matches.some(hasMemory) && r.matches.every((m) => holds(walk, r, m)));
}

/** What the host says to itself. */
const isOfLoopback = (match: Match): boolean => (match.kind === 'in-interface' || match.kind === 'out-interface') && match.name === 'lo' && !match.inverted;

/** A rule for replies comes near to every request, and says nothing. */
const isOfState = (match: Match): boolean => match.kind === 'conntrack-state';

/** Asking these changes what they answer next. */
const hasMemory = (match: Match): boolean => match.kind === 'statistic-random' || match.kind === 'statistic-nth' || match.kind === 'recent';

const not = (match: Match): string => ('inverted' in match && match.inverted ? '! ' : '');

const portsText = (ports: PortRange): string => (ports.from === ports.to ? String(ports.from) : `${ports.from}:${ports.to}`);

/** `-s 10.244.0.0/16` fails, as the source is 10.245.0.3 */
function failure({ skb, at }: EndedWalk, match: Match): string {
  const { ip, transport } = skb.packet;
  const says = (option: string, is: string): string => `\`${not(match)}${option}\` does not hold: ${is}`;
  switch (match.kind) {
    case 'source': return says(`-s ${formatPrefix(match.prefix)}`, `the source is ${formatAddress(ip.source)}`);
    case 'destination': return says(`-d ${formatPrefix(match.prefix)}`, `the destination is ${formatAddress(ip.destination)}`);
    case 'protocol': return says(`-p ${match.protocol}`, `the protocol is ${ip.protocol}`);
    case 'in-interface': return says(`-i ${match.name}`, at.input === '' ? 'it came in by no device' : `it came in by ${at.input}`);
    case 'out-interface': return says(`-o ${match.name}`, at.output === '' ? 'it leaves by no device' : `it leaves by ${at.output}`);
    case 'destination-port': return says(`--dport ${portsText(match.ports)}`, 'destinationPort' in transport ? `the destination port is ${transport.destinationPort}` : 'it has no ports');
    case 'source-port': return says(`--sport ${portsText(match.ports)}`, 'sourcePort' in transport ? `the source port is ${transport.sourcePort}` : 'it has no ports');
    case 'mark': return says(`-m mark --mark 0x${match.value.toString(16)}/0x${match.mask.toString(16)}`, `the mark is 0x${skb.mark.toString(16)}`);
    case 'conntrack-state': return says(`--ctstate ${match.states.join(',')}`, `its state is ${stateName(skb.tracked)}`);
    default: return `its match \`-m ${match.kind}\` does not hold`;
  }
}
