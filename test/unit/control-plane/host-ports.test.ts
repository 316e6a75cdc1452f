/** portmap's and Docker's chains, and kubelet's: spelled as iptables-save prints them after it restored them. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { containerChain } from '../../../engine/src/control-plane/portmap.ts';
import { sha512Hex } from '../../../engine/src/control-plane/sha512.ts';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const topologyOf = (text: string) => buildTopology(createSnapshot({ file: 'ports.k8snet', text }).spec());

const CLUSTER = `
network lan 192.168.93.0/24, fd00:93::/64 { gateway 192.168.93.254, fd00:93::fe }
external out 203.0.113.7
node n1 { address 192.168.93.1/24, fd00:93::1/64 on lan; pod-cidr 10.244.1.0/24, fd00:244:0:1::/64; DOCKER }
node n2 { address 192.168.93.2/24, fd00:93::2/64 on lan; pod-cidr 10.244.2.0/24, fd00:244:0:2::/64 }
pod web on n1 {
  ip 10.244.1.10, fd00:244:0:1::10
  port http 8080 host-port 80; port dns 53/UDP host-port 5353 host-ip 192.168.93.1; port 9090; port 8443 host-port 443 host-ip fd00:93::1
  listen 8080, 53/UDP, 8443
}
pod far on n2 { ip 10.244.2.20, fd00:244:0:2::20 }
`;
const cluster = (docker = '', settings = '') => topologyOf(`cluster { pod-cidr 10.244.0.0/16, fd00:244::/48; ${settings} }\n${CLUSTER.replace('DOCKER', docker)}`);

function savedOf(topology: ReturnType<typeof cluster>, table: string, family: 4 | 6 = 4): readonly string[] {
  const found = topology.hosts.find((h) => h.name === 'n1')?.namespaces[0]?.tables.find((t) => t.name === table && t.family === family);
  return (found?.chains ?? []).flatMap((c) => [`:${c.name} ${c.policy ?? '-'}`, ...c.rules.map((r) => r.text)]);
}

function outcome(topology: ReturnType<typeof cluster>, from: string, to: string): string {
  const resolved = resolveQuestion(topology, { from, to });
  if (!('flow' in resolved)) throw new Error(resolved.error);
  return runTrace(compileTopology(topology), resolved.flow).branches.map((b) => (b.outcome === 'delivered' ? `${b.deliveredTo?.name ?? ''}:${b.deliveredTo?.port ?? ''} from ${b.seenAs?.address ?? ''}, ${b.answer.kind}` : (b.reason?.code ?? b.outcome))).join(' | ');
}

describe('host ports', () => {
  it('have chains with the names that portmap gives', () => {
    const id = 'icee6giejonei6sohng6ahngee7laquohquee9shiGo7fohferakah3Feiyoolu2pei7ciPhoh7shaoX6vai3vuf0ahfaeng8yohb9ceu0daez5hashee8ooYai5wa3y';
    // As the plugin's own tests have them.
    expect([containerChain('testNetName', id), containerChain('test', id)]).toEqual(['CNI-DN-bfd599665540dd91d5d28', 'CNI-DN-67e92b96e692a494b6b85']);
    for (const length of [0, 1, 111, 112, 127, 128, 300]) expect(sha512Hex('é'.repeat(length))).toBe(createHash('sha512').update('é'.repeat(length)).digest('hex'));
  });

  it('are translated to the pod, and masqueraded from its subnet and from localhost', () => {
    const rules = savedOf(cluster(), 'nat').map((r) => r.replace(/CNI-DN-[0-9a-f]{21}/g, 'CNI-DN').replace(/id: \\"[0-9a-f]{64}\\"/, 'id'));
    expect(rules.filter((r) => /CNI/.test(r))).toEqual([
      '-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
      '-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
      '-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ',
      ':CNI-DN -',
      '-A CNI-DN -s 10.244.1.0/24 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN -s 127.0.0.1/32 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.10:8080',
      '-A CNI-DN -s 10.244.1.0/24 -d 192.168.93.1/32 -p udp -m udp --dport 5353 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN -s 127.0.0.1/32 -d 192.168.93.1/32 -p udp -m udp --dport 5353 -j CNI-HOSTPORT-SETMARK',
      '-A CNI-DN -d 192.168.93.1/32 -p udp -m udp --dport 5353 -j DNAT --to-destination 10.244.1.10:53',
      ':CNI-HOSTPORT-DNAT -',
      '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"cbr0\\" id" -m multiport --dports 80,443 -j CNI-DN',
      '-A CNI-HOSTPORT-DNAT -p udp -m comment --comment "dnat name: \\"cbr0\\" id" -m multiport --dports 5353 -j CNI-DN',
      ':CNI-HOSTPORT-MASQ -',
      '-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE',
      ':CNI-HOSTPORT-SETMARK -',
      '-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000',
    ]);
    expect(savedOf(cluster(), 'nat', 6).filter((r) => r.includes('DNAT --to'))).toEqual([expect.stringContaining('-p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00:244:0:1::10]:8080'), expect.stringContaining('-d fd00:93::1/128 -p tcp -m tcp --dport 443 -j DNAT --to-destination [fd00:244:0:1::10]:8443')]);
  });

  it('lead to the pod from everywhere', () => {
    const topology = cluster();
    expect(outcome(topology, 'out', '192.168.93.1:80')).toBe('default/web:8080 from 203.0.113.7, reply');
    expect(outcome(topology, 'far', '192.168.93.1:80')).toMatch(/^default\/web:8080 from .*, reply$/);
    expect(outcome(topology, 'web', '192.168.93.1:80')).toBe('default/web:8080 from 10.244.1.1, reply');
    expect(outcome(topology, 'n1', '127.0.0.1:80')).toBe('default/web:8080 from 10.244.1.1, reply');
    expect(outcome(topology, 'n1', '192.168.93.1:5353/UDP')).toMatch(/^default\/web:53 from .*, reply$/);
  });

  it('of no pod leave no chain', () => {
    const topology = topologyOf('network lan 192.168.93.0/24\nnode n1 { address 192.168.93.1/24 on lan }\npod p on n1 { ip 10.244.1.10; port 8080 }\n');
    expect(savedOf(topology, 'nat').filter((r) => r.includes('CNI'))).toEqual([]);
  });
});

describe('Docker', () => {
  it('drops what it is not asked to forward, behind what kube-proxy accepts', () => {
    const filter = savedOf(cluster('docker'), 'filter');
    expect(filter).toContain(':FORWARD DROP');
    expect(filter.filter((r) => r.startsWith('-A FORWARD ') && !r.includes('KUBE'))).toEqual([
      '-A FORWARD -j DOCKER-USER',
      '-A FORWARD -j DOCKER-ISOLATION-STAGE-1',
      '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-A FORWARD -o docker0 -j DOCKER',
      '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT',
      '-A FORWARD -i docker0 -o docker0 -j ACCEPT',
      '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
    ]);
    expect(filter.filter((r) => /^:DOCKER|^-A DOCKER/.test(r))).toEqual([
      ':DOCKER -', ':DOCKER-ISOLATION-STAGE-1 -', '-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2', '-A DOCKER-ISOLATION-STAGE-1 -j RETURN',
      ':DOCKER-ISOLATION-STAGE-2 -', '-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP', '-A DOCKER-ISOLATION-STAGE-2 -j RETURN', ':DOCKER-USER -', '-A DOCKER-USER -j RETURN',
    ]);
    expect(savedOf(cluster('docker'), 'nat').filter((r) => /DOCKER|docker0/.test(r))).toEqual([
      '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER', '-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER',
      '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE', ':DOCKER -', '-A DOCKER -i docker0 -j RETURN',
    ]);
    expect([savedOf(cluster('docker'), 'filter', 6), savedOf(cluster(), 'filter')].flat().filter((r) => r === ':FORWARD DROP' || r.includes('DOCKER'))).toEqual([]);
  });

  it('has docker0 without a carrier', () => {
    const root = cluster('docker 172.18.0.1/24').hosts.find((h) => h.name === 'n1')?.namespaces[0];
    expect(root?.routes.map((r) => r.text).filter((t) => t.includes('docker0'))).toEqual([
      '172.18.0.0/24 dev docker0 proto kernel scope link src 172.18.0.1 linkdown',
      'local 172.18.0.1 dev docker0 table local proto kernel scope host src 172.18.0.1',
      'broadcast 172.18.0.255 dev docker0 table local proto kernel scope link src 172.18.0.1 linkdown',
    ]);
  });

  it('lets flannel’s pods through, and not other networks', () => {
    expect(outcome(cluster('docker'), 'far', '10.244.1.10:8080')).toBe('default/web:8080 from 10.244.2.20, reply');
    const routed = cluster('docker; routes { 10.9.0.0/16 via 192.168.93.2 dev eth0; default via 192.168.93.254 dev eth0; 10.244.1.0/24 dev cni0; 192.168.93.0/24 dev eth0 }');
    const off = topologyOf(`cluster { pod-cidr 10.244.0.0/16; flannel none }\n${CLUSTER.replace('DOCKER', 'docker')}`);
    expect(outcome(off, 'web', 'out:443')).toBe('policy-drop');
    expect(outcome(routed, 'web', 'out:443')).toBe('out:443 from 192.168.93.1, reply');
  });
});

describe('kubelet', () => {
  it('has its empty chains where the file says so', () => {
    const canaries = (settings: string) => ['mangle', 'filter', 'nat'].flatMap((t) => savedOf(cluster('', settings), t).filter((r) => /KUBELET|HINT/.test(r)).map((r) => `${t} ${r}`));
    expect(canaries('kubelet-chains')).toEqual(['mangle :KUBE-IPTABLES-HINT -', 'mangle :KUBE-KUBELET-CANARY -', 'filter :KUBE-KUBELET-CANARY -', 'nat :KUBE-KUBELET-CANARY -']);
    expect(canaries('')).toEqual([]);
  });
});
