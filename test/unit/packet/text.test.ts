import { describe, expect, it } from 'vitest';
import { describePacket, icmpName } from '../../../engine/src/packet/describe.ts';
import type { Header, PacketHeaders } from '../../../engine/src/packet/headers.ts';
import type { Branch, Hop, Step, StepSource, Trace } from '../../../engine/src/trace/model.ts';
import { describeAnswer, renderTrace } from '../../../engine/src/trace/text.ts';
import { ipv4, pingTrace, serviceTrace, tunTrace } from './sample-trace.ts';

const lines = (text: string): string[] => text.split('\n');

const hopOf = (...steps: Step[]): Hop => ({ ...pingTrace.branches[0]!.request.hops[1]!, steps });

/** A trace of one branch whose request has these hops, and nothing comes back. */
const traceOf = (...hops: Hop[]): Trace => {
  const branch: Branch = { ...pingTrace.branches[0]!, request: { hops }, reply: null };
  return { ...pingTrace, branches: [branch] };
};

const captured = (line: number): StepSource => ({ file: 'demo.k8snet', line, layer: 'captured' });

type Netfilter = Extract<Step, { readonly stage: 'netfilter' }>;
const walk = (hook: Netfilter['hook'], table: Netfilter['table'], ...events: readonly (readonly [chain: string, number: number | null, verdict: string, rule?: string])[]): Netfilter[] =>
  events.map(([chain, number, verdict, rule], i) => ({
    stage: 'netfilter', hook, table, chain, number, verdict, rule: rule ?? null, event: number === null ? 'policy' : verdict === 'RETURN' && rule === undefined ? 'return' : 'rule',
    sentence: 'A rule.', source: captured(50 + i),
  }));

/** What stands below the request's first hop. */
const below = (...steps: Step[]): string[] => lines(renderTrace(traceOf(hopOf(...steps)))).slice(7).filter((line) => line !== '');

describe('a trace as text', () => {
  it('begins with the question, the end and the answer', () => {
    expect(lines(renderTrace(pingTrace)).slice(0, 4)).toEqual([
      'pod1 -> pod2',
      '',
      'delivered to pod default/pod2 at 10.0.5.150, which sees 10.0.14.15',
      'answer: a reply from 10.0.5.150, ttl 62',
    ]);
  });

  it('numbers the hops through request and reply', () => {
    const hops = lines(renderTrace(pingTrace)).filter((line) => /^ {2,3}\d+ {2}/.test(line)).map((line) => line.trim());
    expect(hops).toHaveLength(12);
    expect(hops[0]).toMatch(/^1 {2}host1 pod default\/pod1 eth0 out {3}ICMP 10\.0\.14\.15 > 10\.0\.5\.150 echo request, ttl 64, /);
    expect(hops[8]).toMatch(/^9 {2}host2 pod default\/pod2 eth0 out {3}ICMP 10\.0\.5\.150 > 10\.0\.14\.15 echo reply, ttl 64, /);
  });

  it('says at the top how the second packet ends, and numbers its hops on behind the reply', () => {
    const first = pingTrace.branches[0]!;
    const second = { outcome: 'dropped', reason: { code: 'rule-drop', sentence: 'A rule drops it.' }, hops: first.request.hops.slice(0, 2) } as const;
    const told = lines(renderTrace({ ...pingTrace, branches: [{ ...first, second }] }));
    expect(told[4]).toBe('the second packet: dropped: A rule drops it. [rule-drop]');
    const heading = told.indexOf('the second packet: dropped');
    expect(told[heading - 1]).toBe('');
    expect(told.slice(heading).filter((line) => /^ {2,3}\d+ {2}/.test(line)).map((line) => line.trim().split('  ')[0])).toEqual(['13', '14']);
  });

  it('calls a translation what it is for its flow, whichever packet it is of', () => {
    const nat = (change: 'source' | 'destination', ctdir: 'ORIGINAL' | 'REPLY'): Step => ({ stage: 'nat', hook: 'PREROUTING', change, before: 'a', after: 'b', by: 'conntrack', ctdir, sentence: '', source: { derivedBy: 'kernel', because: '' } });
    expect(below(nat('destination', 'ORIGINAL'), nat('source', 'ORIGINAL'), nat('source', 'REPLY'), nat('destination', 'REPLY')).map((line) => line.trim())).toEqual([
      'DNAT       destination a → b, as the known flow is', 'SNAT       source a → b, as the known flow is', 'un-DNAT    source a → b, by conntrack', 'un-SNAT    destination a → b, by conntrack',
    ]);
  });

  it('shows the packet only where it is another than at the hop before', () => {
    const hops = lines(renderTrace(pingTrace)).filter((line) => /^ {2,3}\d+ {2}/.test(line)).map((line) => line.trim());
    expect(hops[1]).toBe('2  host1 cni0 in');
    expect(hops[2]).toBe('3  host1 flannel.1 out   ICMP 10.0.14.15 > 10.0.5.150 echo request, ttl 63 (was 64), to 6a:8c:10:00:00:02');
    expect(hops[3]).toBe('4  host1 eth0 out   + VXLAN vni 1, UDP 192.168.93.212:36744 > 192.168.93.213:8472, ttl 64, to 46:5c:29:a7:13:d7');
    expect(hops[4]).toBe('5  host2 eth0 in');
    expect(hops[5]).toBe('6  host2 flannel.1 in   - VXLAN vni 1, ICMP 10.0.14.15 > 10.0.5.150 echo request, ttl 63');
  });

  it('puts what decided on a line of its own, with the line or the component that it came from', () => {
    const text = renderTrace(pingTrace);
    expect(text).toContain('\n      route      10.0.0.0/16 dev flannel.1  [demo.k8snet:22]\n');
    expect(text).toContain('\n      FDB        6a:8c:10:00:00:02 dst 192.168.93.213  [flannel: the lease of host2, 10.0.5.0/24, demo.k8snet:33]\n');
    expect(text).toContain('\n      · filter FORWARD: FLANNEL-FWD #1 ACCEPT [flannel]\n');
  });

  it('does not say twice in a row where something came from', () => {
    const route = { stage: 'route', sentence: '', table: 254, via: null, device: 'eth0', source: captured(7) } as const;
    expect(below({ ...route, route: 'default dev a' }, { ...route, route: 'default dev b' }, { ...route, route: 'default dev c', source: captured(8) })).toEqual([
      '      route      default dev a  [demo.k8snet:7]', '      route      default dev b', '      route      default dev c  [demo.k8snet:8]',
    ]);
  });

  it('tells the way through the chains to the rule that translated, and what it made of the address', () => {
    const steps = walk('PREROUTING', 'nat',
      ['PREROUTING', 1, 'jump DOCKER', '-A PREROUTING -j DOCKER'], ['DOCKER', 1, 'RETURN'],
      ['PREROUTING', 2, 'jump SVC', '-A PREROUTING -j SVC'], ['SVC', 3, 'jump MASQ', '-A SVC -j MASQ'], ['MASQ', 1, 'MARK', '-A MASQ -j MARK --or-mark 1'], ['MASQ', 2, 'RETURN'],
      ['SVC', 4, 'jump SEP', '-A SVC -j SEP'], ['SEP', 1, 'DNAT', '-A SEP -j DNAT --to-destination 10.0.0.46:53']);
    const nat: Step = { stage: 'nat', hook: 'PREROUTING', change: 'destination', before: '10.16.0.10:53', after: '10.0.0.46:53', by: 'rule', ctdir: 'ORIGINAL', sentence: '', source: captured(57) };
    expect(below(...steps, nat)).toEqual([
      '      DNAT       10.16.0.10:53 → 10.0.0.46:53',
      '                 nat PREROUTING #2 → SVC #3 → MASQ #1 MARK, SVC #4 → SEP #1 DNAT',
      '                 -A MASQ -j MARK --or-mark 1  [demo.k8snet:54]',
      '                 -A SEP -j DNAT --to-destination 10.0.0.46:53  [demo.k8snet:57]',
    ]);
  });

  it('tells a walk as one, whatever had to be taken for granted on the way', () => {
    const [jump, verdict] = walk('PREROUTING', 'nat', ['PREROUTING', 1, 'jump A', '-j A'], ['A', 4, 'DNAT', '-A A -j DNAT --to-destination 10.0.0.1']);
    const assumption: Step = { stage: 'assumption', sentence: 'The list is taken to be empty.', source: captured(9) };
    expect(below(jump!, assumption, verdict!, assumption)).toEqual([
      '      assumed    The list is taken to be empty.  [demo.k8snet:9]',
      '      DNAT       nat PREROUTING #1 → A #4 DNAT',
      '                 -A A -j DNAT --to-destination 10.0.0.1  [demo.k8snet:51]',
      '      assumed    The list is taken to be empty.  [demo.k8snet:9]',
    ]);
  });

  it('folds chains that did nothing into a few words', () => {
    const idle = walk('FORWARD', 'filter', ['FORWARD', 1, 'jump A', '-j A'], ['A', 1, 'jump B', '-j B'], ['B', 1, 'RETURN'], ['A', 2, 'RETURN'], ['FORWARD', null, 'ACCEPT']);
    const nothing = walk('POSTROUTING', 'nat', ['POSTROUTING', null, 'ACCEPT']);
    expect(below(...idle, ...nothing)).toEqual(['      · filter FORWARD: 2 chains, nothing applied; policy ACCEPT · nat POSTROUTING: nothing applied']);
  });

  it('lets a policy that drops stand out, and the rule that rejects', () => {
    const reason = { code: 'policy-drop', sentence: 'The policy of FORWARD is DROP.' };
    const policy = walk('FORWARD', 'filter', ['FORWARD', 1, 'jump A', '-j A'], ['A', 1, 'RETURN'], ['FORWARD', null, 'DROP']);
    expect(below(...policy, { stage: 'drop', reason, sentence: reason.sentence, source: captured(52) })).toEqual([
      '      DROP       filter FORWARD: 1 chain, nothing applied; policy DROP',
      '                 -P FORWARD DROP  [demo.k8snet:52]',
      '      END        The policy of FORWARD is DROP. [policy-drop]',
    ]);
    expect(below(...walk('INPUT', 'filter', ['INPUT', 4, 'REJECT', '-A INPUT -j REJECT']))).toEqual([
      '      REJECT     filter INPUT #4 REJECT', '                 -A INPUT -j REJECT  [demo.k8snet:50]',
    ]);
  });

  it('tells an accepting rule in passing, with its line', () => {
    expect(below(...walk('FORWARD', 'filter', ['FORWARD', 2, 'jump A', '-j A'], ['A', 7, 'ACCEPT', '-A A -j ACCEPT']))).toEqual(['      · filter FORWARD #2 → A #7 ACCEPT [demo.k8snet:51]']);
  });

  it('says of a missing FDB entry and of an undecided rule what is missing', () => {
    const reason = { code: 'match-unknown', sentence: 'Whether it matches cannot be told.' };
    expect(below(
      { stage: 'fdb', mac: '02:00:00:00:00:99', destination: null, how: 'missing', sentence: '', source: captured(3) },
      { stage: 'undecided', reason, sentence: reason.sentence, source: captured(4) },
    )).toEqual(['      FDB        no entry for 02:00:00:00:00:99  [demo.k8snet:3]', '      UNDECIDED  Whether it matches cannot be told. [match-unknown]']);
  });

  it('begins with the ends of all branches, and does not repeat the hops that they share', () => {
    const text = renderTrace(serviceTrace);
    expect(lines(text).slice(0, 6)).toEqual([
      'pod1 -> web:80/TCP: 2 branches', '',
      '   1  50 %     delivered to pod default/pod2 at 10.0.5.150, which sees 10.0.14.15', '               answer: a reply from 10.0.5.150, ttl 62',
      '   2  50 %     dropped: The policy of FORWARD is DROP. [policy-drop]', '               answer: none',
    ]);
    expect(text).toContain('\nbranch 1 of 2, 50 %: delivered to');
    const [first, ...hops] = serviceTrace.branches[0]!.request.hops;
    const second = { ...serviceTrace.branches[1]!, request: { hops: [first!, ...hops.map((hop) => ({ ...hop, interface: 'other0' }))] } };
    const rendered = lines(renderTrace({ ...serviceTrace, branches: [serviceTrace.branches[0]!, second] }));
    expect(rendered.slice(rendered.findIndex((line) => line.startsWith('branch 2')) + 3, -1).map((line) => line.slice(0, 24).trim())).toEqual(['1  as in branch 1', '2  host1 other0 in', '3  host1 other0 out']);
    expect(renderTrace({ ...serviceTrace, branches: serviceTrace.branches.map((each) => ({ ...each, probability: 1 / 3 })) })).toContain('33.33 %');
  });

  it('tells a circle once round', () => {
    const [a, b] = pingTrace.branches[0]!.request.hops;
    const text = lines(renderTrace(traceOf(...Array.from({ length: 20 }, () => [a!, b!]).flat(), { ...a!, interface: 'last0' })));
    const hops = text.filter((line) => /^ +\d+ /.test(line)).map((line) => line.trim());
    expect(hops.map((line) => line.slice(0, 12))).toEqual(['1  host1 pod', '2  host1 cni', '3 to 40  the', '41  host1 po']);
    expect(hops[2]).toBe('3 to 40  the same 2 hops again, 19 times');
  });

  it('says why no answer came, where one was sent', () => {
    const lost = { code: 'fdb-missing', sentence: 'No entry.' };
    const branch: Branch = { ...pingTrace.branches[0]!, answer: { kind: 'none', from: null, type: null, code: null, ttl: null }, reply: { outcome: 'dropped', reason: lost, hops: [] } };
    expect(lines(renderTrace({ ...pingTrace, branches: [branch] }))[3]).toBe('answer: none, as what was sent back is dropped: No entry. [fdb-missing]');
  });

  it('says nothing of a reply where there was none', () => {
    expect(renderTrace(tunTrace)).not.toContain('reply');
  });

  it('has no control characters and no blanks at a line\'s end', () => {
    for (const trace of [pingTrace, serviceTrace, tunTrace]) {
      // eslint-disable-next-line no-control-regex
      expect(renderTrace(trace)).not.toMatch(/[\0-\x09\x0b-\x1f]| \n/);
    }
  });
});

describe('an answer', () => {
  const none = { kind: 'none', from: null, type: null, code: null, ttl: null } as const;
  it.each([
    [none, 'none'],
    [{ ...none, kind: 'icmp', from: '10.0.14.1', type: 3, code: 3, ttl: 64 } as const, 'ICMP port unreachable from 10.0.14.1, ttl 64'],
    [{ ...none, kind: 'icmp', from: 'fd00::1', type: 1, code: 4, ttl: 64 } as const, 'ICMP port unreachable from fd00::1, ttl 64'],
    [{ ...none, kind: 'reset', from: '10.0.5.150', ttl: 62 } as const, 'a reset from 10.0.5.150, ttl 62'],
  ])('%j is said as "%s"', (answer, text) => expect(describeAnswer(answer)).toBe(text));

  it('of a type without a name is said by number', () => {
    expect(icmpName(4, 40, 2)).toBe('type 40, code 2');
    expect(icmpName(4, 3, 13)).toBe('communication administratively prohibited');
    expect(icmpName(6, 2, 0)).toBe('packet too big');
  });
});

describe('a packet in one line', () => {
  const ip = ipv4('10.0.0.1', '10.0.0.2', 17, 64);
  const udp: Header = { header: 'udp', sourcePort: 1, destinationPort: 2, checksum: false };
  it.each<[PacketHeaders, string]>([
    [[{ header: 'arp', operation: 'request', senderMac: '02:00:00:00:00:01', senderAddress: '10.0.0.1', targetMac: '00:00:00:00:00:00', targetAddress: '10.0.0.2' }], 'ARP who has 10.0.0.2? tell 10.0.0.1'],
    [[ip, { header: 'icmp', type: 3, code: 4, mtu: 1450 }, ip, udp], 'ICMP 10.0.0.1 > 10.0.0.2 fragmentation needed, ttl 64, mtu 1450 about UDP 10.0.0.1:1 > 10.0.0.2:2, ttl 64, no checksum'],
    [[{ ...ip, protocol: 47, dontFragment: true, moreFragments: true, fragmentOffset: 1480 } as Header], 'IP protocol 47 10.0.0.1 > 10.0.0.2, ttl 64, DF, fragment at 1480+'],
    [[ip, { header: 'tcp', sourcePort: 1, destinationPort: 2, sequence: 0, acknowledgement: 1, flags: ['RST', 'ACK'], window: 0 }], 'TCP 10.0.0.1:1 > 10.0.0.2:2 RST ACK, ttl 64'],
    [[{ header: 'ipv6', source: 'fd00::1', destination: 'fd00::2', nextHeader: 17, hopLimit: 9, trafficClass: 0, flowLabel: 0 }, udp], 'UDP [fd00::1]:1 > [fd00::2]:2, hop limit 9, no checksum'],
  ])('%j', (packet, text) => expect(describePacket(null, packet)).toBe(text));

  it('marks what changed, with what it was', () => {
    const before: PacketHeaders = [ipv4('10.0.14.15', '10.16.0.10', 17, 64), { ...udp, destinationPort: 53, checksum: true }];
    const after: PacketHeaders = [ipv4('10.0.14.15', '10.0.0.46', 17, 63), { ...udp, destinationPort: 5353, checksum: true }];
    expect(describePacket(before, after)).toBe('UDP 10.0.14.15:1 > 10.0.0.46:5353 (was 10.16.0.10:53), ttl 63 (was 64)');
    expect(describePacket(before, before)).toBe('');
  });

  it('tells a change inside of a tunnel behind the tunnel\'s own', () => {
    const around = (ttl: number, inner: number): PacketHeaders => [ipv4('192.168.0.1', '192.168.0.2', 17, ttl), { ...udp, checksum: true }, { header: 'vxlan', vni: 1, flags: 0x0800 }, ipv4('10.0.0.1', '10.0.0.2', 17, inner), udp];
    expect(describePacket(around(64, 60), around(63, 60))).toBe('VXLAN vni 1, UDP 192.168.0.1:1 > 192.168.0.2:2, ttl 63 (was 64)');
    expect(describePacket(around(64, 60), around(64, 59))).toBe('UDP 10.0.0.1:1 > 10.0.0.2:2, ttl 59 (was 60)');
  });
});
