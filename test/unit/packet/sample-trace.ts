/** A trace made by hand: the article's ping from pod1 to pod2 over VXLAN, as the recorded captures show it. */
import type { Header, PacketHeaders } from '../../../engine/src/packet/headers.ts';
import type { Branch, Hop, StepSource, Trace } from '../../../engine/src/trace/model.ts';

const MAC = {
  pod1: '0a:58:0a:00:0e:0f', cni1: '7e:18:b7:ce:17:0a', vtep1: '6a:8c:10:00:00:01', lan1: 'ca:47:17:4d:9f:29',
  pod2: '0a:58:0a:00:05:96', cni2: '2a:11:22:33:44:55', vtep2: '6a:8c:10:00:00:02', lan2: '46:5c:29:a7:13:d7',
} as const;

const ethernet = (source: string, destination: string): Header => ({ header: 'ethernet', source, destination, etherType: 0x0800 });

export const ipv4 = (source: string, destination: string, protocol: number, ttl: number): Header =>
  ({ header: 'ipv4', source, destination, protocol, ttl, tos: 0, id: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0 });

const ping = (type: 0 | 8): PacketHeaders => [{ header: 'icmp', type, code: 0, identifier: 77, sequence: 1 }, { header: 'payload', length: 56 }];

const kernel: StepSource = { derivedBy: 'kernel', because: 'the sender is in this namespace' };
const route: StepSource = { file: 'demo.k8snet', line: 22, layer: 'captured' };
const lease: StepSource = { derivedBy: 'flannel', because: 'the lease of host2, 10.0.5.0/24', file: 'demo.k8snet', line: 33 };

const out = (ttl: number): PacketHeaders => [ipv4('10.0.14.15', '10.0.5.150', 1, ttl), ...ping(8)];
const back = (ttl: number): PacketHeaders => [ipv4('10.0.5.150', '10.0.14.15', 1, ttl), ...ping(0)];

const wrapped = (from: 1 | 2, inner: PacketHeaders): PacketHeaders => [
  from === 1 ? ethernet(MAC.lan1, MAC.lan2) : ethernet(MAC.lan2, MAC.lan1),
  from === 1 ? ipv4('192.168.93.212', '192.168.93.213', 17, 64) : ipv4('192.168.93.213', '192.168.93.212', 17, 64),
  { header: 'udp', sourcePort: 36744, destinationPort: 8472, checksum: true },
  { header: 'vxlan', vni: 1, flags: 0x0800 },
  from === 1 ? ethernet(MAC.vtep1, MAC.vtep2) : ethernet(MAC.vtep2, MAC.vtep1),
  ...inner,
];

function hop(at: string, direction: Hop['direction'], packet: PacketHeaders, ...steps: Hop['steps']): Hop {
  const [host = '', namespace = '', device = ''] = at.split(' ');
  return { host, namespace, interface: device, direction, packet, steps };
}

const request: readonly Hop[] = [
  hop('host1 default/pod1 eth0', 'out', [ethernet(MAC.pod1, MAC.cni1), ...out(64)],
    { stage: 'send', sentence: 'pod1 sends a ping.', source: kernel }),
  hop('host1 root cni0', 'in', [ethernet(MAC.pod1, MAC.cni1), ...out(64)],
    { stage: 'route', sentence: '10.0.5.150 is reached through flannel.1.', route: '10.0.0.0/16 dev flannel.1', table: 254, via: null, device: 'flannel.1', source: route },
    { stage: 'netfilter', sentence: 'The packet is accepted.', hook: 'FORWARD', table: 'filter', chain: 'FLANNEL-FWD', event: 'rule', number: 1, rule: '-A FLANNEL-FWD -s 10.0.0.0/16 -j ACCEPT', verdict: 'ACCEPT', source: { derivedBy: 'flannel', because: 'the pod network 10.0.0.0/16' } },
    { stage: 'forward', sentence: 'The TTL falls to 63.', ttl: 63, source: kernel }),
  hop('host1 root flannel.1', 'out', [ethernet(MAC.vtep1, MAC.vtep2), ...out(63)],
    { stage: 'fdb', sentence: 'The VTEP is on 192.168.93.213.', mac: MAC.vtep2, destination: '192.168.93.213', how: 'entry', source: lease },
    { stage: 'encapsulate', sentence: 'flannel.1 wraps the frame.', kind: 'vxlan', vni: 1, remote: '192.168.93.213', source: lease }),
  hop('host1 root eth0', 'out', wrapped(1, out(63))),
  hop('host2 root eth0', 'in', wrapped(1, out(63)),
    { stage: 'decapsulate', sentence: 'The frame is taken out.', kind: 'vxlan', vni: 1, remote: '192.168.93.212', source: lease }),
  hop('host2 root flannel.1', 'in', [ethernet(MAC.vtep1, MAC.vtep2), ...out(63)]),
  hop('host2 root cni0', 'out', [ethernet(MAC.cni2, MAC.pod2), ...out(62)]),
  hop('host2 default/pod2 eth0', 'in', [ethernet(MAC.cni2, MAC.pod2), ...out(62)],
    { stage: 'deliver', sentence: 'The kernel of pod2 answers the ping.', listener: 'ICMP echo', source: kernel }),
];

const reply: readonly Hop[] = [
  hop('host2 default/pod2 eth0', 'out', [ethernet(MAC.pod2, MAC.cni2), ...back(64)]),
  hop('host2 root eth0', 'out', wrapped(2, back(63))),
  hop('host1 root eth0', 'in', wrapped(2, back(63))),
  hop('host1 default/pod1 eth0', 'in', [ethernet(MAC.cni1, MAC.pod1), ...back(62)]),
];

const delivered: Branch = {
  probability: 1, supposing: [], outcome: 'delivered', reason: null,
  deliveredTo: { kind: 'pod', name: 'default/pod2', address: '10.0.5.150', port: null },
  seenAs: { address: '10.0.14.15', port: null },
  answer: { kind: 'reply', from: '10.0.5.150', type: 0, code: 0, ttl: 62 },
  request: { hops: request },
  reply: { outcome: 'delivered', reason: null, hops: reply },
};

export const pingTrace: Trace = { from: 'pod1', to: 'pod2', branches: [delivered] };

/** flannel's udp backend: flannel0 carries bare IP, and so does the datagram of flanneld. */
export const tunTrace: Trace = {
  from: 'pod1', to: 'pod2',
  branches: [{
    ...delivered, reply: null, answer: { kind: 'none', from: null, type: null, code: null, ttl: null },
    request: {
      hops: [
        hop('host1 root flannel0', 'out', out(63)),
        hop('host1 root eth0', 'out', [
          ethernet(MAC.lan1, MAC.lan2), ipv4('192.168.93.212', '192.168.93.213', 17, 64),
          { header: 'udp', sourcePort: 8285, destinationPort: 8285, checksum: true }, ...out(63),
        ]),
      ],
    },
  }],
};

/** Two endpoints of a service by TCP, and a third branch that ends without an answer. */
export const serviceTrace: Trace = {
  from: 'pod1', to: 'web:80/TCP',
  branches: ['10.0.5.150', '10.0.5.151'].map((endpoint, i): Branch => {
    const syn = (destination: string): PacketHeaders => [
      ethernet(MAC.pod1, MAC.cni1), ipv4('10.0.14.15', destination, 6, 64),
      { header: 'tcp', sourcePort: 40000, destinationPort: i === 0 ? 80 : 8080, sequence: 1, acknowledgement: 0, flags: ['SYN'], window: 64240, mss: 1410 },
    ];
    const synAck = (source: string): PacketHeaders => [
      ethernet(MAC.cni1, MAC.pod1), ipv4(source, '10.0.14.15', 6, 64),
      { header: 'tcp', sourcePort: i === 0 ? 80 : 8080, destinationPort: 40000, sequence: 9, acknowledgement: 2, flags: ['SYN', 'ACK'], window: 65160, mss: 1410 },
    ];
    const silent = { code: 'policy-drop', sentence: 'The policy of FORWARD is DROP.' };
    return {
      ...delivered, probability: 0.5,
      request: { hops: [hop('host1 default/pod1 eth0', 'out', syn('10.16.0.20')), hop('host1 root cni0', 'in', syn('10.16.0.20')), hop('host1 root flannel.1', 'out', syn(endpoint))] },
      ...(i === 0
        ? { reply: { outcome: 'delivered' as const, reason: null, hops: [hop('host1 root flannel.1', 'in', synAck(endpoint)), hop('host1 default/pod1 eth0', 'in', synAck('10.16.0.20'))] } }
        : { outcome: 'dropped' as const, reason: silent, deliveredTo: null, seenAs: null, reply: null, answer: { kind: 'none' as const, from: null, type: null, code: null, ttl: null } }),
    };
  }),
};
