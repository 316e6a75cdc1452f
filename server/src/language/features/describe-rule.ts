/** What the iptables rule or route under the cursor does, in a sentence. */
import { formatAddress, formatPrefix } from '../../../../engine/src/net/address.ts';
import type { NatRange, Rule, Target } from '../../../../engine/src/topology/netfilter.ts';
import type { Route } from '../../../../engine/src/topology/model.ts';
import { declarationAt } from '../bind/occurrences.ts';
import type { Dump } from '../bind/dumps.ts';
import { dumpsIn, lineOfRecord, rangeOfLine, wholeLine } from '../bind/dumps.ts';
import type { Snapshot } from '../snapshot.ts';
import { serviceOf } from './describe-chain.ts';
import type { Hover } from './hover.ts';

export function describeRuleAt(snapshot: Snapshot, offset: number): Hover | undefined {
  const placed = declarationAt(snapshot.model, offset);
  if (placed === undefined || (placed.declaration.kind !== 'node' && placed.declaration.kind !== 'pod')) return undefined;
  const owner = { declaration: placed.declaration, offset: placed.offset };
  for (const dump of dumpsIn(owner, snapshot.files, 'routes', 'iptables', 'ip6tables')) {
    if (dump.capture.from !== null) continue;
    const line = dump.content.lines.findIndex((_, i) => {
      const range = rangeOfLine(dump, wholeLine(dump.content, i));
      return offset >= range.start && offset <= range.end;
    });
    const markdown = line < 0 ? undefined : describeLine(dump, line);
    if (markdown !== undefined) return { ...rangeOfLine(dump, wholeLine(dump.content, line)), markdown };
  }
  return undefined;
}

function describeLine({ content }: Dump, line: number): string | undefined {
  const route = content.state.routes?.find((r) => lineOfRecord(r) === line);
  if (route !== undefined) return describeRoute(route);
  const rule = content.state.tables?.flatMap((t) => t.chains.flatMap((c) => c.rules)).find((r) => lineOfRecord(r) === line);
  return rule === undefined ? undefined : describeRule(rule);
}

function describeRoute(route: Route): string {
  const to = route.destination.length === 0 ? 'everything that no other route takes' : formatPrefix(route.destination);
  const ways = route.nexthops.map((h) => [h.via === null ? 'directly' : `through the gateway ${formatAddress(h.via)}`, ...(h.device === null ? [] : [`by ${h.device}`])].join(' '));
  const way = ways.length === 0 ? `is answered with ${route.type}` : `goes ${ways.join(', or ')}`;
  return `${to.charAt(0).toUpperCase() + to.slice(1)} ${way}${route.source === null ? '' : `; what this host sends there has the source ${formatAddress(route.source)}`}.`;
}

function describeRule(rule: Rule): string {
  const service = serviceOf([rule]);
  const probability = rule.matches.find((m) => m.kind === 'statistic-random')?.probability;
  const chance = probability === undefined ? '' : `, with a probability of ${(probability * 100).toFixed(1)} %`;
  return `${rule.target === null ? 'Only counts packets' : describeTarget(rule.target)}${chance}.${service === undefined ? '' : `\n\nFor service ${service}.`}`;
}

function describeTarget(target: Target): string {
  switch (target.kind) {
    case 'accept': return 'Lets the packet through this table';
    case 'drop': return 'Drops the packet without an answer';
    case 'return': return 'Goes back to the chain that jumped here';
    case 'jump': return `${target.via === 'goto' ? 'Goes on' : 'Jumps'} to chain ${target.chain}`;
    case 'reject': return `Rejects the packet with ${target.with}`;
    case 'dnat': return `Translates the destination to ${rangeText(target.range)}`;
    case 'snat': return `Translates the source to ${rangeText(target.range)}`;
    case 'masquerade': return 'Translates the source to the address of the device by which the packet leaves';
    case 'redirect': return 'Translates the destination to this host';
    case 'netmap': return `Maps the address into ${formatPrefix(target.prefix)}`;
    case 'mark': return `Sets the packet's mark: value 0x${target.value.toString(16)}, mask 0x${target.mask.toString(16)}`;
    case 'connmark': return `${target.action === 'set' ? 'Sets' : target.action === 'save' ? 'Saves' : 'Restores'} the connection's mark`;
    case 'ct': return target.notrack ? 'Keeps the packet out of connection tracking' : 'Sets how the connection is tracked';
    case 'log': return 'Logs the packet and goes on';
    case 'tcpmss': return "Sets the TCP connection's maximum segment size";
    case 'ttl': return 'Changes the TTL';
    case 'dscp': return 'Sets the DSCP field';
    case 'unknown': return `Does what target ${target.name} does, which k8snet does not model`;
  }
}

function rangeText({ from, to, ports }: NatRange): string {
  const address = from === null ? '' : to === null || formatAddress(to) === formatAddress(from) ? formatAddress(from) : `${formatAddress(from)}-${formatAddress(to)}`;
  const port = ports === null ? '' : `:${ports.from === ports.to ? ports.from : `${ports.from}-${ports.to}`}`;
  return `${address.includes(':') && port !== '' ? `[${address}]` : address}${port}`;
}
