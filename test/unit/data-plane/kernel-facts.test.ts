/** What was measured on Linux 6.18, one packet and its answer at a time. */
import { describe, expect, it } from 'vitest';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { clusterText, deviceOf, hopAt, ipOf, stages, trace, traceAfter } from './fixture.ts';

/** The TTL of the packet that the answer quotes, where it starts. */
function quotedTtl(branch: Branch): number | undefined {
  const packet = branch.reply?.hops[0]?.packet ?? [];
  const quoted = packet.filter((h) => h.header === 'ipv4').at(-1);
  return quoted?.header === 'ipv4' ? quoted.ttl : undefined;
}

const sysctl = (name: string, value: number): string => `sysctl {\n ${name} = ${value}\n}`;

const filter = (rule: string): string => `iptables {\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rule}\nCOMMIT\n}`;

describe('an ICMP error', () => {
  it('of a REJECT in FORWARD quotes the decremented TTL, and comes from the address of the route back', () => {
    const branch = trace(clusterText({ host2: filter('-A FORWARD -d 10.0.5.150/32 -j REJECT --reject-with icmp-host-prohibited') }), { from: 'pod1', to: 'pod2' });
    expect(branch).toMatchObject({ outcome: 'rejected', answer: { kind: 'icmp', from: '10.0.5.0', type: 3, code: 10, ttl: 63 } });
    expect(quotedTtl(branch)).toBe(62);
  });

  it('about the TTL quotes it undecremented', () => {
    const text = clusterText({ network: 'routes {\n198.51.100.0/24 via 192.168.93.212 dev eth0\n}' });
    const branch = trace(text, { from: 'host2', to: '198.51.100.10' });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'routing-loop' }, answer: { kind: 'icmp', type: 11, code: 0 } });
    expect(quotedTtl(branch)).toBe(1);
  });

  it('about an address that nobody answers for quotes the decremented TTL', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: '10.0.5.99' });
    expect(branch).toMatchObject({ outcome: 'unreachable', reason: { code: 'neighbour-failed' }, answer: { kind: 'icmp', from: '10.0.5.0', type: 3, code: 1 } });
    expect(quotedTtl(branch)).toBe(62);
  });

  it('about the MTU quotes the packet as it came, and is 576 bytes long', () => {
    const narrow = traceAfter(clusterText(), { from: 'pod1', to: 'pod2', payload: 1400 }, ['host1', 'root'], (host) => {
      deviceOf(host, 'flannel.1').mtu = 1400;
    });
    expect(narrow).toMatchObject({ outcome: 'rejected', reason: { code: 'needs-fragmenting' }, answer: { kind: 'icmp', type: 3, code: 4, from: '10.0.14.1' } });
    expect(quotedTtl(narrow)).toBe(64);
    const error = narrow.reply?.hops[0]?.packet ?? [];
    expect(error.find((h) => h.header === 'icmp')).toMatchObject({ mtu: 1400 });
    // IPv4 20, ICMP 8, the quoted IPv4 20 and ICMP 8 leave 520 of the payload.
    expect(error.at(-1)).toEqual({ header: 'payload', length: 520 });
  });

  it('is not sent about a frame above the MTU of the other end of a veth pair', () => {
    // 1455 bytes of IP: the device takes 4 more than its MTU of 1450, as if for a VLAN tag (__is_skb_forwardable).
    const sent = (payload: number) =>
      traceAfter(clusterText(), { from: 'pod1', to: 'pod2', payload }, ['host1', 'default/pod1'], (pod) => {
        deviceOf(pod, 'eth0').mtu = 1500;
      });
    expect(sent(1427)).toMatchObject({ outcome: 'dropped', reason: { code: 'over-mtu' }, answer: { kind: 'none' } });
    expect(sent(1426)).toMatchObject({ outcome: 'rejected', reason: { code: 'needs-fragmenting' }, answer: { kind: 'icmp' } });
  });

  it('comes through a DNAT from the service, whoever sent it', () => {
    const branch = trace(clusterText({ pod2: '' }).replace('listen 8080/TCP, 8080/UDP, 38412/SCTP', 'listen 1/TCP'), { from: 'pod1', to: 'far:53/UDP' });
    expect(branch).toMatchObject({ outcome: 'rejected', reason: { code: 'port-closed' }, answer: { kind: 'icmp', from: '10.16.0.20', type: 3, code: 3 } });
  });
});

describe('br_netfilter', () => {
  const seen = filter('-A FORWARD -i cni0 -o cni0 -m physdev --physdev-is-bridged -j DROP');

  it('shows a packet that stays on the bridge to FORWARD, with the bridge as both devices', () => {
    expect(trace(clusterText({ host1: seen }), { from: 'pod1', to: 'pod3' })).toMatchObject({ outcome: 'dropped', reason: { code: 'rule-drop' } });
    expect(trace(clusterText({ host1: `${seen}\n${sysctl('net.bridge.bridge-nf-call-iptables', 0)}` }), { from: 'pod1', to: 'pod3' })).toMatchObject({ outcome: 'delivered' });
  });

  it('bridges what DNAT sends to the same bridge: the TTL and the client\'s MAC stay', () => {
    const [first] = [trace(clusterText({ more: 'service one { cluster-ip 10.16.0.9; port 80 -> 8080; endpoints 10.0.14.16:8080 }' }), { from: 'pod1', to: 'one:80' })];
    const arrived = hopAt(first.request.hops, 'pod3/eth0 in');
    expect(ipOf(arrived)).toBe('10.0.14.15 > 10.0.14.16 ttl 64');
    const sent = first.request.hops[0]?.packet[0];
    expect(arrived?.packet[0]).toMatchObject({ source: sent?.header === 'ethernet' ? sent.source : '' });
    expect(first.answer).toMatchObject({ kind: 'reply', from: '10.16.0.9', ttl: 64 });
  });

  it('switched off leaves the reply untranslated, and the client ignores it', () => {
    const text = clusterText({ host1: sysctl('net.bridge.bridge-nf-call-iptables', 0), more: 'service one { cluster-ip 10.16.0.9; port 80 -> 8080; endpoints 10.0.14.16:8080 }' });
    const branch = trace(text, { from: 'pod1', to: 'one:80' });
    expect(ipOf(hopAt(branch.request.hops, 'host1/cni0 in'))).toBe('10.0.14.15 > 10.16.0.9 ttl 64');
    expect(branch).toMatchObject({ outcome: 'delivered', answer: { kind: 'none' }, reply: { outcome: 'dropped', reason: { code: 'unexpected-source' } } });
    expect(branch.reply?.reason?.sentence).toContain('10.0.14.16:8080');
  });

  it('needs hairpin for a pod that reaches itself', () => {
    const text = clusterText({ more: 'service self { cluster-ip 10.16.0.9; port 80; endpoints 10.0.14.15:80 }' });
    const off = traceAfter(text, { from: 'pod1', to: 'self:80' }, ['host1', 'root'], (host) => {
      for (const device of host.interfaces) if (device.port !== null) device.port.hairpin = false;
    });
    expect(off).toMatchObject({ outcome: 'dropped', reason: { code: 'hairpin-off' } });
    expect(trace(text, { from: 'pod1', to: 'self:80' })).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' } });
  });

  it('shows PREROUTING a packet once, at the port', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: 'pod2' });
    const host1 = branch.request.hops.filter((h) => h.host === 'host1' && h.namespace === 'root');
    const atPort = stages(host1.slice(0, 1), 'netfilter').filter((s) => s.hook === 'PREROUTING');
    expect(atPort.length).toBeGreaterThan(0);
    expect(stages(host1.slice(1), 'netfilter').filter((s) => s.hook === 'PREROUTING')).toEqual([]);
  });
});

describe('NAT', () => {
  it('keeps the mark through the encapsulation, so without --xor-mark the outer packet is masqueraded too', () => {
    const nat = (clear: string): string => `iptables {
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -s 10.0.14.15/32 -j MARK --set-xmark 0x4000/0x4000
-A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
${clear}
-A POSTROUTING -j MASQUERADE
COMMIT
}`;
    const leaking = stages(trace(clusterText({ host1: nat('') }), { from: 'pod1', to: 'pod2' }).request.hops, 'netfilter');
    const cleared = stages(trace(clusterText({ host1: nat('-A POSTROUTING -j MARK --set-xmark 0x4000/0x0') }), { from: 'pod1', to: 'pod2' }).request.hops, 'netfilter');
    const masquerades = (steps: typeof leaking): number => steps.filter((s) => s.verdict === 'MASQUERADE').length;
    expect(masquerades(leaking)).toBe(2);
    expect(masquerades(cleared)).toBe(1);
  });

  it('keeps the port with a plain MASQUERADE, and says what a random one may be', () => {
    const nat = (options: string): string => `iptables {\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -p tcp -j MASQUERADE${options}\nCOMMIT\n}`;
    const plain = trace(clusterText({ host1: nat('') }), { from: 'pod1', to: 'out:80' });
    const sent = plain.request.hops[0]?.packet.find((h) => h.header === 'tcp');
    expect(plain.seenAs).toEqual({ address: '192.168.93.212', port: sent?.header === 'tcp' ? sent.sourcePort : 0 });
    const random = trace(clusterText({ host1: nat(' --random-fully') }), { from: 'pod1', to: 'out:80' });
    expect(random.seenAs?.port).toBeGreaterThanOrEqual(1024);
    expect(stages(random.request.hops, 'nat')[0]?.sentence).toContain('any port of 1024-65535');
    expect(random.answer.kind).toBe('reply');
  });

  it('is skipped by NOTRACK', () => {
    const raw = 'iptables {\n*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.16.0.20/32 -j CT --notrack\nCOMMIT\n}';
    const branch = trace(clusterText({ host1: raw }), { from: 'pod1', to: 'far:80' });
    expect(branch.reason?.code).toBe('no-such-destination');
    expect(stages(branch.request.hops, 'nat')).toEqual([]);
  });

  it('is not undone where only one direction has a zone', () => {
    const raw = (rules: string): string => `iptables {\n*raw\n:PREROUTING ACCEPT [0:0]\n${rules}\nCOMMIT\n}`;
    const one = trace(clusterText({ host1: raw('-A PREROUTING -s 10.0.14.0/24 -j CT --zone 1') }), { from: 'pod1', to: 'far:80' });
    expect(one).toMatchObject({ outcome: 'delivered', answer: { kind: 'none' }, reply: { outcome: 'dropped' } });
    expect(stages(one.reply?.hops ?? [], 'nat')).toEqual([]);
    const both = trace(clusterText({ host1: raw('-A PREROUTING -j CT --zone 1') }), { from: 'pod1', to: 'far:80' });
    expect(both).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply', from: '10.16.0.20' } });
  });

  it('has a mark of the flow that its answers carry on', () => {
    const mangle = 'iptables {\n*mangle\n:PREROUTING ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A PREROUTING -s 10.0.14.0/24 -j MARK --set-xmark 0x9/0xffffffff\n-A PREROUTING -s 10.0.14.0/24 -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff\n-A PREROUTING -s 10.0.5.0/24 -m connmark --mark 0x9 -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff\n-A FORWARD -s 10.0.5.0/24 -m mark --mark 0x9 -j DROP\nCOMMIT\n}';
    expect(trace(clusterText({ host1: mangle }), { from: 'pod1', to: 'pod2' })).toMatchObject({ outcome: 'delivered', answer: { kind: 'none' }, reply: { outcome: 'dropped', reason: { code: 'rule-drop' } } });
  });

  it('has two unanswered flows of the outer packets on each node', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: 'pod2' });
    const outer = [...stages(branch.request.hops, 'conntrack'), ...stages(branch.reply?.hops ?? [], 'conntrack')].filter((s) => s.original.includes(':8472'));
    expect(outer.map((s) => [s.hook, s.state])).toEqual([['OUTPUT', 'NEW'], ['PREROUTING', 'NEW'], ['OUTPUT', 'NEW'], ['PREROUTING', 'NEW']]);
  });

  it('lets 127.0.0.1 reach a node port only with route_localnet', () => {
    const np = 'service np { cluster-ip 10.16.0.40; port 80 -> 8080 node-port 30080; selector app=far }';
    expect(trace(clusterText({ more: np }), { from: 'host1', to: '127.0.0.1:30080' })).toMatchObject({ outcome: 'delivered', deliveredTo: { name: 'default/pod2' }, seenAs: { address: '10.0.14.0' }, answer: { kind: 'reply', from: '127.0.0.1' } });
    const off = trace(clusterText({ more: np, host1: sysctl('net.ipv4.conf.all.route_localnet', 0) }), { from: 'host1', to: '127.0.0.1:30080' });
    expect(off).toMatchObject({ outcome: 'dropped', reason: { code: 'martian-source' } });
  });
});

describe('VXLAN', () => {
  it('takes its source port from 32768-60999, the same both ways', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: 'pod2' });
    const port = (h: ReturnType<typeof hopAt>): number => {
      const udp = h?.packet.find((p) => p.header === 'udp');
      return udp?.header === 'udp' ? udp.sourcePort : 0;
    };
    const there = port(hopAt(branch.request.hops, 'host1/eth0 out'));
    expect(there).toBeGreaterThanOrEqual(32768);
    expect(there).toBeLessThanOrEqual(60999);
    expect(port(hopAt(branch.reply?.hops ?? [], 'host2/eth0 out'))).toBe(there);
  });

  it('is fragmented where the underlay is too narrow, and lost without a word with df set', () => {
    const text = clusterText({ host1: 'routes {\n10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212 mtu 1400\n10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink\n}' });
    const asked = { from: 'pod1', to: 'pod2', payload: 1400 };
    const whole = trace(text, asked);
    expect(whole.outcome).toBe('delivered');
    expect(stages(whole.request.hops, 'fragment')).toMatchObject([{ mtu: 1400 }]);
    const set = traceAfter(text, asked, ['host1', 'root'], (host) => {
      const { device } = deviceOf(host, 'flannel.1');
      if (device.kind === 'vxlan') device.df = 'set';
    });
    expect(set).toMatchObject({ reason: { code: 'needs-fragmenting' }, answer: { kind: 'none' } });
  });

  it('is never wider than the underlay allows, whatever flannel is told; the pods are', () => {
    const branch = trace(clusterText({ network: 'mtu 1400', cluster: 'flannel vxlan { mtu 1450 }' }), { from: 'pod1', to: 'pod2:8080/UDP', payload: 1400 });
    expect(branch).toMatchObject({ outcome: 'rejected', reason: { code: 'needs-fragmenting' }, answer: { kind: 'icmp', type: 3, code: 4 } });
    expect(branch.reply?.hops[0]?.packet.find((h) => h.header === 'icmp')).toMatchObject({ mtu: 1350 });
  });

  it('lets a ping of 1422 bytes through whole, and one of 1423 in two', () => {
    const fragments = (payload: number): number => stages(trace(clusterText(), { from: 'pod1', to: 'pod2', payload }).request.hops, 'fragment').length;
    expect(fragments(1422)).toBe(0);
    // By the pod; br_netfilter's conntrack puts the pieces together, and the node fragments again for flannel.1.
    expect(fragments(1423)).toBe(2);
  });

  it('drops silently what has no forwarding entry, and what comes with an unknown VNI', () => {
    const missing = traceAfter(clusterText(), { from: 'pod1', to: 'pod2' }, ['host1', 'root'], (host) => {
      host.fdb = host.fdb.filter((e) => e.device !== 'flannel.1');
    });
    expect(missing).toMatchObject({ outcome: 'dropped', reason: { code: 'fdb-missing' }, answer: { kind: 'none' }, reply: null });
    const other = traceAfter(clusterText(), { from: 'pod1', to: 'pod2' }, ['host2', 'root'], (host) => {
      const { device } = deviceOf(host, 'flannel.1');
      if (device.kind === 'vxlan') device.vni = 2;
    });
    expect(other).toMatchObject({ outcome: 'dropped', reason: { code: 'vni-unknown' }, answer: { kind: 'none' }, reply: null });
  });

  it('on a port that nobody has is refused to the node, and the pod learns nothing', () => {
    const branch = traceAfter(clusterText(), { from: 'pod1', to: 'pod2' }, ['host2', 'root'], (host) => {
      const { device } = deviceOf(host, 'flannel.1');
      if (device.kind === 'vxlan') device.port = 4789;
    });
    expect(branch).toMatchObject({ outcome: 'rejected', reason: { code: 'port-closed' }, answer: { kind: 'none' }, reply: { outcome: 'dropped', reason: { code: 'not-for-the-sender' } } });
  });

  it('without the neighbour asks on flannel.1, and tells the pod that the host is unreachable', () => {
    const branch = traceAfter(clusterText(), { from: 'pod1', to: 'pod2' }, ['host1', 'root'], (host) => {
      host.neighbours = [];
    });
    expect(branch).toMatchObject({ outcome: 'unreachable', reason: { code: 'neighbour-failed' }, answer: { kind: 'icmp', from: '10.0.14.1', type: 3, code: 1 } });
  });

  it('sends a zero checksum with noudpcsum', () => {
    const branch = traceAfter(clusterText(), { from: 'pod1', to: 'pod2' }, ['host1', 'root'], (host) => {
      const { device } = deviceOf(host, 'flannel.1');
      if (device.kind === 'vxlan') device.checksum = false;
    });
    expect(hopAt(branch.request.hops, 'host1/eth0 out')?.packet.find((h) => h.header === 'udp')).toMatchObject({ checksum: false });
  });

  it('that is routed into itself ends by name', () => {
    const routes = 'routes {\n10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink\n10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.213 dev flannel.1 scope link\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212\n}';
    const branch = traceAfter(clusterText({ host1: routes }), { from: 'pod1', to: 'pod2' }, ['host1', 'root'], (host) => {
      const { device } = deviceOf(host, 'flannel.1');
      if (device.kind === 'vxlan') device.underlay = null;
    });
    expect(branch).toMatchObject({ outcome: 'looped', reason: { code: 'tunnel-loop' } });
  });
});

describe('TTL', () => {
  it('of a node port is one less on the endpoint\'s host, and two less through another', () => {
    const text = clusterText({ more: 'service np { cluster-ip 10.16.0.40; port 80 -> 8080 node-port 30080; selector app=far }' });
    const ttl = (host: string): string => ipOf(trace(text, { from: 'out', to: `${host}:30080/TCP` }).request.hops.at(-1)).split(' ').at(-1) ?? '';
    // The router takes one as well.
    expect(ttl('192.168.93.213')).toBe('62');
    expect(ttl('192.168.93.212')).toBe('61');
  });
});
