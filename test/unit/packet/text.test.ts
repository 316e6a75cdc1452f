import { describe, expect, it } from 'vitest';
import { describeHeader, icmpName } from '../../../engine/src/packet/describe.ts';
import { describeAnswer, renderTrace } from '../../../engine/src/trace/text.ts';
import { pingTrace, serviceTrace, tunTrace } from './sample-trace.ts';

const lines = (text: string): string[] => text.split('\n');

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
    expect(hops[0]).toBe('1  host1 pod default/pod1 eth0 out');
    expect(hops[8]).toBe('9  host2 pod default/pod2 eth0 out');
  });

  it('marks what changed from hop to hop, what was put around and what was taken off', () => {
    const text = renderTrace(pingTrace);
    expect(text).toContain('      ~ IPv4 10.0.14.15 > 10.0.5.150, ttl 63   (ttl was 64)\n');
    expect(text).toContain('      + UDP 36744 > 8472\n      + VXLAN vni 1\n        Ethernet 6a:8c:10:00:00:01 > 6a:8c:10:00:00:02\n');
    expect(text).toContain(' / UDP 36744 > 8472 / VXLAN vni 1\n        Ethernet 6a:8c:10:00:00:01');
    expect(renderTrace(serviceTrace)).toContain('~ IPv4 10.0.14.15 > 10.0.5.151, ttl 64   (destination was 10.16.0.20)');
  });

  it('does not repeat a packet that stayed the same', () => {
    expect(lines(renderTrace(pingTrace)).filter((line) => line.trim() === '= the same packet')).toHaveLength(4);
  });

  it('shows the rule and the route, and the line or the component that they came from', () => {
    const text = renderTrace(pingTrace);
    expect(text).toContain('10.0.0.0/16 dev flannel.1 [demo.k8snet:22, captured]');
    expect(text).toContain('FORWARD filter FLANNEL-FWD rule 1: -A FLANNEL-FWD -s 10.0.0.0/16 -j ACCEPT => ACCEPT [derived by flannel (the pod network 10.0.0.0/16)]');
    expect(text).toContain('6a:8c:10:00:00:02 dst 192.168.93.213 (entry) [derived by flannel (the lease of host2, 10.0.5.0/24), demo.k8snet:33]');
  });

  it('gives every branch its probability and its reason', () => {
    const text = renderTrace(serviceTrace);
    expect(text).toContain('pod1 -> web:80/TCP: 2 branches\n\nbranch 1 of 2, probability 50 %\ndelivered to');
    expect(text).toContain('branch 2 of 2, probability 50 %\ndropped: The policy of FORWARD is DROP. [policy-drop]\nanswer: none\n');
    expect(renderTrace({ ...serviceTrace, branches: serviceTrace.branches.map((each) => ({ ...each, probability: 1 / 3 })) })).toContain('33.33 %');
  });

  it('sets off the packet that an ICMP error quotes', () => {
    const [first] = pingTrace.branches;
    const [hop] = first!.request.hops;
    const quote = hop!.packet.slice(1);
    const error = { ...hop!, packet: [...hop!.packet.slice(0, 2), { header: 'icmp', type: 3, code: 3 } as const, ...quote] };
    const text = renderTrace({ ...pingTrace, branches: [{ ...first!, request: { hops: [error] }, reply: null }] });
    expect(text).toContain('        ICMP port unreachable\n        | IPv4 10.0.14.15 > 10.0.5.150, ttl 64\n        | ICMP echo request, id 77, seq 1\n        | 56 bytes\n');
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

describe('a header in words', () => {
  it.each([
    [{ header: 'arp', operation: 'request', senderMac: '02:00:00:00:00:01', senderAddress: '10.0.0.1', targetMac: '00:00:00:00:00:00', targetAddress: '10.0.0.2' } as const, 'ARP who has 10.0.0.2? tell 10.0.0.1'],
    [{ header: 'icmp', type: 3, code: 4, mtu: 1450 } as const, 'ICMP fragmentation needed, mtu 1450'],
    [{ header: 'ipv4', source: '10.0.0.1', destination: '10.0.0.2', protocol: 47, ttl: 1, tos: 0, id: 0, dontFragment: true, moreFragments: true, fragmentOffset: 1480 } as const, 'IPv4 10.0.0.1 > 10.0.0.2, ttl 1, protocol 47, DF, fragment at 1480+'],
    [{ header: 'udp', sourcePort: 1, destinationPort: 2, checksum: false } as const, 'UDP 1 > 2, no checksum'],
    [{ header: 'tcp', sourcePort: 1, destinationPort: 2, sequence: 0, acknowledgement: 1, flags: ['RST', 'ACK'], window: 0 } as const, 'TCP 1 > 2, RST ACK'],
  ])('%j', (header, text) => expect(describeHeader(header)).toBe(text));
});
