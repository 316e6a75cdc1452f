import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { formatAddress } from '../../../engine/src/net/address.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { Flow } from '../../../engine/src/trace/flow.ts';
import { partnersOf, resolveQuestion } from '../../../engine/src/trace/party.ts';
import { partiesOf } from '../../../engine/src/trace/partners.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { article, cluster, endpoint, external, network, node, pod, port, prefix, service, spec } from './specs.ts';

const topology = buildTopology(
  article({
    services: [
      service('kube-system/kube-dns', '10.16.0.10', [port('dns', 53, 'UDP'), port('dns-tcp', 53, 'TCP')], { selector: { 'k8s-app': 'kube-dns' } }),
      service('web', '10.16.0.20', [port('http', 80, 'TCP', { targetPort: 8080 })]),
      service('peers', '', [port('', 9000, 'TCP')], { selector: { 'k8s-app': 'kube-dns' } }),
      service('kube-system/peers', '', [port('', 9000, 'TCP')], { selector: { 'k8s-app': 'kube-dns' } }),
      service('search', '', [], { type: 'ExternalName', externalName: 'qq.com' }),
    ],
  }),
);

function flow(from: string, to: string, t = topology): Flow {
  const answer = resolveQuestion(t, { from, to });
  if ('error' in answer) throw new Error(answer.error);
  return answer.flow;
}

const target = (from: string, to: string, t = topology): string => {
  const f = flow(from, to, t);
  return `${formatAddress(f.destination)} ${f.protocol}${f.protocol === 'ICMP' ? '' : ` ${f.destinationPort}`}`;
};

const problem = (from: string, to: string) => {
  const answer = resolveQuestion(topology, { from, to });
  return 'error' in answer ? answer : { error: '', suggestions: [] };
};

describe('a destination', () => {
  it.each([
    ['pod2', '10.0.5.150 ICMP'],
    ['pod/pod2', '10.0.5.150 ICMP'],
    ['default/pod2:8080', '10.0.5.150 TCP 8080'],
    ['pod2:53/udp', '10.0.5.150 UDP 53'],
    ['pod2/ICMP', '10.0.5.150 ICMP'],
    ['kube-system/kube-dns-1', '10.0.0.46 ICMP'],
    ['host2', '192.168.93.213 ICMP'],
    ['node/host2:30080', '192.168.93.213 TCP 30080'],
    ['kube-system/kube-dns:53/UDP', '10.16.0.10 UDP 53'],
    ['service/kube-system/kube-dns:53/UDP', '10.16.0.10 UDP 53'],
    ['kube-system/kube-dns/UDP', '10.16.0.10 UDP 53'],
    ['kube-system/kube-dns/ICMP', '10.16.0.10 ICMP'],
    ['kube-system/peers:9000', '10.0.0.46 TCP 9000'],
    ['search:443', '203.0.113.7 TCP 443'],
    ['qq.com:443/TCP', '203.0.113.7 TCP 443'],
    ['external/qq.com', '203.0.113.7 ICMP'],
    ['10.0.5.150:1', '10.0.5.150 TCP 1'],
    ['[fd00::1]:53/UDP', 'fd00::1 UDP 53'],
    ['fd00::1', 'fd00::1 ICMP'],
    ['0.0.0.0:80', '127.0.0.1 TCP 80'],
    ['::', '::1 ICMP'],
    ['203.0.113.99:5/SCTP', '203.0.113.99 SCTP 5'],
  ])('%s is %s', (to, expected) => {
    expect(target('pod1', to)).toBe(expected);
  });

  it('by a short DNS name is asked for along the search list, and every question is told', () => {
    const f = flow('pod1', 'kube-dns.kube-system:53/UDP');
    expect(formatAddress(f.destination)).toBe('10.16.0.10');
    expect(f.resolution).toEqual([
      { query: 'kube-dns.kube-system.default.svc.cluster.local', answer: 'NXDOMAIN' },
      { query: 'kube-dns.kube-system.svc.cluster.local', answer: 'A 10.16.0.10' },
    ]);
  });

  it('by a name with a last dot is asked for once', () => {
    expect(flow('pod1', 'kube-dns.kube-system.svc.cluster.local.:53/UDP').resolution).toEqual([
      { query: 'kube-dns.kube-system.svc.cluster.local', answer: 'A 10.16.0.10' },
    ]);
  });

  it('with fewer than five dots goes through the whole search list before it is asked as it stands', () => {
    expect(flow('pod1', 'kube-dns.kube-system.svc.cluster.local:53/UDP').resolution.map((q) => q.query)).toEqual([
      'kube-dns.kube-system.svc.cluster.local.default.svc.cluster.local',
      'kube-dns.kube-system.svc.cluster.local.svc.cluster.local',
      'kube-dns.kube-system.svc.cluster.local.cluster.local',
      'kube-dns.kube-system.svc.cluster.local',
    ]);
  });

  it('by an ExternalName service in DNS follows the alias', () => {
    expect(flow('pod1', 'search.default:80').resolution.at(-1)).toEqual({ query: 'search.default.svc.cluster.local', answer: 'CNAME qq.com, A 203.0.113.7' });
  });

  it('by a cluster name is taken on a node to be resolved as a pod of default does, as its own resolver does not know it', () => {
    const asked = flow('host1', 'kube-dns.kube-system:53/UDP');
    expect(formatAddress(asked.destination)).toBe('10.16.0.10');
    expect(asked.resolution.at(-1)).toEqual({ query: 'kube-dns.kube-system.svc.cluster.local', answer: 'A 10.16.0.10' });
    expect(asked.assumption).toMatch(/^The resolver of host1 does not ask the cluster's DNS;/);
    expect(flow('pod1', 'kube-dns.kube-system:53/UDP').assumption).toBeUndefined();
    expect(flow('host1', 'kube-system/kube-dns:53/UDP').assumption).toBeUndefined();
    const compiled = compileTopology(topology);
    expect(runTrace(compiled, asked).branches[0]!.request.hops[0]!.steps[0]).toMatchObject({ stage: 'assumption', sentence: asked.assumption });
  });

  it('by a cluster name is not known to an external', () => {
    expect(problem('qq.com', 'kube-dns.kube-system.svc.cluster.local:53/UDP').error).toMatch(/qq\.com does not ask the cluster's DNS/);
  });

  it.each([
    ['pod2:80/QUIC', "'QUIC' is no protocol: TCP, UDP, SCTP and ICMP are known."],
    ['pod2:80/TCP/UDP', 'Two protocols stand behind pod2:80: write one.'],
    ['pod2:99999', "'99999' is no port: a number from 1 to 65535 is needed."],
    ['pod2:http/TCP', "'http' is no port: a number from 1 to 65535 is needed."],
    ['[fd00::1]:0', "'0' is no port: a number from 1 to 65535 is needed."],
    ['kube-dns.kube-system:dns/UDP', "'dns' is no port: a number from 1 to 65535 is needed."],
  ])('%s is told what is wrong behind the name', (to, sentence) => {
    expect(problem('pod1', to).error).toBe(sentence);
  });

  it("that the sender's own search list does not lead to names what was asked", () => {
    const t = buildTopology(article({ pods: [pod('pod1', 'host1', '10.0.14.15', { search: ['corp.example'], ndots: 1 })] }));
    const answer = resolveQuestion(t, { from: 'pod1', to: 'kube-dns.kube-system:53/UDP' });
    expect('error' in answer ? answer.error : '').toBe("'kube-dns.kube-system' has no address for the sender, whose resolver asks for kube-dns.kube-system, kube-dns.kube-system.corp.example. Write the name in full, with .svc.cluster.local, or mend its search list.");
    expect(target('pod1', 'kube-dns.kube-system.svc.cluster.local:53/UDP', t)).toBe('10.16.0.10 UDP 53');
  });

  it('that nobody has brings the nearest names', () => {
    expect(problem('pod1', 'pod22')).toEqual({ error: "No pod, node, service or external is named 'pod22'; did you mean 'pod2'?", suggestions: ['pod2'] });
    expect(problem('pod1', 'kube-dns-1').suggestions[0]).toBe('kube-system/kube-dns-1');
    expect(problem('pod1', 'zzzzzzzz')).toEqual({ error: "No pod, node, service or external is named 'zzzzzzzz': declare it, or write an address.", suggestions: [] });
  });

  it('by a protocol without a port needs one where there are several or none', () => {
    expect(problem('pod1', 'pod2/TCP').error).toBe('Say which port of pod2: pod2:80/TCP.');
    expect(problem('pod1', 'pod2:80/ICMP').error).toMatch(/A ping has no port/);
  });

  it('with a headless service without endpoints has no address', () => {
    expect(problem('pod1', 'peers:9000').error).toMatch(/headless and has no ready endpoint/);
  });
});

describe('a sender', () => {
  it.each([
    ['pod1', 'host1', 'default/pod1', null],
    ['host1', 'host1', 'root', null],
    ['kube-system/kube-dns', 'host3', 'kube-system/kube-dns-1', null],
    ['qq.com', 'qq.com', 'root', null],
    ['10.0.14.15', 'host1', 'default/pod1', '10.0.14.15'],
    ['192.168.93.254', 'lan', 'root', '192.168.93.254'],
  ])('%s sends from %s, namespace %s, with the source %s', (from, host, namespace, source) => {
    const f = flow(from, 'pod2');
    expect([f.host, f.namespace, f.source === null ? null : formatAddress(f.source)]).toEqual([host, namespace, source]);
  });

  it('has an ephemeral port that is the same every time', () => {
    const first = flow('pod1', 'pod2:80');
    expect(first.sourcePort).toBeGreaterThanOrEqual(32768);
    expect(first.sourcePort).toBeLessThanOrEqual(60999);
    expect(flow('pod1', 'pod2:80')).toEqual(first);
    expect(flow('pod1:4000', 'pod2:80').sourcePort).toBe(4000);
  });

  it('that nobody is, or whose address nobody has, is an error', () => {
    expect(problem('pdo1', 'pod2').suggestions[0]).toBe('pod1');
    expect(problem('10.9.9.9', 'pod2').error).toMatch(/No device has the address 10\.9\.9\.9/);
    expect(problem('', 'pod2').error).toMatch(/^Say who sends/);
  });

  it('on a node that is not declared is an error that names the node', () => {
    const t = buildTopology(article({ pods: [pod('lost', 'host9', '10.0.9.9')] }));
    expect(resolveQuestion(t, { from: 'lost', to: 'host1' })).toEqual({ error: "The pod lost is on node 'host9', which is not declared.", suggestions: [] });
  });
});

describe('the family', () => {
  const dual = buildTopology(
    spec({
      cluster: cluster({ podCidrs: [prefix('10.0.0.0/16'), prefix('fd00:10::/56')] }),
      networks: [network('lan', '192.168.93.0/24, fd00:93::/64', '192.168.93.254, fd00:93::fe')],
      externals: [external('six', '2001:db8::7')],
      nodes: [node('host1', '192.168.93.212/24, fd00:93::212/64', '10.0.14.0/24, fd00:10:0:14::/64')],
      pods: [pod('both', 'host1', '10.0.14.2, fd00:10:0:14::2'), pod('four', 'host1', '10.0.14.3'), pod('only6', 'host1', 'fd00:10:0:14::4')],
    }),
  );

  it('is IPv4 where both have it, else the one that both have', () => {
    expect(target('both', 'host1', dual)).toBe('192.168.93.212 ICMP');
    expect(target('only6', 'both', dual)).toBe('fd00:10:0:14::2 ICMP');
    expect(target('both', 'six', dual)).toBe('2001:db8::7 ICMP');
  });

  it("is the receiver's where they have none in common", () => {
    expect(target('four', 'six', dual)).toBe('2001:db8::7 ICMP');
  });
});

describe('partners', () => {
  it('of a pod are what it can send to, with the ports that are really offered', () => {
    const { role, offers, partners } = partnersOf(topology, 'pod', 'pod1');
    expect(role).toBe('receiver');
    expect(offers).toEqual([]);
    const texts = partners.map((p) => p.to);
    expect(texts).toContain('kube-system/kube-dns:53/UDP');
    expect(texts).toContain('kube-system/kube-dns:53/TCP');
    expect(texts).toContain('pod2');
    expect(texts).toContain('qq.com:443/TCP');
    expect(texts).not.toContain('pod1');
  });

  it('of a service are its senders, and its ports come as offers', () => {
    const { role, offers, partners } = partnersOf(topology, 'service', 'kube-system/kube-dns');
    expect(role).toBe('sender');
    expect(offers.map((o) => o.to)).toEqual(['kube-system/kube-dns:53/UDP', 'kube-system/kube-dns:53/TCP']);
    expect(partners.map((p) => p.to)).toEqual(['pod1', 'pod2', 'kube-system/kube-dns-1', 'host1', 'host2', 'host3', 'qq.com']);
  });

  it('are all questions that have an answer', () => {
    for (const partner of partnersOf(topology, 'pod', 'pod1').partners) {
      expect(resolveQuestion(topology, { from: 'pod1', to: partner.to })).toHaveProperty('flow');
    }
  });

  it('of nobody yet are all that can send, and all that can be sent to', () => {
    const { senders, receivers } = partiesOf(topology);
    expect(senders.map((p) => p.to)).toEqual(['pod1', 'pod2', 'kube-system/kube-dns-1', 'host1', 'host2', 'host3', 'qq.com']);
    expect(receivers.map((p) => p.to)).toEqual(expect.arrayContaining(['pod1', 'kube-system/kube-dns:53/UDP', 'qq.com:443/TCP']));
  });

  it('carry the kind where two objects share a name', () => {
    const t = buildTopology(article({ pods: [pod('web', 'host1', '10.0.14.2')], services: [service('web', '10.16.0.9', [port('', 80, 'TCP')], { endpoints: [endpoint('10.0.14.2')] })] }));
    expect(partnersOf(t, 'service', 'web').offers.map((o) => o.to)).toEqual(['service/web:80/TCP']);
    expect(target('host1', 'service/web:80/TCP', t)).toBe('10.16.0.9 TCP 80');
  });
});
