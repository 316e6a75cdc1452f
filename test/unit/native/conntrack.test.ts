import { describe, expect, test } from 'vitest';
import { formatAddress } from '../../../engine/src/net/address.ts';
import type { ConntrackTuple } from '../../../engine/src/topology/netfilter.ts';
import { readConntrackLine } from '../../../server/src/language/native/conntrack.ts';

const one = (text: string) => {
  const { record, problems } = readConntrackLine(text);
  expect(problems).toEqual([]);
  return record!;
};

const words = (t: ConntrackTuple) => `${formatAddress(t.source)} ${formatAddress(t.destination)} ${t.ports === null ? '' : `${t.ports.source} ${t.ports.destination}`}${t.icmp === null ? '' : `${t.icmp.type} ${t.icmp.code} ${t.icmp.id}`}`.trim();

// The lines are what conntrack 1.4.7 printed of flows that `conntrack -I` had made.
describe('conntrack -L', () => {
  test('TCP: both directions, the state, the mark', () => {
    const record = one('tcp      6 99 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=5 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=5 [ASSURED] mark=5 use=1');
    expect(record).toMatchObject({ family: 4, protocol: 6, state: 'ESTABLISHED', seenReply: true, assured: true, mark: 5, zones: { original: 0, reply: 0 } });
    expect([record.original, record.reply].map(words)).toEqual(['10.0.0.1 10.0.0.2 5 80', '10.0.0.2 10.0.0.1 80 5']);
  });
  test('UDP that nobody answered, in a zone', () => {
    expect(one('udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5 mark=0 zone=7 use=1')).toMatchObject({
      protocol: 17, state: null, seenReply: false, assured: false, mark: 0, zones: { original: 7, reply: 7 },
    });
  });
  test('a zone of one direction', () => {
    expect(one('udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 zone-orig=3 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5 zone-reply=4 mark=0 use=1').zones).toEqual({ original: 3, reply: 4 });
  });
  test('ICMP has a type, a code and an identifier', () => {
    const record = one('icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=77 mark=0 use=1');
    expect([record.original, record.reply].map(words)).toEqual(['10.0.0.1 10.0.0.2 8 0 77', '10.0.0.2 10.0.0.1 0 0 77']);
  });
  test("`-o id` appends the entry's own number, which is no ICMP identifier", () => {
    expect(one('icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=77 mark=0 use=1 id=1868616932').reply.icmp).toEqual({ type: 0, code: 0, id: 77 });
  });
  test('`-o extended` and /proc/net/nf_conntrack begin with the network protocol', () => {
    expect(one('ipv4     2 tcp      6 99 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=5 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=5 [ASSURED] mark=5 zone=0 use=2').protocol).toBe(6);
    expect(one('ipv6     10 udp      17 29 src=fd00::1 dst=fd00::2 sport=5 dport=53 src=fd00::2 dst=fd00::1 sport=53 dport=5 mark=0 use=1')).toMatchObject({ family: 6, seenReply: true });
  });
  test('counters, labels, helpers, security contexts and times are read over', () => {
    const line = 'tcp 6 117 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=5 dport=80 packets=6 bytes=431 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=5 packets=4 bytes=900 [ASSURED] mark=0 secctx=system_u:object_r:unlabeled_t:s0 delta-time=3 helper=ftp use=1 labels=0x1 [start=Sun Nov 22 12:00:00 2026] [stop=Sun Nov 22 12:00:01 2026]';
    expect(one(line)).toMatchObject({ state: 'TIME_WAIT', text: line });
  });
  test('a protocol without ports', () => {
    expect(one('unknown  47 29 src=10.0.0.1 dst=10.0.0.2 src=10.0.0.2 dst=10.0.0.1 mark=0 use=1')).toMatchObject({ protocol: 47, original: { ports: null, icmp: null } });
  });
  test('what the tool says of itself is no flow', () => {
    expect(readConntrackLine('conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.')).toEqual({ record: null, problems: [] });
  });
  test.each([
    ['tcp ESTABLISHED src=10.0.0.1', 4, 11, 'not-a-dump-line'],
    ['udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53', 0, 3, 'missing-value'],
    ['udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53', 57, 8, 'missing-value'],
    ['udp 17 29 src=10.0.0.300 dst=10.0.0.2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5', 14, 10, 'bad-value'],
    ['udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=70000 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5', 42, 5, 'bad-value'],
    ['udp 17 29 src=10.0.0.1 dst=fd00::2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5', 27, 7, 'bad-value'],
    ['udp 17 29 src=10.0.0.1 dst=10.0.0.2 sprot=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5', 36, 5, 'unknown-word'],
    ['tcp 6 9 ESTABLISHD src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5', 8, 10, 'unknown-word'],
    ['tcp 6 9 [ASURED] src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5', 8, 8, 'unknown-word'],
    ['tcp 6 9 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5 mark=', 94, 5, 'missing-value'],
  ])('%s: the problem is on the very word, and the flow is left out', (text, offset, length, code) => {
    const { record, problems } = readConntrackLine(text);
    expect(problems[0]).toMatchObject({ offset, length, code });
    expect(record).toBeNull();
  });
});

test('GRE in /proc/net/nf_conntrack has its timeouts and keys', () => {
  const line = 'ipv4     2 gre      47 17999 timeout=600, stream_timeout=18000 src=10.0.0.1 dst=10.0.0.2 srckey=0x0 dstkey=0x1 src=10.0.0.2 dst=10.0.0.1 srckey=0x1 dstkey=0x0 [ASSURED] mark=0 zone=0 use=2';
  expect(readConntrackLine(line)).toMatchObject({ record: { protocol: 47, assured: true, seenReply: true }, problems: [] });
});
