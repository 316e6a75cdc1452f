/** Routes, policy rules, source checks and neighbours. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, formatPrefix, ipv4, networkOf } from '../../../engine/src/net/address.ts';
import type { Address, Prefix } from '../../../engine/src/net/address.ts';
import { longestMatch, longestOf, makeLpm, matching } from '../../../engine/src/net/lpm.ts';
import { branches, clusterText, hopAt, path, stages, trace, traceAfter } from './fixture.ts';

const address: fc.Arbitrary<Address> = fc.oneof(
  fc.nat({ max: 0xffffffff }).map(ipv4),
  fc.tuple(fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff })).map((words): Address => ({ family: 6, words })),
);

describe('the longest prefix', () => {
  it('is what a look at every prefix finds, in both families', () => {
    const near = (a: Address): fc.Arbitrary<Prefix> => fc.nat({ max: a.family === 4 ? 32 : 128 }).map((length) => networkOf({ address: a, length }));
    const cases = address.chain((a) => fc.tuple(fc.constant(a), fc.array(fc.oneof(near(a), address.filter((b) => b.family === a.family).chain(near)), { maxLength: 12 })));
    fc.assert(
      fc.property(cases, ([wanted, prefixes]) => {
        const lpm = makeLpm(prefixes, (p) => p);
        const all = [...matching(lpm, wanted)].flat();
        expect(all.map(formatPrefix).sort()).toEqual(prefixes.filter((p) => contains(p, wanted)).map(formatPrefix).sort());
        expect(all.map((p) => p.length)).toEqual([...all.map((p) => p.length)].sort((a, b) => b - a));
        expect(longestMatch(lpm, wanted)[0]?.length).toBe(longestOf(prefixes, (p) => p, wanted)?.length);
      }),
    );
  });
});

const CONNECTED = '10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212';

const withRoutes = (routes: string, more = ''): string => clusterText({ host1: `routes {\n${CONNECTED}\n${routes}\n}\n${more}` });

describe('a route', () => {
  it.each([
    ['unreachable 10.0.5.0/24', 'unreachable', 'route-unreachable', { kind: 'icmp', type: 3, code: 1 }],
    ['prohibit 10.0.5.0/24', 'rejected', 'route-prohibit', { kind: 'icmp', type: 3, code: 13 }],
    ['blackhole 10.0.5.0/24', 'dropped', 'route-blackhole', { kind: 'none' }],
    ['', 'unreachable', 'no-route', { kind: 'icmp', type: 3, code: 0 }],
  ])('of the kind "%s" ends the packet as %s', (route, outcome, code, answer) => {
    expect(trace(withRoutes(route), { from: 'pod1', to: 'pod2' })).toMatchObject({ outcome, reason: { code }, answer });
  });

  it('that is missing tells a local sender at once, without a packet', () => {
    expect(trace(withRoutes(''), { from: 'host1', to: 'pod2' })).toMatchObject({ outcome: 'unreachable', reason: { code: 'no-route' }, answer: { kind: 'none' }, reply: null });
  });

  it('with the lower metric wins among equals', () => {
    const branch = trace(withRoutes('default via 192.168.93.1 dev eth0 metric 200\ndefault via 192.168.93.254 dev eth0 metric 100'), { from: 'pod1', to: 'out' });
    expect(hopAt(branch.request.hops, 'host1/cni0 in')?.steps.find((s) => s.stage === 'route')).toMatchObject({ via: '192.168.93.254' });
  });

  it('with several nexthops makes a branch of each by weight', () => {
    const text = withRoutes('default\n\tnexthop via 192.168.93.254 dev eth0 weight 3\n\tnexthop via 192.168.93.99 dev eth0 weight 1');
    expect(branches(text, { from: 'host1', to: 'out' }).map((b) => [b.probability, b.outcome])).toEqual([[0.75, 'delivered'], [0.25, 'unreachable']]);
  });

  it('of the local table wins over a longer one of another', () => {
    expect(trace(withRoutes('192.168.93.212 via 192.168.93.254 dev eth0'), { from: 'pod1', to: '192.168.93.212' })).toMatchObject({ deliveredTo: { kind: 'node', name: 'host1' } });
  });

  it('whose device nobody knows leaves the packet undecided', () => {
    expect(trace(withRoutes('10.0.5.0/24 dev tunl7 scope link'), { from: 'pod1', to: 'pod2' })).toMatchObject({ outcome: 'undecided', reason: { code: 'device-unknown' } });
  });
});

describe('a policy rule', () => {
  it('with a lower preference beats the main table, and is told', () => {
    const text = withRoutes('default via 192.168.93.254 dev eth0\nblackhole default table 100', 'rules {\n0:\tfrom all lookup local\n100:\tfrom 10.0.14.0/24 lookup 100\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n}');
    const branch = trace(text, { from: 'pod1', to: 'out' });
    expect(branch).toMatchObject({ outcome: 'dropped', reason: { code: 'route-blackhole' } });
    expect(trace(text, { from: 'host1', to: 'out' }).outcome).toBe('delivered');
  });

  it('goes on to the next where its table throws', () => {
    const text = withRoutes('default via 192.168.93.254 dev eth0\nthrow 203.0.113.0/24 table 100\nblackhole default table 100', 'rules {\n0:\tfrom all lookup local\n100:\tfrom all lookup 100\n32766:\tfrom all lookup main\n}');
    expect(trace(text, { from: 'host1', to: 'out' }).outcome).toBe('delivered');
    expect(trace(text, { from: 'host1', to: '192.0.2.1' }).reason?.code).toBe('route-blackhole');
  });

  it('by mark is asked again after OUTPUT has set the mark', () => {
    const mangle = 'iptables {\n*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -d 203.0.113.7/32 -j MARK --set-xmark 0x1/0xffffffff\nCOMMIT\n}';
    const text = withRoutes('default via 192.168.93.254 dev eth0\nblackhole default table 100', `${mangle}\nrules {\n0:\tfrom all lookup local\n100:\tfrom all fwmark 0x1 lookup 100\n32766:\tfrom all lookup main\n}`);
    expect(trace(text, { from: 'host1', to: 'out' }).reason?.code).toBe('route-blackhole');
  });
});

describe('a host', () => {
  const sysctl = (line: string): string => `sysctl {\n${line}\n}`;

  it('that does not forward drops what is not its own, without a word', () => {
    expect(trace(clusterText({ host1: sysctl('net.ipv4.ip_forward = 0') }), { from: 'pod1', to: 'pod2' })).toMatchObject({ outcome: 'dropped', reason: { code: 'not-forwarding' }, answer: { kind: 'none' } });
    expect(trace(clusterText({ host1: sysctl('net.ipv4.ip_forward = 0') }), { from: 'pod1', to: 'host1' }).outcome).toBe('delivered');
  });

  it('with rp_filter 1 drops what it would answer by another device, with 2 only what it could not answer', () => {
    // The reply from pod2 comes by flannel.1, the route back to it goes by eth0.
    const routes = `routes {\n${CONNECTED}\n10.0.5.0/24 via 192.168.93.213 dev eth0\n}`;
    const strict = trace(clusterText({ host1: `${routes}\n${sysctl('net.ipv4.conf.all.rp_filter = 1')}` }), { from: 'pod2', to: 'pod1' });
    expect(strict).toMatchObject({ outcome: 'dropped', reason: { code: 'rp-filter' } });
    expect(trace(clusterText({ host1: `${routes}\n${sysctl('net.ipv4.conf.all.rp_filter = 2')}` }), { from: 'pod2', to: 'pod1' }).outcome).toBe('delivered');
  });

  it('takes its own address from outside for a martian, after PREROUTING', () => {
    const nat = 'iptables {\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -d 10.0.5.150/32 -j SNAT --to-source 10.0.5.1\nCOMMIT\n}';
    const branch = trace(clusterText({ host1: nat }), { from: 'pod1', to: 'pod2' });
    expect(branch).toMatchObject({ outcome: 'dropped', reason: { code: 'martian-source' } });
    const last = branch.request.hops.at(-1);
    expect(stages(last === undefined ? [] : [last], 'netfilter').some((s) => s.hook === 'PREROUTING')).toBe(true);
    expect(stages(last === undefined ? [] : [last], 'source-check')).toMatchObject([{ verdict: 'martian' }]);
  });
});

describe('a frame', () => {
  it('for a MAC that no port is known for is flooded, and only its owner takes it', () => {
    const branch = traceAfter(clusterText(), { from: 'pod1', to: 'pod3' }, ['host1', 'default/pod1'], (pod) => {
      pod.neighbours.push({ device: 'eth0', address: { family: 4, words: [0, 0, 0, 0x0a000e10] }, mac: 0x0a580a000e10 as never, state: 'permanent', text: '', origin: { kind: 'derived', by: 'k8snet', because: 'a test' } as never });
    });
    expect(branch.outcome).toBe('delivered');
    expect(path(branch.request.hops)).toEqual(['pod1/eth0 out', 'host1/veth in', 'host1/veth out', 'pod3/eth0 in']);
  });

  it('between isolated ports is dropped', () => {
    const branch = traceAfter(clusterText(), { from: 'pod1', to: 'host1' }, ['host1', 'root'], (host) => {
      for (const device of host.interfaces) if (device.port !== null) device.port.isolated = true;
    });
    // The host itself is no port.
    expect(branch.outcome).toBe('delivered');
    expect(traceAfter(clusterText(), { from: 'pod1', to: 'pod3' }, ['host1', 'root'], (host) => {
      for (const device of host.interfaces) if (device.port !== null) device.port.isolated = true;
    })).toMatchObject({ outcome: 'unreachable', reason: { code: 'neighbour-failed' } });
  });

  it('to an address that two have may reach either', () => {
    const text = clusterText({ more: 'pod twin on host1 { ip 10.0.14.16 }' });
    const all = branches(text, { from: 'pod1', to: '10.0.14.16' });
    expect(all.map((b) => [b.probability, b.deliveredTo?.name])).toEqual([[0.5, 'default/pod3'], [0.5, 'default/twin']]);
  });
});

describe('a trace', () => {
  it('is the same every time, whatever the order of the declarations', () => {
    const ask = (text: string): string => JSON.stringify(branches(text, { from: 'pod1', to: 'near:80/TCP' }).map((b) => [b.probability, b.outcome, b.deliveredTo?.name]));
    const text = clusterText();
    const lines = text.split('\n');
    const services = lines.filter((l) => l.startsWith('service'));
    const turned = [...services.reverse(), ...lines.filter((l) => !l.startsWith('service'))].join('\n');
    expect(ask(turned)).toBe(ask(text));
    expect(ask(text)).toBe(ask(text));
  });
});

describe('an IPv6 route by a gateway that a dump calls FAILED', () => {
  /** Measured on Linux 6.18, with CONFIG_IPV6_ROUTER_PREF: the first packets still go to the gateway, and once it has FAILED they go by the less specific route. */
  const text = (state: string, forwarding: 0 | 1, more = 'default via fd00:93::254 dev eth0 metric 1024'): string => `
network lan fd00:93::/64 { gateway fd00:93::254 }
external out 2001:db8::7
node host1 {
  address fd00:93::211/64 on lan
  pod-cidr fd00:10:1::/64
  sysctl { net.ipv6.conf.all.forwarding = ${forwarding} }
  routes {
    fd00:93::/64 dev eth0 proto kernel metric 256
    2001:db8::/64 via fd00:93::99 dev eth0 metric 1024
    ${more}
  }
  neighbours { fd00:93::99 dev eth0 ${state} }
}
cluster demo { pod-cidr fd00:10::/32; service-cidr fd00:16::/108 }
`;
  const via = (...parts: Parameters<typeof text>): string | null | undefined => stages(trace(text(...parts), { from: 'host1', to: 'out:53/UDP' }).request.hops, 'route')[0]?.via;

  it('is left for a less specific one where the node does not forward', () => expect(via('FAILED', 0)).toBe('fd00:93::254'));
  it('holds where there is no other', () => expect(via('FAILED', 0, '')).toBe('fd00:93::99'));
  it('holds on a node that forwards', () => expect(via('FAILED', 1)).toBe('fd00:93::99'));
  it('holds while nobody knows whether the gateway answers', () => expect(via('INCOMPLETE', 0)).toBe('fd00:93::99'));
});
