/** What kube-proxy, etcd's leases, Docker, DNS and NetworkPolicy are told: each word has its effect. */
import { describe, expect, it } from 'vitest';
import { formatAddress, formatPrefix } from '../../../engine/src/net/address.ts';
import { snapshotOf } from './fixtures.ts';

const specOf = (text: string) => snapshotOf(text).spec();
const messages = (text: string): string[] => snapshotOf(text).diagnostics.filter((d) => d.severity === 'error').map((d) => d.message);

describe('the cluster', () => {
  it('says how kube-proxy tells its pods, and on which addresses node ports answer', () => {
    const settings = (inside: string) => specOf(`cluster { kube-proxy iptables { ${inside} } }`).cluster?.kubeProxy;
    expect(settings('')).toEqual({ mode: 'iptables', masqueradeAll: false, detectLocal: { mode: 'ClusterCIDR', cidrs: null }, nodePortAddresses: [], localhostNodePorts: true, tcpBeLiberal: false });
    expect(settings('detect-local NodeCIDR')).toMatchObject({ detectLocal: { mode: 'NodeCIDR' } });
    expect(settings('detect-local BridgeInterface cni0')).toMatchObject({ detectLocal: { mode: 'BridgeInterface', name: 'cni0' } });
    expect(settings('detect-local InterfaceNamePrefix cali')).toMatchObject({ detectLocal: { mode: 'InterfaceNamePrefix', prefix: 'cali' } });
    expect(settings('cluster-cidr None')).toMatchObject({ detectLocal: { mode: 'ClusterCIDR', cidrs: [] } });
    expect(settings('node-port-addresses primary; no-localhost-node-ports; conntrack-tcp-be-liberal')).toMatchObject({ nodePortAddresses: 'primary', localhostNodePorts: false, tcpBeLiberal: true });
    const cidrs = settings('node-port-addresses 192.168.93.0/24, fd00:93::/64')?.nodePortAddresses;
    expect(cidrs === 'primary' ? [] : cidrs?.map(formatPrefix)).toEqual(['192.168.93.0/24', 'fd00:93::/64']);
  });

  it('is told which mode lacks its name, and which has no use for one', () => {
    expect(messages('cluster { kube-proxy iptables { detect-local BridgeInterface } }')).toEqual([expect.stringContaining("'detect-local' lacks NAME")]);
    expect(messages('cluster { kube-proxy iptables { detect-local NodeCIDR cni0 } }')).toEqual([expect.stringContaining("'cni0'")]);
  });

  it("takes etcd's rules for leases", () => {
    const subnets = specOf('cluster { flannel vxlan { subnet-len 26; subnet-min 10.244.4.0; subnet-max 10.244.9.0 } }').cluster?.flannel.subnets;
    expect(subnets).toMatchObject({ manager: 'etcd', lengths: { 4: 26, 6: 64 } });
    expect(subnets?.manager === 'etcd' ? [...subnets.minimums, ...subnets.maximums].map(formatAddress) : []).toEqual(['10.244.4.0', '10.244.9.0']);
    expect(specOf('cluster { flannel vxlan { subnet-manager etcd } }').cluster?.flannel.subnets).toMatchObject({ manager: 'etcd', lengths: { 4: 24, 6: 64 } });
  });
});

describe('a node, a pod and a service', () => {
  const spec = specOf(`
network lan 192.168.93.0/24
node n1 { address 192.168.93.1/24 on lan; docker }
node n2 { address 192.168.93.2/24 on lan; docker 172.18.0.1/24 }
pod p on n1 {
  ip 10.244.1.9
  port http 8080 host-port 80 host-ip 192.168.93.1
  port 9090/UDP
  terminating; dns-policy None; nameserver 192.0.2.53; hostname db-0; subdomain db
}
service s {
  cluster-ip 10.96.0.9
  port web 80 -> http
  endpoints 10.244.1.8:81 port web on n1 state terminating hostname a for-zones z1, z2 for-nodes n2
  endpoints-only; publish-not-ready-addresses; traffic-distribution PreferSameNode
  load-balancer-ip 192.0.2.2; load-balancer-ip 192.0.2.3 mode Proxy
}
`);

  it('have what they say', () => {
    expect(spec.nodes.map((n) => n.docker !== null && formatPrefix(n.docker.bridge))).toEqual(['172.17.0.1/16', '172.18.0.1/24']);
    const [pod] = spec.pods;
    expect(pod).toMatchObject({ terminating: true, dnsPolicy: 'None', hostname: 'db-0', subdomain: 'db' });
    expect(pod?.nameservers?.map(formatAddress)).toEqual(['192.0.2.53']);
    expect(pod?.ports).toMatchObject([{ name: 'http', protocol: 'TCP', port: 8080, hostPort: 80 }, { name: '', protocol: 'UDP', port: 9090, hostPort: null, hostAddress: null }]);
    const [service] = spec.services;
    expect(service).toMatchObject({ endpointsAre: 'instead', publishNotReady: true, trafficDistribution: 'PreferSameNode' });
    expect(service?.ports[0]).toMatchObject({ targetPortName: 'http' });
    expect(service?.endpoints[0]).toMatchObject({ portName: 'web', port: 81, node: 'n1', ready: false, serving: true, terminating: true, hostname: 'a', hints: { zones: ['z1', 'z2'], nodes: ['n2'] } });
    expect(service?.loadBalancerAddresses.map(formatAddress)).toEqual(['192.0.2.2']);
    expect(service?.loadBalancerProxies.map(formatAddress)).toEqual(['192.0.2.3']);
  });
});

describe('a network policy', () => {
  it('says whom it isolates, from whom, and on which ports', () => {
    const { namespaces, networkPolicies } = specOf(`
namespace team-a { labels tier=front }
network-policy shop/web {
  pods app=web, tier in (front, back), env!=dev, !legacy, owner
  types Ingress, Egress
  ingress {
    from pods app=client
    from namespaces tier=front pods
    from namespaces
    from ip-block 10.0.0.0/8 except 10.1.0.0/16, 10.2.0.0/16
    port 80; port http/TCP; port 8000-9000/UDP; port */SCTP
  }
  egress { }
}
`);
    expect(namespaces).toEqual([{ name: 'team-a', labels: { tier: 'front' }, at: { file: expect.any(String) as string, line: 2 } }]);
    const [policy] = networkPolicies;
    expect(policy).toMatchObject({
      namespace: 'shop', name: 'web', types: ['Ingress', 'Egress'],
      pods: { labels: { app: 'web' }, expressions: [{ operator: 'In', key: 'tier', values: ['front', 'back'] }, { operator: 'NotIn', key: 'env', values: ['dev'] }, { operator: 'DoesNotExist', key: 'legacy' }, { operator: 'Exists', key: 'owner' }] },
      egress: [{ peers: [], ports: [] }],
    });
    const all = { labels: {}, expressions: [] };
    expect(policy?.ingress[0]?.peers).toMatchObject([
      { kind: 'pods', namespaces: null, pods: { labels: { app: 'client' } } },
      { kind: 'pods', namespaces: { labels: { tier: 'front' } }, pods: all },
      { kind: 'pods', namespaces: all, pods: null },
      { kind: 'block' },
    ]);
    expect(policy?.ingress[0]?.ports).toMatchObject([
      { protocol: 'TCP', port: 80, endPort: null }, { protocol: 'TCP', port: 'http' }, { protocol: 'UDP', port: 8000, endPort: 9000 }, { protocol: 'SCTP', port: null },
    ]);
    expect(policy?.ingress[0]?.peers.map((p) => p.at.line)).toEqual([7, 8, 9, 10]);
  });

  it('without words selects every pod of its namespace and leaves the types to Kubernetes', () => {
    expect(specOf('network-policy deny { }').networkPolicies[0]).toMatchObject({ namespace: 'default', pods: { labels: {}, expressions: [] }, ingress: [], egress: [], types: null });
  });

  it.each([
    ['pods app=', []],
    ['pods app in', ["'in' takes values in parentheses: app in (A, B)"]],
    ['pods app=web db', ['is no label selector']],
    ['pods app=web,', ["lacks a label at the ','"]],
    ['ingress { from app=web }', ["'app=web' means nothing here: pods, namespaces and ip-block are known"]],
    ['ingress { from }', ["'from' lacks whom"]],
    ['ingress { from ip-block }', ["'from' lacks CIDR"]],
    ['ingress { from ip-block 10.0.0.0 }', ['has no prefix length']],
    ['ingress { from ip-block 10.0.0.0/8 but 10.1.0.0/16 }', ["'but' means nothing here"]],
    ['ingress { to pods }', ['in an egress']],
    ['ingress { port 90-80 }', ["'90-80' ends before it begins"]],
    ['ingress { port 80/ICMP }', ["'ICMP' is no protocol of a NetworkPolicy"]],
  ])('is told what is wrong with %s', (inside, expected) => {
    const found = messages(`network-policy p { ${inside} }`);
    expect(found).toEqual(expected.map((e) => expect.stringContaining(e) as string));
  });
});
