/** Docker's rules in a dump beside those that `docker` in a node derives. */
import { describe, expect, it } from 'vitest';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const FLANNEL = `-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT`;

const OLDER = `-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN`;

const SINCE_28 = `-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP`;

/** As iptables-save lists them before the rules. */
const chainsOf = (rules: string): string => [...new Set(['DOCKER', 'DOCKER-USER', ...[...rules.matchAll(/^-A (\S+)/gm)].flatMap((m) => m[1] ?? [])])].filter((c) => c !== 'FORWARD').map((c) => `:${c} - [0:0]`).join('\n');

const snapshot = (docker: string, rules: string, expected = '') => createSnapshot({
  file: 'x.k8snet',
  text: `cluster { kube-proxy none }
network lan 192.168.9.0/24
node n1 { ${docker}; address 192.168.9.1/24 on lan; pod-cidr 10.244.1.0/24
  iptables {
*filter
:FORWARD DROP [0:0]
${chainsOf(`${rules}\n${FLANNEL}`)}
${rules}
${FLANNEL}
COMMIT
  }
}
node n2 { address 192.168.9.2/24 on lan; pod-cidr 10.244.2.0/24 }
pod a on n1 { ip 10.244.1.5 }
pod b on n2 { ip 10.244.2.5 }
${expected}`,
});

const told = (docker: string, rules: string): readonly string[] => {
  const s = snapshot(docker, rules);
  return [...s.diagnostics, ...s.driftDiagnostics()].map((d) => `${d.code} ${d.message}`);
};

describe('Docker', () => {
  it.each([['before version 28', OLDER], ['since version 28', SINCE_28]])('%s is no drift on a node that says so', (_, rules) => {
    expect(told('docker', rules)).toEqual([]);
  });

  it('is drift where rules of the older one are missing', () => {
    expect(told('docker', OLDER.replace('-A FORWARD -i docker0 -o docker0 -j ACCEPT\n', ''))).toEqual([expect.stringMatching(/^K8N6001 .*docker's rules/)]);
  });

  it('since version 28 lets pods pass by flannel’s rules, with its FORWARD policy of DROP', () => {
    expect(snapshot('docker', SINCE_28, 'expect a -> b:80 delivered').verdicts()[0]?.sentence).toBeNull();
  });
});
