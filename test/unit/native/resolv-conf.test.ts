import { describe, expect, test } from 'vitest';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const file = (lines: string, more = ''): string => `network lan 10.1.0.0/24\nnode n { address 10.1.0.1/24 on lan; pod-cidr 10.244.0.0/24 }\npod p on n {\n  ip 10.244.0.2\n  resolv-conf {\n${lines}\n  }\n}\n${more}`;
const read = (lines: string, more?: string) => {
  const snapshot = createSnapshot({ file: 'x.k8snet', text: file(lines, more) });
  const { search, ndots, clusterDns } = snapshot.topology().pods[0]!;
  return { resolver: { search, ndots, clusterDns }, diagnostics: snapshot.diagnostics };
};

describe("a pod's resolv.conf", () => {
  test('replaces what the DNS policy gives', () => {
    const { resolver, diagnostics } = read('    nameserver 10.96.0.10\n    search shop.svc.cluster.local example.org\n    options ndots:2 timeout:1');
    expect(resolver).toEqual({ search: ['shop.svc.cluster.local', 'example.org'], ndots: 2, clusterDns: true });
    expect(diagnostics).toEqual([]);
  });
  test('without a search list and options it has none, and ndots is 1', () => {
    expect(read('    nameserver 10.96.0.10').resolver).toEqual({ search: [], ndots: 1, clusterDns: true });
  });
  test('another name server knows no services', () => {
    expect(read('    nameserver 8.8.8.8').resolver.clusterDns).toBe(false);
    const dns = 'service kube-system/kube-dns { cluster-ip 10.96.0.53; port 53/UDP; endpoints 10.244.0.9 }\n';
    expect(read('    nameserver 10.96.0.10', dns).resolver.clusterDns).toBe(false);
    expect(read('    nameserver 10.96.0.53', dns).resolver.clusterDns).toBe(true);
  });
  test('of search and domain the last counts, and ndots is 15 at most', () => {
    expect(read('    search a.b c.d\n    domain e.f\n    options ndots:99').resolver).toEqual({ search: ['e.f'], ndots: 15, clusterDns: false });
  });
  test.each([
    ['nameserver 10.96.0.300', '10.96.0.300'],
    ['nameserver', 'nameserver'],
    ['nameservr 10.96.0.10', 'nameservr'],
    ['options ndot:5', 'ndot'],
    ['options ndots:many', 'ndots:many'],
    ['sortlist 10.0.0.0', 'sortlist'],
    ['nameserver 10.0.0.1\n    nameserver 10.0.0.2\n    nameserver 10.0.0.3\n    nameserver 10.0.0.4', 'nameserver'],
  ])('%s: the problem is at the very word', (lines, word) => {
    const text = file(`    ${lines}`);
    const [problem, more] = createSnapshot({ file: 'x.k8snet', text }).diagnostics.filter((d) => ['bad-dump', 'not-modelled'].includes(d.slug));
    expect(more).toBeUndefined();
    expect(text.slice(problem!.start, problem!.end)).toBe(word);
  });
});
