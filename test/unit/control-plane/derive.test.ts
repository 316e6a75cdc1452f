import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, formatMac } from '../../../engine/src/net/address.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { MAIN_TABLE } from '../../../engine/src/topology/model.ts';
import type { Device, Interface, Namespace, Sysctl, Topology } from '../../../engine/src/topology/model.ts';
import type { ClusterSpec } from '../../../engine/src/topology/spec.ts';
import { address, article, at, cluster, endpoint, external, flannel, kubeProxy, network, node, pod, port, prefix, service, spec } from './specs.ts';

function namespaceOf(topology: Topology, host: string, name = 'root'): Namespace {
  const found = topology.hosts.find((h) => h.name === host)?.namespaces.find((n) => n.name === name);
  if (found === undefined) throw new Error(`no namespace ${host} ${name}`);
  return found;
}

function device(namespace: Namespace, name: string): Interface {
  const found = namespace.interfaces.find((i) => i.name === name);
  if (found === undefined) throw new Error(`no device ${name}, but ${namespace.interfaces.map((i) => i.name).join(' ')}`);
  return found;
}

const addresses = (i: Interface): readonly string[] => i.addresses.map((a) => `${formatAddress(a.address)}/${a.length}`);

const mainRoutes = (namespace: Namespace): readonly string[] => namespace.routes.filter((r) => r.table === MAIN_TABLE).map((r) => r.text);

const withFlannel = (parts: Parameters<typeof flannel>[0]): Topology => buildTopology(article({ cluster: cluster({ flannel: flannel(parts) }) }));

describe('flannel', () => {
  it('vxlan: the device has the subnet address, the VNI, and 50 bytes less than the underlay', () => {
    const flannel1 = device(namespaceOf(buildTopology(article()), 'host1'), 'flannel.1');
    expect(addresses(flannel1)).toEqual(['10.0.14.0/32']);
    expect(flannel1.mtu).toBe(1450);
    expect(flannel1.device).toMatchObject({ kind: 'vxlan', vni: 1, port: 8472, underlay: 'eth0', learning: false, misses: null });
  });

  it('vxlan: every node has the VTEP MAC of the others as they have it themselves', () => {
    const topology = buildTopology(article());
    const own = formatMac(device(namespaceOf(topology, 'host2'), 'flannel.1').mac ?? (0 as never));
    expect(namespaceOf(topology, 'host1').neighbours.find((n) => formatAddress(n.address) === '10.0.5.0')?.text).toBe(`10.0.5.0 dev flannel.1 lladdr ${own} PERMANENT`);
    expect(namespaceOf(topology, 'host1').fdb.map((e) => e.text)).toContain(`${own} dev flannel.1 dst 192.168.93.213 self permanent`);
  });

  it('the older generation has one route, no neighbours and no FDB entries, and answers misses with the leases of the others', () => {
    const host1 = namespaceOf(withFlannel({ routesPer: 'network' }), 'host1');
    expect(mainRoutes(host1)).toContain('10.0.0.0/16 dev flannel.1');
    expect(mainRoutes(host1).filter((r) => r.includes('onlink'))).toEqual([]);
    expect([host1.neighbours, host1.fdb]).toEqual([[], []]);
    const vxlan = device(host1, 'flannel.1').device;
    expect(vxlan.kind === 'vxlan' && vxlan.misses?.map((l) => l.node)).toEqual(['host3', 'host2']);
  });

  it('udp: flannel0 is a tun device that knows the other leases, 28 bytes smaller than the underlay', () => {
    const host1 = namespaceOf(withFlannel({ backend: 'udp', port: 8285 }), 'host1');
    const tun = device(host1, 'flannel0');
    expect([tun.mtu, tun.mac]).toEqual([1472, null]);
    expect(tun.device).toMatchObject({ kind: 'tun', port: 8285 });
    expect(mainRoutes(host1)).toContain('10.0.0.0/16 dev flannel0');
    expect(device(host1, 'cni0').mtu).toBe(1472);
  });

  it('host-gw: routes lead to the other nodes by the network itself, without a device', () => {
    const host1 = namespaceOf(withFlannel({ backend: 'host-gw' }), 'host1');
    expect(mainRoutes(host1)).toContain('10.0.5.0/24 via 192.168.93.213 dev eth0');
    expect(host1.interfaces.map((i) => i.name)).not.toContain('flannel.1');
    expect(device(host1, 'cni0').mtu).toBe(1500);
  });

  it('direct routing takes the place of all three entries where the other node is on-link', () => {
    const nodes = [node('host1', '192.168.93.212/24', '10.0.14.0/24'), node('host2', '192.168.93.213/24', '10.0.5.0/24'), node('far', '172.30.0.9/24', '10.0.9.0/24')];
    const host1 = namespaceOf(buildTopology(article({ cluster: cluster({ flannel: flannel({ directRouting: true }) }), nodes })), 'host1');
    expect(mainRoutes(host1)).toContain('10.0.5.0/24 via 192.168.93.213 dev eth0');
    expect(mainRoutes(host1)).toContain('10.0.9.0/24 via 10.0.9.0 dev flannel.1 onlink');
    expect(host1.neighbours.map((n) => formatAddress(n.address))).toEqual(['10.0.9.0']);
  });

  it('none: nothing leads to the pods of other nodes, and nothing is masqueraded', () => {
    const host1 = namespaceOf(withFlannel({ backend: 'none' }), 'host1');
    expect(mainRoutes(host1)).toEqual(['default via 192.168.93.254 dev eth0 proto static', '10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1', '192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212']);
    expect(host1.tables.flatMap((t) => t.chains.map((c) => c.name)).filter((c) => c.startsWith('FLANNEL'))).toEqual([]);
  });

  it('keeps to its own public address and VTEP MAC where they are declared', () => {
    const nodes = [
      node('host1', '192.168.93.212/24', '10.0.14.0/24'),
      node('host2', '192.168.93.213/24, 192.168.93.99/24', '10.0.5.0/24', { publicAddress: address('192.168.93.99'), vtepMac: 0x6a8c10000002 as never }),
    ];
    const host1 = namespaceOf(buildTopology(article({ nodes })), 'host1');
    expect(host1.fdb.map((e) => e.text)).toEqual(['6a:8c:10:00:00:02 dev flannel.1 dst 192.168.93.99 self permanent']);
  });

  it('takes the lease of a node without pod-cidr from its pods', () => {
    const nodes = [node('host1', '192.168.93.212/24', ''), node('host2', '192.168.93.213/24', '10.0.5.0/24')];
    const topology = buildTopology(article({ nodes, pods: [pod('pod1', 'host1', '10.0.14.15')] }));
    expect(addresses(device(namespaceOf(topology, 'host1'), 'cni0'))).toEqual(['10.0.14.1/24']);
    expect(mainRoutes(namespaceOf(topology, 'host2'))).toContain('10.0.14.0/24 via 10.0.14.0 dev flannel.1 onlink');
  });
});

describe('a node', () => {
  it('without pods and without a lease has no bridge and no flannel device', () => {
    const topology = buildTopology(spec({ networks: [network('lan', '192.168.93.0/24', '')], nodes: [node('host1', '192.168.93.212/24', '')] }));
    expect(namespaceOf(topology, 'host1').interfaces.map((i) => i.name)).toEqual(['lo', 'eth0']);
    expect(mainRoutes(namespaceOf(topology, 'host1'))).toEqual(['192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212']);
  });

  it('has a bridge or a dummy where an interface is plugged into nothing, and hangs in the air where its network is unknown', () => {
    const odd = node('host1', '192.168.93.212/24', '', {
      interfaces: ['docker0', 'br-lan', 'tunl0'].map((name) => ({ name, addresses: [prefix('172.17.0.1/16')], network: null, mac: null, mtu: null, at: at(5) })).concat([{ name: 'eth9', addresses: [], network: 'nowhere' as never, mac: null, mtu: null, at: at(6) }]),
    });
    const kinds = (namespaceOf(buildTopology(spec({ nodes: [odd] })), 'host1').interfaces.map((i): Device => i.device)).slice(1);
    expect(kinds).toEqual([{ kind: 'bridge' }, { kind: 'bridge' }, { kind: 'dummy' }, { kind: 'physical', network: null }]);
  });

  it('of which kube-proxy is turned off has empty tables that accept', () => {
    const topology = buildTopology(article({ cluster: cluster({ kubeProxy: kubeProxy({ mode: 'none' }), flannel: flannel({ backend: 'none' }) }) }));
    const { tables } = namespaceOf(topology, 'host1');
    expect(tables.flatMap((t) => t.chains.flatMap((c) => c.rules))).toEqual([]);
    expect(tables.every((t) => t.chains.every((c) => c.policy === 'ACCEPT'))).toBe(true);
  });

  it('ties every pod to cni0 by a pair of devices that name each other', () => {
    const topology = buildTopology(article());
    const root = namespaceOf(topology, 'host1');
    const eth0 = device(namespaceOf(topology, 'host1', 'default/pod1'), 'eth0');
    if (eth0.device.kind !== 'veth' || eth0.device.peer === null) throw new Error('no peer');
    const veth = device(root, eth0.device.peer.name);
    expect(veth.device).toEqual({ kind: 'veth', peer: { host: 'host1', namespace: 'default/pod1', name: 'eth0' } });
    expect(veth.port).toMatchObject({ master: 'cni0', hairpin: true });
    expect(formatMac(eth0.mac ?? (0 as never))).toBe('0a:58:0a:00:0e:0f');
  });

  it('shares its namespace with pods on the host network', () => {
    const topology = buildTopology(article({ pods: [pod('proxy', 'host1', '', { hostNetwork: true })] }));
    expect(topology.hosts.find((h) => h.name === 'host1')?.namespaces.map((n) => n.name)).toEqual(['root']);
    expect(topology.pods[0]?.addresses.map(formatAddress)).toEqual(['192.168.93.212']);
  });

  it('listens where its pods on the host network do, too', () => {
    const ssh = { protocol: 'TCP', port: 22 as never } as const;
    const metrics = { protocol: 'TCP', port: 9100 as never } as const;
    const listenersIn = (host: string, listeners: typeof ssh | null): Namespace['listeners'] =>
      namespaceOf(buildTopology(article({
        nodes: [node('host1', '192.168.93.212/24', '10.0.14.0/24', { listeners: listeners === null ? null : [listeners] }), node('host2', '192.168.93.213/24', '10.0.5.0/24', { listeners: [ssh] })],
        pods: [pod('agent', 'host1', '', { hostNetwork: true, listeners: [metrics] })],
      })), host).listeners;
    expect(listenersIn('host1', ssh)).toMatchObject({ kind: 'only', listeners: [ssh, metrics] });
    expect(listenersIn('host2', ssh)).toMatchObject({ kind: 'only', listeners: [ssh] });
    expect(listenersIn('host1', null)).toEqual({ kind: 'any', kept: { from: 30000, to: 32767, listeners: [metrics] } });
  });
});

describe('the settings of a pod', () => {
  const values = (captured: readonly Sysctl[]): Readonly<Record<string, string>> => {
    const topology = buildTopology(article({
      nodes: [node('host1', '192.168.93.212/24', '10.0.14.0/24', { captured: { sysctls: captured } })],
      pods: [pod('pod1', 'host1', '10.0.14.15')],
    }));
    return Object.fromEntries(topology.hosts.flatMap((h) => h.namespaces.filter((n) => n.name === 'default/pod1')).flatMap((n) => n.sysctls.map((s) => [s.name, s.value])));
  };
  const sysctl = (name: string, value: string): Sysctl => ({ name, value, origin: { kind: 'captured', at: at(1) } });

  it('are copies of its node’s for IPv4, and the kernel’s defaults for IPv6', () => {
    expect(values([])).toMatchObject({ 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.all.forwarding': '1', 'net.ipv6.conf.all.forwarding': '0', 'net.ipv4.conf.all.route_localnet': '1' });
  });

  it('are those of all devices and of new ones that the node has, and no others', () => {
    const found = values(['net.ipv4.conf.all.rp_filter', 'net.ipv4.conf.default.rp_filter', 'net.ipv4.conf.eth0.rp_filter', 'net.ipv4.icmp_echo_ignore_all', 'net.ipv6.conf.all.forwarding'].map((name) => sysctl(name, '2')));
    expect(found).toMatchObject({ 'net.ipv4.conf.all.rp_filter': '2', 'net.ipv4.conf.default.rp_filter': '2', 'net.ipv6.conf.all.forwarding': '0' });
    expect(Object.keys(found)).not.toContain('net.ipv4.conf.eth0.rp_filter');
    expect(Object.keys(found)).not.toContain('net.ipv4.icmp_echo_ignore_all');
  });
});

describe('what is outside', () => {
  it('a network with a gateway has a router that leads to a segment of its own', () => {
    const lan = buildTopology(article()).hosts.find((h) => h.name === 'lan');
    expect(lan?.kind).toBe('router');
    expect(lan?.namespaces[0]?.interfaces.map((i) => i.device)).toEqual([{ kind: 'loopback' }, { kind: 'physical', network: 'lan' }, { kind: 'physical', network: 'internet' }]);
  });

  it('a router is named otherwise where a host has the name already', () => {
    const topology = buildTopology(article({ networks: [network('host1', '192.168.93.0/24', '192.168.93.254')] }));
    expect(topology.hosts.map((h) => h.name)).toEqual(['host1', 'host2', 'host3', 'host1-gateway', 'qq.com']);
  });

  it('an external answers the nodes by their gateway, and pods by nobody', () => {
    const routes = mainRoutes(namespaceOf(buildTopology(article()), 'qq.com'));
    expect(routes).toEqual(['default dev eth0 scope link', '192.168.93.0/24 via 100.64.0.1 dev eth0']);
  });

  it('routers know each other, and what the file says that they route', () => {
    const more = buildTopology(article({ networks: [network('lan', '192.168.93.0/24', '192.168.93.254'), network('far', '172.30.0.0/24', '172.30.0.1')] }));
    expect(mainRoutes(namespaceOf(more, 'lan'))).toContain('172.30.0.0/24 via 100.64.0.1 dev internet0');
    expect(mainRoutes(namespaceOf(more, 'far'))).toContain('192.168.93.0/24 via 100.64.0.2 dev internet0');
    const extra = namespaceOf(more, 'far').routes.find((r) => r.text.startsWith('192.168.93.0/24'));
    const topology = buildTopology(article({ networks: [network('lan', '192.168.93.0/24', '192.168.93.254', { routes: extra === undefined ? [] : [{ ...extra, destination: prefix('198.51.100.0/24'), text: '198.51.100.0/24 via 192.168.93.212 dev eth0' }] })] }));
    expect(mainRoutes(namespaceOf(topology, 'lan'))).toContain('198.51.100.0/24 via 192.168.93.212 dev eth0');
    expect(mainRoutes(namespaceOf(topology, 'qq.com'))).toContain('198.51.100.0/24 via 100.64.0.1 dev eth0');
  });

  it("an external with an address of a network is plugged into that network and asks its gateway", () => {
    const topology = buildTopology(article({ externals: [external('nas', '192.168.93.9')] }));
    const nas = namespaceOf(topology, 'nas');
    expect(device(nas, 'eth0').device).toEqual({ kind: 'physical', network: 'lan' });
    expect(mainRoutes(nas)).toEqual(['default via 192.168.93.254 dev eth0 proto static', '192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.9']);
  });
});

describe('endpoints', () => {
  const labelled = { labels: { app: 'web', tier: 'front' } };
  const build = (parts: Partial<ClusterSpec>) => buildTopology(article(parts)).services[0]?.ports[0]?.endpoints.map((e) => `${formatAddress(e.address)}:${e.port}${e.ready ? '' : ' not ready'}`);

  it('are the pods of the same namespace that have every label of the selector, sorted as text', () => {
    const pods = [pod('a', 'host1', '10.0.14.9', labelled), pod('b', 'host1', '10.0.14.10', labelled), pod('c', 'host1', '10.0.14.11', { labels: { app: 'web' } }), pod('other/d', 'host1', '10.0.14.12', labelled)];
    expect(build({ pods, services: [service('web', '10.16.0.9', [port('', 80, 'TCP', { targetPort: 8080 })], { selector: { app: 'web', tier: 'front' } })] })).toEqual(['10.0.14.10:8080', '10.0.14.9:8080']);
  });

  it('keep pods that are not ready apart', () => {
    expect(build({ pods: [pod('a', 'host1', '10.0.14.9', { ...labelled, ready: false })], services: [service('web', '10.16.0.9', [port('', 80, 'TCP')], { selector: { app: 'web' } })] })).toEqual(['10.0.14.9:80 not ready']);
  });

  it('are written by hand where there is no selector, with the target port unless they name one', () => {
    const endpoints = [endpoint('10.0.14.15'), endpoint('192.168.93.214', { port: 6443 })];
    const topology = buildTopology(article({ services: [service('db', '10.16.0.9', [port('', 80, 'TCP', { targetPort: 5432 })], { endpoints })] }));
    expect(topology.services[0]?.ports[0]?.endpoints.map((e) => [e.port, e.pod, e.node])).toEqual([[5432, 'default/pod1', 'host1'], [6443, null, 'host3']]);
  });
});

describe('half-finished specs', () => {
  const names = fc.constantFrom('a', 'b', 'lan', 'internet', '', 'constructor', '__proto__');
  const cidrs = fc.constantFrom('', '10.0.1.0/24', '10.0.1.0/24, fd00:1::/64', '0.0.0.0/0', '10.0.0.0/32', '::/0');
  const hostAddresses = fc.constantFrom('', '192.168.93.212/24', '192.168.93.212/32, fd00:93::1/64', '10.0.1.1/24', '224.0.0.1/4', 'fe80::1/64');
  const anySpec: fc.Arbitrary<ClusterSpec> = fc.record({
    cluster: fc.option(fc.record({ routesPer: fc.constantFrom('lease' as const, 'network' as const), backend: fc.constantFrom('vxlan' as const, 'udp' as const, 'host-gw' as const, 'none' as const), directRouting: fc.boolean() }).map((f) => cluster({ flannel: flannel(f), podCidrs: [] }))),
    networks: fc.array(fc.tuple(names, cidrs, fc.constantFrom('', '192.168.93.254', 'fd00:93::fe, 10.0.1.9')).map(([n, p, g]) => network(n, p, g)), { maxLength: 3 }),
    externals: fc.array(fc.tuple(names, fc.constantFrom('', '203.0.113.7', '192.168.93.212', 'fd00:93::1')).map(([n, a]) => external(n, a)), { maxLength: 3 }),
    nodes: fc.array(fc.tuple(names, hostAddresses, cidrs).map(([n, a, c]) => node(n, a, c)), { maxLength: 3 }),
    pods: fc.array(fc.tuple(names, names, fc.constantFrom('', '10.0.1.5', '10.9.9.9, fd00:1::5'), fc.boolean()).map(([n, on, a, hostNetwork]) => pod(n, on, a, { hostNetwork, labels: { app: n } })), { maxLength: 4 }),
    services: fc.array(fc.tuple(names, fc.constantFrom('', '10.96.0.9', 'fd00:96::9, 10.96.0.9'), names).map(([n, ip, app]) => service(n, ip, [port('', 80, 'TCP', { nodePort: 30080 })], { selector: { app }, externalTrafficPolicy: 'Local' })), { maxLength: 3 }),
    namespaces: fc.constant([]),
    networkPolicies: fc.constant([]),
  });

  it('never make it throw, and never two hosts or two devices of one name', () => {
    fc.assert(
      fc.property(anySpec, (half) => {
        const topology = buildTopology(half);
        expect(new Set(topology.hosts.map((h) => h.name)).size).toBe(topology.hosts.length);
        for (const host of topology.hosts) for (const n of host.namespaces) expect(new Set(n.interfaces.map((i) => i.name)).size).toBe(n.interfaces.length);
      }),
      { numRuns: 300 },
    );
  });

  it('give the same state whatever the order of declarations', () => {
    const shuffled = { ...article(), nodes: [...article().nodes].reverse(), pods: [...article().pods].reverse() };
    const sorted = (t: Topology) => t.hosts.flatMap((h) => h.namespaces.map((n) => [h.name, n] as const)).sort((a, b) => (`${a[0]} ${a[1].name}` < `${b[0]} ${b[1].name}` ? -1 : 1));
    expect(sorted(buildTopology(shuffled))).toEqual(sorted(buildTopology(article())));
  });

  it('count the first of two objects with one name', () => {
    const topology = buildTopology(article({ pods: [pod('pod1', 'host1', '10.0.14.15'), pod('pod1', 'host2', '10.0.5.9')] }));
    expect(topology.pods.map((p) => `${p.name} ${p.node}`)).toEqual(['pod1 host1']);
  });
});
