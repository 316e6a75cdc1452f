/** What random clusters showed of Linux 6.18, each where the simulator had said otherwise (docs/fidelity.md). */
import { describe, expect, it } from 'vitest';
import { clusterText, ipOf, path, stages, trace } from './fixture.ts';

const sentTo = (target: string): string => `iptables {\n*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p udp -m udp --dport 9000 -j DNAT --to-destination ${target}\nCOMMIT\n}`;

const routes = (refused: string): string => `routes {\ndefault via 192.168.93.254 dev eth0\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212\n10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n${refused}\n}`;

describe('a rule that gives a bridged packet a destination with a refusing route', () => {
  it('lets it up into the host, which drops it there', () => {
    const branch = trace(clusterText({ host1: `${sentTo('10.0.14.16')}\n${routes('blackhole 10.0.14.16')}` }), { from: 'pod1', to: '10.0.14.1:9000/UDP' });
    expect(branch).toMatchObject({ outcome: 'dropped', reason: { code: 'route-blackhole' }, answer: { kind: 'none' } });
    expect(path(branch.request.hops)).toEqual(['pod1/eth0 out', 'host1/veth in', 'host1/cni0 in']);
  });

  it('lets the host tell the sender about an unreachable one', () => {
    const branch = trace(clusterText({ host1: `${sentTo('10.0.14.16')}\n${routes('unreachable 10.0.14.16')}` }), { from: 'pod1', to: '10.0.14.1:9000/UDP' });
    expect(branch).toMatchObject({ outcome: 'unreachable', answer: { kind: 'icmp', type: 3, code: 1 } });
  });
});

describe('a host that does not forward', () => {
  const asked = (family: 4 | 6, refused: string) =>
    trace(clusterText({ network: 'fd00:93::/64', more: 'pod pod6 on host1 { ip 10.0.14.66, fd00:10:14::66 }', host1: `sysctl {\nnet.ipv4.ip_forward = 0\nnet.ipv6.conf.all.forwarding = 0\n}\n${refused}` })
      .replace('pod-cidr 10.0.0.0/16', 'pod-cidr 10.0.0.0/16, fd00:10::/32').replace('pod-cidr 10.0.14.0/24', 'pod-cidr 10.0.14.0/24, fd00:10:14::/64').replace('\n  fd00:93::/64', ''), { from: 'pod6', to: family === 6 ? '2001:db8::7' : '10.0.77.1' });

  it('tells nobody of a refusing route in IPv4', () => {
    expect(asked(4, routes('unreachable 10.0.77.0/24'))).toMatchObject({ reason: { code: 'not-forwarding' }, answer: { kind: 'none' } });
  });

  it('tells the sender of it in IPv6', () => {
    expect(asked(6, 'routes {\nprohibit 2001:db8::/32 dev lo metric 1024\nfd00:10:14::/64 dev cni0 proto kernel metric 256\n}')).toMatchObject({ reason: { code: 'route-prohibit' }, answer: { kind: 'icmp', type: 1, code: 1 } });
  });
});

describe('fragments that the bridge put together', () => {
  // The pod's MTU of 1450 makes pieces of 20 + 1424 bytes; the node's 1500 would take longer ones.
  it('leave as they came where the next device takes them', () => {
    const branch = trace(clusterText(), { from: 'pod1', to: '203.0.113.7', payload: 2000 });
    expect(stages(branch.request.hops, 'fragment').map((step) => [step.mtu, step.sentence.endsWith('in the fragments that it came in.')])).toEqual([[1450, false], [1500, true]]);
  });
});

describe('an ICMPv6 error', () => {
  const rejecting = (nat: string): string => {
    const chains = ':PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]';
    return `ip6tables {\n*nat\n${chains}\n${nat}\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -p udp -j REJECT --reject-with icmp6-no-route\n-A OUTPUT -s fd00:93::212/128 -j DROP\nCOMMIT\n}`;
  };
  const text = (nat: string): string => `
cluster six { pod-cidr fd00:10::/32; service-cidr fd00:16::/108; flannel host-gw }
network lan fd00:93::/64 { gateway fd00:93::254 }
external out 2001:db8::7
node host1 { address fd00:93::212/64 on lan; pod-cidr fd00:10:1::/64
${rejecting(nat)}
}
pod pod6 on host1 { ip fd00:10:1::11 }
`;

  it('comes from the device that the packet came in by', () => {
    expect(trace(text('-A PREROUTING -p tcp -j ACCEPT'), { from: 'pod6', to: '[2001:db8::7]:81/UDP' }).answer).toMatchObject({ kind: 'icmp', from: 'fd00:10:1::1' });
  });

  it('comes from the device that a bridged packet with a new destination is routed to', () => {
    // The rule in OUTPUT drops the node's own address, which the error has until it is translated back.
    const branch = trace(text('-A PREROUTING -p udp -m udp --dport 81 -j DNAT --to-destination 2001:db8::7'), { from: 'pod6', to: '[2001:db8::99]:81/UDP' });
    expect(branch.answer).toMatchObject({ kind: 'none' });
    expect(branch.reply).toMatchObject({ outcome: 'dropped', reason: { code: 'rule-drop' } });
  });
});

describe('MASQUERADE in IPv6', () => {
  it('takes ::1 for what is redirected to ::1, as the address that is the destination itself', () => {
    const nat = '*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 81 -j REDIRECT --to-ports 80\n-A POSTROUTING -j MASQUERADE\nCOMMIT';
    const branch = trace(`cluster six { pod-cidr fd00:10::/32; service-cidr fd00:16::/108 }\nnetwork lan fd00:93::/64 { gateway fd00:93::254 }\nnode host1 { address fd00:93::212/64 on lan\nip6tables {\n${nat}\n}\n}\n`, { from: 'host1', to: '[fd00:93::212]:81/TCP' });
    expect(branch.request.hops.at(-1)?.packet.find((h) => h.header === 'ipv6')).toMatchObject({ source: '::1', destination: '::1' });
  });
});

describe('what CT --zone attached in raw', () => {
  const dropped = (condition: string): string | undefined =>
    trace(clusterText({ host1: `iptables {\n*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -j CT --zone 3\n-A PREROUTING ${condition} -j DROP\nCOMMIT\n}` }), { from: 'pod1', to: 'pod3:8080/UDP' }).reason?.code;

  it('is new, confirmed and of no address, before conntrack has seen the packet', () => {
    expect(['-m conntrack --ctstate NEW', '-m conntrack --ctstatus CONFIRMED', '-m conntrack ! --ctorigsrc 10.0.14.15', '-m conntrack --ctdir ORIGINAL', '-m connmark --mark 0x0/0xff'].map(dropped)).toEqual(Array.from({ length: 5 }, () => 'rule-drop'));
    expect(['-m conntrack --ctstate INVALID', '-m conntrack --ctstatus ASSURED', '-m conntrack --ctorigsrc 10.0.14.15', '-m conntrack --ctdir REPLY', '-m connmark --mark 0x1/0xff'].map(dropped)).toEqual(Array.from({ length: 5 }));
  });
});

describe('a frame that nobody on a far bridge takes', () => {
  it('is shown on its way through the tunnel', () => {
    const branch = trace(clusterText({ pod2: 'mac 02:00:00:00:05:96', host2: 'neighbours {\n10.0.5.150 dev cni0 lladdr 02:00:00:00:00:77 PERMANENT\n}' }), { from: 'pod1', to: 'pod2' });
    expect(branch).toMatchObject({ outcome: 'dropped', reason: { code: 'other-host' } });
    expect(path(branch.request.hops)).toContain('host2/flannel.1 in');
  });
});

describe('a frame above the MTU of the port that it leaves the bridge by', () => {
  const text = `
cluster { pod-cidr 10.0.0.0/16, fd00:10::/32; service-cidr 10.16.0.0/16, fd00:16::/108; flannel vxlan }
network lan 192.168.93.0/24, fd00:93::/64 { gateway 192.168.93.254, fd00:93::254 }
node host1 { address 192.168.93.211/24, fd00:93::211/64 on lan; pod-cidr 10.0.1.0/24, fd00:10:1::/64 }
pod wide on host1 { ip 10.0.1.11, fd00:10:1::11
  links {
    2: eth0@if9: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP
        veth
  }
}
pod narrow on host1 { ip 10.0.1.12, fd00:10:1::12 }
`;

  // The ports have 1450, and take 1454 from the pod that has 1500: 20 or 40 bytes of IP, 8 of UDP.
  it('is dropped in IPv4 without a word where it may not be fragmented', () => {
    expect(trace(text, { from: 'wide', to: 'narrow:80/UDP', payload: 1422 })).toMatchObject({ outcome: 'delivered', reply: { outcome: 'delivered' } });
    expect(trace(text, { from: 'wide', to: 'narrow:80/UDP', payload: 1423 })).toMatchObject({ outcome: 'dropped', reason: { code: 'over-mtu' }, answer: { kind: 'none' } });
  });

  it('is fragmented in IPv4 where it may be, as an answer to a ping', () => {
    const { reply } = trace(text, { from: 'narrow', to: 'wide', payload: 1423 });
    expect(reply?.outcome).toBe('delivered');
    expect(stages(reply?.hops ?? [], 'fragment')).toMatchObject([{ mtu: 1450 }]);
  });

  it('is told to the sender in IPv6', () => {
    expect(trace(text, { from: 'wide', to: '[fd00:10:1::12]:80/UDP', payload: 1404 })).toMatchObject({ outcome: 'rejected', reason: { code: 'needs-fragmenting' }, answer: { kind: 'icmp', type: 2, code: 0, from: 'fd00:10:1::1' } });
  });
});

describe('port unreachable from a port of the node itself', () => {
  const rules = `iptables {
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -j CT --zone 3
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -j REDIRECT --to-ports 9
COMMIT
}
listen 1/TCP`;

  it('forgets the zone of the flow that it is about, and with it the translation', () => {
    const error = (host1: string) => ipOf(trace(clusterText({ host1 }), { from: 'pod1', to: '203.0.113.7:53/UDP' }).reply?.hops[0]);
    expect(error(rules)).toBe('10.0.14.1 > 10.0.14.15 ttl 64');
    expect(error(rules.replace('CT --zone 3', 'ACCEPT'))).toBe('203.0.113.7 > 10.0.14.15 ttl 64');
  });
});
