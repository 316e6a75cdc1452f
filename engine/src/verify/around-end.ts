/** Changes around the very thing that ended the packet: the rule, the policy, the entry or the switch. */
import { hostPrefix } from '../net/address.ts';
import { accept, destination, destinationPort, inState, place, protocol, source } from '../control-plane/iptables-rule.ts';
import type { Part } from '../control-plane/iptables-rule.ts';
import { ROOT_NAMESPACE } from '../topology/model.ts';
import type { Rule, Table } from '../topology/netfilter.ts';
import { derived } from '../topology/origin.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { CapturedState } from '../topology/spec.ts';
import { capturedOf, inPlace, nodeOwner, ownerText, placeOf, podOwner, sameRef, withCaptured } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { withoutRules, withTable } from './deviation-rule.ts';
import type { DumpBlock, Edit, Owner } from './explanation.ts';
import { conversationAt, decidingEvent, stepsOf } from './situation.ts';
import type { Event, Situation } from './situation.ts';

export function aroundTheEnd(situation: Situation): readonly Candidate[] {
  const { last } = situation;
  if (last === undefined) return [];
  const owner = last.namespace === ROOT_NAMESPACE ? nodeOwner(last.host) : podOwner(last.namespace);
  const captured = capturedOf(situation.spec, owner);
  const here: Here = { situation, owner, captured: captured ?? {}, host: last.host, namespace: last.namespace };
  return [...ruleChanges(here), ...switches(here), ...usedEntries(situation)];
}

interface Here {
  readonly situation: Situation;
  readonly owner: Owner;
  readonly captured: CapturedState;
  readonly host: string;
  readonly namespace: string;
}

interface Change {
  readonly wrong: string;
  readonly at: SourceRef | null;
  readonly title: string;
  readonly edit: Edit;
  readonly applied: (captured: CapturedState) => CapturedState;
}

const candidate = ({ owner, host, namespace }: Pick<Here, 'owner' | 'host' | 'namespace'>, { wrong, at, title, edit, applied }: Change): Candidate =>
  ({ wrong, host, namespace, at, title, edits: [edit], applied: (spec) => withCaptured(spec, owner, applied) });

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

const refers = (record: { readonly origin: Rule['origin'] }, at: SourceRef): boolean => {
  const place = placeOf(record.origin);
  return place !== null && sameRef(place, at);
};

function ruleChanges(here: Here): readonly Candidate[] {
  const found = decided(here);
  if (found === undefined) return [];
  const { event } = found;
  return event.event === 'policy' ? [...inserted(here, found), policyChange(here, found)] : [removal(here, found), ...moved(here, found), ...inserted(here, found)];
}

const blockOf = (table: Table): 'iptables' | 'ip6tables' => (table.family === 4 ? 'iptables' : 'ip6tables');

const lines = (here: Here, { table }: Found, remove: readonly SourceRef[], add: readonly string[], before: SourceRef | null): Edit =>
  ({ kind: 'lines', owner: here.owner, block: blockOf(table), table: table.name, remove, add, before });

function removal(here: Here, found: Found): Candidate {
  const { table, event, at } = found;
  const verb = event.verdict === 'REJECT' ? 'rejects' : 'drops';
  return candidate(here, {
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
    return [candidate(here, {
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

/** A rule for just this conversation, before what decided. */
function inserted(here: Here, found: Found): readonly Candidate[] {
  const { situation } = here;
  const { table, event, at } = found;
  const packet = situation.last === undefined ? undefined : conversationAt(situation.last);
  if (packet === undefined || table.name !== 'filter') return [];
  const port: readonly Part[] = packet.protocol === null ? [] : packet.destinationPort === null ? [protocol(packet.protocol)] : [protocol(packet.protocol), destinationPort(packet.protocol, packet.destinationPort)];
  const parts = situation.phase !== 'request' ? [inState('RELATED', 'ESTABLISHED')] : [source(hostPrefix(packet.source)), destination(hostPrefix(packet.destination)), ...port];
  const { rule } = place(table.name, event.chain, parts, accept, derived('k8snet', 'a repair that is tried'));
  const before = event.event === 'policy' ? null : at;
  const what = event.event === 'policy' ? `No rule of ${event.chain} accepts it, and its policy on ${ownerText(here.owner)} is DROP${inPlace(at)}.` : `The rule \`${event.rule ?? ''}\` on ${ownerText(here.owner)}${inPlace(at)} decides before any that accepts it.`;
  return [candidate(here, {
    wrong: what,
    at,
    title: `accept it with \`${rule.text}\`${before === null ? '' : ` before \`${event.rule ?? ''}\``} on ${ownerText(here.owner)}`,
    edit: lines(here, found, [], [rule.text], before),
    applied: (c) => withTable(c, table, (t) => withRuleBefore(t, event.chain, rule, before)),
  })];
}

function policyChange(here: Here, { table, event, at }: Found): Candidate {
  return candidate(here, {
    wrong: `The policy of ${event.chain} (${table.name}) on ${ownerText(here.owner)}${inPlace(at)} is DROP, and no rule before it accepts the packet.`,
    at,
    title: `set the policy of ${event.chain} on ${ownerText(here.owner)} to ACCEPT`,
    edit: { kind: 'words', owner: here.owner, block: blockOf(table), at, from: `${event.chain} DROP`, to: `${event.chain} ACCEPT` },
    applied: (c) => withTable(c, table, (t) => ({ ...t, chains: t.chains.map((ch) => (ch.name === event.chain ? { ...ch, policy: 'ACCEPT' } : ch)) })),
  });
}

/** Which switches an outcome looks at, and the values that let the packet pass, the narrower first. */
const SWITCHES: Readonly<Record<string, { readonly names: RegExp; readonly values: readonly string[]; readonly wrong: (value: string) => boolean }>> = {
  'not-forwarding': { names: /\.(ip_forward|forwarding)$/, values: ['1'], wrong: (v) => v === '0' },
  'rp-filter': { names: /\.rp_filter$/, values: ['2', '0'], wrong: (v) => v !== '0' },
  'martian-source': { names: /\.(rp_filter|accept_local)$/, values: ['0'], wrong: (v) => v !== '0' },
  'martian-destination': { names: /\.route_localnet$/, values: ['1'], wrong: (v) => v === '0' },
  'echo-ignored': { names: /echo_ignore_all$/, values: ['0'], wrong: (v) => v !== '0' },
  'unexpected-source': { names: /bridge-nf-call-ip6?tables$/, values: ['1'], wrong: (v) => v === '0' },
};

function switches(here: Here): readonly Candidate[] {
  const { situation } = here;
  const kind = SWITCHES[situation.reason?.code ?? ''];
  if (kind === undefined) return [];
  // What a bridge did not show to iptables was lost on any host of the way.
  const owners = situation.reason?.code === 'unexpected-source' ? [...new Set(situation.branch.request.hops.map((h) => h.host))].map(nodeOwner) : [here.owner];
  return owners.flatMap((owner) => {
    const said = (capturedOf(situation.spec, owner)?.sysctls ?? []).filter((s) => kind.names.test(s.name) && kind.wrong(s.value));
    const [first] = said;
    if (first === undefined) return [];
    const at = placeOf(first.origin);
    const remove = said.flatMap((s) => placeOf(s.origin) ?? []);
    return kind.values.filter((value) => said.some((s) => s.value !== value)).map((value) => candidate({ ...here, owner, host: owner.kind === 'node' ? owner.name : here.host }, {
      wrong: `On ${ownerText(owner)} \`${said.map((s) => `${s.name} = ${s.value}`).join('`, `')}\`${inPlace(at)}.`,
      at,
      title: `set \`${said.map((s) => `${s.name} = ${value}`).join('`, `')}\` on ${ownerText(owner)}`,
      edit: { kind: 'lines', owner, block: 'sysctl', table: null, remove, add: said.map((s) => `${s.name} = ${value}`), before: null },
      applied: (c) => ({ ...c, sysctls: [...(c.sysctls ?? []).filter((s) => !said.includes(s)), ...said.map((s) => ({ ...s, value }))] }),
    }));
  });
}

/** Captured entries that the flow used last, whoever wrote them: without one the next best decides. */
function usedEntries(situation: Situation): readonly Candidate[] {
  const { spec } = situation;
  const used = stepsOf(situation).flatMap((s) => (s.stage === 'route' || s.stage === 'neighbour' || s.stage === 'fdb' || s.stage === 'policy-rule' ? [s] : [])).reverse();
  const seen = new Set<string>();
  const found: Candidate[] = [];
  for (const { source: by } of used) {
    if (!('layer' in by) || by.layer !== 'captured' || seen.has(`${by.file}:${by.line}`)) continue;
    seen.add(`${by.file}:${by.line}`);
    const at = { file: by.file, line: by.line };
    for (const owner of [...spec.nodes.map((n) => nodeOwner(n.name)), ...spec.pods.map((p) => podOwner(`${p.namespace}/${p.name}`))]) found.push(...entryRemovals(situation, owner, at));
    if (seen.size >= 8) break;
  }
  return found;
}

const ENTRIES = [['routes', 'route'], ['neighbours', 'neighbour'], ['fdb', 'FDB entry'], ['rules', 'policy rule']] as const satisfies readonly (readonly [DumpBlock & keyof CapturedState, string])[];

function entryRemovals(situation: Situation, owner: Owner, at: SourceRef): readonly Candidate[] {
  const captured = capturedOf(situation.spec, owner);
  if (captured === undefined) return [];
  const host = owner.kind === 'node' ? owner.name : (situation.spec.pods.find((p) => `${p.namespace}/${p.name}` === owner.name)?.node ?? '');
  return ENTRIES.flatMap(([block, noun]) => (captured[block] ?? []).filter((e) => refers(e, at)).map((entry) => candidate({ owner, host, namespace: owner.kind === 'node' ? ROOT_NAMESPACE : owner.name }, {
    wrong: `The ${noun} \`${entry.text.trim()}\` of ${ownerText(owner)}${inPlace(at)} leads the packet astray.`,
    at,
    title: `remove the ${noun} \`${entry.text.trim()}\` from ${ownerText(owner)}`,
    edit: { kind: 'lines', owner, block, table: null, remove: [at], add: [], before: null },
    applied: (c) => ({ ...c, [block]: (c[block] ?? []).filter((e) => !refers(e, at)) }),
  })));
}
