/** Situations that kube-proxy's own sources decide (cmd/kube-proxy/app/server.go, pkg/proxy) and that few clusters show. */
import { describe, expect, it } from 'vitest';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { TableName } from '../../../engine/src/topology/netfilter.ts';
import type { ClusterSpec, KubeProxySettings } from '../../../engine/src/topology/spec.ts';
import { address, article, at, cluster, endpoint, kubeProxy, network, node, pod, port, prefix, service, spec } from './specs.ts';

const rulesOf = (topology: Topology, table: TableName, chain: RegExp, family: 4 | 6 = 4): readonly string[] =>
  (topology.hosts.find((h) => h.name === 'host1')?.namespaces[0]?.tables ?? [])
    .filter((t) => t.name === table && t.family === family)
    .flatMap((t) => t.chains.filter((c) => chain.test(c.name)).flatMap((c) => c.rules.map((r) => r.text)));

const withSettings = (settings: Partial<KubeProxySettings>, parts: Partial<ClusterSpec> = {}): Topology =>
  buildTopology(article({ cluster: cluster({ kubeProxy: kubeProxy(settings) }), ...parts }));

const nodePortRules = (topology: Topology, family: 4 | 6 = 4): readonly string[] =>
  rulesOf(topology, 'nat', /^KUBE-SERVICES$/, family).filter((r) => r.endsWith('-j KUBE-NODEPORTS'));

describe('an endpoint that several objects tell of', () => {
  const web = service('web', '10.16.0.20', [port('http', 80, 'TCP', { targetPort: 8080 })], { selector: { app: 'web' }, endpoints: [endpoint('10.0.14.2', { node: 'host1' })] });
  const topology = buildTopology(article({ services: [web], pods: [pod('web-1', 'host1', '10.0.14.2', { labels: { app: 'web' } })] }));

  it('is one, with the whole chance', () => {
    expect(rulesOf(topology, 'nat', /^KUBE-SVC-CDGG/).filter((r) => r.includes('KUBE-SEP-'))).toEqual(['-A KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http -> 10.0.14.2:8080" -j KUBE-SEP-UPVKYC4EODRXQAPP']);
  });
});

describe('node-port-addresses', () => {
  it('hold the addresses of every device, flannel’s and the bridges’ too, and localhost', () => {
    const rules = nodePortRules(withSettings({ nodePortAddresses: [prefix('10.0.0.0/8'), prefix('172.16.0.0/12')] }, {
      nodes: [node('host1', '192.168.93.212/24', '10.0.14.0/24', { docker: { bridge: prefix('172.17.0.1/16'), at: at(9) } })],
    }));
    expect(rules.map((r) => r.split(' ')[3])).toEqual(['10.0.14.0/32', '10.0.14.1/32', '172.17.0.1/32']);
    expect(nodePortRules(withSettings({ nodePortAddresses: [prefix('127.0.0.0/8')] })).map((r) => r.split(' ')[3])).toEqual(['127.0.0.1/32']);
  });

  it('primary means all addresses of a family of which the node has none', () => {
    const topology = withSettings({ nodePortAddresses: 'primary' });
    expect(nodePortRules(topology, 4).map((r) => r.split(' ')[3])).toEqual(['192.168.93.212/32']);
    expect(nodePortRules(topology, 6)).toEqual([expect.stringMatching(/^-A KUBE-SERVICES ! -d ::1\/128 .* --dst-type LOCAL -j KUBE-NODEPORTS$/)]);
  });

  it('primary on a node of IPv6 alone leaves the node ports of IPv4 open on localhost', () => {
    const topology = buildTopology(spec({
      cluster: cluster({ podCidrs: [prefix('fd00:10::/56')], kubeProxy: kubeProxy({ nodePortAddresses: 'primary' }) }),
      networks: [network('lan', 'fd00:93::/64', 'fd00:93::fe')],
      nodes: [node('host1', 'fd00:93::212/64', 'fd00:10:0:14::/64')],
    }));
    expect(nodePortRules(topology, 6).map((r) => r.split(' ')[3])).toEqual(['fd00:93::212/128']);
    expect(rulesOf(topology, 'filter', /^KUBE-FIREWALL$/)).toHaveLength(1);
  });
});

describe('the node’s own address', () => {
  const lb = service('lb', '10.16.0.20', [port('', 80, 'TCP')], {
    type: 'LoadBalancer', loadBalancerAddresses: [address('198.51.100.10')], loadBalancerSourceRanges: [prefix('192.168.93.0/24')], selector: { app: 'web' },
  });
  const two = { interfaces: [
    { name: 'eth0', addresses: [prefix('192.168.93.212/24')], network: 'lan', mac: null, mtu: null, at: at(10) },
    { name: 'eth1', addresses: [prefix('172.20.0.1/24')], network: 'back', mac: null, mtu: null, at: at(11) },
  ] };
  const build = (parts: Parameters<typeof node>[3]): Topology => buildTopology(article({
    networks: [network('lan', '192.168.93.0/24', '192.168.93.254'), network('back', '172.20.0.0/24', '')],
    nodes: [node('host1', '', '10.0.14.0/24', { ...two, ...parts })],
    pods: [pod('web-1', 'host1', '10.0.14.2', { labels: { app: 'web' } })],
    services: [lb],
  }));
  const allowed = (topology: Topology): readonly string[] => rulesOf(topology, 'nat', /^KUBE-FW-/).map((r) => r.split(' -m ')[0]?.split(' -s ')[1] ?? '').filter((s) => s !== '');

  it('is that of the device with the default route, whatever address flannel is reached at', () => {
    expect(allowed(build({ publicAddress: address('172.20.0.1') }))).toEqual(['192.168.93.0/24', '198.51.100.10/32']);
  });

  it('is the InternalIP where a Node object tells it', () => {
    expect(allowed(build({ internalAddresses: [address('172.20.0.1')] }))).toEqual(['192.168.93.0/24']);
  });
});

describe('a source range', () => {
  it('of everything stands without -s, as iptables-save leaves it out', () => {
    const open = service('lb', '10.16.0.20', [port('', 80, 'TCP')], {
      type: 'LoadBalancer', loadBalancerAddresses: [address('198.51.100.10')], loadBalancerSourceRanges: [prefix('0.0.0.0/0')], endpoints: [endpoint('10.0.14.2')],
    });
    expect(rulesOf(buildTopology(article({ services: [open] })), 'nat', /^KUBE-FW-/)[0]).toMatch(/^-A KUBE-FW-\w+ -m comment --comment "default\/lb loadbalancer IP" -j KUBE-EXT-\w+$/);
  });
});

describe('kubelet', () => {
  const build = (settings: Partial<KubeProxySettings>): Topology => buildTopology(article({ cluster: cluster({ kubeletChains: true, kubeProxy: kubeProxy(settings) }) }));
  const targets = (topology: Topology, chain: string, family: 4 | 6): readonly (string | undefined)[] => rulesOf(topology, 'filter', new RegExp(`^${chain}$`), family).map((r) => r.split(' -j ')[1]);

  it('is on the node before kube-proxy, so its jump stands last in IPv4; in IPv6 it writes none', () => {
    expect(targets(build({}), 'INPUT', 4)).toEqual(['KUBE-PROXY-FIREWALL', 'KUBE-NODEPORTS', 'KUBE-EXTERNAL-SERVICES', 'KUBE-FIREWALL']);
    expect(targets(build({}), 'OUTPUT', 4)).toEqual(['KUBE-PROXY-FIREWALL', 'KUBE-SERVICES', 'KUBE-FIREWALL']);
    expect(targets(build({}), 'INPUT', 6)).toEqual(['KUBE-FIREWALL', 'KUBE-PROXY-FIREWALL', 'KUBE-NODEPORTS', 'KUBE-EXTERNAL-SERVICES']);
  });

  it('drops what pretends to come from localhost once, whether node ports answer there or not, and without kube-proxy too', () => {
    const dropped = '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP';
    for (const settings of [{}, { localhostNodePorts: false }, { mode: 'nftables' }, { mode: 'none' }] as const) {
      expect(rulesOf(build(settings), 'filter', /^KUBE-FIREWALL$/)).toEqual([dropped]);
      expect(rulesOf(build(settings), 'filter', /^KUBE-FIREWALL$/, 6)).toEqual([]);
    }
  });
});
