/** Changes around the rule or the policy that ended the packet: it goes, another comes before it, what it is about is accepted. */
import { contains, hostPrefix, parseAddress } from '../net/address.ts';
import type { Address } from '../net/address.ts';
import { accept, destination, destinationPort, inState, place, protocol, source } from '../control-plane/iptables-rule.ts';
import type { Part } from '../control-plane/iptables-rule.ts';
import type { Rule, Table } from '../topology/netfilter.ts';
import { derived } from '../topology/origin.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { Hop } from '../trace/model.ts';
import { inPlace, ownerText, placeOf } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { isSweeping, withoutRules, withTable } from './deviation-rule.ts';
import type { Edit } from './explanation.ts';
import { change, refers } from './here.ts';
import type { Here } from './here.ts';
import { conversationAt, decidingEvent } from './situation.ts';
import type { Event, Situation } from './situation.ts';

interface Found {
  readonly table: Table;
  readonly event: Event;
  readonly at: SourceRef;
}

/** The table in which the deciding rule or policy was captured. */
function decided({ situation, captured }: Here): Found | undefined {
  const code = situation.reason?.code;
  const event = decidingEvent(situation);
  if (event === undefined || (code !== 'rule-drop' && code !== 'rule-reject' && code !== 'policy-drop') || !('layer' in event.source)) return undefined;
  const { file, line } = event.source;
  const at = { file, line };
  const holds = (t: Table): boolean => t.chains.some((c) => c.name === event.chain && (refers(c, at) || c.rules.some((r) => refers(r, at))));
  const table = captured.tables?.find((t) => t.name === event.table && holds(t));
  return table === undefined ? undefined : { table, event, at };
}

export function ruleChanges(here: Here): readonly Candidate[] {
  const found = decided(here);
  if (found === undefined) return [];
  const { event } = found;
  if (event.event === 'policy') return [...inserted(here, found), policyChange(here, found)];
  return isSweeping(event.rule ?? '') ? [...moved(here, found), ...inserted(here, found), removal(here, found)] : [removal(here, found), ...moved(here, found), ...inserted(here, found)];
}

const blockOf = (table: Table): 'iptables' | 'ip6tables' => (table.family === 4 ? 'iptables' : 'ip6tables');

const lines = (here: Here, { table }: Found, remove: readonly SourceRef[], add: readonly string[], before: SourceRef | null): Edit =>
  ({ kind: 'lines', owner: here.owner, block: blockOf(table), table: table.name, remove, add, before });

function removal(here: Here, found: Found): Candidate {
  const { table, event, at } = found;
  const verb = event.verdict === 'REJECT' ? 'rejects' : 'drops';
  return change(here, {
    wrong: `The rule \`${event.rule ?? ''}\` on ${ownerText(here.owner)}${inPlace(at)} ${verb} it.`,
    at,
    title: `remove the rule \`${event.rule ?? ''}\` from the ${table.name} table of ${ownerText(here.owner)}`,
    edit: lines(here, found, [at], [], null),
    applied: (c) => withTable(c, table, (t) => withoutRules(t, [at])),
  });
}

/** Rules behind the deciding one that would accept: an ACCEPT in the shadow of a REJECT. */
function moved(here: Here, found: Found): readonly Candidate[] {
  const { table, event, at } = found;
  const chain = table.chains.find((c) => c.name === event.chain);
  const behind = chain?.rules.slice(event.number ?? 0).filter((r) => r.target?.kind === 'accept' || r.target?.kind === 'jump') ?? [];
  return behind.slice(0, 6).flatMap((rule): readonly Candidate[] => {
    const from = placeOf(rule.origin);
    if (from === null) return [];
    return [change(here, {
      wrong: `The rule \`${rule.text}\` on ${ownerText(here.owner)}${inPlace(from)} stands behind \`${event.rule ?? ''}\`${inPlace(at)}, which decides first.`,
      at: from,
      title: `move the rule \`${rule.text}\` before \`${event.rule ?? ''}\` on ${ownerText(here.owner)}`,
      edit: lines(here, found, [from], [rule.text], at),
      applied: (c) => withTable(c, table, (t) => withRuleBefore(withoutRules(t, [from]), event.chain, rule, at)),
    })];
  });
}

function withRuleBefore(table: Table, chain: string, rule: Rule, before: SourceRef | null): Table {
  return {
    ...table,
    chains: table.chains.map((c) => {
      if (c.name !== chain) return c;
      const i = before === null ? -1 : c.rules.findIndex((r) => refers(r, before));
      return { ...c, rules: i < 0 ? [...c.rules, rule] : [...c.rules.slice(0, i), rule, ...c.rules.slice(i)] };
    }),
  };
}

/** A rule for just this conversation, or for the tunnel that it is in, before what decided. */
function inserted(here: Here, found: Found): readonly Candidate[] {
  const { table, event, at } = found;
  const parts = table.name === 'filter' ? partsFor(here.situation, event) : null;
  if (parts === null) return [];
  const { rule } = place(table.name, event.chain, parts, accept, derived('k8snet', 'a repair that is tried'));
  const before = event.event === 'policy' ? null : at;
  const what = event.event === 'policy' ? `No rule of ${event.chain} accepts it, and its policy on ${ownerText(here.owner)} is DROP${inPlace(at)}.` : `The rule \`${event.rule ?? ''}\` on ${ownerText(here.owner)}${inPlace(at)} decides before any that accepts it.`;
  return [change(here, {
    wrong: what,
    at,
    title: `accept it with \`${rule.text}\`${before === null ? '' : ` before \`${event.rule ?? ''}\``} on ${ownerText(here.owner)}`,
    edit: lines(here, found, [], [rule.text], before),
    applied: (c) => withTable(c, table, (t) => withRuleBefore(t, event.chain, rule, before)),
  })];
}

function policyChange(here: Here, { table, event, at }: Found): Candidate {
  return change(here, {
    wrong: `The policy of ${event.chain} (${table.name}) on ${ownerText(here.owner)}${inPlace(at)} is DROP, and no rule before it accepts the packet.`,
    at,
    title: `set the policy of ${event.chain} on ${ownerText(here.owner)} to ACCEPT`,
    edit: { kind: 'words', owner: here.owner, block: blockOf(table), at, from: `${event.chain} DROP`, to: `${event.chain} ACCEPT` },
    applied: (c) => withTable(c, table, (t) => ({ ...t, chains: t.chains.map((ch) => (ch.name === event.chain ? { ...ch, policy: 'ACCEPT' } : ch)) })),
  });
}

/** `null` where the packet's own addresses are not known. */
function partsFor({ spec, last, phase }: Situation, event: Event): readonly Part[] | null {
  if (last === undefined) return null;
  const outer = outerOf(last, event);
  if (outer !== null) {
    const network = outer.source === null ? undefined : spec.networks.flatMap((n) => n.prefixes).find((p) => outer.source !== null && contains(p, outer.source));
    return [...(network === undefined ? [] : [source(network)]), ...(outer.remote === null ? [] : [destination(hostPrefix(outer.remote))]), protocol('udp'), destinationPort('udp', outer.port)];
  }
  const packet = conversationAt(last);
  if (packet === undefined) return null;
  if (phase !== 'request') return [inState('RELATED', 'ESTABLISHED')];
  const port: readonly Part[] = packet.protocol === null ? [] : packet.destinationPort === null ? [protocol(packet.protocol)] : [protocol(packet.protocol), destinationPort(packet.protocol, packet.destinationPort)];
  return [source(hostPrefix(packet.source)), destination(hostPrefix(packet.destination)), ...port];
}

interface Outer {
  readonly source: Address | null;
  readonly remote: Address | null;
  readonly port: number;
}

const VXLAN_PORT = 8472;

/** What the rules see of a packet in a tunnel: on arrival its outer headers, where it is sent what the device puts around it. */
function outerOf({ packet, steps }: Hop, event: Event): Outer | null {
  const ip = packet.find((h) => h.header === 'ipv4' || h.header === 'ipv6');
  const udp = packet.find((h) => h.header === 'udp');
  if (packet.some((h) => h.header === 'vxlan') && ip !== undefined && udp !== undefined) return { source: parseAddress(ip.source) ?? null, remote: null, port: udp.destinationPort };
  const around = steps.slice(0, steps.indexOf(event)).findLast((s) => s.stage === 'encapsulate');
  return around?.stage === 'encapsulate' && around.kind === 'vxlan' ? { source: null, remote: parseAddress(around.remote) ?? null, port: VXLAN_PORT } : null;
}
