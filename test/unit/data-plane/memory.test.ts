/** Matches that remember or that ask who sent: limit, hashlimit, recent, owner, rpfilter; pod1 to pod2 through host1's FORWARD. */
import { describe, expect, it } from 'vitest';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { renderTrace } from '../../../engine/src/trace/text.ts';
import { branches, clusterText, stages, trace } from './fixture.ts';

const filter = (rules: string): string => `iptables {\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}\nCOMMIT\n}`;

const all = (rules: string, to = 'pod2:8080/TCP', from = 'pod1'): readonly Branch[] => branches(clusterText({ host1: filter(rules) }), { from, to });

const ends = (found: readonly Branch[]): readonly (readonly [number, string, readonly string[]])[] => found.map((b) => [b.probability, b.outcome, b.supposing]);

describe('a limit', () => {
  const rules = '-A FORWARD -s 10.0.14.15/32 -m limit --limit 5/min -j ACCEPT\n-A FORWARD -s 10.0.14.15/32 -j DROP';

  it('lets the first packet of an idle node pass, and drops it on a branch that supposes that it is used up', () => {
    expect(ends(all(rules))).toEqual([
      [1, 'delivered', []],
      [0, 'dropped', ['the limit of `-A FORWARD -s 10.0.14.15/32 -m limit --limit 5/min -j ACCEPT` on host1 is used up']],
    ]);
  });

  it('says that it is taken to be idle, and what the other branch supposes', () => {
    const found = all(rules);
    expect(stages(found[0]?.request.hops ?? [], 'assumption').map((s) => s.sentence).join()).toMatch(/Nothing is said of earlier packets.*host1 is taken to be idle/);
    expect(renderTrace({ from: 'pod1', to: 'pod2', branches: found })).toMatch(/ 2 {2}or {7}dropped.*\n +if the limit of `-A FORWARD/);
  });

  it('counts what it lets through within a trace', () => {
    const twice = '-A FORWARD -m limit --limit 1/min --limit-burst 1 -j MARK --set-xmark 0x1/0xffffffff';
    const [idle] = all(`${twice}\n-A FORWARD -s 10.0.5.150/32 -m mark --mark 0x1 -j DROP`);
    expect(idle).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' } });
    const [other] = all(`${twice.replace('--limit-burst 1', '--limit-burst 2')}\n-A FORWARD -s 10.0.5.150/32 -m mark --mark 0x1 -j DROP`);
    expect(other).toMatchObject({ outcome: 'delivered', reply: { outcome: 'dropped' } });
  });

  it('on a rule that only logs makes no branches', () => {
    expect(ends(all('-A FORWARD -m limit --limit 3/min -j LOG'))).toEqual([[1, 'delivered', []]]);
  });

  it('makes one branch more for each, not for each combination', () => {
    const three = [1, 2, 3].map((n) => `-A FORWARD -m limit --limit ${n}/min -j MARK --set-xmark 0x${n}/0xffffffff`).join('\n');
    expect(all(three).map((b) => b.supposing.length)).toEqual([0, 1, 1, 1]);
  });
});

describe('a hashlimit', () => {
  it('shares its buckets by name, and counts each key apart', () => {
    const first = '-A FORWARD -p tcp -m hashlimit --hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name h -j MARK --set-xmark 0x1/0x1';
    const second = '-A FORWARD -p tcp -m hashlimit --hashlimit-above 1/min --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name h -j DROP';
    const [idle, used] = all(`${first}\n${second}`);
    expect(idle?.outcome).toBe('dropped');
    expect(used).toMatchObject({ outcome: 'dropped', supposing: ['the limit `h` for 10.0.14.15 on host1 is used up'] });
    expect(all(second)[0]).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' } });
  });
});

describe('recent', () => {
  const drop = (matches: string): string => `-A FORWARD -s 10.0.14.15/32 -m recent --set --name r --rsource\n-A FORWARD -s 10.0.14.15/32 -m recent ${matches} -j DROP`;
  const isHit = (matches: string): boolean => all(drop(matches))[0]?.outcome === 'dropped';

  it('knows an address that an earlier rule has set', () => {
    expect(isHit('--rcheck --name r --rsource')).toBe(true);
    expect(isHit('--rcheck --name other --rsource')).toBe(false);
    expect(isHit('--rcheck --name r --rdest')).toBe(false);
    expect(isHit('! --rcheck --name r --rsource')).toBe(false);
    expect(isHit('--remove --name r --rsource')).toBe(true);
  });

  it('counts hits', () => {
    expect(isHit('--rcheck --hitcount 2 --name r --rsource')).toBe(false);
    expect(all(`-A FORWARD -s 10.0.14.15/32 -m recent --set --name r --rsource\n${drop('--rcheck --hitcount 2 --name r --rsource')}`)[0]?.outcome).toBe('dropped');
  });

  it('looks at the part of the address that its mask leaves, and at the TTL with --rttl', () => {
    const masked = '-A FORWARD -m recent --set --name m --mask 255.255.0.0 --rsource\n-A FORWARD -m recent --rcheck --name m --mask 255.255.0.0 --rdest -j DROP';
    expect(all(masked)[0]?.outcome).toBe('dropped');
    expect(all(masked.replaceAll('255.255.0.0', '255.255.255.0'))[0]?.outcome).toBe('delivered');
    expect(all('-A FORWARD -m recent --set --name t --rsource\n-A FORWARD -s 10.0.14.15/32 -m recent --rcheck --rttl --name t --rsource -j DROP')[0]?.outcome).toBe('dropped');
  });

  it('is empty at first, and says so', () => {
    const found = trace(clusterText({ host1: filter('-A FORWARD -m recent --rcheck --name r --rsource -j DROP') }), { from: 'pod1', to: 'pod2' });
    expect(found.outcome).toBe('delivered');
    expect(stages(found.request.hops, 'assumption').map((s) => s.sentence)).toContain('Nothing is said of earlier clients, so the list r on host1 is taken to be empty.');
  });
});

describe('owner', () => {
  it('never is of a packet that is forwarded', () => {
    expect(ends(all('-A FORWARD -j ACCEPT\n-A POSTROUTING -j ACCEPT'))).toEqual([[1, 'delivered', []]]);
    const postrouting = 'iptables {\n*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -s 10.0.14.15/32 -m owner --uid-owner 0 -j DROP\n-A POSTROUTING -s 10.0.14.15/32 -m owner ! --uid-owner 0 -j MARK --set-xmark 0x1/0x1\nCOMMIT\n}';
    const found = trace(clusterText({ host1: postrouting }), { from: 'pod1', to: 'pod2' });
    expect(found.outcome).toBe('delivered');
    expect(stages(found.request.hops, 'netfilter').filter((s) => s.table === 'mangle' && s.event === 'rule').map((s) => s.number)).toEqual([2]);
  });

  it('of a process is one of another user first, and the named user on a branch of its own', () => {
    expect(ends(all('-A OUTPUT -d 10.0.5.150/32 -m owner --uid-owner 1337 -j DROP', 'pod2:8080/TCP', 'host1'))).toEqual([
      [1, 'delivered', []],
      [0, 'dropped', ['the sending process in host1 runs with user id 1337']],
    ]);
  });

  it('does not contradict itself within a branch', () => {
    const rules = ['--uid-owner 1000-2000 -j MARK --set-xmark 0x1/0x1', '--uid-owner 1500 -j DROP', '! --uid-owner 0-5000 -j ACCEPT'].map((r) => `-A OUTPUT -d 10.0.5.150/32 -m owner ${r}`).join('\n');
    const found = all(rules, 'pod2:8080/TCP', 'host1');
    // Not of 1000-2000, so not 1500; 0-5000 or not is asked anew. Of 1000-2000: 1500 or not cannot be told.
    expect(found.map((b) => [b.outcome, b.supposing.length])).toEqual([['delivered', 0], ['delivered', 1], ['undecided', 1]]);
  });

  it('of what the kernel answers by itself is nobody', () => {
    const found = trace(clusterText({ host1: filter('-A OUTPUT -p icmp -m owner --uid-owner 0 -j DROP\n-A OUTPUT -p icmp -m owner ! --socket-exists -j DROP') }), { from: 'pod1', to: 'host1' });
    expect(found).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' } });
  });
});

describe('rpfilter', () => {
  const raw = (rule: string): string => `routes {\ndefault via 192.168.93.254 dev eth0\n10.0.14.0/24 dev cni0 scope link\n10.0.5.0/24 via 192.168.93.213 dev eth0\n192.168.93.0/24 dev eth0 scope link\n}\niptables {\n*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING ${rule} -j DROP\nCOMMIT\n}`;
  const dropped = (rule: string, from: string, to: string): boolean => branches(clusterText({ host1: raw(rule) }), { from, to })[0]?.outcome === 'dropped';

  it('asks for a way back by the device that the packet came in by', () => {
    expect(dropped('-i cni0 -m rpfilter --invert', 'pod1', 'pod2')).toBe(false);
    expect(dropped('-i cni0 -m rpfilter', 'pod1', 'pod2')).toBe(true);
    // host2 sends through flannel.1, and host1's way to pod2 is by eth0.
    expect(dropped('-i flannel.1 -m rpfilter --invert', 'pod2', 'pod1')).toBe(true);
    expect(dropped('-i flannel.1 -m rpfilter --loose --invert', 'pod2', 'pod1')).toBe(false);
  });
});

describe('a match on what no packet has', () => {
  it('is answered all the same', () => {
    expect(ends(all('-A FORWARD -m policy --dir in --pol ipsec -j DROP\n-A FORWARD -m helper --helper ftp -j DROP'))).toEqual([[1, 'delivered', []]]);
    expect(ends(all('-A FORWARD -m policy --dir in --pol none -j DROP'))).toEqual([[1, 'dropped', []]]);
  });
});
