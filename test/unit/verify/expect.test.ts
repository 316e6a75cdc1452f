import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Edit } from '../../../engine/src/verify/explanation.ts';
import type { Verdict } from '../../../engine/src/verify/model.ts';
import { checkExpectation } from '../../../engine/src/verify/expect.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const article = readFileSync(new URL('../../../examples/article.k8snet', import.meta.url), 'utf8');

/** The verdicts of a file's expectations. */
function verdicts(text: string): readonly Verdict[] {
  const snapshot = createSnapshot({ file: 'test.k8snet', text });
  return snapshot.expectations.map((e) => checkExpectation(snapshot.spec(), snapshot.topology(), snapshot.compiled(), e, snapshot.expectations));
}

function only(text: string): Verdict {
  const [verdict, more] = verdicts(text);
  if (verdict === undefined || more !== undefined) throw new Error('one expectation, please');
  return verdict;
}

/** The edits of the first repair. */
const edits = (verdict: Verdict | undefined): readonly Edit[] => verdict?.explanation?.repairs[0]?.edits ?? [];

const added = (verdict: Verdict | undefined): readonly string[] => edits(verdict).flatMap((e) => (e.kind === 'lines' ? e.add : []));

const HOST1 = { kind: 'node', name: 'host1' };

/** The article's network with today's flannel and nothing captured but what is given for host1. */
const cluster = (inHost1: string, expectation: string): string => `
cluster { pod-cidr 10.0.0.0/16; service-cidr 10.16.0.0/16 }
network lan 192.168.93.0/24 { gateway 192.168.93.254 }
external qq.com 203.0.113.7 { listen 443/TCP }
node host1 {
  address 192.168.93.212/24 on lan
  pod-cidr 10.0.14.0/24
  vtep-mac 6a:8c:10:00:00:01
${inHost1}
}
node host2 { address 192.168.93.213/24 on lan; pod-cidr 10.0.5.0/24; vtep-mac 6a:8c:10:00:00:02 }
pod pod1 on host1 { ip 10.0.14.15 }
pod near on host1 { ip 10.0.14.16; labels app=web; listen 8080/TCP }
pod far on host2 { ip 10.0.5.150; labels app=web; listen 8080/TCP }
service web { cluster-ip 10.16.0.20; port http 80/TCP -> 8080; selector app=web }
expect ${expectation}
`;

describe("the article's expectations", () => {
  const [first, second, third, last] = verdicts(article);

  it('hold but for the last', () => {
    expect([first, second, third, last].map((v) => v?.passed)).toEqual([true, true, true, false]);
    expect(first?.sentence).toBeNull();
  });

  it('say of the last what is seen instead, and what the captured table of which host lacks', () => {
    expect(last?.sentence).toBe("qq.com sees 10.0.14.15 as the sender, not 192.168.93.212. The nat table of host1, captured (test.k8snet:24), lacks flannel's rules for the masquerading of host1's pods.");
  });

  it('offer the rules that flannel programs, and hold with them in the file', () => {
    expect(edits(last)).toMatchObject([{ kind: 'lines', owner: HOST1, block: 'iptables', table: 'nat' }]);
    const lines = added(last);
    expect(lines[0]).toBe('-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG');
    expect(lines).toContain('-A FLANNEL-POSTRTG -s 10.0.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully');
    const mended = article.replace(/(--to-destination 10\.0\.0\.46:53)/, `$1\n    ${lines.join('\n    ')}`);
    expect(verdicts(mended).map((v) => v.passed)).toEqual([true, true, true, true]);
  });
});

describe('delivered', () => {
  it('holds where every branch is delivered and answered', () => {
    expect(only(cluster('', 'pod1 -> web:80/TCP delivered')).passed).toBe(true);
  });

  it('asks of every branch what it says of the receiver, the sender seen and the way', () => {
    expect(only(cluster('', 'pod1 -> web:80/TCP delivered to near')).sentence).toBe('With a probability of 50 %, it is delivered to pod default/far, not to near.');
    expect(only(cluster('', 'pod1 -> web:80/TCP delivered to web')).passed).toBe(true);
    expect(only(cluster('', 'pod1 -> far delivered as 10.0.14.16')).sentence).toBe('default/far sees 10.0.14.15 as the sender, not 10.0.14.16.');
    expect(only(cluster('', 'pod1 -> far delivered via host1/cni0, host1/flannel.1, host2/flannel.1, host2/cni0')).passed).toBe(true);
    expect(only(cluster('', 'pod1 -> far delivered via host2/flannel.1, host1/flannel.1')).sentence).toMatch(/^It does not pass host1\/flannel\.1 in the order that is expected; its way is default\/pod1\/eth0, /);
    expect(only(cluster('', 'pod1 -> near delivered via host1/flannel.1')).sentence).toMatch(/^It does not pass host1\/flannel\.1; its way is /);
  });

  it('passes a bridge that hands the frame from port to port', () => {
    expect(only(cluster('', 'pod1 -> near delivered via host1/cni0')).passed).toBe(true);
    expect(only(cluster('', 'pod1 -> near delivered via host2/cni0')).passed).toBe(false);
  });

  it("has a pod on the host's network where its node is", () => {
    const agent = (to: string): Verdict => only(cluster('', `pod1 -> pod/agent:9100/TCP delivered to ${to}\npod agent on host2 { host-network; labels app=agent }\nservice metrics { cluster-ip 10.16.0.21; port 9100; selector app=agent }`));
    expect(agent('agent').passed).toBe(true);
    expect(agent('host2').passed).toBe(true);
    expect(agent('metrics').passed).toBe(true);
    expect(agent('host1').sentence).toBe('It is delivered to node host2, not to host1.');
  });

  it('does not hold where nothing listens', () => {
    expect(only(cluster('', 'pod1 -> far:81/TCP delivered')).sentence).toMatch(/^It is rejected: Nothing listens on 81\/TCP/);
    expect(only(cluster('', 'pod1 -> far:81/TCP rejected')).passed).toBe(true);
  });

  it('does not hold where the request arrives and the reply is lost, and says so', () => {
    const verdict = only(cluster('  iptables {\n    *nat\n    :POSTROUTING ACCEPT [0:0]\n  }', 'pod1 -> qq.com:443/TCP delivered'));
    expect(verdict.passed).toBe(false);
    expect(verdict.sentence).toMatch(/^The request arrives at external qq\.com, but the reply is (unreachable|dropped): /);
    expect(verdict.explanation?.repairs[0]?.title).toBe("add flannel's rules for the masquerading of host1's pods to the nat table of host1");
  });
});

describe('not', () => {
  it('delivered holds where no branch reaches a receiver', () => {
    expect(only(cluster('', 'pod1 -> web ICMP not delivered')).passed).toBe(true);
    expect(only(cluster('', 'pod1 -> far not delivered')).sentence).toBe('It is delivered to pod default/far.');
  });

  it('delivered to somebody holds where others receive it', () => {
    expect(only(cluster('', 'pod1 -> far not delivered to near')).passed).toBe(true);
  });
});

describe('what cannot be decided', () => {
  const unknown = '  iptables {\n    *filter\n    -A FORWARD -m quota --quota 5 -j DROP\n  }';

  it('holds neither way', () => {
    expect(only(cluster(unknown, 'pod1 -> far delivered')).sentence).toMatch(/^It is undecided: /);
    expect(only(cluster(unknown, 'pod1 -> far not delivered')).sentence).toMatch(/^It cannot be told whether it is delivered: /);
  });
});

describe('a party that nobody is', () => {
  it('fails the expectation with the nearest name', () => {
    const verdict = only(cluster('', 'pod1 -> faar delivered'));
    expect([verdict.passed, verdict.sentence, verdict.trace]).toEqual([false, "No pod, node, service or external is named 'faar'; did you mean 'far'?", null]);
  });
});

describe('a repair', () => {
  it('is the one FDB entry that is missing', () => {
    const verdict = only(cluster('  fdb {\n    6a:8c:10:00:00:09 dev flannel.1 dst 192.168.93.219 self permanent\n  }', 'pod1 -> far delivered'));
    expect(edits(verdict)).toMatchObject([{ owner: HOST1, block: 'fdb', add: ['6a:8c:10:00:00:02 dev flannel.1 dst 192.168.93.213 self permanent'], remove: [] }]);
    expect(verdict.explanation?.causes.map((c) => c.sentence)).toEqual([
      "The FDB of host1, captured (test.k8snet:10), lacks flannel's FDB entry for the lease of host2, 10.0.5.0/24: `6a:8c:10:00:00:02 dev flannel.1 dst 192.168.93.213 self permanent`.",
    ]);
  });

  it('is the one neighbour that is missing', () => {
    const verdict = only(cluster('  neighbours {\n    192.168.93.254 dev eth0 lladdr 2a:33:7d:5a:f1:2b STALE\n  }', 'pod1 -> far delivered'));
    expect(edits(verdict)).toMatchObject([{ block: 'neighbours', add: ['10.0.5.0 dev flannel.1 lladdr 6a:8c:10:00:00:02 PERMANENT'] }]);
  });

  it('is the one route that is missing', () => {
    const captured = '  routes {\n    default via 192.168.93.254 dev eth0\n    10.0.14.0/24 dev cni0 proto kernel scope link src 10.0.14.1\n    192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212\n  }';
    const verdict = only(cluster(captured, 'pod1 -> far delivered'));
    expect(edits(verdict)).toMatchObject([{ block: 'routes', add: ['10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink'] }]);
  });

  it('is the sysctl that was turned off, in the line where it was', () => {
    const verdict = only(cluster('  sysctl {\n    net.ipv4.ip_forward = 0\n  }', 'pod1 -> far delivered'));
    expect(edits(verdict)).toMatchObject([{ block: 'sysctl', add: ['net.ipv4.ip_forward = 1'], remove: [{ line: 10 }] }]);
  });

  it('is looked for on the host where the reply is lost, too', () => {
    const broken = cluster('', 'pod1 -> far delivered').replace('vtep-mac 6a:8c:10:00:00:02 }', 'vtep-mac 6a:8c:10:00:00:02\n  fdb {\n    33:33:00:00:00:01 dev eth0 self permanent\n  }\n}');
    expect(edits(only(broken))).toMatchObject([{ owner: { name: 'host2' }, block: 'fdb', add: ['6a:8c:10:00:00:01 dev flannel.1 dst 192.168.93.212 self permanent'] }]);
  });

  it('of several groups of one table names only those that are needed', () => {
    const verdict = only(cluster('  iptables {\n    *nat\n    :PREROUTING ACCEPT [0:0]\n  }', 'pod1 -> web:80/TCP delivered'));
    expect(verdict.sentence).toMatch(/The nat table of host1, captured \(test\.k8snet:10\), lacks /);
    expect(added(verdict).some((l) => l.startsWith('-A KUBE-SERVICES -d 10.16.0.20/32'))).toBe(true);
    expect(added(verdict).some((l) => l.includes('FLANNEL'))).toBe(false);
  });

  it('of a port that nobody listens on is that the pod listens there', () => {
    const verdict = only(cluster('', 'pod1 -> far:81/TCP delivered'));
    expect(edits(verdict)).toEqual([{ kind: 'statement', owner: { kind: 'pod', name: 'default/far' }, inside: null, keyword: 'listen', at: null, text: 'listen 8080/TCP, 81/TCP' }]);
  });

  it('is not offered where it breaks another expectation', () => {
    const [first, second] = verdicts(`${cluster('', 'pod1 -> far:81/TCP delivered')}expect near -> far:81/TCP rejected\n`);
    expect([first?.passed, second?.passed]).toEqual([false, true]);
    expect(first?.explanation?.repairs).toEqual([]);
    expect(first?.explanation?.causes.map((c) => c.code)).toEqual(['port-closed']);
  });

  it('of an expectation that nothing arrives is never the removal of what lets it arrive', () => {
    const captured = '  routes {\n    default via 192.168.93.254 dev eth0\n    10.0.5.0/24 via 10.0.5.0 dev flannel.1 onlink\n    10.0.14.0/24 dev cni0\n    192.168.93.0/24 dev eth0\n  }';
    const verdict = only(cluster(captured, 'pod1 -> far not delivered'));
    expect(verdict.explanation).toEqual({ causes: [], repairs: [] });
  });
});
