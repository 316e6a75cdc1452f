/** Names as kubelet and CoreDNS give them: kubernetes/dns, docs/specification.md; pkg/kubelet/network/dns. */
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../../engine/src/net/address.ts';
import { fittingSearch, resolve } from '../../../engine/src/control-plane/dns.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const topologyOf = (text: string) => buildTopology(createSnapshot({ file: 'dns.k8snet', text }).spec());

const BASE = `
network lan 192.168.93.0/24
node n1 { address 192.168.93.1/24 on lan; pod-cidr 10.244.1.0/24 }
pod kube-system/dns on n1 { ip 10.244.1.2; labels k8s-app=kube-dns }
service kube-system/kube-dns { cluster-ip 10.96.0.10; port dns 53/UDP; selector k8s-app=kube-dns }
pod shop/db-0 on n1 { ip 10.244.1.10; labels app=db; hostname db-0; subdomain db; port sql 5432 }
pod shop/db-1 on n1 { ip 10.244.1.11; labels app=db; hostname db-1; subdomain db; port sql 5433 }
pod shop/db-2 on n1 { ip 10.244.1.12; labels app=db; not-ready; hostname db-2; subdomain db }
service shop/db { cluster-ip None; port sql 5432 -> sql; selector app=db }
service shop/all { cluster-ip None; selector app=db; publish-not-ready-addresses }
service shop/near { external-name far.shop.svc.cluster.local }
service shop/far { external-name db.shop.svc.cluster.local }
service shop/one { external-name two.shop.svc.cluster.local }
service shop/two { external-name one.shop.svc.cluster.local }
external www.example.com 203.0.113.7
service shop/www { external-name www.example.com }
`;
const topology = topologyOf(BASE);
const ask = (name: string) => {
  const { queries, addresses } = resolve(topology, name, { search: [], ndots: 1, clusterDns: true });
  return { answer: queries.at(-1)?.answer, addresses: addresses.map(formatAddress) };
};

describe('CoreDNS answers', () => {
  it('with every ready endpoint of a headless service, with ports or without', () => {
    expect(ask('db.shop.svc.cluster.local.').addresses).toEqual(['10.244.1.10', '10.244.1.11']);
    expect(ask('all.shop.svc.cluster.local.').addresses).toEqual(['10.244.1.10', '10.244.1.11', '10.244.1.12']);
  });

  it('that there is no such name where a headless service has nobody that is ready', () => {
    const empty = topologyOf(`${BASE}\nservice shop/none { cluster-ip None; port web 80; selector app=nobody }`);
    const answer = (name: string): string | undefined => resolve(empty, name, { search: [], ndots: 1, clusterDns: true }).queries.at(-1)?.answer;
    expect([answer('none.shop.svc.cluster.local.'), answer('_web._tcp.none.shop.svc.cluster.local.')]).toEqual(['NXDOMAIN', 'NXDOMAIN']);
  });

  it('with one endpoint by its hostname, or by its address where it has none under that service', () => {
    expect(ask('db-1.db.shop.svc.cluster.local.').addresses).toEqual(['10.244.1.11']);
    expect(ask('db-2.db.shop.svc.cluster.local.').answer).toBe('NXDOMAIN');
    expect(ask('10-244-1-11.all.shop.svc.cluster.local.').addresses).toEqual(['10.244.1.11']);
    expect(ask('10-244-1-2.kube-dns.kube-system.svc.cluster.local.').addresses).toEqual(['10.244.1.2']);
    expect(ask('10-244-1-11.db.shop.svc.cluster.local.').answer).toBe('NXDOMAIN');
  });

  it('with SRV records of named ports: of the service, or of each endpoint with its own port', () => {
    expect(ask('_dns._udp.kube-dns.kube-system.svc.cluster.local.').answer).toBe('SRV 53 kube-dns.kube-system.svc.cluster.local, A 10.96.0.10');
    expect(ask('_sql._tcp.db.shop.svc.cluster.local.').answer).toBe('SRV 5432 db-0.db.shop.svc.cluster.local, SRV 5433 db-1.db.shop.svc.cluster.local, A 10.244.1.10, A 10.244.1.11');
    expect(ask('_sql._udp.db.shop.svc.cluster.local.').answer).toBe('NXDOMAIN');
    expect(ask('_web._tcp.db.shop.svc.cluster.local.').answer).toBe('NXDOMAIN');
  });

  it('with the name of an address', () => {
    expect(ask('10.0.96.10.in-addr.arpa.').answer).toBe('PTR kube-dns.kube-system.svc.cluster.local');
    expect(ask('11.1.244.10.in-addr.arpa.').answer).toBe('PTR db-1.db.shop.svc.cluster.local');
    expect(ask('2.1.244.10.in-addr.arpa.').answer).toBe('NXDOMAIN');
    expect(ask('1.2.0.192.in-addr.arpa.').answer).toBe('NXDOMAIN');
    expect(ask(`${'0.'.repeat(32)}ip6.arpa.`).answer).toBe('NXDOMAIN');
  });

  it('along a chain of aliases, and not round in a circle', () => {
    expect(ask('near.shop.svc.cluster.local.')).toEqual({ answer: 'CNAME far.shop.svc.cluster.local, CNAME db.shop.svc.cluster.local, A 10.244.1.10, A 10.244.1.11', addresses: ['10.244.1.10', '10.244.1.11'] });
    expect(ask('www.shop.svc.cluster.local.').addresses).toEqual(['203.0.113.7']);
    expect(ask('one.shop.svc.cluster.local.').answer).toMatch(/a loop$/);
  });
});

describe('a pod’s resolv.conf', () => {
  const of = (inside: string) => {
    const pod = topologyOf(`${BASE}pod shop/p on n1 { ip 10.244.1.20; ${inside} }\n`).pods.find((p) => p.name === 'p');
    return [pod?.search.join(' '), pod?.ndots, pod?.clusterDns];
  };
  const cluster = ['shop.svc.cluster.local svc.cluster.local cluster.local', 5, true];

  it('is the cluster’s by the policy ClusterFirst, on the host’s network only with ClusterFirstWithHostNet', () => {
    expect([of(''), of('host-network; dns-policy ClusterFirstWithHostNet')]).toEqual([cluster, cluster]);
    expect(of('host-network')).toEqual(['', 5, false]);
  });

  it('is the node’s by the policy Default', () => {
    expect(of('dns-policy Default')).toEqual(['', 1, false]);
  });

  it('is what the pod says by the policy None', () => {
    expect(of('dns-policy None; nameserver 10.96.0.10; search a.example; ndots 2')).toEqual(['a.example', 2, true]);
    expect(of('dns-policy None; nameserver 192.0.2.53')).toEqual(['', 1, false]);
  });
});

describe('a search list', () => {
  const domains = (count: number, length: number): string[] => Array.from({ length: count }, (_, i) => String(i).padStart(length, 'a'));

  it('has each domain once, and 32 at most', () => {
    expect(fittingSearch(['a', 'b', 'a'])).toEqual(['a', 'b']);
    expect(fittingSearch(domains(32, 5))).toHaveLength(32);
    expect(fittingSearch(domains(33, 5))).toEqual(domains(33, 5).slice(0, 32));
  });

  it('has 2,048 characters at most, blanks between them included', () => {
    // 16 domains of 127 characters and 15 blanks are 2,047; one of 128 instead makes 2,048, two 2,049.
    expect(fittingSearch(domains(16, 127))).toHaveLength(16);
    expect(fittingSearch([...domains(15, 127), 'x'.repeat(128)])).toHaveLength(16);
    expect(fittingSearch([...domains(15, 127), 'x'.repeat(129)])).toHaveLength(15);
  });

  it('has no domain that is longer than a name may be', () => {
    expect(fittingSearch(['x'.repeat(254), 'x'.repeat(253)])).toEqual(['x'.repeat(253)]);
  });

  it('of a pod is what kubelet would write', () => {
    const pod = topologyOf(`${BASE}\npod shop/many on n1 { ip 10.244.1.40; search ${domains(40, 6).join(', ')} }`).pods.find((p) => p.name === 'many');
    expect(pod?.search).toHaveLength(32);
  });
});
