/** Chains, matches and targets, asked on the way of pod1 to pod2 through host1's FORWARD. */
import { describe, expect, it } from 'vitest';
import { exactProbability } from '../../../engine/src/data-plane/netfilter/matches/chance.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { branches, clusterText, path, stages, trace } from './fixture.ts';

const table = (name: string, chains: string, rules: string): string => `iptables {\n*${name}\n${chains}\n${rules}\nCOMMIT\n}`;

const FILTER = ':INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]';

const forwardRules = (rules: string, chains = ''): string => table('filter', `${FILTER}${chains === '' ? '' : `\n${chains}`}`, rules);

const ask = (rules: string, chains = '', to = 'pod2:8080/TCP'): Branch => trace(clusterText({ host1: forwardRules(rules, chains) }), { from: 'pod1', to });

/** What host1's FORWARD did, as the kernel's TRACE would tell it. */
const walk = (branch: Branch): readonly string[] =>
  stages(branch.request.hops, 'netfilter').filter((s) => s.hook === 'FORWARD' && s.sentence.includes('host1') && s.table === 'filter').map((s) => `${s.chain}:${s.event}:${s.number ?? ''} ${s.verdict}`);

describe('a chain', () => {
  it('is walked in order, and its policy decides at the end', () => {
    expect(walk(ask('-A FORWARD -s 192.0.2.1/32 -j DROP\n-A FORWARD -s 10.0.14.15/32 -j A\n-A FORWARD -d 192.0.2.1/32 -j DROP', ':A - [0:0]'))).toEqual(['FORWARD:rule:2 jump A', 'A:return:1 RETURN', 'FORWARD:policy: ACCEPT']);
  });

  it('gives back to its caller at RETURN', () => {
    expect(walk(ask('-A FORWARD -j A\n-A FORWARD -j ACCEPT\n-A A -j RETURN\n-A A -j DROP', ':A - [0:0]'))).toEqual(['FORWARD:rule:1 jump A', 'A:rule:1 RETURN', 'FORWARD:rule:2 ACCEPT']);
  });

  it('reached by goto gives back to the caller of the chain that went there', () => {
    const rules = '-A FORWARD -j A\n-A FORWARD -j ACCEPT\n-A A -g B\n-A A -j DROP\n-A B -d 192.0.2.1/32 -j DROP';
    expect(walk(ask(rules, ':A - [0:0]\n:B - [0:0]'))).toEqual(['FORWARD:rule:1 jump A', 'A:rule:1 goto B', 'B:return:2 RETURN', 'FORWARD:rule:2 ACCEPT']);
  });

  it('goes to the policy when the built-in chain itself went by goto', () => {
    expect(walk(ask('-A FORWARD -g A\n-A FORWARD -j DROP\n-A A -d 192.0.2.1/32 -j DROP', ':A - [0:0]'))).toEqual(['FORWARD:rule:1 goto A', 'A:return:2 RETURN', 'FORWARD:policy: ACCEPT']);
  });

  it('with the policy DROP drops, and names itself', () => {
    const branch = trace(clusterText({ host1: table('filter', ':INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]', '') }), { from: 'pod1', to: 'pod2' });
    expect(branch).toMatchObject({ outcome: 'dropped', reason: { code: 'policy-drop' }, answer: { kind: 'none' } });
    expect(branch.reason?.sentence).toContain('FORWARD');
  });

  it('that is not there, or leads back, leaves the packet undecided', () => {
    expect(ask('-A FORWARD -j NOWHERE')).toMatchObject({ outcome: 'undecided', reason: { code: 'chain-missing' } });
    expect(ask('-A FORWARD -j A\n-A A -j B\n-A B -j A', ':A - [0:0]\n:B - [0:0]')).toMatchObject({ outcome: 'undecided', reason: { code: 'chain-loop' } });
  });
});

describe('a match', () => {
  it('that is not known leaves the packet undecided, and names the rule, the match and the host', () => {
    const branch = ask('-A FORWARD -p tcp -m u32 --u32 "0&0xFF=1" -j DROP');
    expect(branch).toMatchObject({ outcome: 'undecided', reason: { code: 'match-unknown' }, answer: { kind: 'none' } });
    expect(branch.reason?.sentence).toMatch(/u32.*host1.*depends on `-m u32 --u32 0&0xFF=1`/);
  });

  it('that is not known does not matter where another of the rule fails', () => {
    expect(ask('-A FORWARD -p udp -m u32 --u32 "0&0xFF=1" -j DROP').outcome).toBe('delivered');
    expect(ask('-A FORWARD -m u32 --u32 "0&0xFF=1" -m mark --mark 0x9 -j DROP').outcome).toBe('delivered');
  });

  it.each(['-m string --string x --algo bm -j DROP', '-m time --timestart 08:00:00 -j DROP', '-m set --match-set s src -j DROP'])('whose answer is not in the file leaves it undecided: %s', (rule) => {
    expect(ask(`-A FORWARD ${rule}`)).toMatchObject({ outcome: 'undecided', reason: { code: 'match-unknown' } });
  });

  it('that is not known does not matter where its rule only logs', () => {
    expect(ask('-A FORWARD -m limit --limit 3/min -j LOG --log-prefix "seen "\n-A FORWARD -m u32 --u32 "0&0xFF=1"').outcome).toBe('delivered');
  });

  it.each([
    '-s 10.0.14.0/24', '! -s 10.0.15.0/24', '-d 10.0.5.150/32', '-i cni0', '-i cni+', '-o flannel.1', '! -o eth0', '-p tcp', '-p tcp -m tcp --dport 8080',
    '-p tcp -m tcp --dport 8000:8100', '-p tcp -m multiport --dports 80,8080', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN', '-m conntrack --ctstate NEW',
    '-m conntrack ! --ctstate ESTABLISHED', '-m addrtype --src-type UNICAST', '-m addrtype ! --dst-type LOCAL', '-m iprange --src-range 10.0.14.10-10.0.14.20',
    '-m mark ! --mark 0x1', '-m ttl --ttl-eq 63', '-m ttl --ttl-lt 64', '-m length --length 40:100', '-m comment --comment "only words"', '-m pkttype --pkt-type unicast',
    '-m conntrack --ctorigdst 10.0.5.150/32', '-m conntrack --ctproto tcp', '-m conntrack ! --ctproto udp', '-m statistic --mode random --probability 1.00000000000', '-m physdev --physdev-in veth+',
  ])('holds for the packet: %s', (match) => {
    expect(ask(`-A FORWARD ${match} -j DROP`)).toMatchObject({ outcome: 'dropped', reason: { code: 'rule-drop' } });
  });

  it.each([
    '! -s 10.0.14.0/24', '-d 10.0.5.151/32', '-i eth0', '-o cni0', '-p udp', '-p tcp -m tcp --dport 8081', '-p tcp -m tcp ! --dport 8080', '-p tcp -m multiport --dports 80,81',
    '-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK', '-m conntrack --ctstate RELATED,ESTABLISHED', '-m conntrack --ctstate DNAT', '-m addrtype --dst-type LOCAL',
    '-m mark --mark 0x4000/0x4000', '-m ttl --ttl-gt 63', '-m connmark --mark 0x1', '-p icmp -m icmp --icmp-type 8', '-m physdev --physdev-out veth+', '-f',
  ])('does not hold for the packet: %s', (match) => {
    expect(ask(`-A FORWARD ${match} -j DROP`).outcome).toBe('delivered');
  });

  it('of a service sees the translated flow', () => {
    expect(ask('-A FORWARD -m conntrack --ctstate DNAT -j DROP', '', 'far:80/TCP').outcome).toBe('dropped');
    expect(ask('-A FORWARD -m conntrack --ctorigdst 10.16.0.20/32 --ctorigdstport 80 -j DROP', '', 'far:80/TCP').outcome).toBe('dropped');
    expect(ask('-A FORWARD -d 10.16.0.20/32 -j DROP', '', 'far:80/TCP').outcome).toBe('delivered');
  });
});

describe('chance', () => {
  const split = (rules: string): readonly (readonly [number, string])[] => branches(clusterText({ host1: forwardRules(rules) }), { from: 'pod1', to: 'pod2' }).map((b) => [b.probability, b.outcome]);

  it('makes a branch of each side, the match first', () => {
    expect(split('-A FORWARD -d 10.0.5.0/24 -m statistic --mode random --probability 0.25000000000 -j DROP')).toEqual([[0.25, 'dropped'], [0.75, 'delivered']]);
  });

  it('multiplies along the way', () => {
    const rule = '-A FORWARD -d 10.0.5.0/24 -m statistic --mode random --probability 0.50000000000 -j DROP';
    expect(split(`${rule}\n${rule}`)).toEqual([[0.5, 'dropped'], [0.25, 'dropped'], [0.25, 'delivered']]);
  });

  it('of nth is one in n, as the counter stands anywhere', () => {
    expect(split('-A FORWARD -d 10.0.5.0/24 -m statistic --mode nth --every 4 --packet 0 -j DROP')).toEqual([[0.25, 'dropped'], [0.75, 'delivered']]);
  });

  it('takes what iptables-save prints for one in n as that', () => {
    // iptables-save 1.8.9 of --probability 0.33333333349 and 0.16666666651
    expect(exactProbability(0.33333333349)).toBe(1 / 3);
    expect(exactProbability(0.16666666651)).toBe(1 / 6);
    expect(exactProbability(0.3)).toBe(0.3);
    expect(exactProbability(0)).toBe(0);
    expect(exactProbability(1)).toBe(1);
  });

  it('stops at a budget, and the rest is open', () => {
    const rules = Array.from({ length: 14 }, (_, i) => `-A OUTPUT -m statistic --mode random --probability 0.50000000000 -j MARK --set-xmark ${1 << i}/${1 << i}`).join('\n');
    const all = branches(clusterText({ host1: forwardRules(`${rules}\n-A OUTPUT -j DROP`) }), { from: 'host1', to: '127.0.0.1' });
    expect(all.length).toBe(4097);
    expect(all.at(-1)).toMatchObject({ outcome: 'undecided', reason: { code: 'too-many-branches' } });
    expect(all.reduce((sum, b) => sum + b.probability, 0)).toBeCloseTo(1, 9);
  }, 60_000);
});

describe('a target', () => {
  it.each([
    ['icmp-port-unreachable', 3], ['icmp-net-unreachable', 0], ['icmp-host-unreachable', 1], ['icmp-proto-unreachable', 2], ['icmp-net-prohibited', 9],
    ['icmp-host-prohibited', 10], ['icmp-admin-prohibited', 13],
  ])('REJECT answers with %s', (kind, code) => {
    expect(ask(`-A FORWARD -j REJECT --reject-with ${kind}`)).toMatchObject({ outcome: 'rejected', reason: { code: 'rule-reject' }, answer: { kind: 'icmp', type: 3, code, from: '10.0.14.1', ttl: 64 } });
  });

  it('REJECT answers with a TCP reset, as if from the destination', () => {
    expect(ask('-A FORWARD -p tcp -j REJECT --reject-with tcp-reset')).toMatchObject({ outcome: 'rejected', answer: { kind: 'reset', from: '10.0.5.150', ttl: 64 } });
  });

  it('REJECT with a TCP reset goes straight back out of the bridge port, untranslated', () => {
    // nf_send_reset: what br_netfilter has seen is answered past every chain, so a service's client is told by the endpoint.
    const branch = ask('-A FORWARD -p tcp -j REJECT --reject-with tcp-reset', '', 'far:80/TCP');
    expect(branch).toMatchObject({ outcome: 'rejected', answer: { kind: 'none' }, reply: { outcome: 'dropped', reason: { code: 'unexpected-source' } } });
    expect(path(branch.reply?.hops ?? [])).toEqual(['host1/veth out', 'pod1/eth0 in']);
  });

  it('that is not known leaves the packet undecided where its rule matches', () => {
    const branch = ask('-A FORWARD -p tcp -j SYNPROXY --mss 1400');
    expect(branch).toMatchObject({ outcome: 'undecided', reason: { code: 'target-unknown' } });
    expect(branch.reason?.sentence).toContain('its target `SYNPROXY --mss 1400` is not known');
    expect(ask('-A FORWARD -p udp -j CLUSTERIP --new').outcome).toBe('delivered');
  });

  it('TEE lets the packet go on, and the trace says that the copy is not followed', () => {
    const branch = ask('-A FORWARD -j TEE --gateway 192.0.2.1');
    expect(branch.outcome).toBe('delivered');
    expect(stages(branch.request.hops, 'assumption').map((s) => s.sentence)).toContain('host1 sends a copy to 192.0.2.1 (TEE); the copy is not followed.');
  });

  it('NFQUEUE leaves it open, unless it may be bypassed: then nobody listens, or a program that decides', () => {
    expect(ask('-A FORWARD -j NFQUEUE --queue-num 3')).toMatchObject({ outcome: 'undecided', reason: { code: 'target-unknown' } });
    const both = branches(clusterText({ host1: forwardRules('-A FORWARD -j NFQUEUE --queue-num 3 --queue-bypass\n-A FORWARD -j DROP') }), { from: 'pod1', to: 'pod2:8080/TCP' });
    expect(both.map((b) => [b.outcome, b.supposing])).toEqual([['delivered', []], ['undecided', ['a program listens on queue 3 of host1, which then decides']]]);
  });

  it('SET changes the set for the rules behind it, which are then open', () => {
    const sets = 'ipset {\ncreate s hash:ip family inet\n}\n';
    const after = (rules: string): Branch => trace(clusterText({ host1: `${sets}${forwardRules(rules)}` }), { from: 'pod1', to: 'pod2:8080/TCP' });
    expect(after('-A FORWARD -j SET --add-set s src')).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' } });
    expect(after('-A FORWARD -m set --match-set s src -j DROP').outcome).toBe('delivered');
    const branch = after('-A FORWARD -j SET --add-set s src\n-A FORWARD -m set --match-set s src -j DROP');
    expect(branch.reason?.sentence).toMatch(/depends on the set `s`, which a rule has just changed/);
  });

  it('that changes nothing here lets the packet go on', () => {
    expect(ask('-A FORWARD -p udp -j AUDIT --type accept\n-A FORWARD -p tcp -j AUDIT --type accept').outcome).toBe('delivered');
  });

  it('MARK and LOG let the packet go on to the next rule', () => {
    expect(walk(ask('-A FORWARD -j LOG --log-prefix "seen "\n-A FORWARD -j MARK --set-xmark 0x7/0xffffffff\n-A FORWARD -m mark --mark 0x7 -j DROP'))).toEqual(['FORWARD:rule:1 LOG', 'FORWARD:rule:2 MARK', 'FORWARD:rule:3 DROP']);
  });

  it('SNAT to an address is seen by the receiver, and undone for the answer', () => {
    const nat = table('nat', ':PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]', '-A POSTROUTING -o eth0 -p tcp -j SNAT --to-source 192.168.93.212:4000');
    expect(trace(clusterText({ host1: nat }), { from: 'pod1', to: 'out:80/TCP' })).toMatchObject({ seenAs: { address: '192.168.93.212', port: 4000 }, answer: { kind: 'reply', from: '203.0.113.7' } });
  });

  it('DNAT to several addresses makes a branch of each', () => {
    const nat = table('nat', ':PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]', '-A PREROUTING -d 192.0.2.1/32 -j DNAT --to-destination 10.0.5.150-10.0.5.151');
    const all = branches(clusterText({ host1: nat }), { from: 'pod1', to: '192.0.2.1' });
    expect(all.map((b) => [b.probability, b.outcome])).toEqual([[0.5, 'delivered'], [0.5, 'unreachable']]);
  });

  it('REDIRECT sends the packet to the host itself', () => {
    const nat = table('nat', ':PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]', '-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128');
    expect(trace(clusterText({ host1: nat }), { from: 'pod1', to: 'out:80/TCP' })).toMatchObject({ deliveredTo: { kind: 'node', name: 'host1', address: '10.0.14.1', port: 3128 }, answer: { kind: 'reply', from: '203.0.113.7' } });
  });

  it('NETMAP keeps the host part', () => {
    const nat = table('nat', ':PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]', '-A PREROUTING -d 192.0.2.0/24 -j NETMAP --to 10.0.5.0/24');
    expect(trace(clusterText({ host1: nat }), { from: 'pod1', to: '192.0.2.150:8080/TCP' })).toMatchObject({ deliveredTo: { name: 'default/pod2' }, answer: { from: '192.0.2.150' } });
  });
});
