/** What the path tells its sender: sizes, nearer ways; and who answers ARP. */
import { describe, expect, it } from 'vitest';
import { clusterText, path, stages, trace, traceAfter } from './fixture.ts';

const CONNECTED = '10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212';
const sysctl = (...lines: readonly string[]): string => `sysctl {\n${lines.join('\n')}\n}`;
const narrow = (mtu: number): string => `links {\n5: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu ${mtu} qdisc noqueue state UNKNOWN\n    vxlan id 1 local 192.168.93.212 dev eth0 srcport 0 0 dstport 8472 nolearning\n}`;

describe('a packet that is too large for the path', () => {
  it('teaches its sender the size, and the second one goes in fragments of it', () => {
    // As `ip route get` said in the kernel then: cache expires 598sec mtu 1300; and a capture showed 1300 and 140 bytes.
    const branch = trace(clusterText({ host1: narrow(1300) }), { from: 'pod1', to: 'pod2:8080/UDP', payload: 1400 });
    expect(branch).toMatchObject({ outcome: 'rejected', reason: { code: 'needs-fragmenting' }, answer: { kind: 'icmp', type: 3, code: 4 } });
    expect(stages(branch.reply?.hops ?? [], 'path-mtu')).toMatchObject([{ destination: '10.0.5.150', mtu: 1300 }]);
    expect(branch.second?.outcome).toBe('delivered');
    expect(stages(branch.second?.hops.slice(0, 1) ?? [], 'fragment')).toMatchObject([{ mtu: 1300 }]);
  });

  it('is believed down to 552 bytes in IPv4', () => {
    const branch = trace(clusterText({ host1: narrow(400) }), { from: 'pod1', to: 'pod2:8080/UDP', payload: 1000 });
    expect(stages(branch.reply?.hops ?? [], 'path-mtu')).toMatchObject([{ mtu: 552 }]);
  });

  it('changes nothing for a packet that fits', () => {
    const branch = trace(clusterText({ host1: narrow(1300) }), { from: 'pod1', to: 'pod2:8080/UDP', payload: 1000 });
    expect(branch.outcome).toBe('delivered');
    expect('second' in branch).toBe(false);
  });

  it('teaches a pod the size by the address of the service, which is what it writes to', () => {
    const branch = trace(clusterText({ host1: narrow(1300) }), { from: 'pod1', to: 'far:53/UDP', payload: 1400 });
    expect(stages(branch.reply?.hops ?? [], 'path-mtu')).toMatchObject([{ destination: '10.16.0.20', mtu: 1300 }]);
    expect(branch.second?.outcome).toBe('delivered');
  });
});

describe('a packet that goes back out of the device it came by', () => {
  const text = (more: string): string =>
    clusterText({
      cluster: 'flannel none',
      host1: `routes {\n${CONNECTED}\ndefault via 192.168.93.254 dev eth0\n}\n${more}`,
      host2: 'routes {\n10.0.5.0/24 dev cni0 proto kernel scope link src 10.0.5.1\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.213\ndefault via 192.168.93.212 dev eth0\n}',
    });
  const redirects = (more = '') => stages(trace(text(more), { from: 'host2', to: 'out:80/TCP' }).request.hops, 'icmp-error').filter((s) => s.type === 5);

  it('goes on, and its sender is told the nearer way', () => {
    expect(redirects()).toMatchObject([{ type: 5, code: 1, to: '192.168.93.213' }]);
    expect(redirects()[0]?.sentence).toContain('192.168.93.254 is the nearer way');
    expect(trace(text(''), { from: 'host2', to: 'out:80/TCP' }).outcome).toBe('delivered');
  });

  it('tells nobody where send_redirects is off for all and the device', () => {
    expect(redirects(sysctl('net.ipv4.conf.all.send_redirects = 0'))).toHaveLength(1);
    expect(redirects(sysctl('net.ipv4.conf.all.send_redirects = 0', 'net.ipv4.conf.eth0.send_redirects = 0'))).toEqual([]);
  });

  it('tells nobody whose link is another', () => {
    expect(stages(trace(text(''), { from: 'pod2', to: 'out:80/TCP' }).request.hops, 'icmp-error')).toEqual([]);
  });
});

describe('ARP', () => {
  const asked = (...lines: readonly string[]) => trace(clusterText({ host2: sysctl(...lines), host1: `routes {\n${CONNECTED}\n10.0.5.1 dev eth0 scope link\n}` }), { from: 'host1', to: '10.0.5.1' });

  it('is answered for an address of another device, unless arp_ignore is 1 or more', () => {
    expect(asked('net.ipv4.conf.all.arp_ignore = 0').outcome).toBe('delivered');
    for (const value of [1, 2, 8]) expect(asked(`net.ipv4.conf.all.arp_ignore = ${value}`)).toMatchObject({ outcome: 'unreachable', reason: { code: 'neighbour-failed' } });
    expect(asked('net.ipv4.conf.eth0.arp_ignore = 3').outcome).toBe('delivered');
  });

  it('is answered for its own address with arp_ignore 1, and with 8 for none', () => {
    const own = (value: number) => trace(clusterText({ host2: sysctl(`net.ipv4.conf.all.arp_ignore = ${value}`) }), { from: 'host1', to: 'host2' }).outcome;
    expect([own(1), own(8)]).toEqual(['delivered', 'unreachable']);
  });

  it('is answered on behalf of others with proxy_arp, where the host forwards', () => {
    const text = (...lines: readonly string[]): string => clusterText({ cluster: 'flannel none', host2: sysctl(...lines), host1: `routes {\n${CONNECTED}\n10.0.5.0/24 dev eth0 scope link\n}` });
    expect(trace(text('net.ipv4.conf.eth0.proxy_arp = 1'), { from: 'host1', to: 'pod2' }).outcome).toBe('delivered');
    expect(trace(text('net.ipv4.conf.eth0.proxy_arp = 0'), { from: 'host1', to: 'pod2' }).outcome).toBe('unreachable');
    expect(trace(text('net.ipv4.conf.eth0.proxy_arp = 1', 'net.ipv4.ip_forward = 0'), { from: 'host1', to: 'pod2' }).outcome).toBe('unreachable');
  });
});

describe('a martian', () => {
  it('is said to be in the log where log_martians is on', () => {
    const nat = 'iptables {\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -d 10.0.5.150/32 -j SNAT --to-source 10.0.5.1\nCOMMIT\n}';
    const branch = trace(clusterText({ host1: nat, host2: sysctl('net.ipv4.conf.all.log_martians = 1') }), { from: 'pod1', to: 'pod2' });
    expect(path(branch.request.hops).at(-1)).toBe('host2/flannel.1 in');
    expect(stages(branch.request.hops, 'source-check')[0]?.sentence).toContain('log_martians');
  });
});

describe('a tunnel', () => {
  const outer = (options: string) => {
    const links = narrow(1450).replace('srcport 0 0', options.includes('srcport') ? '' : 'srcport 0 0').replace('nolearning', `nolearning ${options}`);
    const branch = trace(clusterText({ host1: links }), { from: 'pod1', to: 'pod2' });
    return branch.request.hops.find((hop) => hop.packet.some((h) => h.header === 'vxlan'))?.packet ?? [];
  };

  it('gives its packets the TTL and source ports that it is told', () => {
    expect(outer('ttl auto').find((h) => h.header === 'ipv4')).toMatchObject({ ttl: 64 });
    expect(outer('ttl 7').find((h) => h.header === 'ipv4')).toMatchObject({ ttl: 7 });
    expect(outer('ttl inherit').find((h) => h.header === 'ipv4')).toMatchObject({ ttl: 63 });
    expect(outer('srcport 40000 40001').find((h) => h.header === 'udp')).toMatchObject({ sourcePort: 40000 });
  });
});

describe('a packet in pieces', () => {
  const filter = 'iptables {\n*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p udp -m udp --dport 9 -j DROP\nCOMMIT\n}';
  const supposed = (tables: readonly string[]) => {
    const branch = traceAfter(clusterText({ host1: filter }), { from: 'pod1', to: 'pod2:8080/UDP', payload: 2000 }, ['host1', 'root'], (host) => {
      host.tables = host.tables.filter((table) => tables.includes(table.name));
    });
    return stages(branch.request.hops, 'assumption').filter((s) => s.sentence.includes('in pieces'));
  };

  it('is put together where something is tracked; elsewhere its later pieces are supposed to fare as the first', () => {
    expect(supposed(['filter', 'nat'])).toEqual([]);
    expect(supposed(['filter'])).not.toEqual([]);
    expect(supposed([])).toEqual([]);
  });
});
