/** NetworkPolicy v1, reasoned from the API reference and kubernetes.io/docs/concepts/services-networking/network-policies. */
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { compileVerdicts } from '../../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, walk } from '../../../engine/src/data-plane/verdict/verdict.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import type { Branch, Step, Trace } from '../../../engine/src/trace/model.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const CLUSTER = `
network lan 192.168.93.0/24, fd00:93::/64 { gateway 192.168.93.254, fd00:93::fe }
cluster { pod-cidr 10.244.0.0/16, fd00:244::/48; service-cidr 10.96.0.0/12, fd00:96::/108 }
external out 203.0.113.7
node n1 { address 192.168.93.1/24, fd00:93::1/64 on lan; pod-cidr 10.244.1.0/24, fd00:244:0:1::/64 }
node n2 { address 192.168.93.2/24, fd00:93::2/64 on lan; pod-cidr 10.244.2.0/24, fd00:244:0:2::/64 }
namespace team { labels tier=trusted }
pod web on n1 { ip 10.244.1.10, fd00:244:0:1::10; labels app=web; port http 8080; port sync 5000/SCTP; listen 8080, 9090, 53/UDP, 5000/SCTP }
pod near on n1 { ip 10.244.1.20, fd00:244:0:1::20; labels app=client }
pod far on n2 { ip 10.244.2.20, fd00:244:0:2::20; labels app=client }
pod other on n2 { ip 10.244.2.30; labels app=other; port http 8080; listen 8080 }
pod team/friend on n2 { ip 10.244.2.40; labels app=client }
pod host on n2 { host-network; labels app=client }
service web { cluster-ip 10.96.0.10, fd00:96::10; port http 80/TCP -> 8080 node-port 30080; selector app=web }
`;

const topologyOf = (policies: string) => buildTopology(createSnapshot({ file: 'policy.k8snet', text: CLUSTER + policies }).spec());

function trace(policies: string, from: string, to: string): Trace {
  const topology = topologyOf(policies);
  const resolved = resolveQuestion(topology, { from, to });
  if (!('flow' in resolved)) throw new Error(resolved.error);
  return runTrace(compileTopology(topology), resolved.flow);
}

const codeOf = (b: Branch): string => (b.outcome === 'delivered' ? `delivered, ${b.answer.kind}` : (b.reason?.code ?? b.outcome));

const outcome = (policies: string, from: string, to: string): string => [...new Set(trace(policies, from, to).branches.map(codeOf))].join(' | ');

type PolicyStep = Extract<Step, { stage: 'network-policy' }>;

const stepsOf = (t: Trace): readonly PolicyStep[] =>
  t.branches.flatMap((b) => [...b.request.hops, ...(b.reply?.hops ?? [])]).flatMap((h) => h.steps).filter((s) => s.stage === 'network-policy');

const PASSES = 'delivered, reply';

describe('who is isolated', () => {
  it('nobody without a policy that selects him', () => {
    expect(outcome('', 'far', 'web:8080')).toBe(PASSES);
    expect(outcome('network-policy p { pods app=absent }', 'far', 'web:8080')).toBe(PASSES);
    expect(stepsOf(trace('network-policy p { pods app=absent }', 'far', 'web:8080'))).toEqual([]);
    expect(outcome('network-policy team/p { }', 'far', 'web:8080')).toBe(PASSES);
  });

  it('every pod of the namespace by a policy without words, for ingress only', () => {
    expect(outcome('network-policy deny { }', 'far', 'web:8080')).toBe('network-policy');
    expect(outcome('network-policy deny { }', 'near', 'web:8080')).toBe('network-policy');
    expect(outcome('network-policy deny { }', 'far', 'out:443')).toBe(PASSES);
  });

  it('by the types that the policy names, else Ingress, and Egress where it has egress rules', () => {
    const both = (policy: string) => [outcome(policy, 'far', 'web:8080'), outcome(policy, 'web', 'out:443')];
    expect(both('network-policy p { pods app=web; types Egress }')).toEqual([PASSES, 'network-policy']);
    expect(both('network-policy p { pods app=web; types Ingress, Egress }')).toEqual(['network-policy', 'network-policy']);
    expect(both('network-policy p { pods app=web; egress { } }')).toEqual(['network-policy', PASSES]);
    expect(both('network-policy p { pods app=web; types Ingress; egress { to ip-block 10.0.0.0/8 } }')).toEqual(['network-policy', PASSES]);
  });

  it('by labels that are there, absent, or among several', () => {
    const selected = (selector: string): boolean => outcome(`network-policy p { pods ${selector} }`, 'far', 'web:8080') === 'network-policy';
    expect(['app=web', 'app in (web, db)', 'app notin (db)', 'app', '!tier', 'tier notin (x)', 'tier!=x', ''].map(selected)).toEqual(Array(8).fill(true));
    expect(['app=db', 'app in (db)', 'app notin (web)', '!app', 'tier', 'app=web, tier=x', 'app=web, app=db'].map(selected)).toEqual(Array(7).fill(false));
  });

  it('never a pod on the host network', () => {
    expect(outcome('network-policy p { }', 'far', 'host:22')).toBe(PASSES);
    expect(outcome('network-policy p { types Egress }', 'host', 'out:443')).toBe(PASSES);
  });
});

describe('peers', () => {
  const from = (peer: string, sender: string): string => outcome(`network-policy p { pods app=web; ingress { from ${peer} } }`, sender, 'web:8080');

  it('are pods of the policy’s own namespace unless it names namespaces', () => {
    expect([from('pods app=client', 'far'), from('pods app=client', 'other'), from('pods app=client', 'team/friend'), from('pods', 'other')]).toEqual([PASSES, 'network-policy', 'network-policy', PASSES]);
  });

  it('are namespaces by their labels, of which each has its name', () => {
    expect([from('namespaces tier=trusted', 'team/friend'), from('namespaces tier=trusted', 'far')]).toEqual([PASSES, 'network-policy']);
    expect([from('namespaces kubernetes.io/metadata.name=team', 'team/friend'), from('namespaces kubernetes.io/metadata.name=default', 'far'), from('namespaces', 'far')]).toEqual([PASSES, PASSES, PASSES]);
  });

  it('are pods in namespaces where one entry names both, and either where two entries do', () => {
    expect([from('namespaces tier=trusted pods app=client', 'team/friend'), from('namespaces tier=trusted pods app=client', 'far'), from('namespaces tier=trusted pods app=other', 'team/friend')]).toEqual([PASSES, 'network-policy', 'network-policy']);
    expect(from('namespaces tier=trusted; from pods app=client', 'far')).toBe(PASSES);
  });

  it('are blocks without their exceptions', () => {
    expect([from('ip-block 10.244.0.0/16', 'far'), from('ip-block 10.244.0.0/16 except 10.244.2.0/24', 'far'), from('ip-block 10.244.0.0/16 except 10.244.2.0/28, 10.244.2.32/27', 'far')]).toEqual([PASSES, 'network-policy', PASSES]);
    expect(outcome('network-policy p { pods app=web; egress { to ip-block 203.0.113.0/24 } }', 'web', 'out:443')).toBe(PASSES);
    expect(outcome('network-policy p { pods app=web; egress { to ip-block 0.0.0.0/0 except 203.0.113.7/32 } }', 'web', 'out:443')).toBe('network-policy');
  });

  it('of pods do not hold what comes from outside the cluster', () => {
    expect(outcome('network-policy p { pods app=web; egress { to pods; to namespaces } }', 'web', 'out:443')).toBe('network-policy');
  });
});

describe('ports', () => {
  const on = (ports: string, to: string): string => outcome(`network-policy p { pods app=web; ingress { ${ports} } }`, 'far', to);

  it('are numbers, ranges, names of the pod’s ports, or all of a protocol', () => {
    expect([on('port 8080', 'web:8080'), on('port 8080', 'web:9090'), on('port 8080-9090', 'web:9090'), on('port 8081-9089', 'web:9090')]).toEqual([PASSES, 'network-policy', PASSES, 'network-policy']);
    expect([on('port http', 'web:8080'), on('port http', 'web:9090'), on('port http/UDP', 'web:8080'), on('port nothing', 'web:8080')]).toEqual([PASSES, 'network-policy', 'network-policy', 'network-policy']);
    expect([on('port */TCP', 'web:9090'), on('port */TCP', 'web:53/UDP')]).toEqual([PASSES, 'network-policy']);
  });

  it('hold of one protocol, TCP unless said', () => {
    expect([on('port 53', 'web:53/UDP'), on('port 53/UDP', 'web:53/UDP'), on('port 5000/SCTP', 'web:5000/SCTP'), on('port sync/SCTP', 'web:5000/SCTP'), on('port 5000', 'web:5000/SCTP')]).toEqual(['network-policy', PASSES, PASSES, PASSES, 'network-policy']);
  });

  it('of egress with a name are those of the pod that receives', () => {
    expect(outcome('network-policy p { pods app=client; egress { port http } }', 'far', 'other:8080')).toBe(PASSES);
    expect(outcome('network-policy p { pods app=client; egress { port http } }', 'far', 'other:9999')).toBe('network-policy');
    expect(outcome('network-policy p { pods app=client; egress { port http } }', 'far', 'out:8080')).toBe('network-policy');
  });

  it('and peers must both hold, in one rule', () => {
    const policy = 'network-policy p { pods app=web; ingress { from pods app=client; port 9090 }; ingress { from pods app=other; port 8080 } }';
    expect([outcome(policy, 'far', 'web:9090'), outcome(policy, 'far', 'web:8080'), outcome(policy, 'other', 'web:8080')]).toEqual([PASSES, 'network-policy', PASSES]);
  });
});

describe('several policies', () => {
  it('add up: what one allows, the other cannot forbid', () => {
    const policies = 'network-policy deny { }\nnetwork-policy allow { pods app=web; ingress { from pods app=client } }';
    const t = trace(policies, 'far', 'web:8080');
    expect(t.branches.map(codeOf)).toEqual([PASSES]);
    expect(stepsOf(t)[0]).toMatchObject({ direction: 'ingress', pod: 'default/web', policies: ['default/allow'], verdict: 'allow' });
    expect(stepsOf(t)[0]?.source).toMatchObject({ layer: 'declared', line: (CLUSTER + policies).split('\n').findIndex((l) => l.includes('allow')) + 1 });
  });

  it('are all named where none allows', () => {
    const t = trace('network-policy b { }\nnetwork-policy a { pods app=web; ingress { from pods app=db } }', 'far', 'web:8080');
    expect(t.branches[0]?.reason?.sentence).toBe('Network policies default/a and default/b isolate pod default/web for ingress, and no rule allows 8080/TCP from pod default/far (10.244.2.20).');
  });

  it('at both ends must both allow', () => {
    const out = 'network-policy out { pods app=client; egress { to pods app=web } }';
    expect(outcome(`${out}\nnetwork-policy in { pods app=web }`, 'far', 'web:8080')).toBe('network-policy');
    expect(outcome(`${out}\nnetwork-policy in { pods app=web; ingress { port 8080 } }`, 'far', 'web:8080')).toBe(PASSES);
  });
});

describe('a service', () => {
  it('is judged by the pod and port behind it, at the sender and at the receiver', () => {
    const allow = 'network-policy out { pods app=client; egress { to pods app=web; port 8080 } }\nnetwork-policy in { pods app=web; ingress { from pods app=client; port 8080 } }';
    for (const sender of ['near', 'far']) {
      expect(outcome(allow, sender, 'service/web:80')).toBe(PASSES);
      expect(outcome('network-policy out { pods app=client; egress { port 80 } }', sender, 'service/web:80')).toBe('network-policy');
      expect(outcome('network-policy in { pods app=web; ingress { port 80 } }', sender, 'service/web:80')).toBe('network-policy');
    }
  });

  it('lets a pod reach itself', () => {
    expect(outcome('network-policy p { types Ingress, Egress }', 'web', 'service/web:80')).toBe(PASSES);
  });

  it('whose node port masquerades on the pod’s own node is undefined where the client is not allowed', () => {
    expect(outcome('network-policy p { pods app=web }', 'out', '192.168.93.1:30080')).toBe('network-policy-undefined');
    expect(outcome('network-policy p { pods app=web; ingress { from ip-block 203.0.113.0/24 } }', 'out', '192.168.93.1:30080')).toBe(PASSES);
  });

  it('whose node port masquerades on another node is judged by that node’s address', () => {
    expect(outcome('network-policy p { pods app=web; ingress { from ip-block 203.0.113.0/24 } }', 'out', '192.168.93.2:30080')).toBe('network-policy');
  });
});

describe('always let through', () => {
  it('is the pod’s own node, both ways, and no other', () => {
    expect(outcome('network-policy p { }', 'n1', 'web:8080')).toBe(PASSES);
    expect(outcome('network-policy p { types Egress }', 'web', 'n1:22')).toBe(PASSES);
    expect(outcome('network-policy p { }', 'n2', 'web:8080')).toBe('network-policy');
    expect(outcome('network-policy p { types Egress }', 'web', 'n2:22')).toBe('network-policy');
  });

  it('is the answer to what was let through', () => {
    const t = trace('network-policy p { pods app=client; types Ingress, Egress; egress { to pods app=web } }', 'far', 'web:8080');
    expect(t.branches.map(codeOf)).toEqual([PASSES]);
    expect(stepsOf(t).map((s) => `${s.direction} ${s.pod} ${s.verdict}`)).toEqual(['egress default/far allow', 'ingress default/far allow']);
  });
});

describe('a ping', () => {
  it('is the controller’s affair where no rule is without ports', () => {
    expect(outcome('network-policy p { }', 'far', 'web')).toBe('network-policy-undefined');
    expect(outcome('network-policy p { pods app=web; ingress { from pods app=client; port 8080 } }', 'far', 'web')).toBe('network-policy-undefined');
    expect(outcome('network-policy p { pods app=web; ingress { from pods app=client } }', 'far', 'web')).toBe(PASSES);
  });
});

describe('IPv6', () => {
  it('is judged by its own addresses', () => {
    expect(outcome('network-policy p { pods app=web; ingress { from ip-block fd00:244::/48 } }', 'far', '[fd00:244:0:1::10]:8080')).toBe(PASSES);
    expect(outcome('network-policy p { pods app=web; ingress { from ip-block 0.0.0.0/0 } }', 'far', '[fd00:244:0:1::10]:8080')).toBe('network-policy');
    expect(outcome('network-policy p { pods app=web; ingress { from pods app=client } }', 'near', '[fd00:96::10]:80')).toBe(PASSES);
  });
});

describe('the engine without a record', () => {
  it('leaves pods that are isolated to the exact one', () => {
    const asked = (policies: string, from: string, to: string) => {
      const topology = topologyOf(policies);
      const resolved = resolveQuestion(topology, { from, to });
      const runner = makeRunner(compileVerdicts(compileTopology(topology)));
      const handle = runner === null || !('flow' in resolved) ? null : prepare(runner, resolved.flow);
      if (runner === null || handle === null) throw new Error('no runner');
      return walk(runner, handle, 0, 0) === null;
    };
    expect(asked('', 'far', 'other:8080')).toBe(false);
    expect(asked('network-policy p { pods app=web }', 'far', 'other:8080')).toBe(false);
    expect(asked('network-policy p { pods app=other }', 'far', 'other:8080')).toBe(true);
    expect(asked('network-policy p { pods app=client; types Egress }', 'far', 'other:8080')).toBe(true);
  });
});
