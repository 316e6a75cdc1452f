/**
 * Random clusters, the same ones in every run: what the kernel did with each question is what the simulator says. Needs
 * namespaces of its own; a failure prints the smallest file and question that still differ.
 */
import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { newCoverage, table } from './coverage.ts';
import { judgeRandom } from './driver.ts';

const TOPOLOGIES = 320;
const IN_NFTABLES = 60;
const SEED = 20_261_122;
const MINUTE = 60_000;

/** Questions that have to go through each feature before the comparison says anything of it. */
const ENOUGH: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  family: { IPv4: 300, IPv6: 150 },
  device: { veth: 300, bridge: 300, physical: 200, loopback: 80, vxlan: 50 },
  outcome: {
    delivered: 200, 'no-such-destination': 100, 'port-closed': 70, 'rule-reject': 25, 'rule-drop': 15, 'policy-drop': 25, 'not-forwarding': 20, 'neighbour-failed': 10, 'over-mtu': 8, 'echo-ignored': 2,
    'needs-fragmenting': 2, 'fdb-missing': 2, 'martian-source': 1, 'route-prohibit': 1, 'route-blackhole': 1,
  },
  answer: { reply: 200, reset: 25, 'icmp 3/3': 30, 'icmp 3/1': 10, 'icmp 1/4': 10, 'icmp 3/0': 1, 'icmp 3/4': 1 },
  stage: { fragment: 50, encapsulate: 40, decapsulate: 30, nat: 100, 'source-check': 30, 'policy-rule': 4, 'icmp-error': 90, forward: 200, bridge: 300 },
  route: { unicast: 400, local: 300, onlink: 50, mtu: 3, 'several nexthops': 4 },
  hook: {
    'raw PREROUTING': 100, 'raw OUTPUT': 60, 'mangle PREROUTING': 90, 'mangle INPUT': 40, 'mangle FORWARD': 40, 'mangle OUTPUT': 60, 'mangle POSTROUTING': 70,
    'nat PREROUTING': 250, 'nat INPUT': 20, 'nat OUTPUT': 120, 'nat POSTROUTING': 250, 'filter INPUT': 180, 'filter FORWARD': 200, 'filter OUTPUT': 200,
  },
  match: {
    source: 150, destination: 120, 'in-interface': 12, 'out-interface': 5, protocol: 80, 'destination-port': 30, 'tcp-flags': 15, 'icmp-type': 5, multiport: 4, tcpmss: 5, mark: 5, '! mark': 150, '! connmark': 15,
    'conntrack-state': 200, 'conntrack-status': 2, 'conntrack-tuple': 3, 'conntrack-port': 2, 'conntrack-direction': 10, 'address-type': 100, 'address-range': 20, 'mac-source': 1, physdev: 5, 'physdev-is': 12,
    'packet-type': 10, length: 8, ttl: 12, dscp: 4, recent: 7, 'statistic-nth': 12, 'statistic-random': 8, owner: 3, '! owner': 1,
    set: 5, '! set': 10, limit: 4, hashlimit: 2, rpfilter: 5,
  },
  ruleset: { 'legacy beside the other': 40, 'nft beside the other': 40 },
  target: {
    accept: 200, drop: 25, return: 200, jump: 300, goto: 100, none: 25, log: 50, mark: 100, 'connmark set': 15, 'connmark save': 15, 'connmark restore': 20, zone: 20, notrack: 15,
    'ttl set': 15, 'ttl inc': 15, 'ttl dec': 12, dscp: 12, 'tcpmss set': 6, netmap: 10, masquerade: 3, 'masquerade at random': 80, 'masquerade with ports': 1,
    'reject tcp-reset': 4, 'reject icmp-port-unreachable': 5, 'reject icmp-host-unreachable': 3, 'reject icmp-net-unreachable': 3, 'reject icmp-proto-unreachable': 2, 'reject icmp-admin-prohibited': 2,
    'reject icmp-host-prohibited': 2, 'reject icmp6-port-unreachable': 3, 'reject icmp6-no-route': 2, 'reject icmp6-adm-prohibited': 1, 'reject icmp6-reject-route': 1,
  },
};

describe('random clusters in the kernel', () => {
  it('do as the simulator says, and go through every feature', async () => {
    const coverage = newCoverage();
    const found = await judgeRandom({ seed: SEED, count: TOPOLOGIES, workers: Math.min(os.availableParallelism(), 4), shrink: true, tables: 'legacy' }, coverage);
    process.stdout.write(`${TOPOLOGIES} random topologies judged\n${table(coverage)}\n`);
    expect(found.join('\n\n')).toBe('');
    const few = Object.entries(ENOUGH).flatMap(([group, features]) => Object.entries(features).flatMap(([feature, least]) => {
      const n = coverage.groups.get(group)?.get(feature) ?? 0;
      return n >= least ? [] : [`${group} ${feature}: ${n} of ${least}`];
    }));
    expect(few).toEqual([]);
  }, 12 * MINUTE);

  it('do the same with their rules in nftables, but for the rules that are met, which it does not tell', async () => {
    const coverage = newCoverage();
    const found = await judgeRandom({ seed: SEED + 1, count: IN_NFTABLES, workers: Math.min(os.availableParallelism(), 4), shrink: true, tables: 'nft' }, coverage);
    process.stdout.write(`${IN_NFTABLES} random topologies judged over nftables\n${table(coverage)}\n`);
    expect(found.join('\n\n')).toBe('');
    expect(coverage.groups.get('outcome')?.get('delivered') ?? 0).toBeGreaterThan(40);
    expect(coverage.groups.get('target')?.size ?? 0).toBeGreaterThan(20);
  }, 6 * MINUTE);
});
