/** Whatever goes round or multiplies ends by name, with what goes round shown, and within bounds. */
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import type { Mac } from '../../../engine/src/net/address.ts';
import { parseAddress } from '../../../engine/src/net/address.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { branches, clusterText, deviceOf, stages, stepsOf, trace, traceAfter } from './fixture.ts';
import type { WritableNamespace } from './fixture.ts';

const CONNECTED = '10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212';

const filter = (...lines: readonly string[]): string => `iptables {\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${lines.join('\n')}\nCOMMIT\n}`;

const stepsTogether = (all: readonly Branch[]): number => all.reduce((sum, b) => sum + stepsOf(b.request.hops).length + stepsOf(b.reply?.hops ?? []).length, 0);

type Device = WritableNamespace['interfaces'][number];

/** Bridges and links of a test's own, beside cni0. */
function bridge(host: WritableNamespace, name: string, mac: number): void {
  host.interfaces.push({ ...structuredClone(deviceOf(host, 'cni0')), name, mac: mac as Mac, addresses: [] });
}

function link(host: WritableNamespace, [a, masterA]: readonly [string, string], [b, masterB]: readonly [string, string], mac: number): void {
  const end = (name: string, peer: string, master: string, own: number): Device => ({
    ...structuredClone(deviceOf(host, 'cni0')), name, mac: own as Mac, addresses: [],
    port: { ...structuredClone(deviceOf(host, 'veth').port as NonNullable<Device['port']>), master, hairpin: false, isolated: false },
    device: { kind: 'veth', peer: { host: 'host1', namespace: 'root', name: peer } },
  });
  host.interfaces.push(end(a, b, masterA, mac), end(b, a, masterB, mac + 1));
}

const unknownMac = (host: WritableNamespace, device: string, address: string): void => {
  host.neighbours.push({ device, address: parseAddress(address) as never, mac: 0x0a580a000e4d as Mac, state: 'permanent', text: '', origin: { kind: 'derived', by: 'k8snet', because: 'the test' } });
};

describe('a routing loop', () => {
  const loop = (via: string, connected: string): string => `routes {\n${connected}\n10.9.0.0/24 via ${via} dev eth0\n}`;
  const text = (more = ''): string => clusterText({
    cluster: 'flannel vxlan { no-masquerade }',
    host1: `${loop('192.168.93.213', CONNECTED)}\n${more}`,
    host2: loop('192.168.93.212', '192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.213'),
  });

  it('is shown with who forwards in a circle, also with the largest TTL', () => {
    const branch = trace(text().replace('pod pod1 on host1 { ip 10.0.14.15;', 'pod pod1 on host1 { ip 10.0.14.15; sysctl { net.ipv4.ip_default_ttl = 255 };'), { from: 'pod1', to: '10.9.0.1' });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'routing-loop' } });
    expect(branch.reason?.sentence).toMatch(/in a circle, (host1, host2, host1|host2, host1, host2)\.$/);
    expect(branch.request.hops.length).toBeGreaterThan(500);
  });

  it('with a random choice on every round stays within the steps of one trace', () => {
    const random = filter('-A FORWARD -m statistic --mode random --probability 0.5 -j RETURN');
    const all = branches(text(random), { from: 'pod1', to: '10.9.0.1' });
    expect(all.at(-1)).toMatchObject({ outcome: 'undecided', reason: { code: 'too-many-branches' } });
    expect(all.length).toBeLessThan(4096);
    // One branch may have been begun below the budget.
    expect(stepsTogether(all)).toBeLessThan(402_000);
    expect(all.reduce((sum, b) => sum + b.probability, 0)).toBeCloseTo(1, 9);
  });

  it('of translations on two hosts ends with the TTL', () => {
    const nat = (from: string, to: string): string => `iptables {\n*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d ${from}/32 -j DNAT --to-destination ${to}\nCOMMIT\n}`;
    const branch = trace(clusterText({
      cluster: 'flannel vxlan { no-masquerade }',
      host1: `routes {\n${CONNECTED}\n10.9.1.0/24 via 192.168.93.213 dev eth0\n}\n${nat('10.9.0.1', '10.9.1.1')}`,
      host2: `routes {\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.213\n10.9.0.0/24 via 192.168.93.212 dev eth0\n}\n${nat('10.9.1.1', '10.9.0.1')}`,
    }), { from: 'pod1', to: '10.9.0.1' });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'routing-loop' } });
  });
});

describe('a bridge loop', () => {
  it('of a bridge joined to itself is shown with the ports that the frame passes', () => {
    const branch = traceAfter(clusterText(), { from: 'host1', to: '10.0.14.77' }, ['host1', 'root'], (host) => {
      link(host, ['loop1', 'cni0'], ['loop2', 'cni0'], 0x020000000051);
      unknownMac(host, 'cni0', '10.0.14.77');
    });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'bridge-loop' } });
    expect(branch.reason?.sentence).toMatch(/loop[12] on host1/);
  });

  it('of bridges joined four times, where every round doubles the frames, ends as soon', () => {
    const branch = traceAfter(clusterText(), { from: 'host1', to: '10.0.14.77' }, ['host1', 'root'], (host) => {
      bridge(host, 'br1', 0x020000000040);
      for (const i of [1, 2, 3, 4]) link(host, [`left${i}`, 'cni0'], [`right${i}`, 'br1'], 0x020000000060 + 2 * i);
      unknownMac(host, 'cni0', '10.0.14.77');
    });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'bridge-loop' } });
    expect(branch.request.hops.length).toBeLessThan(1000);
  });
});

describe('a flood', () => {
  const pods = Array.from({ length: 1000 }, (_, i) => `pod p${i} on host1 { ip 10.0.${16 + (i >> 8)}.${i & 255} }`).join('\n');

  it('across 1,000 ports finds the one that takes the frame, and shows its way alone', () => {
    const branch = traceAfter(clusterText({ more: pods }).replace('pod-cidr 10.0.14.0/24', 'pod-cidr 10.0.0.0/16'), { from: 'pod1', to: 'p777' }, ['host1', 'default/pod1'], (pod) => {
      pod.neighbours.push({ device: 'eth0', address: parseAddress('10.0.19.9') as never, mac: 0x0a580a001309 as Mac, state: 'permanent', text: '', origin: { kind: 'derived', by: 'k8snet', because: 'the test' } });
    });
    expect(branch).toMatchObject({ outcome: 'delivered', deliveredTo: { name: 'default/p777' } });
    // Its own port too: flannel's bridge has hairpin on.
    expect(stages(branch.request.hops, 'bridge')[0]?.ports.length).toBe(1002);
    expect(branch.request.hops.length).toBeLessThan(10);
  });
});

describe('tunnels', () => {
  it('in tunnels end by the depth that the kernel allows', () => {
    const branch = traceAfter(clusterText(), { from: 'pod1', to: 'pod2' }, ['host1', 'root'], (host) => {
      // Two devices, each of which reaches its remote by the other.
      const first = deviceOf(host, 'flannel.1');
      const entry = host.fdb.find((e) => e.device === 'flannel.1');
      const route = host.routes.find((r) => r.text.includes('flannel.1'));
      if (entry === undefined || route === undefined || first.device.kind !== 'vxlan') throw new Error('no tunnel');
      first.device.underlay = null;
      host.interfaces.push({ ...structuredClone(first), name: 'vx2', mac: 0x020000000077 as Mac, addresses: [], device: { ...first.device, vni: 2 } });
      host.fdb.push({ ...structuredClone(entry), device: 'vx2', mac: 0 as Mac, destination: parseAddress('172.16.0.2') as never });
      entry.destination = parseAddress('172.16.0.1') as never;
      for (const [destination, device] of [['172.16.0.1', 'vx2'], ['172.16.0.2', 'flannel.1']] as const) {
        host.routes.push({ ...structuredClone(route), destination: { address: parseAddress(destination) as never, length: 32 }, nexthops: [{ via: null, device, weight: 1, onlink: false }], text: `${destination} dev ${device} scope link` });
        host.neighbours.push({ device, address: parseAddress(destination) as never, mac: entry.mac, state: 'permanent', text: '', origin: entry.origin });
      }
    });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'tunnel-loop' } });
    expect(stages(branch.request.hops, 'encapsulate').length).toBe(8);
  });
});

describe('rules', () => {
  it('that jump in a circle, to themselves, by goto or to nowhere leave the packet undecided', () => {
    const code = (...lines: readonly string[]) => trace(clusterText({ host1: filter(':A - [0:0]', ':B - [0:0]', '-A FORWARD -j A', ...lines) }), { from: 'pod1', to: 'pod2' }).reason?.code;
    expect(code('-A A -j B', '-A B -j A')).toBe('chain-loop');
    expect(code('-A A -j A')).toBe('chain-loop');
    expect(code('-A A -g B', '-A B -g A')).toBe('chain-loop');
    expect(code('-A A -g A')).toBe('chain-loop');
    expect(code('-A A -j GONE')).toBe('chain-missing');
  });

  it('that double with every chain end by name, in bounded room', () => {
    const names = Array.from({ length: 60 }, (_, i) => `C${i}`);
    const doubling = filter(...names.map((name) => `:${name} - [0:0]`), '-A FORWARD -j C0', ...names.slice(1).flatMap((name, i) => [`-A C${i} -j ${name}`, `-A C${i} -j ${name}`]));
    const branch = trace(clusterText({ host1: doubling }), { from: 'pod1', to: 'pod2' });
    expect(branch).toMatchObject({ outcome: 'undecided', reason: { code: 'too-many-rules' } });
    expect(stepsTogether([branch])).toBeLessThan(210_000);
  });

  it('of 100,000 load, and the last one decides', () => {
    const many = Array.from({ length: 99_000 }, (_, i) => `-A FORWARD -s 172.${16 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32 -d 10.0.5.0/24 -p tcp -m tcp --dport ${1 + (i % 60_000)} -m comment --comment "rule ${i}" -j ACCEPT`);
    const plain = Array.from({ length: 1_000 }, (_, i) => `-A FORWARD -m mark --mark 0x${(i + 1).toString(16)} -j ACCEPT`);
    const snapshot = createSnapshot({ file: 'large.k8snet', text: clusterText({ host1: filter(...many, ...plain, '-A FORWARD -d 10.0.5.150/32 -p tcp -m tcp --dport 8080 -j REJECT --reject-with icmp-port-unreachable') }) });
    expect(snapshot.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    const question = resolveQuestion(snapshot.topology(), { from: 'pod1', to: 'pod2:8080/TCP' });
    if (!('flow' in question)) throw new Error(question.error);
    const { branches: [branch] } = runTrace(compileTopology(snapshot.topology()), question.flow);
    expect(branch).toMatchObject({ outcome: 'rejected', reason: { code: 'rule-reject' } });
    expect(stages(branch?.request.hops ?? [], 'netfilter').filter((s) => s.chain === 'FORWARD' && s.event === 'rule').map((s) => s.number)).toEqual([100_001]);
  }, 120_000);
});
