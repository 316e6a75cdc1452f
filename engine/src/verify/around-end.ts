/** Changes around the very thing that ended the packet: the rule, the policy, the entry, the switch, or the rule of `ip rule` that is missing. */
import { MAIN_TABLE, ROOT_NAMESPACE } from '../topology/model.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { CapturedRule, CapturedState } from '../topology/spec.ts';
import { ruleChanges } from './around-rule.ts';
import { capturedOf, inPlace, nodeOwner, ownerText, placeOf, podOwner } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import type { DumpBlock, Owner } from './explanation.ts';
import { change, refers } from './here.ts';
import type { Here } from './here.ts';
import { stepsOf } from './situation.ts';
import type { Situation } from './situation.ts';

export function aroundTheEnd(situation: Situation): readonly Candidate[] {
  const { last } = situation;
  if (last === undefined) return [];
  const owner = last.namespace === ROOT_NAMESPACE ? nodeOwner(last.host) : podOwner(last.namespace);
  const captured = capturedOf(situation.spec, owner);
  const here: Here = { situation, owner, captured: captured ?? {}, host: last.host, namespace: last.namespace };
  return [...ruleChanges(here), ...switches(here), ...mainTable(here), ...usedEntries(situation)];
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
    return kind.values.filter((value) => said.some((s) => s.value !== value)).map((value) => change({ ...here, owner, host: owner.kind === 'node' ? owner.name : here.host }, {
      wrong: `On ${ownerText(owner)} \`${said.map((s) => `${s.name} = ${s.value}`).join('`, `')}\`${inPlace(at)}.`,
      at,
      title: `set \`${said.map((s) => `${s.name} = ${value}`).join('`, `')}\` on ${ownerText(owner)}`,
      edit: { kind: 'lines', owner, block: 'sysctl', table: null, remove, add: said.map((s) => `${s.name} = ${value}`), before: null },
      applied: (c) => ({ ...c, sysctls: [...(c.sysctls ?? []).filter((s) => !said.includes(s)), ...said.map((s) => ({ ...s, value }))] }),
    }));
  });
}

/** Without a rule that leads to the main table its routes are not asked (fib_default_rules_init). */
function mainTable({ situation, owner, captured, host, namespace }: Here): readonly Candidate[] {
  const { rules } = captured;
  if (situation.reason?.code !== 'no-route' || rules === undefined || rules.some((r) => r.action.kind === 'lookup' && r.action.table === MAIN_TABLE)) return [];
  const text = '32766:\tfrom all lookup main';
  const next = rules.find((r) => r.priority > 32766 && r.family !== 6) ?? null;
  const [first] = rules;
  if (first === undefined) return [];
  const at = placeOf(first.origin);
  const rule: CapturedRule = { ...ANY_RULE, family: next === null ? first.family : next.family, priority: 32766, action: { kind: 'lookup', table: MAIN_TABLE, suppressPrefixLength: null }, text, origin: first.origin };
  return [change({ owner, host, namespace }, {
    wrong: `The policy rules of ${ownerText(owner)}${inPlace(at)} lack \`from all lookup main\`, so none of its routes are asked.`,
    at,
    title: `add the policy rule \`from all lookup main\` to ${ownerText(owner)}`,
    edit: { kind: 'lines', owner, block: 'rules', table: null, remove: [], add: [text], before: next === null ? null : placeOf(next.origin) },
    applied: (c) => ({ ...c, rules: (c.rules ?? []).flatMap((r) => (r === next ? [rule, r] : [r])).concat(next === null ? [rule] : []) }),
  })];
}

const ANY_RULE = { inverted: false, from: null, to: null, inInterface: null, outInterface: null, mark: null, protocol: null } as const;

/** Captured entries that the flow used last, whoever wrote them: without one the next best decides. */
function usedEntries(situation: Situation): readonly Candidate[] {
  const { spec } = situation;
  const used = stepsOf(situation).flatMap((s) => (s.stage === 'route' || s.stage === 'neighbour' || s.stage === 'fdb' || s.stage === 'policy-rule' || s.stage === 'conntrack' ? [s] : [])).reverse();
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

const ENTRIES = [['routes', 'route'], ['neighbours', 'neighbour'], ['fdb', 'FDB entry'], ['rules', 'policy rule'], ['conntrack', 'flow that conntrack knows']] as const satisfies readonly (readonly [DumpBlock & keyof CapturedState, string])[];

function entryRemovals(situation: Situation, owner: Owner, at: SourceRef): readonly Candidate[] {
  const captured = capturedOf(situation.spec, owner);
  if (captured === undefined) return [];
  const host = owner.kind === 'node' ? owner.name : (situation.spec.pods.find((p) => `${p.namespace}/${p.name}` === owner.name)?.node ?? '');
  return ENTRIES.flatMap(([block, noun]) => (captured[block] ?? []).filter((e) => refers(e, at)).map((entry) => change({ owner, host, namespace: owner.kind === 'node' ? ROOT_NAMESPACE : owner.name }, {
    wrong: `The ${noun} \`${entry.text.trim()}\` of ${ownerText(owner)}${inPlace(at)} leads the packet astray.`,
    at,
    title: `remove the ${noun} \`${entry.text.trim()}\` from ${ownerText(owner)}`,
    edit: { kind: 'lines', owner, block, table: null, remove: [at], add: [], before: null },
    applied: (c) => ({ ...c, [block]: (c[block] ?? []).filter((e) => !refers(e, at)) }),
  })));
}
