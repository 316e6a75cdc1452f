/** What kube-proxy counts with nfacct goes its way as if it were not counted. */
import { describe, expect, it } from 'vitest';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const FILE = (name: string): string => `
cluster { pod-cidr 10.244.0.0/16 }
network lan 192.168.9.0/24
node n1 {
  address 192.168.9.1/24 on lan
  pod-cidr 10.244.1.0/24
  iptables {
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-EXT-A - [0:0]
-A OUTPUT -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -d 127.0.0.0/8 -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -m nfacct --nfacct-name  ${name} -j KUBE-EXT-A
-A KUBE-EXT-A -p tcp -j DNAT --to-destination 10.244.1.5:80
-A POSTROUTING -s 127.0.0.1/32 -j MASQUERADE
COMMIT
  }
}
pod web on n1 { ip 10.244.1.5; listen 80/TCP }
expect n1 -> 127.0.0.1:30080/TCP delivered to web
`;

const sentence = (name: string): string | null | undefined => createSnapshot({ file: 'x.k8snet', text: FILE(name) }).verdicts()[0]?.sentence;

describe('a node port on localhost', () => {
  it('is delivered where kube-proxy counts it', () => {
    expect(sentence('localhost_nps_accepted_pkts')).toBeNull();
  });

  it('is no reason to warn of a match that is not modelled', () => {
    expect(createSnapshot({ file: 'x.k8snet', text: FILE('localhost_nps_accepted_pkts') }).diagnostics.map((d) => d.code)).not.toContain('K8N3002');
  });

  it('warns of another counter, which may have a quota', () => {
    expect(createSnapshot({ file: 'x.k8snet', text: FILE('mine') }).diagnostics.map((d) => d.code)).toContain('K8N3002');
  });

  it('cannot be told where the counter is another, which may have a quota', () => {
    expect(sentence('mine')).toMatch(/cannot be told/);
  });
});
