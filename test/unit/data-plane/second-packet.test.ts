/** The packet after the answer: shown where it fares otherwise than the first. */
import { describe, expect, it } from 'vitest';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { renderTrace } from '../../../engine/src/trace/text.ts';
import { clusterText, path, stages, trace } from './fixture.ts';

const filter = (rules: string, policy = 'ACCEPT'): string => `iptables {\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ${policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}\nCOMMIT\n}`;

const ask = (host1: string, to = 'pod2:8080/TCP'): Branch => trace(clusterText({ cluster: 'kube-proxy none', host1 }), { from: 'pod1', to });

describe('the second packet of a flow', () => {
  it('is dropped where only NEW is accepted, and the trace says so', () => {
    const branch = ask(filter('-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\n-A FORWARD -s 10.0.5.0/24 -j ACCEPT', 'DROP'));
    expect(branch).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' }, second: { outcome: 'dropped', reason: { code: 'policy-drop' } } });
    expect(renderTrace({ from: 'pod1', to: 'pod2', branches: [branch] })).toMatch(/the second packet: dropped: The policy of the chain FORWARD/);
    expect(stages(branch.second?.hops ?? [], 'conntrack').find((s) => s.sentence.includes('host1'))).toMatchObject({ state: 'ESTABLISHED' });
  });

  it('is an ACK, and a listener takes it', () => {
    const branch = ask(filter('-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j MARK --set-xmark 0x1/0x1\n-A FORWARD -s 10.0.14.15/32 -m mark ! --mark 0x1 -j DROP'));
    expect(branch).toMatchObject({ outcome: 'delivered', second: { outcome: 'dropped', reason: { code: 'rule-drop' } } });
    const last = branch.second?.hops.at(-1)?.packet.find((h) => h.header === 'tcp');
    expect(last).toMatchObject({ flags: ['ACK'] });
  });

  it('is not shown where established packets are accepted before all else', () => {
    expect(ask(filter('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT', 'DROP')).second).toBeUndefined();
    expect(trace(clusterText(), { from: 'pod1', to: 'far:80/TCP' }).second).toBeUndefined();
  });

  it('meets a limit that the first has used up', () => {
    const rules = '-A FORWARD -s 10.0.14.15/32 -m recent --rcheck --hitcount 1 --name once --rsource -j DROP\n-A FORWARD -s 10.0.14.15/32 -m recent --set --name once --rsource -j ACCEPT';
    expect(ask(filter(rules), 'pod2:8080/UDP')).toMatchObject({ outcome: 'delivered', answer: { kind: 'reply' }, second: { outcome: 'dropped', reason: { code: 'rule-drop' } } });
  });

  it('takes another way where a mark that nat set for the first led the first', () => {
    const host1 = 'rules {\n0:\tfrom all lookup local\n100:\tfrom all fwmark 0x5 lookup 100\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n}\nroutes {\ndefault via 192.168.93.254 dev eth0\n10.0.14.0/24 dev cni0 scope link\n10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink\n192.168.93.0/24 dev eth0 scope link\n10.0.5.0/24 via 192.168.93.213 dev eth0 table 100\n}\niptables {\n*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 10.0.14.15/32 -j MARK --set-xmark 0x5/0xffffffff\nCOMMIT\n}';
    const branch = ask(host1);
    expect(path(branch.request.hops)).toContain('host1/eth0 out');
    expect(path(branch.request.hops)).not.toContain('host1/flannel.1 out');
    expect(path(branch.second?.hops ?? [])).toContain('host1/flannel.1 out');
    expect(branch.second?.outcome).toBe('delivered');
  });
});
