/** `-m set`, asked on the way of pod1 (10.0.14.15) to pod2 (10.0.5.150) through host1's FORWARD. */
import { describe, expect, it } from 'vitest';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { labScript } from '../../../engine/src/lab/script.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { clusterText, stages, trace } from './fixture.ts';

const filter = (rules: string): string => `iptables {\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}\nCOMMIT\n}`;

const ask = (sets: string, matches: string, to = 'pod2:8080/TCP'): Branch =>
  trace(clusterText({ host1: `ipset {\n${sets}\n}\n${filter(`-A FORWARD -s 10.0.14.15/32 ${matches} -j DROP`)}` }), { from: 'pod1', to });

const isMember = (sets: string, matches: string, to?: string): boolean => ask(sets, matches, to).outcome === 'dropped';

describe('a set', () => {
  it('of addresses matches the side of the packet that the rule names', () => {
    const set = 'create s hash:ip family inet\nadd s 10.0.5.150';
    expect(isMember(set, '-m set --match-set s dst')).toBe(true);
    expect(isMember(set, '-m set --match-set s src')).toBe(false);
    expect(isMember(set, '-m set ! --match-set s src')).toBe(true);
    expect(isMember(set, '-m set ! --match-set s dst')).toBe(false);
  });

  it('of nets is decided by the longest prefix, which may say nomatch', () => {
    const wide = 'create s hash:net family inet\nadd s 10.0.0.0/16';
    expect(isMember(wide, '-m set --match-set s dst')).toBe(true);
    expect(isMember(`${wide}\nadd s 10.0.5.0/24 nomatch`, '-m set --match-set s dst')).toBe(false);
    expect(isMember(`${wide}\nadd s 10.0.5.0/24 nomatch\nadd s 10.0.5.150`, '-m set --match-set s dst')).toBe(true);
  });

  it('of nets tells with --return-nomatch of those that say nomatch alone, also in a list; of addresses as ever', () => {
    const nets = 'create s hash:net family inet\nadd s 10.0.0.0/16\nadd s 10.0.5.0/24 nomatch';
    expect(isMember(nets, '-m set --match-set s dst --return-nomatch')).toBe(true);
    expect(isMember(nets, '-m set --match-set s src --return-nomatch')).toBe(false);
    expect(isMember(nets, '-m set ! --match-set s src --return-nomatch')).toBe(true);
    expect(isMember(`${nets}\ncreate l list:set size 8\nadd l s`, '-m set --match-set l dst --return-nomatch')).toBe(true);
    expect(isMember('create s hash:ip family inet\nadd s 10.0.5.150', '-m set --match-set s dst --return-nomatch')).toBe(true);
  });

  it('takes a range of addresses as written by hand', () => {
    expect(isMember('create s hash:net family inet\nadd s 10.0.5.149-10.0.5.151', '-m set --match-set s dst')).toBe(true);
    expect(isMember('create s hash:net family inet\nadd s 10.0.5.151-10.0.5.160', '-m set --match-set s dst')).toBe(false);
    expect(isMember('create s bitmap:ip range 10.0.5.0/24\nadd s 10.0.5.140-10.0.5.150', '-m set --match-set s dst')).toBe(true);
  });

  it('with a netmask looks at that part of the address', () => {
    expect(isMember('create s hash:ip family inet netmask 24\nadd s 10.0.5.0', '-m set --match-set s dst')).toBe(true);
    expect(isMember('create s hash:ip family inet netmask 24\nadd s 10.0.6.0', '-m set --match-set s dst')).toBe(false);
  });

  it('of ports asks for the protocol too', () => {
    const set = 'create s hash:ip,port family inet\nadd s 10.0.5.150,8080';
    expect(isMember(set, '-m set --match-set s dst,dst')).toBe(true);
    expect(isMember(set, '-m set --match-set s dst,src')).toBe(false);
    expect(isMember(set, '-m set --match-set s dst,dst', 'pod2:8080/UDP')).toBe(false);
    expect(isMember('create s hash:ip,port family inet\nadd s 10.0.5.150,icmp:8/0', '-m set --match-set s dst,dst', 'pod2')).toBe(true);
    expect(isMember('create s bitmap:port range 8000-9000\nadd s 8000-8081', '-m set --match-set s dst')).toBe(true);
    expect(isMember('create s bitmap:port range 0-9000\nadd s 2048', '-m set --match-set s dst', 'pod2')).toBe(false);
  });

  it('of more parts than the rule names matches nothing', () => {
    expect(isMember('create s hash:ip,port family inet\nadd s 10.0.5.150,8080', '-m set --match-set s dst')).toBe(false);
    expect(isMember('create s hash:ip,port family inet\nadd s 10.0.5.150,8080', '-m set ! --match-set s dst')).toBe(true);
  });

  it('of nets and devices ends with the net that is there for another device', () => {
    const set = 'create s hash:net,iface family inet\nadd s 10.0.0.0/16,cni0';
    expect(isMember(set, '-m set --match-set s src,src')).toBe(true);
    expect(isMember(`${set}\nadd s 10.0.14.0/24,eth0`, '-m set --match-set s src,src')).toBe(false);
    expect(isMember('create s hash:net,iface family inet\nadd s 10.0.0.0/16,cn wildcard', '-m set --match-set s src,src')).toBe(true);
  });

  it('of marks and of MACs looks at the packet at hand', () => {
    expect(isMember('create s hash:mark markmask 0xff\nadd s 0x00000000', '-m set --match-set s src')).toBe(true);
    expect(isMember('create s hash:mark\nadd s 0x00000001', '-m set --match-set s src')).toBe(false);
    expect(isMember('create s hash:mac\nadd s 02:00:00:00:00:01', '-m set --match-set s src')).toBe(false);
    expect(isMember('create s hash:mac\nadd s 0a:58:0a:00:0e:0f', '-m set --match-set s src')).toBe(true);
  });

  it('of sets is any of them, each by its own parts', () => {
    const sets = 'create a hash:ip family inet\nadd a 192.0.2.1\ncreate b hash:ip,port family inet\nadd b 10.0.5.150,8080\ncreate s list:set size 8\nadd s a\nadd s b';
    expect(isMember(sets, '-m set --match-set s dst,dst')).toBe(true);
    expect(isMember(sets, '-m set --match-set s dst')).toBe(false);
  });

  it('whose member runs out says that it is taken to be there', () => {
    const branch = ask('create s hash:ip family inet timeout 600\nadd s 10.0.5.150 timeout 12', '-m set --match-set s dst');
    expect(branch.outcome).toBe('dropped');
    expect(stages(branch.request.hops, 'assumption').map((s) => s.sentence)).toContain('The member of the set s that host1 looks for was to stay for 12 seconds more; it is taken to be there still.');
  });

  it('that was not pasted leaves the packet undecided, and says what to paste', () => {
    const branch = ask('', '-m set --match-set s dst');
    expect(branch).toMatchObject({ outcome: 'undecided', reason: { code: 'match-unknown' } });
    expect(branch.reason?.sentence).toMatch(/depends on the set `s`, which the file does not show: paste `ipset save` of host1/);
  });
});

describe('the lab', () => {
  it('makes the sets before the rules that name them, without the options of the hash', () => {
    const host1 = `ipset {\ncreate s hash:ip family inet hashsize 1024 bucketsize 12 initval 0x94bec73e\nadd s 10.0.5.150\n}\n${filter('-A FORWARD -m set --match-set s dst -j DROP')}`;
    const lines = labScript(createSnapshot({ file: 'test.k8snet', text: clusterText({ host1 }) }).topology()).split('\n');
    const at = (line: string): number => lines.findIndex((each) => each.startsWith(line));
    expect(lines[at('ipset restore') + 1]).toBe('create s hash:ip family inet hashsize 1024');
    expect(at('add s 10.0.5.150')).toBeGreaterThan(at('create s'));
    expect(at('-A FORWARD -m set')).toBeGreaterThan(at('add s 10.0.5.150'));
  });

  it('enters the flows that a node knew after its rules, with what they are translated to', () => {
    const host1 = 'conntrack {\nudp 17 119 src=10.0.14.15 dst=10.16.0.20 sport=40000 dport=53 src=10.0.5.99 dst=10.0.14.15 sport=8080 dport=40000 [ASSURED] mark=7 use=1\n}';
    expect(labScript(createSnapshot({ file: 'test.k8snet', text: clusterText({ host1 }) }).topology())).toContain(
      'conntrack -I -p 17 -s 10.0.14.15 -d 10.16.0.20 -t 600 --sport 40000 --dport 53 -u SEEN_REPLY,ASSURED -m 7 --dst-nat 10.0.5.99:8080',
    );
  });
});
