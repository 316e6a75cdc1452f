/** What the recorded cluster does not show of kube-proxy (pkg/proxy/iptables/proxier.go). */
import { describe, expect, it } from 'vitest';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { ClusterSpec, ServiceSpec } from '../../../engine/src/topology/spec.ts';
import { address, article, at, cluster, endpoint, kubeProxy, network, node, pod, port, prefix, service, spec } from './specs.ts';

function rulesOf(topology: Topology, table: 'nat' | 'filter', family: 4 | 6 = 4): readonly string[] {
  const host = topology.hosts.find((h) => h.name === 'host1');
  return (host?.namespaces[0]?.tables ?? []).filter((t) => t.name === table && t.family === family).flatMap((t) => t.chains.flatMap((c) => c.rules.map((r) => r.text)));
}

const web = (parts: Partial<ServiceSpec> = {}, cluster_ip = '10.16.0.20'): ServiceSpec => service('web', cluster_ip, [port('http', 80, 'TCP', { targetPort: 8080 })], { selector: { app: 'web' }, ...parts });

const build = (services: readonly ServiceSpec[], parts: Partial<ClusterSpec> = {}): Topology =>
  buildTopology(article({ pods: [pod('web-1', 'host1', '10.0.14.2', { labels: { app: 'web' } })], services, ...parts }));

const dual = (services: readonly ServiceSpec[]): Topology =>
  buildTopology(
    spec({
      cluster: cluster({ podCidrs: [prefix('10.0.0.0/16'), prefix('fd00:10::/56')] }),
      networks: [network('lan', '192.168.93.0/24, fd00:93::/64', '192.168.93.254, fd00:93::fe')],
      nodes: [node('host1', '192.168.93.212/24, fd00:93::212/64', '10.0.14.0/24, fd00:10:0:14::/64')],
      pods: [pod('web-1', 'host1', '10.0.14.2, fd00:10:0:14::2', { labels: { app: 'web' } })],
      services,
    }),
  );

describe('masquerade-all', () => {
  it('marks all traffic to a cluster IP, pods included', () => {
    const rules = rulesOf(build([web()], { cluster: cluster({ kubeProxy: kubeProxy({ masqueradeAll: true }) }) }), 'nat');
    expect(rules).toContain('-A KUBE-SVC-CDGGSHYLG3RE2FKL -d 10.16.0.20/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ');
  });
});

describe('two families', () => {
  it('have a service each, with the same names of chains', () => {
    const topology = dual([web({}, '10.16.0.20, fd00:16::20')]);
    expect(rulesOf(topology, 'nat', 6)).toContain('-A KUBE-SERVICES -d fd00:16::20/128 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL');
    expect(rulesOf(topology, 'nat', 6).filter((r) => r.includes('DNAT'))).toEqual([expect.stringMatching(/-j DNAT --to-destination \[fd00:10:0:14::2\]:8080$/)]);
    expect(rulesOf(topology, 'nat', 4).filter((r) => r.includes('DNAT'))).toEqual([expect.stringMatching(/-j DNAT --to-destination 10\.0\.14\.2:8080$/)]);
  });

  it('reject in their own way where nobody answers', () => {
    const topology = dual([web({ selector: { app: 'none' } }, 'fd00:16::20')]);
    expect(rulesOf(topology, 'filter', 6)).toContain('-A KUBE-SERVICES -d fd00:16::20/128 -p tcp -m comment --comment "default/web:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp6-port-unreachable');
    expect(rulesOf(topology, 'filter', 4).filter((r) => r.includes('REJECT'))).toEqual([]);
  });

  it('differ in node ports: those of IPv6 do not answer on localhost, and nothing needs protection from route_localnet', () => {
    const topology = dual([web()]);
    expect(rulesOf(topology, 'nat', 6).filter((r) => r.endsWith('-j KUBE-NODEPORTS'))).toEqual([expect.stringMatching(/^-A KUBE-SERVICES ! -d ::1\/128 /)]);
    expect(rulesOf(topology, 'filter', 6).filter((r) => r.startsWith('-A KUBE-FIREWALL'))).toEqual([]);
  });
});

describe('a service', () => {
  it('that is headless or only an alias has no rules', () => {
    const empty = rulesOf(build([]), 'nat');
    expect(rulesOf(build([web({ headless: true, clusterAddresses: [] }), service('alias', '', [], { type: 'ExternalName', externalName: 'qq.com' })]), 'nat')).toEqual(empty);
  });

  it('sends to hand-written endpoints, the node itself included', () => {
    const rules = rulesOf(build([web({ selector: null, endpoints: [endpoint('192.168.93.212', { port: 6443 })] })]), 'nat');
    expect(rules.filter((r) => r.includes('DNAT'))).toEqual([expect.stringMatching(/--to-destination 192\.168\.93\.212:6443$/)]);
  });

  it('with more than a thousand endpoints in the cluster has no comments at its endpoints', () => {
    const pods = (count: number) => Array.from({ length: count }, (_, i) => pod(`w${i}`, 'host1', `10.0.${14 + Math.floor(i / 250)}.${(i % 250) + 2}`, { labels: { app: 'web' } }));
    const commented = (count: number) => rulesOf(build([web()], { pods: pods(count) }), 'nat').filter((r) => r.includes('-j KUBE-SEP-') && r.includes('--comment'));
    expect(commented(1000).length).toBe(1000);
    expect(commented(1001).length).toBe(0);
  });

  it('says with each rule which declaration it comes from', () => {
    const host = build([web()]).hosts[0];
    const chain = host?.namespaces[0]?.tables.flatMap((t) => t.chains).find((c) => c.name === 'KUBE-SVC-CDGGSHYLG3RE2FKL');
    expect(chain?.origin).toEqual({ kind: 'derived', by: 'kube-proxy', because: 'service default/web port http', at: at(30) });
    expect(chain?.rules.every((r) => r.origin === chain.origin)).toBe(true);
  });
});

describe('endpoints that terminate', () => {
  const pods = (first: object, second: object) => [pod('a', 'host1', '10.0.14.2', { labels: { app: 'web' }, ...first }), pod('b', 'host2', '10.0.5.2', { labels: { app: 'web' }, ...second })];
  const targets = (parts: Partial<ServiceSpec>, first: object, second: object) =>
    rulesOf(build([web(parts)], { pods: pods(first, second) }), 'nat').flatMap((r) => /--to-destination (\S+)/.exec(r)?.[1] ?? []).sort();
  const leaving = { terminating: true };

  it('serve only where none is ready, and none that is not ready serves', () => {
    expect(targets({}, leaving, {})).toEqual(['10.0.5.2:8080']);
    expect(targets({}, leaving, leaving)).toEqual(['10.0.14.2:8080', '10.0.5.2:8080']);
    expect(targets({}, { ...leaving, ready: false }, leaving)).toEqual(['10.0.5.2:8080']);
    expect(targets({}, { ...leaving, ready: false }, { ready: false })).toEqual([]);
    expect(targets({ publishNotReady: true }, leaving, { ready: false })).toEqual(['10.0.14.2:8080', '10.0.5.2:8080']);
  });

  it('are chosen for the node apart from the cluster', () => {
    const parts = { externalTrafficPolicy: 'Local', type: 'NodePort', ports: [port('http', 80, 'TCP', { targetPort: 8080, nodePort: 30080 })] } as const;
    const rules = rulesOf(build([web(parts)], { pods: pods(leaving, {}) }), 'nat');
    const chain = (name: string) => rules.filter((r) => r.startsWith(`-A ${name}-CDGGSHYLG3RE2FKL `) && r.includes('KUBE-SEP')).map((r) => /-> (\S+)"/.exec(r)?.[1]);
    expect(chain('KUBE-SVC')).toEqual(['10.0.5.2:8080']);
    expect(chain('KUBE-SVL')).toEqual(['10.0.14.2:8080']);
    expect(rules.filter((r) => r.includes('DNAT')).length).toBe(2);
  });
});

describe('topology', () => {
  const zone = (name: string, subnet: string, at_: string, z: string | null) => node(name, at_, subnet, { labels: z === null ? {} : { 'topology.kubernetes.io/zone': z } });
  const chosen = (preference: ServiceSpec['trafficDistribution'], zones: readonly [string | null, string | null, string | null], pods: readonly string[]): readonly string[] => {
    const nodes = [zone('host1', '10.0.14.0/24', '192.168.93.212/24', zones[0]), zone('host2', '10.0.5.0/24', '192.168.93.213/24', zones[1]), zone('host3', '10.0.0.0/24', '192.168.93.214/24', zones[2])];
    const all = pods.map((on, i) => pod(`w${i}`, on, `10.0.${{ host1: 14, host2: 5, host3: 0 }[on] ?? 9}.${i + 2}`, { labels: { app: 'web' } }));
    const rules = rulesOf(buildTopology(article({ nodes, pods: all, services: [web({ trafficDistribution: preference })] })), 'nat');
    return rules.flatMap((r) => /--to-destination (\S+):/.exec(r)?.[1] ?? []).sort();
  };

  it('keeps to the zone of the node where it has an endpoint', () => {
    expect(chosen('PreferSameZone', ['a', 'a', 'b'], ['host2', 'host3'])).toEqual(['10.0.5.2']);
    expect(chosen('PreferClose', ['a', 'a', 'b'], ['host2', 'host3'])).toEqual(['10.0.5.2']);
    expect(chosen('PreferSameZone', ['a', 'c', 'b'], ['host2', 'host3'])).toEqual(['10.0.0.3', '10.0.5.2']);
  });

  it('counts for nothing where an endpoint, or the node, is in no zone', () => {
    expect(chosen('PreferSameZone', ['a', 'a', null], ['host2', 'host3'])).toEqual(['10.0.0.3', '10.0.5.2']);
    expect(chosen('PreferSameZone', [null, 'a', 'a'], ['host2', 'host3'])).toEqual(['10.0.0.3', '10.0.5.2']);
    expect(chosen(null, ['a', 'a', 'b'], ['host2', 'host3'])).toEqual(['10.0.0.3', '10.0.5.2']);
  });

  it('keeps to the node, then to its zone', () => {
    expect(chosen('PreferSameNode', ['a', 'a', 'b'], ['host1', 'host2', 'host3'])).toEqual(['10.0.14.2']);
    expect(chosen('PreferSameNode', ['a', 'a', 'b'], ['host2', 'host3'])).toEqual(['10.0.5.2']);
  });

  it('takes hints that an EndpointSlice gives', () => {
    const hinted = [endpoint('10.0.14.2', { hints: { zones: ['a'], nodes: [] } }), endpoint('10.0.5.2', { hints: { zones: ['b'], nodes: [] } })];
    const nodes = [zone('host1', '10.0.14.0/24', '192.168.93.212/24', 'b')];
    const rules = rulesOf(buildTopology(article({ nodes, services: [web({ selector: null, endpoints: hinted })] })), 'nat');
    expect(rules.flatMap((r) => /--to-destination (\S+):/.exec(r)?.[1] ?? [])).toEqual(['10.0.5.2']);
  });
});

describe('target ports with a name', () => {
  it('are each pod’s own', () => {
    const named = (name: string, number: number, at_: string) => pod(name, 'host1', at_, { labels: { app: 'web' }, ports: [{ name: 'http', protocol: 'TCP', port: number, hostPort: null, hostAddress: null, at: at(21) }] });
    const pods = [named('a', 8080, '10.0.14.2'), named('b', 9090, '10.0.14.3'), pod('c', 'host1', '10.0.14.4', { labels: { app: 'web' } })];
    const rules = rulesOf(build([web({ ports: [port('http', 80, 'TCP', { targetPortName: 'http' })] })], { pods }), 'nat');
    expect(rules.flatMap((r) => /--to-destination (\S+)/.exec(r)?.[1] ?? []).sort()).toEqual(['10.0.14.2:8080', '10.0.14.3:9090']);
  });
});

describe('local traffic is told', () => {
  const local = { type: 'NodePort', externalTrafficPolicy: 'Local', ports: [port('http', 80, 'TCP', { targetPort: 8080, nodePort: 30080 })] } as const;
  const told = (settings: Parameters<typeof kubeProxy>[0]) => {
    const rules = rulesOf(build([web(local)], { cluster: cluster({ kubeProxy: kubeProxy(settings) }) }), 'nat');
    return [rules.find((r) => r.startsWith('-A KUBE-SVC-') && r.endsWith('KUBE-MARK-MASQ')), rules.find((r) => r.includes('pod traffic for'))];
  };
  const [svc, ext, tail] = ['KUBE-SVC-CDGGSHYLG3RE2FKL', 'KUBE-EXT-CDGGSHYLG3RE2FKL', '-p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ'];

  it('by the cluster’s pod network, or another that kube-proxy is given', () => {
    expect(told({})).toEqual([`-A ${svc} ! -s 10.0.0.0/16 -d 10.16.0.20/32 ${tail}`, `-A ${ext} -s 10.0.0.0/16 -m comment --comment "pod traffic for default/web:http external destinations" -j ${svc}`]);
    expect(told({ detectLocal: { mode: 'ClusterCIDR', cidrs: [prefix('10.9.0.0/16')] } })[0]).toBe(`-A ${svc} ! -s 10.9.0.0/16 -d 10.16.0.20/32 ${tail}`);
  });

  it('by nothing where kube-proxy has no CIDR of the family', () => {
    expect(told({ detectLocal: { mode: 'ClusterCIDR', cidrs: [] } })).toEqual([undefined, undefined]);
  });

  it('by the node’s own pods, by their bridge, or by the names of their devices', () => {
    expect(told({ detectLocal: { mode: 'NodeCIDR' } })[0]).toBe(`-A ${svc} ! -s 10.0.14.0/24 -d 10.16.0.20/32 ${tail}`);
    expect(told({ detectLocal: { mode: 'BridgeInterface', name: 'cni0' } })).toEqual([`-A ${svc} -d 10.16.0.20/32 ! -i cni0 ${tail}`, `-A ${ext} -i cni0 -m comment --comment "pod traffic for default/web:http external destinations" -j ${svc}`]);
    expect(told({ detectLocal: { mode: 'InterfaceNamePrefix', prefix: 'veth' } })[0]).toBe(`-A ${svc} -d 10.16.0.20/32 ! -i veth+ ${tail}`);
  });
});

describe('node ports answer', () => {
  const last = (settings: Parameters<typeof kubeProxy>[0]) => rulesOf(build([web()], { cluster: cluster({ kubeProxy: kubeProxy(settings) }) }), 'nat').filter((r) => r.endsWith('-j KUBE-NODEPORTS')).map((r) => r.replace(/-m comment --comment "[^"]*"/, '…'));
  const firewall = (settings: Parameters<typeof kubeProxy>[0]) => {
    const topology = build([web()], { cluster: cluster({ kubeProxy: kubeProxy(settings) }) });
    const localnet = topology.hosts[0]?.namespaces[0]?.sysctls.find((s) => s.name === 'net.ipv4.conf.all.route_localnet')?.value;
    return [rulesOf(topology, 'filter').some((r) => r.startsWith('-A KUBE-FIREWALL')), localnet];
  };

  it('everywhere, unless localhost or other addresses are left out', () => {
    expect(last({})).toEqual(['-A KUBE-SERVICES … -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS']);
    expect(last({ localhostNodePorts: false })).toEqual(['-A KUBE-SERVICES ! -d 127.0.0.0/8 … -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS']);
    expect(last({ nodePortAddresses: 'primary' })).toEqual(['-A KUBE-SERVICES -d 192.168.93.212/32 … -j KUBE-NODEPORTS']);
    expect(last({ nodePortAddresses: [prefix('192.168.93.0/24'), prefix('fd00::/8')] })).toEqual(['-A KUBE-SERVICES -d 192.168.93.212/32 … -j KUBE-NODEPORTS']);
    expect(last({ nodePortAddresses: [prefix('192.0.2.0/24')] })).toEqual([]);
    expect(last({ nodePortAddresses: [prefix('127.0.0.0/8')] })).toEqual(['-A KUBE-SERVICES -d 127.0.0.1/32 … -j KUBE-NODEPORTS']);
  });

  it('on localhost only with route_localnet, which needs the rule of KUBE-FIREWALL', () => {
    expect([firewall({}), firewall({ localhostNodePorts: false }), firewall({ nodePortAddresses: 'primary' }), firewall({ nodePortAddresses: [prefix('127.0.0.1/32')] })]).toEqual([[true, '1'], [false, '0'], [false, '0'], [true, '1']]);
  });
});

describe('a liberal conntrack', () => {
  it('needs no rule against invalid packets', () => {
    const invalid = (tcpBeLiberal: boolean) => {
      const topology = build([], { cluster: cluster({ kubeProxy: kubeProxy({ tcpBeLiberal }) }) });
      return [rulesOf(topology, 'filter').some((r) => r.includes('--ctstate INVALID')), topology.hosts[0]?.namespaces[0]?.sysctls.find((s) => s.name.endsWith('be_liberal'))?.value];
    };
    expect([invalid(false), invalid(true)]).toEqual([[true, '0'], [false, '1']]);
  });
});

describe('load balancers', () => {
  it('of the mode Proxy have no rules', () => {
    const topology = build([web({ type: 'LoadBalancer', loadBalancerAddresses: [address('198.51.100.7')], loadBalancerProxies: [address('198.51.100.8')] })]);
    expect(rulesOf(topology, 'nat').filter((r) => r.includes('198.51.100.'))).toEqual([expect.stringContaining('-d 198.51.100.7/32 ')]);
  });
});
