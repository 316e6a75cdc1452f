/** What random clusters showed of Linux 6.18, each where the simulator had said otherwise (see docs/fidelity.md). */
import { describe, expect, it } from 'vitest';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { clusterText, deviceOf, trace, traceAfter } from './fixture.ts';

const table = (name: string, chains: readonly string[], ...rules: readonly string[]): string =>
  ['iptables {', `*${name}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), ...rules, 'COMMIT', '}'].join('\n');
const mangle = (...rules: readonly string[]): string => table('mangle', ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], ...rules);
const nat = (...rules: readonly string[]): string => table('nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], ...rules);
const filter = (...rules: readonly string[]): string => table('filter', ['INPUT', 'FORWARD', 'OUTPUT'], ...rules);

const outermost = (hop: Branch['request']['hops'][number] | undefined) => hop?.packet.find((h) => h.header === 'ipv4');

const rulesMet = (branch: Branch): readonly string[] =>
  branch.request.hops.flatMap((hop) => hop.steps.flatMap((step) => (step.stage === 'netfilter' && step.event === 'rule' ? [`${step.table}:${step.chain}:${step.number ?? 0}`] : [])));

describe('the kernel', () => {
  it('sends a SYN of 60 bytes, options included', () => {
    const dropped = (length: number) => trace(clusterText({ host1: filter(`-A FORWARD -p tcp -m length --length ${length} -j DROP`) }), { from: 'pod1', to: 'pod2:8080/TCP' }).reason?.code;
    expect(dropped(60)).toBe('rule-drop');
    expect(dropped(44)).toBeUndefined();
  });

  it('gives the outer packet of a tunnel the default TTL of its host', () => {
    const branch = trace(clusterText({ host1: 'sysctl {\n net.ipv4.ip_default_ttl = 128\n}' }), { from: 'pod1', to: 'pod2' });
    const outer = branch.request.hops.find((hop) => hop.packet.some((h) => h.header === 'vxlan'));
    expect(outermost(outer)).toMatchObject({ ttl: 128 });
  });

  it('answers a closed port with the TOS of the SYN', () => {
    const branch = trace(clusterText({ host1: mangle('-A FORWARD -j DSCP --set-dscp 0x0a') }), { from: 'pod1', to: 'pod2:80/TCP' });
    expect(branch.answer.kind).toBe('reset');
    expect(outermost(branch.reply?.hops[0])).toMatchObject({ tos: 0x28 });
  });

  it('shows no later table of OUTPUT a packet that nat sent where no route leads', () => {
    const text = clusterText({ host1: `${nat('-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.77.1')}\nroutes {\ndefault via 192.168.93.254 dev eth0\n192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212\nunreachable 10.0.77.0/24\n}` });
    const branch = trace(text, { from: 'host1', to: '203.0.113.7:80/TCP' });
    expect(branch.reason?.code).toBe('route-unreachable');
    expect(rulesMet(branch).filter((rule) => rule.startsWith('filter:'))).toEqual([]);
  });

  it('takes the type and code of ICMP for the port that ctorigdstport asks for', () => {
    const code = (ports: string) => trace(clusterText({ host1: filter(`-A FORWARD -p icmp -m conntrack --ctorigdstport ${ports} -j DROP`) }), { from: 'pod1', to: 'pod2' }).reason?.code;
    expect(code('2048')).toBe('rule-drop');
    expect(code('80:90')).toBeUndefined();
  });

  it('lets the host of a socket fragment what rules lead to a smaller device', () => {
    const text = clusterText({ host1: nat('-A OUTPUT -p udp -m udp --dport 9000 -j DNAT --to-destination 10.0.5.150:8080') });
    const branch = traceAfter(text, { from: 'host1', to: '192.168.93.212:9000/UDP', payload: 1472 }, ['host1', 'root'], (host) => {
      deviceOf(host, 'flannel.1').mtu = 1450;
    });
    expect(branch).toMatchObject({ outcome: 'delivered', deliveredTo: { address: '10.0.5.150', port: 8080 } });
  });
});
