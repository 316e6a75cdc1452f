/** Rules in iptables-legacy and in iptables-nft on one node: what the kernel makes of them, set up in either order. */
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { clusterText } from '../unit/data-plane/fixture.ts';
import { compare } from './judge.ts';
import { startKernel } from './kernel.ts';
import type { Observation } from './kernel.ts';

interface Case {
  readonly what: string;
  readonly table: string;
  readonly legacy: readonly string[];
  readonly nft: readonly string[];
  readonly to: string;
  readonly family?: 4 | 6;
  /** Left open by the simulator: the kernel's answer depends on the order. */
  readonly isOpen?: true;
}

const CHAINS: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'], mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

const VIRTUAL = '198.51.100.8';
const dnat = (to: string): string => `-A PREROUTING -d ${VIRTUAL}/32 -p udp -j DNAT --to-destination ${to}`;
const masquerade = '-A POSTROUTING -s 10.0.14.0/24 ! -d 10.0.14.0/24 -j MASQUERADE';
const mark = (chain: string): string => `-A ${chain} -j MARK --set-xmark 0x1/0xffffffff`;

const CASES: readonly Case[] = [
  { what: 'both accept', table: 'filter', legacy: ['-A FORWARD -j ACCEPT'], nft: ['-A FORWARD -p udp -j ACCEPT'], to: 'pod2:8080/UDP' },
  { what: 'legacy drops what nft accepts', table: 'filter', legacy: ['-A FORWARD -p udp -j DROP'], nft: ['-A FORWARD -j ACCEPT'], to: 'pod2:8080/UDP' },
  { what: 'nft drops what legacy accepts', table: 'filter', legacy: ['-A FORWARD -j ACCEPT'], nft: ['-A FORWARD -p udp -j DROP'], to: 'pod2:8080/UDP' },
  { what: 'legacy refuses what nft accepts', table: 'filter', legacy: ['-A FORWARD -p udp -j REJECT --reject-with icmp-port-unreachable'], nft: ['-A FORWARD -j ACCEPT'], to: 'pod2:8080/UDP' },
  { what: 'nft refuses what legacy accepts', table: 'filter', legacy: ['-A FORWARD -j ACCEPT'], nft: ['-A FORWARD -p tcp -j REJECT --reject-with tcp-reset'], to: 'pod2:8080/TCP' },
  { what: 'both drop', table: 'filter', legacy: ['-A FORWARD -j DROP'], nft: ['-A FORWARD -p udp -j DROP'], to: 'pod2:8080/UDP' },
  { what: 'the policy of legacy drops', table: 'filter', legacy: [':FORWARD DROP [0:0]'], nft: ['-A FORWARD -j ACCEPT'], to: 'pod2:8080/UDP' },
  { what: 'the policy of nft drops', table: 'filter', legacy: ['-A FORWARD -j ACCEPT'], nft: [':FORWARD DROP [0:0]'], to: 'pod2:8080/UDP' },
  { what: 'one refuses, the other drops', table: 'filter', legacy: ['-A FORWARD -j REJECT --reject-with icmp-port-unreachable'], nft: ['-A FORWARD -p udp -j DROP'], to: 'pod2:8080/UDP', isOpen: true },
  { what: 'they refuse with other errors', table: 'filter', legacy: ['-A FORWARD -j REJECT --reject-with icmp-port-unreachable'], nft: ['-A FORWARD -j REJECT --reject-with icmp-admin-prohibited'], to: 'pod2:8080/UDP', isOpen: true },
  { what: 'only nft translates the flow', table: 'nat', legacy: ['-A PREROUTING -d 198.51.100.9/32 -j DNAT --to-destination 10.0.5.150'], nft: [dnat('10.0.5.150')], to: `${VIRTUAL}:8080/UDP` },
  { what: 'only legacy translates the flow', table: 'nat', legacy: [dnat('10.0.5.150')], nft: ['-A PREROUTING -d 198.51.100.9/32 -j DNAT --to-destination 10.0.5.150'], to: `${VIRTUAL}:8080/UDP` },
  { what: 'both translate the destination alike', table: 'nat', legacy: [dnat('10.0.5.150')], nft: [dnat('10.0.5.150')], to: `${VIRTUAL}:8080/UDP` },
  { what: 'they translate to two pods', table: 'nat', legacy: [dnat('10.0.5.150')], nft: [dnat('10.0.14.16')], to: `${VIRTUAL}:8080/UDP`, isOpen: true },
  { what: 'both masquerade', table: 'nat', legacy: [masquerade], nft: [masquerade], to: 'pod2:8080/UDP' },
  { what: 'legacy translates the destination, nft the source', table: 'nat', legacy: [dnat('10.0.5.150')], nft: [masquerade], to: `${VIRTUAL}:8080/UDP` },
  { what: 'legacy exempts from nat what nft masquerades', table: 'nat', legacy: ['-A POSTROUTING -j ACCEPT'], nft: [masquerade], to: 'pod2:8080/UDP' },
  { what: 'a mark of legacy, dropped by nft', table: 'mangle', legacy: [mark('FORWARD')], nft: ['-A FORWARD -p udp -m mark --mark 0x1 -j DROP'], to: 'pod2:8080/UDP', isOpen: true },
  { what: 'a mark of legacy at an earlier hook, dropped by nft', table: 'mangle', legacy: [mark('PREROUTING')], nft: ['-A FORWARD -p udp -m mark --mark 0x1 -j DROP'], to: 'pod2:8080/UDP' },
  { what: 'marks of both', table: 'mangle', legacy: [mark('FORWARD')], nft: ['-A FORWARD -j MARK --set-xmark 0x2/0xffffffff'], to: 'pod2:8080/UDP' },
  { what: 'zones of both: the first that is given stays', table: 'raw', legacy: ['-A PREROUTING -j NOTRACK'], nft: ['-A PREROUTING -j ACCEPT'], to: 'far:53/UDP' },
  { what: 'NOTRACK of nft takes a service away', table: 'raw', legacy: ['-A PREROUTING -j ACCEPT'], nft: ['-A PREROUTING -j NOTRACK'], to: 'far:53/UDP' },
  { what: 'the node\'s own packets, dropped by nft', table: 'filter', legacy: ['-A INPUT -j ACCEPT'], nft: ['-A INPUT -p udp -j DROP'], to: 'host1:7000/UDP' },
];

function text({ table, legacy, nft }: Case): string {
  const dump = (header: string, lines: readonly string[]): string => {
    const policies = lines.filter((line) => line.startsWith(':'));
    const chains = (CHAINS[table] ?? []).map((chain) => policies.find((line) => line.startsWith(`:${chain} `)) ?? `:${chain} ACCEPT [0:0]`);
    return ['iptables {', `# Generated by iptables-save v1.8.9${header} on Sun Nov 22 18:30:30 2026`, `*${table}`, ...chains, ...lines.filter((line) => !line.startsWith(':')), 'COMMIT', '}'].join('\n');
  };
  return clusterText({ host1: `${dump('', legacy)}\n${dump(' (nf_tables)', nft)}` });
}

const ORDERS = ['legacy', 'nft'] as const;

const LABS = CASES.map((one) => {
  const snapshot = createSnapshot({ file: 'rulesets.k8snet', text: text(one) });
  const answer = resolveQuestion(snapshot.topology(), { from: 'pod1', to: one.to });
  if (!('flow' in answer)) throw new Error(answer.error);
  return { snapshot, flow: answer.flow, trace: runTrace(snapshot.compiled(), answer.flow) };
});

/** Building and taking down namespaces is mostly waiting. */
const AT_ONCE = 3;

const seen: (readonly (Observation | undefined)[])[] = [];
beforeAll(async () => {
  const kernel = startKernel(0);
  const observe = ({ snapshot, flow }: (typeof LABS)[number]) => Promise.all(ORDERS.map(async (first) => (await kernel.observe(snapshot.topology(), [flow], 4, first))[0]));
  for (let i = 0; i < LABS.length; i += AT_ONCE) seen.push(...(await Promise.all(LABS.slice(i, i + AT_ONCE).map(observe))));
  kernel.stop();
}, 240_000);

const outcomeOf = ({ frames, answer }: Observation): string => JSON.stringify([answer.kind, answer.from, answer.type, answer.code, frames.filter((f) => !f.out && f.interface === 'eth0').map((f) => f.tap)]);

describe.each(CASES.map((one, i) => [one.what, one, i] as const))('%s', (_what, { isOpen }, i) => {
  it(isOpen === true ? 'depends on the order, and is left open' : 'is what the kernel does in either order', () => {
    const lab = LABS[i];
    const [legacyFirst, nftFirst] = seen[i] ?? [];
    if (lab === undefined || legacyFirst === undefined || nftFirst === undefined) throw new Error('no observation');
    const open = lab.trace.branches.some((b) => b.outcome === 'undecided' || b.reply?.outcome === 'undecided');
    expect(open).toBe(isOpen === true);
    if (isOpen === true) expect(outcomeOf(legacyFirst)).not.toBe(outcomeOf(nftFirst));
    else {
      // With legacy first also rule for rule; of nftables' rules the kernel tells nothing.
      expect(compare(lab.snapshot.topology(), lab.flow, lab.trace, legacyFirst).differences).toEqual([]);
      expect(compare(lab.snapshot.topology(), lab.flow, lab.trace, { ...nftFirst, rules: null }).differences).toEqual([]);
    }
  });
});
