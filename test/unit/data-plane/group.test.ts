/** Broadcasts, groups, and frames for everyone. */
import { describe, expect, it } from 'vitest';
import { castOf, groupMac, isMember } from '../../../engine/src/data-plane/group.ts';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { formatMac, parseAddress } from '../../../engine/src/net/address.ts';
import type { Address } from '../../../engine/src/net/address.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { clusterText, path, stages, trace } from './fixture.ts';

const address = (text: string): Address => parseAddress(text) as Address;

const V6 = `cluster { pod-cidr fd00:1::/48; flannel host-gw }
network lan fd00:2::/64 { gateway fd00:2::fe }
node host1 { address fd00:2::1/64 on lan; pod-cidr fd00:1:0:1::/64 }
pod a on host1 { ip fd00:1:0:1::a }
pod b on host1 { ip fd00:1:0:1::b }
`;

describe('a MAC of a group', () => {
  it('takes the last 23 bits of an IPv4 group, the last 32 of an IPv6 one', () => {
    // RFC 1112, 6.4: 224.128.1.2 and 224.0.1.2 have one MAC; RFC 2464, 7.
    expect(formatMac(groupMac(address('224.128.1.2'), 'multicast'))).toBe('01:00:5e:00:01:02');
    expect(formatMac(groupMac(address('239.255.0.1'), 'multicast'))).toBe('01:00:5e:7f:00:01');
    expect(formatMac(groupMac(address('ff02::1:ff00:ab'), 'multicast'))).toBe('33:33:ff:00:00:ab');
    expect(formatMac(groupMac(address('10.0.14.255'), 'broadcast'))).toBe('ff:ff:ff:ff:ff:ff');
  });

  it('is asked only for what is for everyone', () => {
    expect([castOf(address('255.255.255.255'), undefined), castOf(address('10.0.14.255'), 'broadcast'), castOf(address('10.0.14.255'), 'unicast'), castOf(address('ff02::1'), 'multicast')]).toEqual(['broadcast', 'broadcast', 'unicast', 'multicast']);
  });
});

describe('the kernel', () => {
  it('joins all nodes, its solicited nodes, and all routers where it forwards; of others nothing is known', () => {
    const { namespaces } = compileTopology(createSnapshot({ file: 'v6.k8snet', text: V6 }).topology());
    const [host, pod] = [namespaces.find((n) => n.label === 'host1'), namespaces.find((n) => n.label === 'pod default/a')];
    if (host === undefined || pod === undefined) throw new Error('no namespaces');
    expect(['ff02::1', 'ff01::1', 'ff02::1:ff00:a', 'ff02::1:ff00:b', 'ff02::2', 'ff02::fb', 'ff05::2'].map((g) => isMember(pod, 'eth0', address(g)))).toEqual([true, true, true, false, false, null, false]);
    expect(['ff02::2', 'ff05::2'].map((g) => isMember(host, 'cni0', address(g)))).toEqual([true, true]);
    expect([isMember(pod, 'eth0', address('224.0.0.1')), isMember(pod, 'eth0', address('224.0.0.251'))]).toEqual([true, null]);
  });
});

describe('a datagram to everyone on the subnet', () => {
  it('goes to each neighbour on the bridge, into the host, and back to the sender by hairpin, but to no other host', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: '10.0.14.255:8080/UDP' });
    expect(branch).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' } });
    expect(path(branch.request.hops)).toEqual(expect.arrayContaining(['pod3/eth0 in', 'host1/cni0 in', 'pod1/eth0 in']));
    expect(path(branch.request.hops).filter((hop) => hop.startsWith('host2'))).toEqual([]);
    expect(stages(branch.request.hops, 'assumption').some((s) => s.sentence.includes('SO_BROADCAST'))).toBe(true);
  });

  it('is answered by no closed port, and a ping by no one unless told to', () => {
    const closed = clusterText({ pod1: 'listen 1/TCP', host1: 'listen 1/TCP' });
    expect(trace(closed, { from: 'pod1', to: '10.0.14.255:9/UDP' })).toMatchObject({ outcome: 'dropped', reason: { code: 'group-unheard' }, answer: { kind: 'none' } });
    expect(trace(clusterText(), { from: 'pod1', to: '10.0.14.255' })).toMatchObject({ outcome: 'dropped', reason: { code: 'echo-ignored' } });
    const told = clusterText({ host1: 'sysctl {\n net.ipv4.icmp_echo_ignore_broadcasts = 0\n}' });
    expect(trace(told, { from: 'pod1', to: '10.0.14.255' })).toMatchObject({ outcome: 'delivered', deliveredTo: { name: 'host1' }, answer: { kind: 'reply', from: '10.0.14.1' } });
  });

  it('is no connection', () => {
    expect(trace(clusterText(), { from: 'pod1', to: '255.255.255.255:80/TCP' })).toMatchObject({ outcome: 'unreachable', reason: { code: 'group-connection' } });
  });
});

describe('a group', () => {
  it('that only programs join leaves it open who takes the packet', () => {
    expect(trace(clusterText(), { from: 'pod1', to: '239.1.2.3:5000/UDP' })).toMatchObject({ outcome: 'undecided', reason: { code: 'group-destination' } });
  });

  it('of all nodes answers a ping, each from its own address', () => {
    const branch = trace(V6, { from: 'a', to: 'ff02::1' });
    expect(branch.outcome).toBe('delivered');
    expect(branch.answer.kind).toBe('reply');
    expect(branch.answer.from).not.toBe('ff02::1');
  });

  it('of another\'s solicited node is dropped by who is not it', () => {
    const branch = trace(V6, { from: 'a', to: 'ff02::1:ff00:77' });
    expect(branch).toMatchObject({ outcome: 'dropped', reason: { code: 'group-not-joined' } });
  });
});
