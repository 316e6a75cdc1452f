/** Whatever is missing or wrong on the nodes, a packet ends by name, and the branches add up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { parseAddress } from '../../../engine/src/net/address.ts';
import { REASON_CODES } from '../../../engine/src/trace/reasons.ts';
import type { Namespace, Topology } from '../../../engine/src/topology/model.ts';
import type { Flow, Protocol } from '../../../engine/src/trace/flow.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { clusterText, deviceOf, trace, traceAfter } from './fixture.ts';
import type { WritableNamespace } from './fixture.ts';
import { recordedSnapshot } from './recorded-file.ts';

const recorded = recordedSnapshot().topology();

const DESTINATIONS = ['10.0.5.150', '10.0.14.15', '10.0.14.21', '10.16.0.10', '10.16.0.20', '10.16.0.30', '192.168.93.212', '192.168.93.213', '192.168.93.254', '203.0.113.7', '198.51.100.10', '127.0.0.1', '10.0.14.255', '224.0.0.1', '255.255.255.255', '0.0.0.0', '10.244.0.1', 'fe80::1', 'fd00::1', '::1', 'ff02::1'];

const places = recorded.hosts.flatMap((host) => host.namespaces.map((namespace) => ({ host: host.name, namespace: namespace.name })));

const flows: fc.Arbitrary<Flow> = fc.record({
  place: fc.constantFrom(...places),
  destination: fc.constantFrom(...DESTINATIONS).map((text) => parseAddress(text) ?? { family: 4 as const, words: [0, 0, 0, 0] as const }),
  protocol: fc.constantFrom<Protocol>('ICMP', 'TCP', 'UDP', 'SCTP'),
  sourcePort: fc.constantFrom(1, 600, 40000, 65535),
  destinationPort: fc.constantFrom(1, 53, 80, 443, 8080, 8472, 30080, 30081),
  payload: fc.constantFrom(0, 56, 1422, 1423, 1480, 9000),
}).map(({ place, ...rest }) => ({ ...place, ...rest, fromText: 'a', toText: 'b', source: null, resolution: [] }));

type Damage = (namespace: Namespace, random: number) => Namespace;

const without = <T>(list: readonly T[], random: number): readonly T[] => list.filter((_, i) => i !== random % Math.max(list.length, 1));

const DAMAGE: readonly Damage[] = [
  (n, r) => ({ ...n, routes: without(n.routes, r) }),
  (n, r) => ({ ...n, rules: without(n.rules, r) }),
  (n, r) => ({ ...n, neighbours: without(n.neighbours, r) }),
  (n, r) => ({ ...n, fdb: without(n.fdb, r) }),
  (n, r) => ({ ...n, interfaces: without(n.interfaces, r) }),
  (n, r) => ({ ...n, tables: without(n.tables, r) }),
  (n, r) => ({ ...n, sysctls: without(n.sysctls, r) }),
  (n, r) => ({ ...n, interfaces: n.interfaces.map((d, i) => (i === r % n.interfaces.length ? { ...d, up: false } : d)) }),
  (n, r) => ({ ...n, interfaces: n.interfaces.map((d, i) => (i === r % n.interfaces.length ? { ...d, mtu: 500 } : d)) }),
  (n, r) => ({ ...n, interfaces: n.interfaces.map((d, i) => (i === r % n.interfaces.length ? { ...d, addresses: [] } : d)) }),
  (n, r) => ({ ...n, interfaces: n.interfaces.map((d, i) => (i === r % n.interfaces.length ? { ...d, device: { kind: 'unknown' } } : d)) }),
  (n, r) => ({ ...n, tables: n.tables.map((t) => ({ ...t, chains: without(t.chains, r) })) }),
  (n, r) => ({ ...n, tables: n.tables.map((t) => ({ ...t, chains: t.chains.map((c) => ({ ...c, rules: without(c.rules, r) })) })) }),
];

const damaged = (topology: Topology, hits: readonly (readonly [place: number, damage: number, random: number])[]): Topology => {
  let result = topology;
  for (const [place, damage, random] of hits) {
    const at = places[place % places.length];
    const change = DAMAGE[damage % DAMAGE.length];
    if (at === undefined || change === undefined) continue;
    result = { ...result, hosts: result.hosts.map((h) => (h.name === at.host ? { ...h, namespaces: h.namespaces.map((n) => (n.name === at.namespace ? change(n, random) : n)) } : h)) };
  }
  return result;
};

const hits = fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 100 }), fc.nat({ max: 100 })), { maxLength: 6 });

describe('a packet in a damaged cluster', () => {
  it('ends by name, with probabilities that add up, and the same way again', () => {
    fc.assert(
      fc.property(flows, hits, (flow, where) => {
        const compiled = compileTopology(damaged(recorded, where));
        const { branches } = runTrace(compiled, flow);
        expect(branches.reduce((sum, b) => sum + b.probability, 0)).toBeCloseTo(1, 9);
        for (const branch of branches) {
          expect(branch.reason === null).toBe(branch.outcome === 'delivered');
          expect(branch.deliveredTo === null).toBe(branch.outcome !== 'delivered');
          if (branch.reason !== null) expect(REASON_CODES).toContain(branch.reason.code);
          expect(branch.request.hops.length).toBeGreaterThan(0);
          if (branch.answer.kind !== 'none') expect(branch.reply?.outcome).toBe('delivered');
          for (const hop of [...branch.request.hops, ...(branch.reply?.hops ?? [])]) for (const step of hop.steps) expect(step.sentence).not.toMatch(/undefined|NaN|\[object/);
        }
        expect(runTrace(compiled, flow).branches).toEqual(branches);
      }),
      { numRuns: 400 },
    );
  }, 120_000);
});

/** A second bridge, joined to cni0 by two veth pairs, and a neighbour whose MAC nobody has. */
function joinTwice(host: WritableNamespace): void {
  const bridge = deviceOf(host, 'cni0');
  const device = (name: string, mac: number): WritableNamespace['interfaces'][number] => ({ ...structuredClone(bridge), name, mac: mac as typeof bridge.mac, addresses: [] });
  const end = (name: string, peer: string, master: string, mac: number): WritableNamespace['interfaces'][number] => ({
    ...device(name, mac),
    port: { master, hairpin: false, isolated: false, learning: false, flood: true },
    device: { kind: 'veth', peer: { host: 'host1', namespace: 'root', name: peer } },
  });
  host.interfaces.push(device('br1', 0x020000000001));
  for (const i of [1, 2]) host.interfaces.push(end(`left${i}`, `right${i}`, 'cni0', 0x020000000010 + i), end(`right${i}`, `left${i}`, 'br1', 0x020000000020 + i));
  host.neighbours.push({ ...NEIGHBOUR, device: 'cni0', address: { family: 4, words: [0, 0, 0, 0x0a000e4d] } });
}

const NEIGHBOUR: WritableNamespace['neighbours'][number] = {
  device: '', address: { family: 4, words: [0, 0, 0, 0] }, mac: 0x0a580a000e4d as WritableNamespace['neighbours'][number]['mac'], state: 'permanent', text: '',
  origin: { kind: 'derived', by: 'k8snet', because: 'the test' },
};

describe('a loop', () => {
  it('between two bridges ends by name', () => {
    const branch = traceAfter(clusterText(), { from: 'host1', to: '10.0.14.77' }, ['host1', 'root'], joinTwice);
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'bridge-loop' } });
    expect(branch.reason?.sentence).toMatch(/by (left|right)\d on host1, (left|right)\d on host1, .*: two ports lead to the same segment/);
    expect(branch.request.hops.length).toBeLessThan(200);
  });

  it('of routes between two hosts ends with the TTL', () => {
    const loop = (via: string): string => `routes {\n10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link\n10.9.0.0/24 via ${via} dev eth0\n}`;
    const branch = trace(clusterText({ cluster: 'flannel vxlan { no-masquerade }', host1: loop('192.168.93.213'), host2: loop('192.168.93.212').replace('10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n', '') }), { from: 'pod1', to: '10.9.0.1' });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'routing-loop' } });
    expect(branch.reason?.sentence).toMatch(/in a circle, (host1, host2, host1|host2, host1, host2)\.$/);
    expect(branch.request.hops.length).toBeGreaterThan(120);
  });
});
