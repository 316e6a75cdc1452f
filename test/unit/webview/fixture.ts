/** A small cluster and traces through it, made by hand: the panel's tests stand on these, not on the simulator. */
import { parseAddress, parsePrefix, type Address } from '../../../engine/src/net/address.ts';
import type { Header, PacketHeaders } from '../../../engine/src/packet/headers.ts';
import type { Device, Host, Interface, Namespace, Topology } from '../../../engine/src/topology/model.ts';
import { declared } from '../../../engine/src/topology/origin.ts';
import type { Flow } from '../../../engine/src/trace/flow.ts';
import type { Branch, Hop, Step, StepSource, Trace } from '../../../engine/src/trace/model.ts';

export const FILE = 'article.k8snet';
const at = (line: number) => declared({ file: FILE, line });

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

function device(name: string, device: Device, addresses: readonly string[] = [], master: string | null = null): Interface {
  return {
    name, mac: null, mtu: 1500, up: true, device, origin: at(1),
    addresses: addresses.map((text) => ({ address: address(text), length: 24, scope: 'global', origin: at(1) })),
    port: master === null ? null : { master, hairpin: true, isolated: false, learning: true, flood: true },
  };
}

const namespace = (name: string, interfaces: readonly Interface[]): Namespace => ({
  name, interfaces, rules: [], routes: [], neighbours: [], fdb: [], tables: [], sets: [], conntrack: [], sysctls: [], listeners: { kind: 'any' }, origin: at(1),
});

export interface PodSketch {
  readonly name: string;
  readonly veth: string;
  readonly address: string;
}

/** A node as flannel and the bridge plugin leave it. */
export function node(name: string, outside: string, pods: readonly PodSketch[]): Host {
  const root = namespace('root', [
    device('lo', { kind: 'loopback' }, ['127.0.0.1']),
    device('eth0', { kind: 'physical', network: 'lan' }, [outside]),
    device('docker0', { kind: 'bridge' }, ['172.17.0.1']),
    device('flannel-v6.1', { kind: 'vxlan', vni: 1, port: 8472, local: null, underlay: 'eth0', learning: false, df: 'unset', checksum: true, misses: null }),
    device('flannel.1', { kind: 'vxlan', vni: 1, port: 8472, local: null, underlay: 'eth0', learning: false, df: 'unset', checksum: true, misses: null }),
    device('cni0', { kind: 'bridge' }),
    ...pods.map((pod) => device(pod.veth, { kind: 'veth', peer: { host: name, namespace: pod.name, name: 'eth0' } }, [], 'cni0')),
  ]);
  const of = (pod: PodSketch): Namespace => namespace(pod.name, [
    device('lo', { kind: 'loopback' }, ['127.0.0.1']),
    device('eth0', { kind: 'veth', peer: { host: name, namespace: 'root', name: pod.veth } }, [pod.address]),
  ]);
  return { name, kind: 'node', namespaces: [root, ...pods.map(of)], origin: at(1) };
}

export function cluster(nodes: readonly Host[]): Topology {
  const router: Host = { name: 'lan-gateway', kind: 'router', origin: at(2), namespaces: [namespace('root', [
    device('lan', { kind: 'physical', network: 'lan' }, ['192.168.93.254']), device('internet', { kind: 'physical', network: 'internet' }, ['203.0.113.1']),
  ])] };
  const external: Host = { name: 'qq.com', kind: 'external', origin: at(3), namespaces: [namespace('root', [
    device('eth0', { kind: 'physical', network: 'internet' }, ['203.0.113.7']),
  ])] };
  const lan = parsePrefix('192.168.93.0/24');
  return {
    cluster: { name: 'demo', domain: 'cluster.local', podCidrs: [], serviceCidrs: [] },
    networks: [
      { name: 'lan', prefixes: lan === undefined ? [] : [lan], mtu: 1500, origin: at(2) }, { name: 'internet', prefixes: [], mtu: 1500, origin: at(2) },
    ],
    hosts: [...nodes, router, external],
    pods: nodes.flatMap((host) => host.namespaces.slice(1).map((pod) => {
      const [ns = '', name = ''] = pod.name.split('/');
      return {
        namespace: ns, name, node: host.name, addresses: pod.interfaces[1]?.addresses.map((a) => a.address) ?? [], hostNetwork: false, ready: true, terminating: false, hostname: null, subdomain: null, ports: [],
        labels: {}, search: [], ndots: 5, clusterDns: true, origin: at(40),
      };
    })),
    services: [{
      namespace: 'kube-system', name: 'kube-dns', type: 'ClusterIP', clusterAddresses: [address('10.16.0.10')], externalAddresses: [],
      loadBalancerAddresses: [], externalName: null, origin: at(50),
      ports: [{ name: 'dns', protocol: 'UDP', port: 53, nodePort: null, endpoints: [] }],
      members: [],
    }],
    policies: [],
    namespaceLabels: {},
  };
}

export const articleCluster = (): Topology => cluster([
  node('host1', '192.168.93.212', [{ name: 'default/pod1', veth: 'veth0a0e0f', address: '10.0.14.15' }, { name: 'default/web', veth: 'veth1b2c3d', address: '10.0.14.16' }]),
  node('host2', '192.168.93.213', [{ name: 'default/pod2', veth: 'veth4d5e6f', address: '10.0.5.150' }]),
  node('host3', '192.168.93.214', [{ name: 'kube-system/kube-dns-1', veth: 'veth7a8b9c', address: '10.0.0.46' }]),
]);

export const flow = (from = 'pod1', to = 'kube-dns.kube-system:53/UDP'): Flow => ({
  fromText: from, toText: to, host: 'host1', namespace: 'default/pod1', source: null, destination: address('10.16.0.10'), protocol: 'UDP',
  sourcePort: 40000, destinationPort: 53, resolution: [], payload: 0,
});

export const captured = (line: number): StepSource => ({ file: FILE, line, layer: 'captured' });
export const derived = (derivedBy: string, because: string, line?: number): StepSource =>
  (line === undefined ? { derivedBy, because } : { derivedBy, because, file: FILE, line });

export const ethernet = (source: string, destination: string): Header => ({ header: 'ethernet', source, destination, etherType: 0x0800 });
export const ip = (source: string, destination: string, ttl: number, protocol = 17): Header => ({
  header: 'ipv4', source, destination, protocol, ttl, tos: 0, id: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0,
});
export const udp = (sourcePort: number, destinationPort: number): Header => ({ header: 'udp', sourcePort, destinationPort, checksum: true });
export const vxlan = (): Header => ({ header: 'vxlan', vni: 1, flags: 0x0800 });

export const hop = (host: string, ns: string, name: string, direction: 'in' | 'out', packet: PacketHeaders, steps: readonly Step[] = []): Hop =>
  ({ host, namespace: ns, interface: name, direction, packet, steps });

export const toRoute = (route: string, device: string, via: string | null, source: StepSource): Step =>
  ({ stage: 'route', sentence: `The route ${route} leads out of ${device}.`, route, table: 254, via, device, source });

export const rule = (chain: string, number: number, text: string, verdict: string, line: number): Step => ({
  stage: 'netfilter', hook: 'PREROUTING', table: 'nat', chain, event: 'rule', number, rule: text, verdict, source: captured(line),
  sentence: `Rule ${number} of ${chain} matches.`,
});

const POD = '0a:58:0a:00:0e:0f';
const BRIDGE = '0a:58:0a:00:0e:01';

/** One way of the journey to kube-dns, over two hosts and the tunnel between them. */
export function tunnelled(from: { host: string; pod: string; veth: string; outside: string }, to: typeof from, ends: readonly [string, number, string, number],
  translated: readonly [string, number, string, number], steps: readonly (readonly Step[])[]): readonly Hop[] {
  const packet = (ttl: number, [source, sport, destination, dport]: readonly [string, number, string, number], link: Header): PacketHeaders =>
    [link, ip(source, destination, ttl), udp(sport, dport)];
  const outer: PacketHeaders = [ethernet('02:00:00:00:00:01', '02:00:00:00:00:03'), ip(from.outside, to.outside, 64), udp(41234, 8472), vxlan(),
    ...packet(63, translated, ethernet('02:42:00:00:00:01', '02:42:00:00:00:03'))];
  const step = (i: number): readonly Step[] => steps[i] ?? [];
  return [
    hop(from.host, from.pod, 'eth0', 'out', packet(64, ends, ethernet(POD, BRIDGE)), step(0)),
    hop(from.host, 'root', from.veth, 'in', packet(64, ends, ethernet(POD, BRIDGE)), step(1)),
    hop(from.host, 'root', 'cni0', 'in', packet(64, translated, ethernet(POD, BRIDGE)), step(2)),
    hop(from.host, 'root', 'flannel.1', 'out', packet(63, translated, ethernet('02:42:00:00:00:01', '02:42:00:00:00:03')), step(3)),
    hop(from.host, 'root', 'eth0', 'out', outer, step(4)),
    hop(to.host, 'root', 'eth0', 'in', outer, step(5)),
    hop(to.host, 'root', 'flannel.1', 'in', packet(63, translated, ethernet('02:42:00:00:00:01', '02:42:00:00:00:03')), step(6)),
    hop(to.host, 'root', 'cni0', 'out', packet(62, translated, ethernet(BRIDGE, POD)), step(7)),
    hop(to.host, 'root', to.veth, 'out', packet(62, translated, ethernet(BRIDGE, POD)), step(8)),
    hop(to.host, to.pod, 'eth0', 'in', packet(62, translated, ethernet(BRIDGE, POD)), step(9)),
  ];
}

const HOST1 = { host: 'host1', pod: 'default/pod1', veth: 'veth0a0e0f', outside: '192.168.93.212' };
const HOST3 = { host: 'host3', pod: 'kube-system/kube-dns-1', veth: 'veth7a8b9c', outside: '192.168.93.214' };

const encapsulate = (remote: string): Step => ({ stage: 'encapsulate', kind: 'vxlan', vni: 1, remote, sentence: `flannel.1 wraps the frame in VXLAN to ${remote}.`, source: derived('flannel', 'the flannel statement', 5) });
const decapsulate = (remote: string): Step => ({ stage: 'decapsulate', kind: 'vxlan', vni: 1, remote, sentence: `flannel.1 unwraps the frame from ${remote}.`, source: derived('flannel', 'the flannel statement', 5) });
const nat = (change: 'source' | 'destination', before: string, after: string, by: 'rule' | 'conntrack', source: StepSource): Extract<Step, { stage: 'nat' }> =>
  ({ stage: 'nat', hook: 'PREROUTING', change, before, after, by, ctdir: by === 'rule' ? 'ORIGINAL' : 'REPLY', sentence: `The ${change} ${before} becomes ${after}.`, source });
export const deliver = (listener: string): Step => ({ stage: 'deliver', listener, sentence: `${listener} takes the packet.`, source: { file: FILE, line: 44, layer: 'declared' } });

const REQUEST_STEPS: readonly (readonly Step[])[] = [
  [{ stage: 'name', query: 'kube-dns.kube-system.svc.cluster.local', answer: 'A 10.16.0.10', sentence: 'The search list makes it kube-dns.kube-system.svc.cluster.local.', source: derived('coredns', 'service kube-system/kube-dns', 50) },
    toRoute('default via 10.0.14.1 dev eth0', 'eth0', '10.0.14.1', captured(38))],
  [rule('PREROUTING', 1, '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', 'jump KUBE-SERVICES', 25),
    rule('KUBE-SERVICES', 1, '-A KUBE-SERVICES -d 10.16.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU', 'jump KUBE-SVC-TCOU7JCQXEZGVUNU', 26),
    rule('KUBE-SVC-TCOU7JCQXEZGVUNU', 1, '-A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-L5MHPWJPDKD7XIFG', 'jump KUBE-SEP-L5MHPWJPDKD7XIFG', 27),
    rule('KUBE-SEP-L5MHPWJPDKD7XIFG', 1, '-A KUBE-SEP-L5MHPWJPDKD7XIFG -p udp -m udp -j DNAT --to-destination 10.0.0.46:53', 'DNAT', 28),
    nat('destination', '10.16.0.10:53', '10.0.0.46:53', 'rule', captured(28))],
  [toRoute('10.0.0.0/16 dev flannel.1', 'flannel.1', null, captured(18))],
  [encapsulate('192.168.93.214')], [], [decapsulate('192.168.93.212')],
  [toRoute('10.0.0.0/24 dev cni0', 'cni0', null, derived('cni', 'the lease of host3, 10.0.0.0/24', 33))], [], [], [deliver('kube-dns-1 on 53/UDP')],
];

const REPLY_STEPS: readonly (readonly Step[])[] = [
  [toRoute('default via 10.0.0.1 dev eth0', 'eth0', '10.0.0.1', derived('cni', 'pod kube-system/kube-dns-1', 44))],
  [], [toRoute('10.0.14.0/24 via 10.0.14.0 dev flannel.1 onlink', 'flannel.1', '10.0.14.0', derived('flannel', 'the lease of host1, 10.0.14.0/24', 15))],
  [encapsulate('192.168.93.212')], [], [decapsulate('192.168.93.214')],
  [toRoute('10.0.14.0/24 dev cni0 proto kernel', 'cni0', null, captured(19)), nat('source', '10.0.0.46:53', '10.16.0.10:53', 'conntrack', captured(28))],
];

/** pod1 asks kube-dns by its service address, and is answered. */
export function serviceBranch(): Branch {
  return {
    probability: 1, supposing: [], outcome: 'delivered', reason: null, seenAs: { address: '10.0.14.15', port: 40000 },
    deliveredTo: { kind: 'pod', name: 'kube-system/kube-dns-1', address: '10.0.0.46', port: 53 },
    answer: { kind: 'reply', from: '10.16.0.10', type: null, code: null, ttl: 62 },
    request: { hops: tunnelled(HOST1, HOST3, ['10.0.14.15', 40000, '10.16.0.10', 53], ['10.0.14.15', 40000, '10.0.0.46', 53], REQUEST_STEPS) },
    reply: { outcome: 'delivered', reason: null, hops: tunnelled(HOST3, HOST1, ['10.0.0.46', 53, '10.0.14.15', 40000], ['10.0.0.46', 53, '10.0.14.15', 40000], REPLY_STEPS) },
  };
}

/** The first packet is answered; the next one is translated as the flow is, and dropped by what accepts only NEW ones. */
export function secondDroppedBranch(): Branch {
  const reason = { code: 'policy-drop', sentence: 'The policy of the chain FORWARD on host1 drops the packet.' };
  const drop: Step = { stage: 'drop', reason, sentence: reason.sentence, source: captured(24) };
  const known: Step = { ...nat('destination', '10.16.0.10:53', '10.0.0.46:53', 'conntrack', captured(28)), ctdir: 'ORIGINAL' };
  const hops = serviceBranch().request.hops.slice(0, 3).map((each, i) => ({ ...each, steps: i === 1 ? [known] : i === 2 ? [drop] : [] }));
  return { ...serviceBranch(), second: { outcome: 'dropped', reason, hops } };
}

/** The packet never gets beyond host1's routes. */
export function droppedBranch(): Branch {
  const reason = { code: 'no-route', sentence: 'host1 has no route to 10.0.0.46.' };
  const hops = serviceBranch().request.hops.slice(0, 3);
  const drop: Step = { stage: 'drop', reason, sentence: reason.sentence, source: captured(17) };
  return {
    ...serviceBranch(), outcome: 'dropped', reason, deliveredTo: null, seenAs: null, reply: null, probability: 0.5,
    answer: { kind: 'none', from: null, type: null, code: null, ttl: null },
    request: { hops: hops.map((h, i) => (i === 2 ? { ...h, steps: [drop] } : h)) },
  };
}

/** pod1 to a host outside, through the gateway. */
export function outsideBranch(): Branch {
  const out = (source: string, ttl: number): PacketHeaders => [ethernet(POD, BRIDGE), ip(source, '203.0.113.7', ttl), udp(40000, 443)];
  const back = (destination: string, ttl: number): PacketHeaders => [ethernet(BRIDGE, POD), ip('203.0.113.7', destination, ttl), udp(443, 40000)];
  const masquerade = nat('source', '10.0.14.15:40000', '192.168.93.212:40000', 'rule', captured(30));
  return {
    probability: 1, supposing: [], outcome: 'delivered', reason: null, seenAs: { address: '192.168.93.212', port: 40000 },
    deliveredTo: { kind: 'external', name: 'qq.com', address: '203.0.113.7', port: 443 },
    answer: { kind: 'reply', from: '203.0.113.7', type: null, code: null, ttl: 62 },
    request: { hops: [
      hop('host1', 'default/pod1', 'eth0', 'out', out('10.0.14.15', 64)), hop('host1', 'root', 'veth0a0e0f', 'in', out('10.0.14.15', 64)),
      hop('host1', 'root', 'cni0', 'in', out('10.0.14.15', 64), [toRoute('default via 192.168.93.254 dev eth0', 'eth0', '192.168.93.254', captured(17)), masquerade]),
      hop('host1', 'root', 'eth0', 'out', out('192.168.93.212', 63)), hop('lan-gateway', 'root', 'lan', 'in', out('192.168.93.212', 63)),
      hop('lan-gateway', 'root', 'internet', 'out', out('192.168.93.212', 62)), hop('qq.com', 'root', 'eth0', 'in', out('192.168.93.212', 62), [deliver('qq.com on 443')]),
    ] },
    reply: { outcome: 'delivered', reason: null, hops: [
      hop('qq.com', 'root', 'eth0', 'out', back('192.168.93.212', 64)), hop('lan-gateway', 'root', 'internet', 'in', back('192.168.93.212', 64)),
      hop('lan-gateway', 'root', 'lan', 'out', back('192.168.93.212', 63)), hop('host1', 'root', 'eth0', 'in', back('192.168.93.212', 63)),
      hop('host1', 'root', 'cni0', 'out', back('10.0.14.15', 62)), hop('host1', 'root', 'veth0a0e0f', 'out', back('10.0.14.15', 62)),
      hop('host1', 'default/pod1', 'eth0', 'in', back('10.0.14.15', 62)),
    ] },
  };
}

/** pod1 to web beside it: bridged, the tunnel untouched. */
export function bridgedBranch(): Branch {
  const packet = [ethernet(POD, BRIDGE), ip('10.0.14.15', '10.0.14.16', 64), udp(40000, 8080)];
  const way = (a: string, va: string, b: string, vb: string): readonly Hop[] => [
    hop('host1', a, 'eth0', 'out', packet), hop('host1', 'root', va, 'in', packet), hop('host1', 'root', vb, 'out', packet), hop('host1', b, 'eth0', 'in', packet),
  ];
  return {
    ...serviceBranch(), deliveredTo: { kind: 'pod', name: 'default/web', address: '10.0.14.16', port: 8080 },
    request: { hops: way('default/pod1', 'veth0a0e0f', 'default/web', 'veth1b2c3d') },
    reply: { outcome: 'delivered', reason: null, hops: way('default/web', 'veth1b2c3d', 'default/pod1', 'veth0a0e0f') },
  };
}

/** pod1 to itself by a service's address: out of its port of the bridge and in again, both ways. */
export function hairpinBranch(): Branch {
  const packet = [ethernet(POD, BRIDGE), ip('10.0.14.15', '10.16.0.10', 64), udp(40000, 8080)];
  const way = (note: string): readonly Hop[] => [
    hop('host1', 'default/pod1', 'eth0', 'out', packet, [toRoute('default via 10.0.14.1 dev eth0', 'eth0', '10.0.14.1', captured(38))]),
    hop('host1', 'root', 'veth0a0e0f', 'in', packet, [nat('destination', '10.16.0.10:8080', note, 'rule', captured(28))]),
    hop('host1', 'root', 'veth0a0e0f', 'out', packet, [nat('source', '10.0.14.15:40000', note, 'rule', captured(29))]), hop('host1', 'default/pod1', 'eth0', 'in', packet),
  ];
  return { ...bridgedBranch(), request: { hops: way('10.0.14.15:8080') }, reply: { outcome: 'delivered', reason: null, hops: way('10.16.0.10:8080') } };
}

/** From outside to a node port of host1, whose endpoint is on host3: in from the wire, into the tunnel, and the same way back. */
export function nodePortBranch(): Branch {
  const packet = [ethernet(POD, BRIDGE), ip('203.0.113.7', '192.168.93.212', 64), udp(40000, 30053)];
  type Place = readonly [host: string, ns: string, name: string];
  const places: readonly Place[] = [
    ['qq.com', 'root', 'eth0'], ['lan-gateway', 'root', 'internet'], ['lan-gateway', 'root', 'lan'], ['host1', 'root', 'eth0'], ['host1', 'root', 'flannel.1'],
    ['host1', 'root', 'eth0'], ['host3', 'root', 'eth0'], ['host3', 'root', 'flannel.1'], ['host3', 'root', 'cni0'], ['host3', 'root', 'veth7a8b9c'], ['host3', 'kube-system/kube-dns-1', 'eth0'],
  ];
  const way = (stops: readonly Place[], out: readonly number[]): readonly Hop[] => stops.map(([host, ns, name], i) => hop(host, ns, name, out.includes(i) ? 'out' : 'in', packet,
    host === 'host1' ? [name === 'eth0' ? nat('destination', '192.168.93.212:30053', '10.0.0.46:53', 'rule', captured(28)) : encapsulate('192.168.93.214')] : []));
  return {
    ...serviceBranch(), request: { hops: way(places, [0, 2, 4, 5, 8, 9]) },
    reply: { outcome: 'delivered', reason: null, hops: way(places.toReversed(), [0, 3, 4, 7, 9]) },
  };
}

export const traceOf = (...branches: readonly Branch[]): Trace => ({ from: 'pod1', to: 'kube-dns.kube-system:53/UDP', branches });
