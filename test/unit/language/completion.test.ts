/** Completion at every argument of the grammar: something sensible is offered, and what is offered is accepted. */
import { describe, expect, it, test } from 'vitest';
import { GRAMMAR } from '../../../server/src/language/bind/grammar.ts';
import type { ArgumentGrammar, ContextName, StatementGrammar } from '../../../server/src/language/bind/grammar.ts';
import { completions } from '../../../server/src/language/features/completions.ts';
import { hover } from '../../../server/src/language/features/hover.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { snapshotOf } from './fixtures.ts';

const CLUSTER = 'cluster demo { pod-cidr 10.244.0.0/16; service-cidr 10.96.0.0/12 }\n';
const OTHERS = `network lan 192.168.93.0/24 { gateway 192.168.93.254 }
external qq.com 203.0.113.7
node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24; labels topology.kubernetes.io/zone=a }
namespace shop { labels team=shop }
pod shop/web on host1 { ip 10.244.1.10; labels app=web,tier=front; listen 8080/TCP; port http 8080 }
pod client on host1 { ip 10.244.1.11; labels app=client }
service shop/web { cluster-ip 10.96.0.10; port http 80/TCP -> 8080; selector app=web }
service kube-system/kube-dns { cluster-ip 10.96.0.11; port dns 53/UDP; endpoints 10.244.1.10 }
service shop/peers { cluster-ip None; port 80/TCP; selector app=web }
`;

/** What stands around a statement of the context. */
const AROUND: Readonly<Record<ContextName, readonly [string, string]>> = {
  file: ['', ''],
  cluster: ['cluster {\n  ', '\n}'],
  flannel: ['cluster {\n  flannel vxlan {\n    ', '\n  }\n}'],
  'kube-proxy': ['cluster {\n  kube-proxy iptables {\n    ', '\n  }\n}'],
  network: ['network two 10.9.0.0/24 {\n  ', '\n}'],
  external: ['external x 203.0.113.9 {\n  ', '\n}'],
  node: ['node host9 {\n  interface eth3 192.168.93.77/24 on lan\n  ', '\n}'],
  interface: ['node host9 {\n  interface eth0 192.168.93.219/24 {\n    ', '\n  }\n}'],
  pod: ['pod shop/new on host1 {\n  ', '\n}'],
  service: ['service shop/new {\n  port main 80/TCP\n  ', '\n}'],
  namespace: ['namespace n {\n  ', '\n}'],
  'network-policy': ['network-policy shop/p {\n  ', '\n}'],
  ingress: ['network-policy shop/p {\n  ingress {\n    ', '\n  }\n}'],
  egress: ['network-policy shop/p {\n  egress {\n    ', '\n  }\n}'],
};

const isOfCluster = (context: ContextName): boolean => ['cluster', 'flannel', 'kube-proxy'].includes(context);

/** The text with `typed` in it, and the offset behind that. */
function written(context: ContextName, typed: string): { readonly text: string; readonly offset: number } {
  const [before, after] = AROUND[context];
  const head = (isOfCluster(context) ? '' : CLUSTER) + OTHERS + before + typed;
  return { text: `${head}${after}\n`, offset: head.length };
}

function offered(context: ContextName, typed: string): readonly string[] {
  const { text, offset } = written(context, typed);
  return completions(snapshotOf(text), offset).map((c) => c.label);
}

/** A word of each kind, to stand before the argument that is asked about. */
const SAMPLES: Readonly<Record<string, string>> = {
  name: 'x', 'object-name': 'shop/x', 'interface-name': 'eth7', cidr: '10.77.0.0/24', address: '192.168.93.78', 'interface-address': '192.168.93.78/24', listener: '80/TCP', endpoint: '10.244.1.10',
  choice: 'BridgeInterface', label: 'a=b', file: '"x"',
};

/** `interface eth7 192.168.93.78/24 on `: up to where the argument begins. */
function upTo(statement: StatementGrammar, wanted: ArgumentGrammar): string {
  const before = statement.arguments.filter((a) => a.after === undefined && a !== wanted && a.need === 'required' && (wanted.after !== undefined || statement.arguments.indexOf(a) < statement.arguments.indexOf(wanted)));
  return [statement.keyword, ...before.map((a) => SAMPLES[a.kind] ?? '1'), ...(wanted.after === undefined ? [] : [wanted.after]), ''].join(' ');
}

/** What a person alone can choose: names of new things, MACs, and addresses beyond the cluster. */
const OWN = new Set([
  'file cluster NAME', 'file network NAME', 'file network CIDR', 'file external NAME', 'file external ADDRESS', 'file node NAME', 'cluster network-plugin NAME', 'flannel subnet-min ADDRESS', 'flannel subnet-max ADDRESS',
  'node vtep-mac MAC', 'interface mac MAC', 'pod mac MAC', 'pod port NAME', 'pod hostname NAME', 'service port NAME', 'service endpoints HOSTNAME', 'service external-name NAME',
]);

const SLOTS = (Object.entries(GRAMMAR) as [ContextName, readonly StatementGrammar[]][]).flatMap(([context, statements]) =>
  statements.filter((s) => s.block !== 'dump' && s.keyword !== 'objects').flatMap((s) => s.arguments.map((a) => [`${context} ${s.keyword} ${a.label}`, context, upTo(s, a)] as const)));

describe('completion at', () => {
  it.each(SLOTS.filter(([name]) => !OWN.has(name)))('%s offers something, and all of it is accepted', (_, context, typed) => {
    const labels = offered(context, typed);
    expect(labels.length).toBeGreaterThan(0);
    for (const label of labels.filter((l) => !/[/=]$/.test(l))) {
      const problems = snapshotOf(written(context, typed + label).text).diagnostics.filter((d) => d.slug === 'bad-value' || d.slug === 'unknown-name');
      expect(problems.map((d) => d.message), label).toEqual([]);
    }
  });

  it.each(SLOTS.filter(([name]) => !OWN.has(name)))('%s offers the same for a word that is half typed', (_, context, typed) => {
    expect(offered(context, `${typed}z`)).toEqual(expect.arrayContaining(offered(context, typed).filter((label) => !['10.244.1.2'].includes(label))));
  });
});

describe('in a network policy', () => {
  test('the pods that it isolates are those of its namespace', () => {
    expect(offered('network-policy', 'pods ')).toEqual(['app=web', 'tier=front']);
    expect(offered('network-policy', 'pods app=web, ')).toEqual(['app=web', 'tier=front']);
  });

  test('a peer is pods, namespaces or a block, each with its own', () => {
    expect(offered('ingress', 'from ')).toEqual(['pods', 'namespaces', 'ip-block']);
    expect(offered('ingress', 'from namespaces ')).toEqual(['kubernetes.io/metadata.name=default', 'kubernetes.io/metadata.name=shop', 'team=shop', 'pods']);
    expect(offered('ingress', 'from namespaces team=shop ')).toEqual(['pods']);
    expect(offered('egress', 'to namespaces team=shop pods ')).toEqual(['app=client', 'app=web', 'tier=front']);
    expect(offered('egress', 'to pods app=web ')).toEqual(['namespaces']);
    expect(offered('egress', 'to ip-block ')).toEqual(['10.244.0.0/16', '10.244.1.0/24', '192.168.93.0/24', '0.0.0.0/0', '::/0']);
    expect(offered('egress', 'to ip-block 10.244.0.0/16 ')).toEqual(['except']);
    expect(offered('egress', 'to ip-block 10.244.0.0/16 except ')).toContain('10.244.1.0/24');
  });

  test.each(['pods app=web', 'namespaces team=shop', 'namespaces team=shop pods app=web', 'ip-block 10.244.0.0/16 except 10.244.1.0/24'])('what completion builds is a peer: %s', (peer) => {
    expect(snapshotOf(written('ingress', `from ${peer}`).text).diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  });
});

test('a service that shares its name with a pod is offered with its kind, which a question understands', () => {
  expect(offered('file', 'expect client -> ')).toEqual(expect.arrayContaining(['shop/web', 'service/shop/web']));
  expect(snapshotOf(written('file', 'expect client -> service/shop/web:80/TCP delivered').text).diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
});

describe('between the quotes of from', () => {
  const texts = { 'nodes/host1/ip-route.txt': '', 'nodes/host1/.swp': '', 'other.k8snet': '', 'all.json': '' };
  const listFolder = (folder: string) => {
    const start = folder === '' ? '' : `${folder}/`;
    const names = new Set(Object.keys(texts).filter((f) => f.startsWith(start)).map((f) => f.slice(start.length)));
    return [...new Set([...names].map((n) => n.split('/')[0] ?? ''))].map((name) => ({ name, kind: names.has(name) ? 'file' as const : 'folder' as const }));
  };
  const at = (typed: string) => {
    const head = `node a {\n  routes from "${typed}`;
    return completions(createSnapshot({ file: 'x.k8snet', text: `${head}"\n}\n`, listFolder, readFile: () => '' }), head.length).map((c) => [c.label, head.length - c.start]);
  };

  test('files and folders are offered, a folder at a time', () => {
    expect(at('')).toEqual([['nodes/', 0], ['all.json', 0]]);
    expect(at('nodes/host1/ip')).toEqual([['ip-route.txt', 2]]);
  });

  test('nothing else is', () => {
    expect(at('nowhere/')).toEqual([]);
  });
});

describe('hover on', () => {
  const words = (Object.entries(GRAMMAR) as [ContextName, readonly StatementGrammar[]][]).flatMap(([context, statements]) => statements.flatMap((s) => [
    [context, s.keyword, s.keyword, s.block === 'dump' ? `${s.keyword} { }` : s.keyword] as const,
    ...s.arguments.flatMap((a) => [
      ...(a.after === undefined || a.after === 'on' ? [] : [[context, s.keyword, a.after, `${upTo(s, a)}x`] as const]),
      ...(a.choices ?? []).map((choice) => [context, s.keyword, choice, `${upTo(s, a)}${choice}`] as const),
    ]),
  ]));

  it.each(words)('%s: %s tells what %s means', (context, keyword, word, typed) => {
    const { text, offset } = written(context, typed);
    const start = offset - typed.length;
    const found = hover(snapshotOf(text), start + typed.lastIndexOf(word) + 1);
    expect(found?.markdown.startsWith(`\`${keyword}`)).toBe(true);
    expect(text.slice(found?.start, found?.end)).toBe(word);
  });
});
