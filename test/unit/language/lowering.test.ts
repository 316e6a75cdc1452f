import { describe, expect, it } from 'vitest';
import { formatAddress, formatPrefix } from '../../../engine/src/net/address.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { example, snapshotOf } from './fixtures.ts';

describe("the article's file", () => {
  const text = example('article.k8snet');
  const spec = createSnapshot({ file: 'article.k8snet', text }).spec();
  const lineOf = (needle: string): number => text.slice(0, text.indexOf(needle)).split('\n').length;

  it('declares the cluster', () => {
    expect(spec.cluster).toMatchObject({ name: 'demo', domain: 'cluster.local', flannel: { backend: 'vxlan', vni: 1, port: 8472, routesPer: 'lease' }, kubeProxy: { mode: 'iptables', masqueradeAll: false } });
    expect(spec.cluster?.podCidrs.map(formatPrefix)).toEqual(['10.0.0.0/16']);
    expect(spec.cluster?.serviceCidrs.map(formatPrefix)).toEqual(['10.16.0.0/16']);
  });

  it('gives every part the line on which it stands', () => {
    expect(spec.nodes.map((n) => [n.name, n.at])).toEqual(['host1', 'host2', 'host3'].map((n) => [n, { file: 'article.k8snet', line: lineOf(`node ${n}`) }]));
    expect(spec.pods.map((p) => p.at.line)).toEqual([lineOf('pod pod1'), lineOf('pod pod2'), lineOf('pod kube-system/kube-dns-1')]);
    expect(spec.services[0]?.ports[0]?.at.line).toBe(lineOf('port dns'));
    const route = spec.nodes[0]?.captured.routes?.[1];
    expect(route?.origin).toEqual({ kind: 'captured', at: { file: 'article.k8snet', line: lineOf('10.0.0.0/16 dev flannel.1') } });
  });

  it('takes `address` for the interface eth0, and keeps docker0 on no network', () => {
    expect(spec.nodes[1]?.interfaces.map((i) => [i.name, i.network, i.addresses.map(formatPrefix)])).toEqual([['eth0', 'lan', ['192.168.93.213/24']]]);
    expect(spec.nodes[0]?.interfaces.map((i) => [i.name, i.network])).toEqual([['eno16777984', 'lan'], ['docker0', null]]);
  });

  it('captures what host1 and pod1 printed, and nothing of the others', () => {
    expect(spec.nodes.map((n) => Object.keys(n.captured))).toEqual([['routes', 'tables'], [], []]);
    expect(spec.nodes[0]?.captured.routes).toHaveLength(5);
    const nat = spec.nodes[0]?.captured.tables?.[0];
    expect(nat?.name).toBe('nat');
    expect(nat?.chains.filter((c) => c.policy === null).map((c) => c.name)).toEqual(['KUBE-SERVICES', 'KUBE-SVC-TCOU7JCQXEZGVUNU', 'KUBE-SEP-L5MHPWJPDKD7XIFG']);
  });

  it('has labels, listeners, ports and selectors', () => {
    expect(spec.pods[2]).toMatchObject({ namespace: 'kube-system', name: 'kube-dns-1', node: 'host3', labels: { 'k8s-app': 'kube-dns' }, listeners: [{ protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 53 }] });
    expect(spec.services[0]).toMatchObject({ namespace: 'kube-system', name: 'kube-dns', type: 'ClusterIP', selector: { 'k8s-app': 'kube-dns' }, ports: [{ name: 'dns', protocol: 'UDP', port: 53, targetPort: 53, nodePort: null }] });
    expect(spec.pods[0]?.listeners).toBeNull();
  });

  it('states four expectations', () => {
    const { expectations } = createSnapshot({ file: 'article.k8snet', text });
    expect(expectations.map((e) => ({ ...e, line: e.at.line }))).toMatchObject([
      { from: 'pod1', to: 'pod2', outcome: 'delivered', negated: false, receiver: null, via: [{ host: 'host1', interface: 'flannel.1' }, { host: 'host2', interface: 'flannel.1' }], seenAs: null, line: 51 },
      { from: 'pod1', to: 'kube-dns.kube-system:53/UDP', outcome: 'delivered', negated: false, receiver: 'kube-system/kube-dns-1', via: [], seenAs: null, line: 52 },
      { from: 'pod1', to: 'kube-dns.kube-system/ICMP', outcome: 'delivered', negated: true, receiver: null, via: [], seenAs: null, line: 53 },
      { from: 'pod1', to: 'qq.com:443/TCP', outcome: 'delivered', negated: false, receiver: null, via: [], seenAs: '192.168.93.212', line: 54 },
    ]);
  });
});

describe('every statement has its effect', () => {
  const spec = snapshotOf(`
cluster { flannel udp { mtu 1400; no-masquerade }; kube-proxy iptables { masquerade-all } }
network lan 192.168.93.0/24, fd00:93::/64 { gateway 192.168.93.254; mtu 9000; routes { 10.9.0.0/16 via 192.168.93.1 } }
external ex 203.0.113.7, 2001:db8::7 { listen 443/TCP }
node n1 {
  address 192.168.93.1/24, fd00:93::1/64 on lan { mac 52:54:00:00:00:01; mtu 1500 }
  pod-cidr 10.244.1.0/24
  public-ip 192.168.93.1
  vtep-mac 52:54:00:00:00:02
  labels zone=a, tier=web
  listen 22/TCP
  iptables { table nat {
    -A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE
  } }
  sysctl { net.ipv4.ip_forward = 0; net.ipv4.conf.all.rp_filter = 1 }
}
pod shop/p on n1 { ip 10.244.1.9; mac 0a:58:00:00:00:09; not-ready; search a.example, b.example; ndots 2; listen 80 }
pod host on n1 { host-network }
service shop/s {
  cluster-ip None
  port web 80 -> 8080 node-port 30080
  endpoints 10.244.1.9:81, [fd00::9]:82, fd00::8
  external-ip 192.0.2.1; load-balancer-ip 192.0.2.2; load-balancer-source-ranges 198.51.100.0/24
  session-affinity 600; external-traffic-policy Local; internal-traffic-policy Local
  no-node-ports; health-check-node-port 31000
}
service name { external-name www.example.com }
`).spec();

  it('in cluster, network and external', () => {
    expect(spec.cluster).toMatchObject({ name: 'cluster', flannel: { backend: 'udp', port: 8285, mtu: 1400, masquerade: false }, kubeProxy: { masqueradeAll: true } });
    expect(spec.networks[0]).toMatchObject({ mtu: 9000 });
    expect(spec.networks[0]?.gateways.map(formatAddress)).toEqual(['192.168.93.254']);
    expect(spec.networks[0]?.routes.map((r) => r.text)).toEqual(['10.9.0.0/16 via 192.168.93.1']);
    expect(spec.externals[0]?.addresses.map(formatAddress)).toEqual(['203.0.113.7', '2001:db8::7']);
    expect(spec.externals[0]?.listeners).toEqual([{ protocol: 'TCP', port: 443 }]);
  });

  it('in a node', () => {
    const [node] = spec.nodes;
    expect(node?.interfaces[0]).toMatchObject({ name: 'eth0', mac: 0x525400000001, mtu: 1500, network: 'lan' });
    expect(node).toMatchObject({ vtepMac: 0x525400000002, labels: { zone: 'a', tier: 'web' }, listeners: [{ protocol: 'TCP', port: 22 }] });
    expect(node?.captured.tables?.[0]?.chains.find((c) => c.name === 'POSTROUTING')?.rules.map((r) => r.text)).toEqual(['-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE']);
    expect(node?.captured.sysctls?.map((s) => [s.name, s.value])).toEqual([['net.ipv4.ip_forward', '0'], ['net.ipv4.conf.all.rp_filter', '1']]);
  });

  it('in a pod', () => {
    expect(spec.pods[0]).toMatchObject({ namespace: 'shop', name: 'p', mac: 0x0a5800000009, ready: false, search: ['a.example', 'b.example'], ndots: 2, hostNetwork: false, listeners: [{ protocol: 'TCP', port: 80 }] });
    expect(spec.pods[1]).toMatchObject({ hostNetwork: true });
    expect(spec.pods[1]?.addresses.map(formatAddress)).toEqual(['192.168.93.1', 'fd00:93::1']);
  });

  it('in a service', () => {
    const [service, named] = spec.services;
    expect(service).toMatchObject({
      headless: true, clusterAddresses: [], type: 'LoadBalancer', selector: null, sessionAffinitySeconds: 600, externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Local', allocateNodePorts: false, healthCheckNodePort: 31000,
      ports: [{ name: 'web', protocol: 'TCP', port: 80, targetPort: 8080, nodePort: 30080 }],
    });
    expect(service?.endpoints.map((e) => [formatAddress(e.address), e.port])).toEqual([['10.244.1.9', 81], ['fd00::9', 82], ['fd00::8', null]]);
    expect(service?.loadBalancerSourceRanges.map(formatPrefix)).toEqual(['198.51.100.0/24']);
    expect(named).toMatchObject({ type: 'ExternalName', externalName: 'www.example.com' });
  });
});

describe('half-finished declarations', () => {
  it('leave the others whole', () => {
    const spec = snapshotOf('node\nnode n1 { address 10.0.0.1/24 on }\npod\npod p on\nservice s { port }\nnode n2 { address 10.0.0.2/24 on lan }\n').spec();
    expect(spec.nodes.map((n) => n.name)).toEqual(['n1', 'n2']);
    expect(spec.pods).toEqual([]);
    expect(spec.services.map((s) => s.ports)).toEqual([[]]);
  });

  it('never make the topology throw, wherever the article is cut off', { timeout: 120_000 }, () => {
    const text = example('article.k8snet');
    for (let end = 0; end < text.length; end += 37) {
      const snapshot = snapshotOf(text.slice(0, end));
      expect(Array.isArray(snapshot.diagnostics)).toBe(true);
      expect(snapshot.topology().hosts.length).toBeGreaterThanOrEqual(0);
    }
  });
});
