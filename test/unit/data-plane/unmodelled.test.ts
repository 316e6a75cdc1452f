/** What a dump has and the simulator does not know: a packet that comes to it ends undecided, others go their way. */
import { describe, expect, it } from 'vitest';
import { branches, clusterText, trace } from './fixture.ts';

const CONNECTED = '10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212';
const withRoutes = (routes: string, more = ''): string => clusterText({ host1: `routes {\n${CONNECTED}\n${routes}\n}\n${more}` });

describe('a route with an encapsulation of its own', () => {
  // As iproute2 6.1 prints it, with its two blanks.
  const route = '10.0.5.0/24  encap ip id 5 src 1.2.3.4 dst 192.168.93.213 ttl 3 tos 0 dev eth0 scope link';
  it('leaves open what becomes of a packet that it is for, though a wider one is there', () => {
    expect(trace(withRoutes(`${route}\ndefault via 192.168.93.254 dev eth0`), { from: 'pod1', to: 'pod2' })).toMatchObject({
      outcome: 'undecided', reason: { code: 'route-unknown', sentence: expect.stringContaining('on host1 has an encapsulation of its own') },
    });
  });
  it('leaves others alone', () => {
    expect(trace(withRoutes(`${route}\ndefault via 192.168.93.254 dev eth0`), { from: 'pod1', to: 'out' })).toMatchObject({ outcome: 'delivered' });
  });
  it('leaves open what becomes of a packet for one of several nexthops', () => {
    const several = '10.0.5.0/24\n\tnexthop  encap mpls  100 via inet 192.168.93.213 dev eth0 weight 1\n\tnexthop via 192.168.93.213 dev eth0 weight 1';
    expect(branches(withRoutes(several), { from: 'pod1', to: 'pod2' }).map((b) => b.reason?.code)).toEqual(['route-unknown', 'route-unknown']);
  });
  it('on the way back makes no martian of a source', () => {
    const text = withRoutes('default via 192.168.93.254 dev eth0\n203.0.113.7 encap mpls 100 via inet 192.168.93.254 dev eth0', 'sysctl {\nnet.ipv4.conf.all.rp_filter = 1\n}');
    expect(trace(text, { from: 'out', to: 'host1' })).toMatchObject({ outcome: 'undecided', reason: { code: 'route-unknown' } });
  });
});

const DUAL = `
network lan6 fd00:93::/64
node a { interface eth0 fd00:93::1/64 on lan6
  routes {
fd00:93::/64 dev eth0 proto kernel metric 256 pref medium
fd00:93::2 from fd00:93::1 via fd00:93::9 dev eth0 metric 1024 pref medium
fd00:93::2 dev eth0 metric 100 pref medium
  }
}
node b { interface eth0 fd00:93::2/64 on lan6 }
node c { interface eth0 fd00:93::3/64 on lan6 }
`;

describe('a route by source', () => {
  it('leaves open what becomes of a packet for its destination, whatever the metric of another', () => {
    expect(trace(DUAL, { from: 'a', to: 'b' })).toMatchObject({ outcome: 'undecided', reason: { code: 'route-unknown', sentence: expect.stringContaining('is for some sources only') } });
  });
  it('leaves others alone', () => {
    expect(trace(DUAL, { from: 'a', to: 'c' })).toMatchObject({ outcome: 'delivered' });
  });
});

describe('a forwarding entry', () => {
  const mac = '02:00:00:00:05:01';
  const vxlan = (entry: string): string =>
    clusterText({ host1: `neighbours {\n10.0.5.0 dev flannel.1 lladdr ${mac} PERMANENT\n}\nfdb {\n${entry}\n}` });
  it('by a nexthop group leaves open where a frame goes', () => {
    expect(trace(vxlan(`${mac} dev flannel.1 nhid 7 self permanent`), { from: 'pod1', to: 'pod2' })).toMatchObject({ outcome: 'undecided', reason: { code: 'fdb-unknown' } });
  });
  it('by a nexthop group is asked last where it is the default', () => {
    expect(trace(vxlan('00:00:00:00:00:00 dev flannel.1 nhid 7 self permanent'), { from: 'pod1', to: 'pod2' })).toMatchObject({ outcome: 'undecided', reason: { code: 'fdb-unknown' } });
    expect(trace(vxlan(`00:00:00:00:00:00 dev flannel.1 nhid 7 self permanent\n${mac} dev flannel.1 dst 192.168.93.213 self permanent`), { from: 'pod1', to: 'pod2' }).reason?.code).not.toBe('fdb-unknown');
  });
});

describe('a proxy neighbour', () => {
  const asked = (host1: string): string => clusterText({ host1 });
  const entry = 'neighbours {\n192.168.93.77 dev eth0 proxy\n}\nroutes {\n192.168.93.77 dev cni0\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212\n10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n}';
  const answererOf = (text: string): string | undefined =>
    trace(text, { from: 'host2', to: '192.168.93.77' }).request.hops.flatMap((h) => h.steps).find((s) => s.stage === 'neighbour')?.sentence;
  it('is answered for by the node that has the entry', () => {
    expect(answererOf(asked(entry))).toContain('host1 answers the ARP of host2 for 192.168.93.77');
  });
  // As Linux 6.18 answered a neighbour that asked, with each of these settings.
  it.each([
    ['', 'Nobody answers'],
    ['net.ipv6.conf.eth0.proxy_ndp = 1', 'a answers the neighbour discovery of b'],
    ['net.ipv6.conf.all.proxy_ndp = 1', 'a answers the neighbour discovery of b'],
    ['net.ipv6.conf.all.proxy_ndp = 1\nnet.ipv6.conf.eth0.forwarding = 0', 'Nobody answers'],
    ['net.ipv6.conf.all.proxy_ndp = 1\nnet.ipv6.conf.all.forwarding = 0\nnet.ipv6.conf.eth0.forwarding = 1', 'a answers the neighbour discovery of b'],
  ])('of IPv6 is answered for where proxy_ndp is on and the device forwards: %s', (settings, said) => {
    const text = `network lan6 fd00:93::/64\nnode a { interface eth0 fd00:93::1/64 on lan6\nneighbours {\nfd00:93::77 dev eth0 proxy\n}\nsysctl {\n${settings}\n}\n}\nnode b { interface eth0 fd00:93::2/64 on lan6 }`;
    expect(trace(text, { from: 'b', to: 'fd00:93::77' }).request.hops.flatMap((h) => h.steps).find((s) => s.stage === 'neighbour')?.sentence).toContain(said);
  });
  it('is not where the node does not forward, or would send it back by the same device', () => {
    expect(answererOf(asked(`${entry}\nsysctl {\nnet.ipv4.conf.all.forwarding = 0\n}`))).toContain('Nobody answers');
    expect(answererOf(asked(entry.replace('192.168.93.77 dev cni0', '192.168.93.77 dev eth0')))).toContain('Nobody answers');
  });
});
