/** The article's journeys, request and reply. */
import { describe, expect, it } from 'vitest';
import { branches, clusterText, hopAt, ipOf, path, stages, trace } from './fixture.ts';

const REQUEST_ACROSS = [
  'pod1/eth0 out', 'host1/veth in', 'host1/cni0 in', 'host1/flannel.1 out', 'host1/eth0 out',
  'host2/eth0 in', 'host2/flannel.1 in', 'host2/cni0 out', 'host2/veth out', 'pod2/eth0 in',
];

const REPLY_ACROSS = [
  'pod2/eth0 out', 'host2/veth in', 'host2/cni0 in', 'host2/flannel.1 out', 'host2/eth0 out',
  'host1/eth0 in', 'host1/flannel.1 in', 'host1/cni0 out', 'host1/veth out', 'pod1/eth0 in',
];

describe('a ping to a pod on another host', () => {
  const branch = trace(clusterText(), { from: 'pod1', to: 'pod2' });

  it('passes the devices in the order in which captures show it', () => {
    expect(path(branch.request.hops)).toEqual(REQUEST_ACROSS);
    expect(path(branch.reply?.hops ?? [])).toEqual(REPLY_ACROSS);
  });

  it('loses two of its TTL each way, and the outer packet none', () => {
    expect(branch.request.hops.map(ipOf)).toEqual([
      '10.0.14.15 > 10.0.5.150 ttl 64', '10.0.14.15 > 10.0.5.150 ttl 64', '10.0.14.15 > 10.0.5.150 ttl 64', '10.0.14.15 > 10.0.5.150 ttl 63',
      '192.168.93.212 > 192.168.93.213 ttl 64', '192.168.93.212 > 192.168.93.213 ttl 64', '10.0.14.15 > 10.0.5.150 ttl 63',
      '10.0.14.15 > 10.0.5.150 ttl 62', '10.0.14.15 > 10.0.5.150 ttl 62', '10.0.14.15 > 10.0.5.150 ttl 62',
    ]);
    expect(branch.answer).toEqual({ kind: 'reply', from: '10.0.5.150', type: null, code: null, ttl: 62 });
  });

  it('is put into UDP 8472 with VNI 1 between the hosts', () => {
    const headers = hopAt(branch.request.hops, 'host1/eth0 out')?.packet ?? [];
    expect(headers.map((h) => h.header)).toEqual(['ethernet', 'ipv4', 'udp', 'vxlan', 'ethernet', 'ipv4', 'icmp', 'payload']);
    expect(headers[2]).toMatchObject({ destinationPort: 8472, checksum: true });
    expect(headers[3]).toEqual({ header: 'vxlan', vni: 1, flags: 0x0800 });
  });

  it('finds its way by one neighbour and one forwarding entry of the lease', () => {
    const sender = hopAt(branch.request.hops, 'host1/cni0 in')?.steps ?? [];
    expect(sender.find((s) => s.stage === 'route')).toMatchObject({ route: '10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink', source: { derivedBy: 'flannel' } });
    expect(sender.find((s) => s.stage === 'neighbour')).toMatchObject({ address: '10.0.5.0', how: 'entry' });
    expect(stages(branch.request.hops, 'fdb')).toMatchObject([{ destination: '192.168.93.213', how: 'entry' }]);
  });

  it('is told by flanneld in the older generation, where one route covers the whole network', () => {
    const older = trace(clusterText({ cluster: 'flannel vxlan { routes-per network }' }), { from: 'pod1', to: 'pod2' });
    expect(path(older.request.hops)).toEqual(REQUEST_ACROSS);
    const sender = hopAt(older.request.hops, 'host1/cni0 in')?.steps ?? [];
    expect(sender.find((s) => s.stage === 'route')).toMatchObject({ route: '10.0.0.0/16 dev flannel.1' });
    expect(sender.find((s) => s.stage === 'neighbour')).toMatchObject({ address: '10.0.5.150', how: 'l3miss', source: { derivedBy: 'flannel' } });
    expect(stages(older.request.hops, 'fdb')).toMatchObject([{ how: 'l2miss', destination: '192.168.93.213' }]);
    expect(older.answer.ttl).toBe(62);
  });

  it('is carried by flanneld in the udp backend, bare in UDP 8285, and loses two more of its TTL', () => {
    const udp = trace(clusterText({ cluster: 'flannel udp' }), { from: 'pod1', to: 'pod2' });
    expect(path(udp.request.hops)).toEqual(REQUEST_ACROSS.map((h) => h.replace('flannel.1', 'flannel0')));
    const headers = hopAt(udp.request.hops, 'host1/eth0 out')?.packet ?? [];
    expect(headers.map((h) => h.header)).toEqual(['ethernet', 'ipv4', 'udp', 'ipv4', 'icmp', 'payload']);
    expect(headers[2]).toMatchObject({ sourcePort: 8285, destinationPort: 8285 });
    expect(hopAt(udp.request.hops, 'host1/flannel0 out')?.packet[0]?.header).toBe('ipv4');
    expect(udp.answer.ttl).toBe(60);
  });

  it('goes straight from host to host with host-gw', () => {
    const direct = trace(clusterText({ cluster: 'flannel host-gw' }), { from: 'pod1', to: 'pod2' });
    expect(path(direct.request.hops)).toEqual(REQUEST_ACROSS.filter((h) => !h.includes('flannel')));
    expect(ipOf(hopAt(direct.request.hops, 'host1/eth0 out'))).toBe('10.0.14.15 > 10.0.5.150 ttl 63');
    expect(direct.answer.ttl).toBe(62);
  });
});

describe('on the same host', () => {
  it('the bridge takes the frame from port to port, and the TTL stays', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: 'pod3' });
    expect(path(branch.request.hops)).toEqual(['pod1/eth0 out', 'host1/veth in', 'host1/veth out', 'pod3/eth0 in']);
    expect(branch.answer).toMatchObject({ kind: 'reply', ttl: 64 });
  });

  it('a pod reaches its node without losing any of its TTL, and the node the pod', () => {
    expect(trace(clusterText(), { from: 'pod1', to: 'host1' })).toMatchObject({ outcome: 'delivered', deliveredTo: { kind: 'node', name: 'host1' }, answer: { ttl: 64 } });
    expect(trace(clusterText(), { from: 'host1', to: 'pod1' })).toMatchObject({ outcome: 'delivered', seenAs: { address: '10.0.14.1' }, answer: { ttl: 64 } });
  });

  it('a node reaches a pod of another node with one less', () => {
    expect(trace(clusterText(), { from: 'host1', to: 'pod2' })).toMatchObject({ outcome: 'delivered', seenAs: { address: '10.0.14.0' }, answer: { ttl: 63 } });
  });
});

describe('a service', () => {
  it.each(['80/TCP', '53/UDP', '38412/SCTP'])('is answered on %s from its own address', (port) => {
    const branch = trace(clusterText(), { from: 'pod1', to: `far:${port}` });
    expect(branch).toMatchObject({ outcome: 'delivered', deliveredTo: { kind: 'pod', name: 'default/pod2' }, seenAs: { address: '10.0.14.15' }, answer: { kind: 'reply', from: '10.16.0.20', ttl: 62 } });
  });

  it('is four chains and a DNAT away, and cni0 shows the new address already', () => {
    const { request, reply } = trace(clusterText(), { from: 'pod1', to: 'far:80/TCP' });
    const walk = hopAt(request.hops, 'host1/veth in')?.steps.flatMap((s) => (s.stage === 'netfilter' && s.event === 'rule' ? [s.chain] : []));
    expect(walk).toEqual(['PREROUTING', 'KUBE-SERVICES', expect.stringMatching(/^KUBE-SVC-/), expect.stringMatching(/^KUBE-SEP-/)]);
    expect(stages(request.hops, 'nat')).toMatchObject([{ hook: 'PREROUTING', change: 'destination', before: '10.16.0.20:80', after: '10.0.5.150:8080', by: 'rule' }]);
    expect(ipOf(hopAt(request.hops, 'host1/cni0 in'))).toBe('10.0.14.15 > 10.0.5.150 ttl 64');
    // Un-DNAT is at POSTROUTING: flannel.1 still shows the endpoint, cni0 the service.
    expect(stages(reply?.hops ?? [], 'nat')).toMatchObject([{ hook: 'POSTROUTING', change: 'source', before: '10.0.5.150:8080', after: '10.16.0.20:80', by: 'conntrack' }]);
    expect(ipOf(hopAt(reply?.hops ?? [], 'host1/flannel.1 in'))).toBe('10.0.5.150 > 10.0.14.15 ttl 63');
    expect(ipOf(hopAt(reply?.hops ?? [], 'host1/cni0 out'))).toBe('10.16.0.20 > 10.0.14.15 ttl 62');
  });

  it('does not answer a ping: no rule matches, and the packet leaves by the default route', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: 'far/ICMP' });
    expect(branch).toMatchObject({ outcome: 'unreachable', reason: { code: 'no-such-destination' }, answer: { kind: 'none' }, reply: null });
    expect(path(branch.request.hops)).toEqual(['pod1/eth0 out', 'host1/veth in', 'host1/cni0 in', 'host1/eth0 out', 'lan/eth0 in']);
    expect(branch.reason?.sentence).toMatch(/^10\.16\.0\.20 is the address of service default\/far \(80\/TCP, 53\/UDP, 38412\/SCTP\), but no rule on its way translated it, /);
  });

  it('that left the cluster for a pod says whose address it was', () => {
    const host1 = 'routes {\ndefault via 192.168.93.254 dev eth0\n10.0.14.0/24 dev cni0 scope link\n192.168.93.0/24 dev eth0 scope link\n}';
    const branch = trace(clusterText({ host1 }), { from: 'pod1', to: '10.0.5.150' });
    expect(branch.reason?.sentence).toMatch(/^10\.0\.5\.150 is the address of pod default\/pod2, but no route on its way leads there, and it left lan /);
    const nobody = trace(clusterText({ host1 }), { from: 'pod1', to: '10.0.99.1' });
    expect(nobody.reason?.sentence).toMatch(/^10\.0\.99\.1 is an address of this cluster's plan that nobody has, /);
  });

  it('with two endpoints has two branches of one half', () => {
    const both = branches(clusterText({ pod1: 'listen 8080/TCP' }), { from: 'pod2', to: 'near:80/TCP' });
    expect(both.map((b) => [b.probability, b.deliveredTo?.name])).toEqual([[0.5, 'default/pod1'], [0.5, 'default/pod3']]);
  });

  it('with three endpoints has three branches of one third', () => {
    const text = clusterText({ pod1: 'listen 8080/TCP', more: 'pod pod4 on host2 { ip 10.0.5.151; labels app=near }' });
    const all = branches(text, { from: 'pod2', to: 'near:80/TCP' });
    expect(all.map((b) => b.deliveredTo?.name)).toEqual(['default/pod1', 'default/pod3', 'default/pod4']);
    for (const b of all) expect(b.probability).toBeCloseTo(1 / 3, 12);
  });

  it('reaches the pod that asks as the bridge (hairpin), and answers it', () => {
    const self = branches(clusterText({ pod1: 'listen 8080/TCP' }), { from: 'pod1', to: 'near:80/TCP' }).find((b) => b.deliveredTo?.name === 'default/pod1');
    expect(self).toMatchObject({ outcome: 'delivered', seenAs: { address: '10.0.14.1' }, answer: { kind: 'reply', from: '10.16.0.21', ttl: 64 } });
    expect(path(self?.request.hops ?? [])).toEqual(['pod1/eth0 out', 'host1/veth in', 'host1/veth out', 'pod1/eth0 in']);
  });

  it('without an endpoint is refused with an ICMP error from its own address', () => {
    const text = clusterText({ more: 'service none { cluster-ip 10.16.0.30; port 80; selector app=nobody }' });
    // REJECT in FORWARD: the error comes from the route back, cni0's address; nothing was translated.
    expect(trace(text, { from: 'pod1', to: 'none:80/TCP' })).toMatchObject({ outcome: 'rejected', reason: { code: 'rule-reject' }, answer: { kind: 'icmp', from: '10.0.14.1', type: 3, code: 3, ttl: 64 } });
  });

  it('answers on its node port at every node, and the endpoint sees the node', () => {
    const text = clusterText({ more: 'service np { cluster-ip 10.16.0.40; port 80 -> 8080 node-port 30080; selector app=far }' });
    expect(trace(text, { from: 'out', to: '192.168.93.212:30080/TCP' })).toMatchObject({ outcome: 'delivered', deliveredTo: { name: 'default/pod2', port: 8080 }, seenAs: { address: '10.0.14.0' }, answer: { kind: 'reply', from: '192.168.93.212' } });
    expect(trace(text, { from: 'out', to: '192.168.93.213:30080/TCP' })).toMatchObject({ outcome: 'delivered', seenAs: { address: '10.0.5.1' } });
  });
});

describe('the world outside', () => {
  it('sees the host, and its answer finds the pod', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: 'out:443/TCP' });
    expect(branch).toMatchObject({ outcome: 'delivered', deliveredTo: { kind: 'external', name: 'out', port: 443 }, seenAs: { address: '192.168.93.212' }, answer: { kind: 'reply', from: '203.0.113.7', ttl: 62 } });
    expect(stages(branch.request.hops, 'nat')).toMatchObject([{ hook: 'POSTROUTING', change: 'source', by: 'rule' }]);
    expect(stages(branch.reply?.hops ?? [], 'nat')).toMatchObject([{ hook: 'PREROUTING', change: 'destination', by: 'conntrack' }]);
  });

  it('cannot answer a pod whose address nobody masquerades', () => {
    const branch = trace(clusterText({ cluster: 'flannel vxlan { no-masquerade }' }), { from: 'pod1', to: 'out:443/TCP' });
    expect(branch).toMatchObject({ outcome: 'delivered', seenAs: { address: '10.0.14.15' }, answer: { kind: 'none' }, reply: { outcome: 'unreachable', reason: { code: 'no-such-destination' } } });
  });

  it('is undecided where the file says nothing of it', () => {
    expect(trace(clusterText(), { from: 'pod1', to: '8.8.8.8' })).toMatchObject({ outcome: 'undecided', reason: { code: 'beyond-the-file', sentence: expect.stringContaining('external NAME 8.8.8.8') } });
  });
});

describe('IPv6', () => {
  const text = `
cluster dual { pod-cidr 10.244.0.0/16, fd00:10:244::/48; service-cidr 10.96.0.0/16, fd00:10:96::/112 }
network lan 192.168.93.0/24, fd00:93::/64 { gateway 192.168.93.254, fd00:93::fe }
external out 203.0.113.7, 2001:db8::7
node host1 { address 192.168.93.212/24, fd00:93::212/64 on lan; pod-cidr 10.244.1.0/24, fd00:10:244:1::/64 }
node host2 { address 192.168.93.213/24, fd00:93::213/64 on lan; pod-cidr 10.244.2.0/24, fd00:10:244:2::/64 }
pod pod1 on host1 { ip 10.244.1.10, fd00:10:244:1::10 }
pod pod2 on host2 { ip 10.244.2.11, fd00:10:244:2::11; labels app=far; listen 8080/TCP }
service far { cluster-ip 10.96.0.20, fd00:10:96::20; port 80/TCP -> 8080; selector app=far }`;

  it('crosses hosts by flannel-v6.1 in an IPv6 underlay', () => {
    const branch = trace(text, { from: 'pod1', to: 'fd00:10:244:2::11' });
    expect(path(branch.request.hops)).toEqual(REQUEST_ACROSS.map((h) => h.replace('flannel.1', 'flannel-v6.1')));
    expect(branch).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply', from: 'fd00:10:244:2::11', ttl: 62 } });
    expect(ipOf(hopAt(branch.request.hops, 'host1/eth0 out'))).toBe('fd00:93::212 > fd00:93::213 ttl 64');
  });

  it('has services, masquerading and refusals as IPv4 has', () => {
    expect(trace(text, { from: 'pod1', to: '[fd00:10:96::20]:80/TCP' })).toMatchObject({ outcome: 'delivered', seenAs: { address: 'fd00:10:244:1::10' }, answer: { from: 'fd00:10:96::20' } });
    expect(trace(text, { from: 'pod1', to: '2001:db8::7' })).toMatchObject({ outcome: 'delivered', seenAs: { address: 'fd00:93::212' }, answer: { kind: 'reply', ttl: 62 } });
    expect(trace(text, { from: 'pod1', to: '[fd00:10:244:2::11]:9/UDP' })).toMatchObject({ outcome: 'rejected', reason: { code: 'port-closed' }, answer: { kind: 'icmp', type: 1, code: 4 } });
    expect(trace(text, { from: 'pod1', to: '[fd00:10:244:2::11]:9/TCP' })).toMatchObject({ outcome: 'rejected', answer: { kind: 'reset' } });
  });
});
