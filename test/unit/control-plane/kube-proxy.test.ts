/** What the recorded cluster does not show of kube-proxy (pkg/proxy/iptables/proxier.go). */
import { describe, expect, it } from 'vitest';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { ClusterSpec, ServiceSpec } from '../../../engine/src/topology/spec.ts';
import { article, at, cluster, endpoint, kubeProxy, network, node, pod, port, prefix, service, spec } from './specs.ts';

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
