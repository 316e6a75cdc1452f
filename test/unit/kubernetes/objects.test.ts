/** Kubernetes objects of every sort, as declarations of the file that names them. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatAddress, formatPrefix } from '../../../engine/src/net/address.ts';
import { createSnapshot, updateSnapshot } from '../../../server/src/language/snapshot.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import { root } from '../language/fixtures.ts';

const NETWORK = 'network lan 192.168.0.0/24\n';

/** A file beside others, given by name. */
function snapshotWith(text: string, files: Readonly<Record<string, string>>): Snapshot {
  return createSnapshot({
    file: 'demo.k8snet',
    text,
    readFile: (p) => files[p],
    listFolder: (folder) => Object.keys(files).filter((f) => path.posix.dirname(f) === (folder === '' ? '.' : folder)).map((f) => ({ name: path.posix.basename(f), kind: 'file' })),
  });
}

const of = (yaml: string, text = `${NETWORK}objects from "dump.yaml"\n`): Snapshot => snapshotWith(text, { 'dump.yaml': yaml });

const told = (s: Snapshot): string[] => s.diagnostics.map((d) => `${d.severity} ${d.message}`);

const POD = `apiVersion: v1
kind: Pod
metadata: { name: web-1, namespace: shop, labels: { app: web } }
spec:
  nodeName: host1
  containers:
    - name: web
      image: web:1
      ports: [{ name: http, containerPort: 8080, hostPort: 80, protocol: TCP }]
status:
  phase: Running
  podIPs: [{ ip: 10.244.1.5 }, { ip: "fd00:1::5" }]
  conditions: [{ type: Ready, status: "True" }]
`;

const NODE = `apiVersion: v1
kind: Node
metadata:
  name: host1
  labels: { topology.kubernetes.io/zone: a }
  annotations:
    flannel.alpha.coreos.com/backend-data: '{"VNI":1,"VtepMAC":"6a:8c:10:00:00:01"}'
    flannel.alpha.coreos.com/public-ip: 192.168.0.9
spec: { podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24, "fd00:1::/64"] }
status: { addresses: [{ type: Hostname, address: host1 }, { type: InternalIP, address: 192.168.0.1 }] }
`;

describe('a Node and a Pod', () => {
  const s = of(`${NODE}---\n${POD}`, `cluster { pod-cidr 10.244.0.0/16, fd00::/16 }\n${NETWORK}objects from "dump.yaml"\n`);
  const [node] = s.spec().nodes;
  const [pod] = s.spec().pods;

  it('are clean', () => {
    expect(told(s)).toEqual([]);
  });

  it('give leases, labels, flannel’s annotations, and a device on the network that holds the address', () => {
    expect(node?.podCidrs.map(formatPrefix)).toEqual(['10.244.1.0/24', 'fd00:1::/64']);
    expect(node?.labels).toEqual({ 'topology.kubernetes.io/zone': 'a' });
    expect(node?.publicAddress === null || node?.publicAddress === undefined ? '' : formatAddress(node.publicAddress)).toBe('192.168.0.9');
    expect(node?.vtepMac).not.toBeNull();
    expect(node?.interfaces.map((i) => [i.name, i.network, i.addresses.map(formatPrefix)])).toEqual([['eth0', 'lan', ['192.168.0.1/24']]]);
  });

  it('give the addresses of both families, ports and readiness', () => {
    expect(pod?.addresses.map(formatAddress)).toEqual(['10.244.1.5', 'fd00:1::5']);
    expect(pod?.ports.map((p) => [p.name, p.port, p.protocol, p.hostPort])).toEqual([['http', 8080, 'TCP', 80]]);
    expect([pod?.namespace, pod?.name, pod?.node, pod?.ready, pod?.terminating]).toEqual(['shop', 'web-1', 'host1', true, false]);
    expect(pod?.labels).toEqual({ app: 'web' });
  });

  it('come from their lines in their file', () => {
    expect([node?.at, pod?.at]).toEqual([{ file: 'dump.yaml', line: 1 }, { file: 'dump.yaml', line: 12 }]);
    expect(pod?.ports[0]?.at).toEqual({ file: 'dump.yaml', line: 20 });
  });
});

it('the ports of a sidecar are ports of the pod, those of an init container that ends are not', () => {
  const init = '\n  initContainers:\n    - { name: a, restartPolicy: Always, ports: [{ name: mesh, containerPort: 15001 }] }\n    - { name: b, ports: [{ name: once, containerPort: 1 }] }';
  const s = of(`${NODE}---\n${POD.replace('nodeName: host1', `nodeName: host1${init}`)}`);
  expect(s.spec().pods[0]?.ports.map((p) => p.name)).toEqual(['http', 'mesh']);
});

describe('a pod’s dnsConfig', () => {
  const config = '\n  dnsConfig: { nameservers: [192.0.2.53], searches: [corp.example], options: [{ name: ndots, value: "2" }, { name: edns0 }] }';
  const pod = (policy: string) => of(`${NODE}---\n${POD.replace('nodeName: host1', `nodeName: host1\n  dnsPolicy: ${policy}${config}`)}`).spec().pods[0];

  it('comes behind what the cluster’s policy gives', () => {
    expect(pod('ClusterFirst')).toMatchObject({ dnsPolicy: 'ClusterFirst', nameservers: null, ndots: 2, search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'] });
  });

  it('is all there is with the policy None', () => {
    expect(pod('None')).toMatchObject({ dnsPolicy: 'None', ndots: 2, search: ['corp.example'] });
    expect(pod('None')?.nameservers?.map(formatAddress)).toEqual(['192.0.2.53']);
  });
});

describe('a service', () => {
  const service = (more: string): string => `apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n  clusterIP: 10.96.0.7\n  selector: { app: web }\n${more}`;

  it('has the fields that kube-proxy reads', () => {
    const s = of(service(`  type: LoadBalancer
  ports: [{ name: http, port: 80, targetPort: web, nodePort: 30080 }, { name: dns, port: 53, targetPort: 5353, protocol: UDP }]
  externalIPs: [198.51.100.1]
  loadBalancerSourceRanges: [203.0.113.0/24]
  externalTrafficPolicy: Local
  internalTrafficPolicy: Local
  sessionAffinity: ClientIP
  allocateLoadBalancerNodePorts: false
  healthCheckNodePort: 31000
  trafficDistribution: PreferClose
  publishNotReadyAddresses: true
status: { loadBalancer: { ingress: [{ ip: 198.51.100.9 }, { ip: 198.51.100.10, ipMode: Proxy }] } }
`));
    expect(told(s)).toEqual([]);
    const [made] = s.spec().services;
    expect(made).toMatchObject({
      type: 'LoadBalancer', externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local', sessionAffinitySeconds: 10800, allocateNodePorts: false, healthCheckNodePort: 31000,
      trafficDistribution: 'PreferClose', publishNotReady: true, selector: { app: 'web' }, endpointsAre: 'besides-selector',
    });
    expect(made?.ports.map((p) => [p.name, p.port, p.protocol, p.targetPort, p.targetPortName, p.nodePort])).toEqual([['http', 80, 'TCP', 80, 'web', 30080], ['dns', 53, 'UDP', 5353, null, null]]);
    expect([made?.loadBalancerAddresses, made?.loadBalancerProxies, made?.externalAddresses].map((l) => l?.map(formatAddress))).toEqual([['198.51.100.9'], ['198.51.100.10'], ['198.51.100.1']]);
  });

  const slice = `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-x, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ name: "", port: 8080 }]
endpoints:
  - addresses: [10.244.1.5]
    conditions: { ready: false, serving: true, terminating: true }
    nodeName: host1
    zone: a
    hints: { forZones: [{ name: a }] }
  - addresses: [10.244.1.6]
`;

  it('has the endpoints of its slices, with their conditions, and no others', () => {
    const s = of(`${service('  ports: [{ port: 80 }]\n')}${slice}`);
    expect(told(s)).toEqual([]);
    const [made] = s.spec().services;
    expect(made?.endpointsAre).toBe('instead');
    expect(made?.endpoints.map((e) => [formatAddress(e.address), e.port, e.portName, e.ready, e.serving, e.terminating, e.node, e.hints?.zones])).toEqual([
      ['10.244.1.5', 8080, '', false, true, true, 'host1', ['a']],
      // Unset conditions mean ready (discovery/v1, EndpointConditions).
      ['10.244.1.6', 8080, '', true, true, false, null, undefined],
    ]);
  });

  it('takes Endpoints only where it has no slice', () => {
    const endpoints = '---\napiVersion: v1\nkind: Endpoints\nmetadata: { name: web }\nsubsets: [{ addresses: [{ ip: 10.244.1.9 }], notReadyAddresses: [{ ip: 10.244.1.10 }], ports: [{ port: 8080 }] }]\n';
    const addresses = (yaml: string) => of(yaml).spec().services[0]?.endpoints.map((e) => [formatAddress(e.address), e.ready]);
    expect(addresses(`${service('  ports: [{ port: 80 }]\n')}${endpoints}`)).toEqual([['10.244.1.9', true], ['10.244.1.10', false]]);
    expect(addresses(`${service('  ports: [{ port: 80 }]\n')}${endpoints}${slice}`)).toEqual([['10.244.1.5', false], ['10.244.1.6', true]]);
  });
});

describe('the cluster', () => {
  const config = (name: string, key: string, value: string): string => `---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata:\n  ${key}: |\n${value.replaceAll(/^/gm, '    ')}\n`;
  const flannel = config('kube-flannel-cfg', 'net-conf.json', '{ "Network": "10.50.0.0/16", "Backend": { "Type": "vxlan", "VNI": 7, "Port": 4789, "DirectRouting": true } }');
  const proxy = config('kube-proxy', 'config.conf', 'kind: KubeProxyConfiguration\nmode: ipvs\nclusterCIDR: 10.50.0.0/16\ndetectLocalMode: NodeCIDR\niptables: { masqueradeAll: true, masqueradeBit: 14, localhostNodePorts: false, syncPeriod: 30s, minSyncPeriod: 1s }\nnodePortAddresses: [192.168.0.0/24]\nconntrack: { tcpBeLiberal: true }');
  const coredns = config('coredns', 'Corefile', '.:53 {\n  kubernetes k8s.example in-addr.arpa ip6.arpa {\n  }\n}');
  const kubeadm = config('kubeadm-config', 'ClusterConfiguration', 'networking: { dnsDomain: cluster.local, podSubnet: 10.1.0.0/16, serviceSubnet: 10.99.0.0/16 }');

  it('is what its components were started with, flannel’s word before kubeadm’s', () => {
    const s = of(`${kubeadm}${coredns}${proxy}${flannel}`);
    expect(told(s)).toEqual([]);
    const { cluster } = s.spec();
    expect(cluster?.podCidrs.map(formatPrefix)).toEqual(['10.50.0.0/16']);
    expect(cluster?.serviceCidrs.map(formatPrefix)).toEqual(['10.99.0.0/16']);
    expect(cluster?.flannel).toMatchObject({ backend: 'vxlan', vni: 7, port: 4789, directRouting: true });
    expect(cluster?.kubeProxy).toMatchObject({ mode: 'ipvs', masqueradeAll: true, localhostNodePorts: false, tcpBeLiberal: true, detectLocal: { mode: 'NodeCIDR' } });
    expect(cluster?.at.file).toBe('dump.yaml');
  });

  it('is completed by them where the file says a part', () => {
    const s = of(`${coredns}${flannel}`, `cluster mine { pod-cidr 10.60.0.0/16 }\n${NETWORK}objects from "dump.yaml"\n`);
    const { cluster } = s.spec();
    expect([cluster?.name, cluster?.domain, cluster?.flannel.vni, cluster?.at.line]).toEqual(['mine', 'k8s.example', 7, 1]);
    expect(cluster?.podCidrs.map(formatPrefix)).toEqual(['10.60.0.0/16']);
  });

  it('says which backend is not simulated', () => {
    expect(told(of(config('kube-flannel-cfg', 'net-conf.json', '{ "Network": "10.50.0.0/16", "Backend": { "Type": "wireguard" } }')))).toEqual([
      expect.stringMatching(/^warning dump\.yaml:\d+:\d+: .*wireguard is not simulated/),
    ]);
  });

  it('leaves open where packets go by a backend that is not simulated, unless the file says another', () => {
    const wireguard = config('kube-flannel-cfg', 'net-conf.json', '{ "Network": "10.50.0.0/16", "Backend": { "Type": "wireguard" } }');
    expect(of(wireguard).spec().cluster).toMatchObject({ networkPlugin: 'flannel-wireguard', podCidrs: [{ length: 16 }] });
    expect(of(wireguard, 'cluster { flannel host-gw }\nobjects from "dump.yaml"\n').spec().cluster).not.toHaveProperty('networkPlugin');
  });

  it('leaves open what flannel’s nftables rules would do, unless the file says flannel', () => {
    const nft = config('kube-flannel-cfg', 'net-conf.json', '{ "Network": "10.50.0.0/16", "EnableNFTables": true, "Backend": { "Type": "vxlan" } }');
    expect(told(of(nft))).toEqual([expect.stringMatching(/^warning dump\.yaml:\d+:\d+: .*EnableNFTables.* ends undecided/)]);
    expect(of(nft).spec().cluster).toMatchObject({ networkPlugin: 'flannel-nftables' });
    expect(of(nft, 'cluster { flannel vxlan }\nobjects from "dump.yaml"\n').spec().cluster).not.toHaveProperty('networkPlugin');
    expect(of(nft.replace('"EnableNFTables": true', '"EnableNFTables": false')).spec().cluster).not.toHaveProperty('networkPlugin');
  });

  it('says nothing of flannel’s own conflist, and each thing that another has', () => {
    const conflist = (delegate: string, rest = ''): readonly string[] =>
      told(of(config('kube-flannel-cfg', 'cni-conf.json', `{ "name": "cbr0", "cniVersion": "0.3.1", "plugins": [{ "type": "flannel"${delegate} }, { "type": "portmap", "capabilities": { "portMappings": true }${rest} }] }`)))
        .map((t) => t.replace(/^.*?: /, ''));
    expect(conflist(', "delegate": { "hairpinMode": true, "isDefaultGateway": true }')).toEqual([]);
    expect(conflist('')).toEqual([expect.stringMatching(/without hairpinMode/), expect.stringMatching(/without isDefaultGateway/)]);
    expect(conflist(', "delegate": { "hairpinMode": false, "isDefaultGateway": true, "ipMasq": true, "type": "ipvlan", "mtu": 1300 }', ', "snat": false, "conditionsV4": ["!", "-d", "192.0.2.0/24"]')).toEqual(
      ['type ipvlan', 'hairpinMode false', 'ipMasq true', 'mtu 1300', 'snat false', 'conditionsV4'].map((what) => expect.stringMatching(new RegExp(`^${what} of the CNI plugin \\w+ is not simulated`, 'i')) as string),
    );
  });

  it('wants a name of a device where pods are told by one', () => {
    expect(told(of(config('kube-proxy', 'config.conf', 'detectLocalMode: BridgeInterface')))).toEqual([expect.stringMatching(/BridgeInterface needs detectLocal\.bridgeInterface/)]);
  });
});

describe('a NetworkPolicy and a Namespace', () => {
  it('are the engine’s records', () => {
    const s = of(`apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { team: a } }\n---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: allow, namespace: shop }
spec:
  podSelector: { matchLabels: { app: web }, matchExpressions: [{ key: tier, operator: In, values: [front] }] }
  policyTypes: [Ingress]
  ingress:
    - from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: x } } }, { ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16] } }]
      ports: [{ port: 80 }, { port: http, protocol: UDP }, { port: 8000, endPort: 8080 }, {}]
`);
    // There is no pod in this file that it could select, which is another matter.
    expect(told(s).filter((t) => !/no pod/i.test(t))).toEqual([]);
    expect(s.spec().namespaces).toMatchObject([{ name: 'shop', labels: { team: 'a' } }]);
    const [policy] = s.spec().networkPolicies;
    expect(policy).toMatchObject({ namespace: 'shop', name: 'allow', types: ['Ingress'], egress: [], pods: { labels: { app: 'web' }, expressions: [{ key: 'tier', operator: 'In', values: ['front'] }] } });
    expect(policy?.ingress[0]?.peers).toMatchObject([{ kind: 'pods', namespaces: { labels: {}, expressions: [] }, pods: { labels: { app: 'x' } } }, { kind: 'block' }]);
    expect(policy?.ingress[0]?.ports.map((p) => [p.protocol, p.port, p.endPort])).toEqual([['TCP', 80, null], ['UDP', 'http', null], ['TCP', 8000, 8080], ['TCP', null, null]]);
  });
});

describe('what the file says itself', () => {
  it('completes the object of the same name, statement by statement', () => {
    const s = of(NODE, `${NETWORK}node host1 {\n  interface ens3 192.168.0.1/24 on lan\n  labels disk=ssd\n}\nobjects from "dump.yaml"\n`);
    expect(told(s).filter((t) => !t.includes('fd00'))).toEqual([]);
    const [node, ...more] = s.spec().nodes;
    expect(more).toEqual([]);
    expect(node?.interfaces.map((i) => i.name)).toEqual(['ens3']);
    expect(node?.labels).toEqual({ disk: 'ssd', 'topology.kubernetes.io/zone': 'a' });
    expect(node?.podCidrs).toHaveLength(2);
    expect(node?.at).toEqual({ file: 'demo.k8snet', line: 2 });
  });

  it('may leave to an object what it would else have to say', () => {
    const s = of(`${NODE.replace(', "fd00:1::/64"', '')}---\n${POD.replace(', { ip: "fd00:1::5" }', '')}`, `${NETWORK}node host1 { sysctl { \n net.ipv4.ip_forward = 0\n } }\npod shop/web-1 on host1 { not-ready }\nobjects from "dump.yaml"\nexpect shop/web-1 -> host1 delivered\n`);
    expect(told(s)).toEqual([]);
    expect(s.spec().pods.map((p) => [p.name, p.ready, p.addresses.length])).toEqual([['web-1', false, 1]]);
    expect(s.verdicts().map((v) => v.passed)).toEqual([true]);
  });

  it('is a duplicate where it is a service', () => {
    const s = of('apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { clusterIP: 10.96.0.7, ports: [{ port: 80 }] }\n', `${NETWORK}service web { cluster-ip 10.96.0.8; port 80; endpoints 192.168.0.7:80 }\nexternal x 192.168.0.7\nobjects from "dump.yaml"\n`);
    expect(told(s).filter((t) => t.startsWith('error'))).toEqual([expect.stringMatching(/dump\.yaml:3:19: service 'default\/web' is declared twice/i)]);
  });
});

describe('what is not understood', () => {
  it('is told at its line and column, each sort once a file, and nothing is mended from here', () => {
    const s = of(`${POD.replace('nodeName: host1', 'nodeName: host1\n  netns: blue')}---\n${POD.replace('web-1', 'web-2').replace('nodeName: host1', 'nodeName: host1\n  netns: blue').replace('.1.5', '.1.6').replace('1::5', '1::6')}---\n${NODE}---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: x }\n`);
    expect(told(s).filter((t) => t.startsWith('warning'))).toEqual([
      'warning dump.yaml:6:3: Pod.spec.netns is not known here: it is taken to change nothing; and 1 more such in this file',
      'warning dump.yaml:43:7: objects of the kind CiliumNetworkPolicy (cilium.io) are not known here: what they do to packets is not simulated',
    ]);
    expect(s.diagnostics.flatMap((d) => d.fixes)).toEqual([]);
  });

  it.each([
    ['a cut JSON', '{ "apiVersion": "v1", "kind": "List", "items": [ { "kind"', /:1:5\d: .*is needed behind "kind"/],
    ['a text of nothing', 'hello\n', /:1:1: a Kubernetes object is needed here/],
    ['an object without a kind', 'metadata: { name: x }\n', /no kind/],
    ['an object without a name', 'kind: Pod\nspec: {}\n', /without metadata\.name/],
    ['bad YAML', 'kind: Pod\n  metadata: {\n', /this is no YAML/],
    ['a hostile name', 'kind: Node\nmetadata: { name: "a b; rm -rf /" }\n', /is no name of an object/],
    ['a number for a label', NODE.replace('zone: a', 'zone: 7'), /put it in quotes/],
    ['deep nesting', '['.repeat(5000), /levels inside each other/],
  ])('%s', (_, yaml, message) => {
    expect(told(of(yaml)).join('\n')).toMatch(message);
  });

  it('refuses a Secret', () => {
    expect(told(of('apiVersion: v1\nkind: Secret\nmetadata: { name: x }\ndata: { a: c2VjcmV0 }\n'))).toEqual([expect.stringMatching(/^error dump\.yaml:2:7: a Secret is never read/i)]);
  });

  it('leaves out pods that have ended, and says so', () => {
    const s = of(`${NODE}---\n${POD.replace('Running', 'Succeeded')}`);
    expect(s.spec().pods).toEqual([]);
    expect(told(s).filter((t) => t.startsWith('information'))).toEqual([expect.stringMatching(/Left out: pod shop\/web-1 has ended \(Succeeded\)/)]);
  });

  it('reads over what leads no packet anywhere', () => {
    expect(told(of('apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: x }\n---\nkind: ServiceAccount\napiVersion: v1\n'))).toEqual([]);
  });
});

describe('patterns', () => {
  const files = { 'dump/a.yaml': NODE, 'dump/b.json': '{"kind":"NodeList","apiVersion":"v1","items":[]}', 'dump/.hidden.yaml': 'nonsense' };

  it('name files of the folder, and none outside of it', () => {
    expect(told(snapshotWith(`${NETWORK}objects from "dump/*.yaml", "dump/?.json"\n`, files)).filter((t) => !t.includes('fd00'))).toEqual([]);
    expect(told(snapshotWith(`${NETWORK}objects from "../*.yaml", "/etc/*", "dump/*.txt"\n`, files))).toEqual([
      expect.stringMatching(/"\.\.\/\*\.yaml" leaves the folder/), expect.stringMatching(/"\/etc\/\*" leaves the folder/), expect.stringMatching(/"dump\/\*\.txt" matches no file/),
    ]);
  });

  it('take an object once, whichever files hold it', () => {
    const s = snapshotWith(`${NETWORK}objects from "dump/*.yaml", "dump/a.yaml", "copy.yaml"\n`, { ...files, 'copy.yaml': NODE });
    expect(s.spec().nodes).toHaveLength(1);
    expect(told(s).filter((t) => t.startsWith('information'))).toEqual([expect.stringMatching(/copy\.yaml:4:9: Left out: node host1 stands in dump\/a\.yaml:4 already/)]);
  });
});

it('an edit of the file keeps what was read of the objects, and their places move with it', () => {
  const before = of(NODE);
  const text = `# first\n${before.text}`;
  const after = updateSnapshot(before, [{ start: 0, end: 0, text: '# first\n' }], text);
  expect(after.model.objects).toBe(before.model.objects);
  expect(after.diagnostics.map((d) => text.slice(d.start, d.end))).toEqual(before.diagnostics.map((d) => before.text.slice(d.start, d.end)));
  expect(after.diagnostics.length).toBeGreaterThan(0);
});

it('the recorded cluster’s objects are read without a problem', () => {
  const folder = path.join(root, 'test/fixtures/recorded/objects');
  const files = Object.fromEntries(readdirSync(folder).map((f) => [`objects/${f}`, readFileSync(path.join(folder, f), 'utf8')]));
  const s = snapshotWith('cluster { pod-cidr 10.0.0.0/16; service-cidr 10.16.0.0/16 }\nnetwork lan 192.168.93.0/24\nobjects from "objects/*.json"\n', files);
  expect(told(s)).toEqual([]);
  const { nodes, pods, services } = s.spec();
  expect([nodes.length, pods.length, services.length]).toEqual([3, 11, 16]);
});

describe('a Service that kube-proxy leaves alone', () => {
  const SERVICE = (labels: string): string => `apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: default, labels: { ${labels} } }\nspec: { clusterIP: 10.96.0.9, ports: [{ port: 80 }], selector: { app: web } }\n`;
  const FILE = `${NETWORK}node n1 { address 192.168.0.9/24 on lan; pod-cidr 10.244.1.0/24 }\npod web on n1 { ip 10.244.1.5; labels app=web }\npod c on n1 { ip 10.244.1.6 }\nobjects from "dump.yaml"\nexpect c -> 10.96.0.9:80/TCP delivered\n`;
  const rules = (labels: string): number => (of(SERVICE(labels), FILE).topology().hosts.find((h) => h.name === 'n1')?.namespaces[0]?.tables ?? []).flatMap((t) => t.chains.flatMap((c) => c.rules)).filter((r) => r.text.includes('10.96.0.9')).length;
  const verdict = (labels: string): string | null | undefined => of(SERVICE(labels), FILE).verdicts()[0]?.sentence;

  it('as it belongs to another proxy has no rules, and what goes to it ends undecided', () => {
    expect([rules('app: x'), rules('"service.kubernetes.io/service-proxy-name": mine')]).toEqual([2, 0]);
    expect(verdict('"service.kubernetes.io/service-proxy-name": mine')).toMatch(/another program than kube-proxy translates this service .* cannot be told/i);
    expect(verdict('app: x')).toBeNull();
  });

  it('as it is labelled headless has no rules, and nobody translates what goes to it', () => {
    expect(rules('"service.kubernetes.io/headless": ""')).toBe(0);
    expect(verdict('"service.kubernetes.io/headless": ""')).toMatch(/\S/);
    expect(verdict('"service.kubernetes.io/headless": ""')).not.toMatch(/cannot be told/);
  });
});

describe('topology-mode Auto', () => {
  const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: default, annotations: { service.kubernetes.io/topology-mode: Auto } }\nspec: { clusterIP: 10.96.0.9, ports: [{ port: 80 }], selector: { app: web } }\n';
  const SLICE = '---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: web-1, namespace: default, labels: { kubernetes.io/service-name: web } }\naddressType: IPv4\nports: [{ port: 80, name: "" }]\nendpoints: [{ addresses: [10.244.1.5], conditions: { ready: true }, hints: { forZones: [{ name: a }] } }]\n';

  it('is told where no EndpointSlice has the hints, and is taken for no wish', () => {
    expect(told(of(SERVICE))).toEqual([expect.stringMatching(/^warning dump\.yaml:3:\d+: .*topology-mode Auto .* are not derived/)]);
    expect(of(SERVICE).spec().services[0]?.trafficDistribution).toBeNull();
  });

  it('is what the slices say where they are', () => {
    expect(told(of(SERVICE + SLICE))).toEqual([]);
    expect(of(SERVICE + SLICE).spec().services[0]?.endpoints).toMatchObject([{ hints: { zones: ['a'], nodes: [] } }]);
  });
});
