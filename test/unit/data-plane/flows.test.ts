/** Flows that host1 knew before, zones, and what is not tracked; pod1 to the service of pod2 through host1. */
import { describe, expect, it } from 'vitest';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { tcpFlagsOf } from '../../../engine/src/trace/flow.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { renderTrace } from '../../../engine/src/trace/text.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { clusterText, stages, trace } from './fixture.ts';

const known = (...lines: readonly string[]): string => `conntrack {\n${lines.join('\n')}\n}`;

const ask = (host1: string, from = 'pod1:40000', to = '10.16.0.20:53/UDP'): Branch => trace(clusterText({ host1 }), { from, to });

const toGone = 'udp 17 119 src=10.0.14.15 dst=10.16.0.20 sport=40000 dport=53 src=10.0.5.99 dst=10.0.14.15 sport=8080 dport=40000 [ASSURED] mark=0 use=1';

describe('a flow that a node knows', () => {
  it('goes to the pod that it went to before, though that pod is gone, and no nat rule is asked', () => {
    const branch = ask(known(toGone));
    expect(branch).toMatchObject({ outcome: 'unreachable', reason: { code: 'neighbour-failed' } });
    expect(branch.reason?.sentence).toContain('10.0.5.99');
    const onHost1 = branch.request.hops.filter((hop) => hop.host === 'host1');
    expect(stages(onHost1, 'netfilter').filter((s) => s.table === 'nat' && s.hook === 'PREROUTING' && s.sentence.includes('host1'))).toEqual([]);
    expect(stages(onHost1, 'nat')[0]).toMatchObject({ change: 'destination', before: '10.16.0.20:53', after: '10.0.5.99:8080', by: 'conntrack', source: { layer: 'captured' } });
  });

  it('is of no other client port', () => {
    expect(ask(known(toGone), 'pod1:40001')).toMatchObject({ outcome: 'delivered', deliveredTo: { name: 'default/pod2' } });
  });

  it('is told of where the client has another port now', () => {
    const said = (from: string): readonly string[] => stages(ask(known(toGone), from).request.hops, 'assumption').map((s) => s.sentence);
    expect(said('pod1:40001')).toContain("The client's port 40001 is taken to be a new one; from 40000 host1 knows the same flow already, to 10.0.5.99:8080.");
    expect(said('pod1:40000').filter((s) => s.includes('new one'))).toEqual([]);
    expect(said('pod3:40001').filter((s) => s.includes('new one'))).toEqual([]);
  });

  it('is told on a line of its own', () => {
    expect(renderTrace({ from: 'pod1', to: 'far', branches: [ask(known(toGone))] })).toMatch(/conntrack {2}ESTABLISHED, known already: UDP 10\.0\.14\.15:40000 -> 10\.16\.0\.20:53, answered UDP 10\.0\.5\.99:8080 -> 10\.0\.14\.15:40000 {2}\[test\.k8snet:\d+\]/);
  });

  it('without a reply yet is NEW, and is translated all the same', () => {
    const branch = ask(known(toGone.replace('[ASSURED]', '').replace('src=10.0.5.99', '[UNREPLIED] src=10.0.5.99')));
    expect(stages(branch.request.hops, 'conntrack').find((s) => s.sentence.includes('knows the flow'))).toMatchObject({ state: 'NEW' });
    expect(branch.outcome).toBe('unreachable');
  });

  it('has the mark and the status that were printed', () => {
    const plain = 'udp 17 119 src=10.0.14.15 dst=10.0.5.150 sport=40000 dport=8080 src=10.0.5.150 dst=10.0.14.15 sport=8080 dport=40000 [ASSURED] mark=7 use=1';
    const rules = (match: string): string => `${known(plain)}\niptables {\n*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i cni0 ${match} -j DROP\nCOMMIT\n}`;
    const isMatched = (match: string): boolean => ask(rules(match), 'pod1:40000', 'pod2:8080/UDP').outcome === 'dropped';
    expect(isMatched('-m connmark --mark 0x7')).toBe(true);
    expect(isMatched('-m conntrack --ctstatus ASSURED')).toBe(true);
    expect(isMatched('-m conntrack --ctstate ESTABLISHED')).toBe(true);
    expect(isMatched('-m conntrack --ctstate NEW,DNAT,SNAT')).toBe(false);
    expect(isMatched('-m conntrack --ctstatus NONE')).toBe(false);
  });

  it('that is over is begun anew by a SYN', () => {
    const over = (state: string): Branch => ask(known(`tcp 6 60 ${state} src=10.0.14.15 dst=10.16.0.20 sport=40000 dport=80 src=10.0.5.99 dst=10.0.14.15 sport=8080 dport=40000 [ASSURED] mark=0 use=1`), 'pod1:40000', '10.16.0.20:80/TCP');
    expect(over('TIME_WAIT')).toMatchObject({ outcome: 'delivered', deliveredTo: { name: 'default/pod2' } });
    expect(over('ESTABLISHED').outcome).toBe('unreachable');
  });

  it('that has the tuple of a masqueraded answer makes the kernel take another port', () => {
    const other = 'udp 17 29 src=10.0.14.16 dst=203.0.113.7 sport=40000 dport=99 [UNREPLIED] src=203.0.113.7 dst=192.168.93.212 sport=99 dport=40000 mark=0 use=1';
    const nat = 'iptables {\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -s 10.0.14.0/24 -j MASQUERADE\nCOMMIT\n}';
    const branch = ask(`${known(other)}\n${nat}`, 'pod1:40000', 'out:99/UDP');
    expect(branch.seenAs).toMatchObject({ address: '192.168.93.212' });
    expect(branch.seenAs?.port).not.toBe(40000);
    expect(stages(branch.request.hops, 'nat')[0]?.sentence).toContain('any port of 1024-65535');
    expect(ask(nat, 'pod1:40000', 'out:99/UDP').seenAs).toEqual({ address: '192.168.93.212', port: 40000 });
  });
});

describe('the CT target', () => {
  const rules = (...raw: readonly string[]): string =>
    `iptables {\n*raw\n:PREROUTING ACCEPT [0:0]\n${raw.map((rule) => `-A PREROUTING ${rule}`).join('\n')}\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.16.0.20/32 -p udp -j DNAT --to-destination 10.0.5.150:8080\nCOMMIT\n}`;

  it('NOTRACK keeps the packet from translation', () => {
    const branch = ask(rules('-p udp -m udp --dport 53 -j NOTRACK'));
    expect(stages(branch.request.hops.filter((hop) => hop.host === 'host1'), 'nat')).toEqual([]);
    expect(branch.outcome).not.toBe('delivered');
  });

  it('with a zone for both directions translates the answer back', () => {
    expect(ask(rules('-p udp -m udp --dport 53 -j CT --zone 5', '-p udp -m udp --sport 8080 -j CT --zone 5'))).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply', from: '10.16.0.20' } });
  });

  it('with a zone that the answer is not put into leaves the answer as it is', () => {
    expect(ask(rules('-p udp -m udp --dport 53 -j CT --zone 5'))).toMatchObject({ outcome: 'delivered', reply: { reason: { code: 'unexpected-source' } } });
  });

  it('with a zone of the original direction finds the answer without one', () => {
    expect(ask(rules('-p udp -m udp --dport 53 -j CT --zone-orig 6'))).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply', from: '10.16.0.20' } });
    expect(ask(rules('-p udp -m udp --dport 53 -j CT --zone-reply 6'))).toMatchObject({ outcome: 'delivered', reply: { reason: { code: 'unexpected-source' } } });
  });
});

describe('a TCP segment of no connection', () => {
  const nat = 'iptables {\n*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.16.0.99/32 -p tcp -j DNAT --to-destination 10.0.5.150:8080\nCOMMIT\n}';
  const segment = (flags: string, to: string, host1 = nat): Branch => {
    const snapshot = createSnapshot({ file: 'test.k8snet', text: clusterText({ cluster: 'kube-proxy none', host1 }) });
    const question = resolveQuestion(snapshot.topology(), { from: 'pod1', to });
    if (!('flow' in question)) throw new Error(question.error);
    const [branch] = runTrace(snapshot.compiled(), { ...question.flow, tcpFlags: tcpFlagsOf(flags) ?? 0 }).branches;
    if (branch === undefined) throw new Error('no branch');
    return branch;
  };
  const states = (branch: Branch): readonly string[] => stages(branch.request.hops.filter((hop) => hop.host === 'host1'), 'conntrack').map((s) => s.state);

  it('that is a bare ACK is picked up as NEW, translated, and reset by the listener', () => {
    const branch = segment('ack', '10.16.0.99:80/TCP');
    expect(states(branch)[0]).toBe('NEW');
    expect(branch).toMatchObject({ outcome: 'rejected', reason: { code: 'no-connection' }, answer: { kind: 'reset', from: '10.16.0.99' } });
  });

  it.each(['syn,ack', 'rst', 'fin', 'fin,ack'])('that is a bare %s is INVALID, and so not translated', (flags) => {
    const branch = segment(flags, '10.16.0.99:80/TCP');
    expect(states(branch)[0]).toBe('INVALID');
    expect(stages(branch.request.hops, 'nat')).toEqual([]);
  });

  it('that is a reset or a bare FIN ends at an open port without an answer', () => {
    for (const flags of ['rst', 'fin']) expect(segment(flags, 'pod2:8080/TCP')).toMatchObject({ outcome: 'dropped', reason: { code: 'no-socket' }, answer: { kind: 'none' } });
    expect(segment('fin', 'pod2:9/TCP')).toMatchObject({ outcome: 'rejected', reason: { code: 'port-closed' }, answer: { kind: 'reset' } });
    expect(segment('rst', 'pod2:9/TCP')).toMatchObject({ outcome: 'dropped', reason: { code: 'no-socket' } });
  });

  it('has flags out of six', () => {
    expect([tcpFlagsOf('ack'), tcpFlagsOf('FIN,ACK'), tcpFlagsOf('syn, rst'), tcpFlagsOf('none')]).toEqual([16, 17, 6, undefined]);
  });
});
