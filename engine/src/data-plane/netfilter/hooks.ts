/**
 * The five hooks, and who stands at each in which order: one table of data, so that another packet filter is another
 * entry (include/uapi/linux/netfilter_ipv4.h: enum nf_ip_hook_priorities; IPv6 has the same).
 */
import { sameAddress } from '../../net/address.ts';
import type { TableName } from '../../topology/netfilter.ts';
import type { Hook } from '../../trace/model.ts';
import type { CompiledNamespace } from '../compile.ts';
import { isIcmpError } from '../packet.ts';
import { keyOf, lookup, refuse, refuseLoopback } from '../route.ts';
import { end, kernel, step } from '../run-state.ts';
import type { Run, Skb } from '../run-state.ts';
import { walkTable } from './chain.ts';
import type { Verdict } from './chain.ts';
import { confirm, track } from './conntrack.ts';
import type { Position } from './matches/match.ts';
import { halfAt, NO_CHANGE, settle, settled, translate, translateError } from './nat.ts';
import { inTurn } from './rulesets.ts';
import { tupleText } from './tuple.ts';
import { unsimulatedProxy } from '../service-proxy.ts';

/** What a packet filter, of whatever kind, has registered: `rerouted` where a change at OUTPUT is routed again at once. */
type Registered = { readonly priority: number; readonly hooks: readonly Hook[] } & (
  | { readonly kind: 'table'; readonly table: TableName; readonly rerouted?: true }
  | { readonly kind: 'nat' | 'conntrack' | 'confirm' | 'service-proxy' }
);

const EVERYWHERE: readonly Hook[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];

/** Those of equal priority in the order of their registration. */
const REGISTERED: readonly Registered[] = [
  { priority: -300, hooks: ['PREROUTING', 'OUTPUT'], kind: 'table', table: 'raw' },
  { priority: -200, hooks: ['PREROUTING', 'OUTPUT'], kind: 'conntrack' },
  { priority: -150, hooks: EVERYWHERE, kind: 'table', table: 'mangle', rerouted: true },
  // kube-proxy's nftables chains are of the type nat at the priority dstnat (pkg/proxy/nftables/proxier.go); IPVS has the packet at INPUT.
  { priority: -100, hooks: ['PREROUTING', 'OUTPUT'], kind: 'service-proxy' },
  { priority: -100, hooks: ['PREROUTING', 'OUTPUT'], kind: 'nat' },
  { priority: 0, hooks: ['INPUT', 'FORWARD', 'OUTPUT'], kind: 'table', table: 'filter' },
  { priority: 50, hooks: ['INPUT', 'FORWARD', 'OUTPUT'], kind: 'table', table: 'security' },
  { priority: 100, hooks: ['INPUT', 'POSTROUTING'], kind: 'nat' },
  { priority: 0x7fffffff, hooks: ['INPUT', 'POSTROUTING'], kind: 'confirm' },
];

const registeredAt = (hook: Hook): readonly Registered[] => REGISTERED.filter(({ hooks }) => hooks.includes(hook)).sort((a, b) => a.priority - b.priority);

export const HOOK_ORDER: Readonly<Record<Hook, readonly Registered[]>> = {
  PREROUTING: registeredAt('PREROUTING'),
  INPUT: registeredAt('INPUT'),
  FORWARD: registeredAt('FORWARD'),
  OUTPUT: registeredAt('OUTPUT'),
  POSTROUTING: registeredAt('POSTROUTING'),
};

export function runHook(run: Run, ns: CompiledNamespace, skb: Skb, at: Position): Verdict {
  let now = skb;
  if (skb.packet.ip.fragmentedTo !== null) supposeAlike(run, ns, skb, at);
  for (const registered of HOOK_ORDER[at.hook]) {
    const verdict = call(run, ns, registered, now, at);
    if (verdict.kind === 'ended') return verdict;
    now = verdict.skb;
  }
  return { kind: 'accept', skb: now };
}

/** Without conntrack nobody puts the pieces together before the rules, and the later ones have no ports. */
function supposeAlike(run: Run, ns: CompiledNamespace, { packet: { ip } }: Skb, { hook }: Position): void {
  const first = hook === 'PREROUTING' || hook === 'OUTPUT';
  if (!first || ns.tracks[ip.family] || ![...ns.tables[ip.family].values()].some(({ table }) => table.chains.some((chain) => chain.rules.length > 0))) return;
  const sentence = `The packet comes in pieces, and nothing on ${ns.label} puts them together before its rules: the later pieces, which have no ports, are taken to fare as the first one does.`;
  step(run, { stage: 'assumption', sentence, source: kernel('fragments where nothing is tracked') });
}

const pass = (skb: Skb): Verdict => ({ kind: 'accept', skb });

function call(run: Run, ns: CompiledNamespace, registered: Registered, skb: Skb, at: Position): Verdict {
  const { family } = skb.packet.ip;
  switch (registered.kind) {
    case 'table': {
      const table = ns.tables[family].get(registered.table);
      if (table === undefined) return pass(skb);
      let now = skb;
      for (const each of inTurn(run, ns, table, skb, at)) {
        const walked = walkTable(run, ns, each, now, at);
        const verdict = registered.rerouted === true ? reroute(run, ns, now, walked, at) : walked;
        if (verdict.kind === 'ended') return verdict;
        now = verdict.skb;
      }
      return pass(now);
    }
    case 'conntrack':
      return pass(ns.tracks[family] ? track(run, ns, at.hook, skb) : skb);
    case 'nat':
      return ns.tables[family].has('nat') ? reroute(run, ns, skb, callNat(run, ns, skb, at), at) : pass(skb);
    case 'service-proxy': {
      const fate = unsimulatedProxy(run, ns, skb);
      return fate === null ? pass(skb) : { kind: 'ended', fate };
    }
    case 'confirm': {
      const fate = confirm(run, ns, skb);
      return fate === null ? pass(skb) : { kind: 'ended', fate };
    }
  }
}

/**
 * What mangle or nat changed at OUTPUT is routed again at once; without a route the later tables do not see it
 * (iptable_mangle.c: ipt_mangle_out; nf_nat_proto.c: nf_nat_ipv4_local_fn: ip_route_me_harder).
 */
function reroute(run: Run, ns: CompiledNamespace, before: Skb, verdict: Verdict, at: Position): Verdict {
  if (at.hook !== 'OUTPUT' || verdict.kind === 'ended') return verdict;
  const { skb } = verdict;
  const isSame = before.mark === skb.mark && before.packet.ip.tos === skb.packet.ip.tos && sameAddress(before.packet.ip.destination, skb.packet.ip.destination);
  if (isSame) return verdict;
  const found = lookup(run, ns, keyOf(skb, 'lo'));
  const fate = found.kind === 'found' ? refuseLoopback(run, ns, skb, found) : refuse(run, ns, skb, found);
  return fate === null ? verdict : { kind: 'ended', fate };
}

/** nf_nat_core.c: nf_nat_inet_fn. Rules see only the first packet of a flow; what they leave is a null binding. */
function callNat(run: Run, ns: CompiledNamespace, skb: Skb, at: Position): Verdict {
  const { tracked } = skb;
  const entry = tracked?.entry ?? null;
  if (tracked === null || entry === null) return pass(skb);
  if (tracked.info === 'related' && isIcmpError(skb.packet)) return pass(translateError(run, ns, at.hook, skb));
  const half = halfAt(at.hook);
  // A reset that REJECT sent is related: where the rejected packet had not come to the half's hook, the rules see the reset.
  if ((tracked.info !== 'new' && tracked.info !== 'related') || settled(entry, half)) return pass(translate(run, ns, at.hook, skb, false));
  const table = ns.tables[skb.packet.ip.family].get('nat');
  let now = skb;
  for (const each of table === undefined ? [] : inTurn(run, ns, table, skb, at)) {
    const verdict = walkTable(run, ns, each, now, at);
    if (verdict.kind === 'ended') return verdict;
    now = verdict.skb;
    // What one ruleset has translated, the other is not asked about.
    if (settled(entry, half)) break;
  }
  if (!settled(entry, half) && !settle(run, ns, entry, half, NO_CHANGE, null)) {
    return { kind: 'ended', fate: end(run, ns, now, 'nat-no-ports', { what: tupleText(entry.original) }) };
  }
  return pass(translate(run, ns, at.hook, now, true));
}
