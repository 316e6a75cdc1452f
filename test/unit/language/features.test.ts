import { describe, expect, it } from 'vitest';
import { codeLenses } from '../../../server/src/language/features/code-lenses.ts';
import { completions } from '../../../server/src/language/features/completions.ts';
import { definition, references } from '../../../server/src/language/features/definition.ts';
import { documentSymbols } from '../../../server/src/language/features/document-symbols.ts';
import { foldingRanges } from '../../../server/src/language/features/folding.ts';
import { hover } from '../../../server/src/language/features/hover.ts';
import { fixableAt, quickFixes } from '../../../server/src/language/features/quick-fixes.ts';
import { example, snapshotOf, withCursor } from './fixtures.ts';

const article = example('article.k8snet');

/** The article with the cursor in the middle of the n-th occurrence of a text. */
const at = (needle: string, nth = 0): number => {
  let offset = article.indexOf(needle);
  for (let i = 0; i < nth; i++) offset = article.indexOf(needle, offset + 1);
  return offset + Math.floor(needle.length / 2);
};

const snapshot = snapshotOf(article);

describe('hover', () => {
  const over = (needle: string, nth = 0): string => hover(snapshot, at(needle, nth))?.markdown ?? '';

  it('tells what a keyword means and how it is written', () => {
    expect(over('service-cidr')).toBe("`service-cidr CIDR[, …]`\n\nThe services' addresses; default `10.96.0.0/12`.");
    expect(over('routes {')).toContain('`ip route`');
  });

  it('tells what a name stands for', () => {
    expect(over('on host2', 0)).toMatch(/node host2[\s\S]*eth0 192\.168\.93\.213\/24 on lan[\s\S]*pod-cidr 10\.0\.5\.0\/24[\s\S]*1 pod/);
    expect(over('kube-system/kube-dns {')).toMatch(/service kube-system\/kube-dns[\s\S]*10\.16\.0\.10[\s\S]*53\/UDP[\s\S]*kube-system\/kube-dns-1/);
  });

  it('tells who has an address, in a declaration as in a dump', () => {
    expect(over('10.0.0.46:53')).toMatch(/10\.0\.0\.46\*\*: pod kube-system\/kube-dns-1 \(private \(RFC 1918\)\)\n- in host3's pod-cidr 10\.0\.0\.0\/24/);
    expect(over('via 10.0.14.1 dev eth0')).toMatch(/the bridge cni0 of host1/);
    expect(over('192.168.93.254 dev')).toMatch(/the gateway of network lan/);
  });

  it('tells what a chain does and whose it is', () => {
    expect(over('KUBE-SEP-L5MHPWJPDKD7XIFG')).toMatch(/one endpoint[\s\S]*table nat, 1 rule[\s\S]*kube-system\/kube-dns:dns[\s\S]*reached from KUBE-SVC-TCOU7JCQXEZGVUNU/);
  });

  it('tells what a rule or route does', () => {
    expect(over('--to-destination')).toBe('Translates the destination to 10.0.0.46:53.\n\nFor service kube-system/kube-dns:dns.');
    expect(over('proto static')).toBe('Everything that no other route takes goes through the gateway 192.168.93.254 by eno16777984.');
  });

  it('says nothing over a comment or a blank line', () => {
    expect(hover(snapshot, at('what the hosts are'))).toBeUndefined();
    expect(hover(snapshot, article.indexOf('\n\n') + 1)).toBeUndefined();
  });
});

describe('definition and references', () => {
  const defined = (needle: string, nth = 0): string[] => definition(snapshot, at(needle, nth)).map((r) => article.slice(article.lastIndexOf('\n', r.start) + 1, r.end));

  it('lead from a use to the declaration', () => {
    expect(definition(snapshot, article.indexOf('on host2') + 4).map((r) => article.slice(r.start - 5, r.end))).toEqual(['node host2']);
    expect(definition(snapshot, article.indexOf('on lan', article.indexOf('node host2')) + 4).map((r) => article.slice(r.start - 8, r.end))).toEqual(['network lan']);
    expect(definition(snapshot, article.lastIndexOf('pod1') + 1).map((r) => article.slice(r.start - 4, r.end))).toEqual(['pod pod1']);
  });

  it('lead from a jump to the chain, and from an expectation through DNS to the service', () => {
    expect(defined('-j KUBE-SERVICES')).toEqual(['    -A KUBE-SERVICES']);
    expect(definition(snapshot, at('kube-dns.kube-system:53')).map((r) => article.slice(r.start - 8, r.end))).toEqual(['service kube-system/kube-dns']);
  });

  it('lead from a selector to the pods with the label', () => {
    expect(definition(snapshot, article.lastIndexOf('k8s-app=kube-dns') + 3).map((r) => r.start)).toEqual([article.indexOf('k8s-app=kube-dns')]);
  });

  it('find every use of a name', () => {
    const found = references(snapshot, article.indexOf('node host1') + 6);
    expect(found.map((r) => article.slice(r.start, r.end))).toEqual(['host1', 'host1', 'host1']);
    const device = references(snapshot, at('eno16777984'));
    expect(device.map((r) => article.slice(r.start, r.end))).toEqual(['eno16777984', 'eno16777984', 'eno16777984']);
  });
});

describe('the outline', () => {
  it('lists the declarations with their parts', () => {
    const symbols = documentSymbols(snapshot);
    expect(symbols.map((s) => `${s.kind} ${s.name}`)).toEqual([
      'cluster demo', 'network lan', 'external qq.com', 'node host1', 'node host2', 'node host3', 'pod pod1', 'pod pod2', 'pod kube-system/kube-dns-1',
      'service kube-system/kube-dns', ...snapshot.expectations.map((e) => `expect ${e.text}`),
    ]);
    expect(symbols[3]?.children.map((c) => c.name)).toEqual(['eno16777984', 'docker0', 'routes', 'iptables']);
  });

  it('nests ranges and keeps the name inside its declaration', () => {
    const check = (s: ReturnType<typeof documentSymbols>[number]): void => {
      expect(s.selection.start).toBeGreaterThanOrEqual(s.start);
      expect(s.selection.end).toBeLessThanOrEqual(s.end);
      expect(s.name).not.toBe('');
      for (const c of s.children) {
        expect(c.start).toBeGreaterThanOrEqual(s.start);
        expect(c.end).toBeLessThanOrEqual(s.end);
        check(c);
      }
    };
    documentSymbols(snapshot).forEach(check);
    documentSymbols(snapshotOf('node\npod\nservice {\ncluster\nexpect\nnode n { interface }\n')).forEach(check);
  });

  it('folds blocks of several lines from their first line on', () => {
    const folds = foldingRanges(snapshot).map((f) => article.slice(article.lastIndexOf('\n', f.start) + 1, article.indexOf('\n', f.start)).trim());
    expect(folds).toEqual(['cluster demo {', 'node host1 {', 'routes {', 'iptables {', 'pod pod1 on host1 {', 'routes {', 'service kube-system/kube-dns {']);
  });
});

describe('code lenses', () => {
  it('stand above every pod, node, service and external, with the party that a trace names', () => {
    expect(codeLenses(snapshot).map((l) => [l.title, l.kind, l.party, snapshot.lineOf(l.start)])).toEqual([
      ['Trace to…', 'external', 'qq.com', 10], ['Trace to…', 'node', 'host1', 12], ['Trace to…', 'node', 'host2', 31], ['Trace to…', 'node', 'host3', 32],
      ['Trace to…', 'pod', 'default/pod1', 34], ['Trace to…', 'pod', 'default/pod2', 42], ['Trace to…', 'pod', 'kube-system/kube-dns-1', 43],
      ['Trace to…', 'service', 'kube-system/kube-dns', 45],
    ]);
  });
});

describe('quick fixes', () => {
  it('are those of the diagnostics that a range touches', () => {
    const broken = snapshotOf(article.replace('on host2 { ip', 'on hsot2 { ip'));
    const [diagnostic] = broken.diagnostics;
    expect(fixableAt(broken, { start: diagnostic?.start ?? 0, end: diagnostic?.start ?? 0 }, [])).toEqual([diagnostic]);
    expect(diagnostic === undefined ? [] : quickFixes(broken, diagnostic).map((f) => f.title)).toEqual(["Replace with 'host2'"]);
    expect(fixableAt(broken, { start: 0, end: 1 }, [])).toEqual([]);
  });
});

describe('completion', () => {
  /** Labels offered at `$0`, in a file that has the article's objects too. */
  const offered = (marked: string): string[] => {
    const { text, offset } = withCursor(marked);
    return completions(snapshotOf(`${text}\n${article}`), offset).map((c) => c.label);
  };

  it('offers the keywords of the place', () => {
    expect(offered('$0')).toEqual(['cluster', 'network', 'external', 'node', 'pod', 'service', 'namespace', 'network-policy', 'objects', 'expect']);
    expect(offered('no$0')).toContain('node');
    expect(offered('node n {\n  $0\n}')).toContain('pod-cidr');
    expect(offered('node n { address 10.0.0.1/8 on lan; p$0 }')).toContain('public-ip');
    expect(offered('cluster x {\n  flannel vxlan { $0 }\n}')).toEqual(['vni', 'port', 'mtu', 'direct-routing', 'routes-per', 'no-masquerade', 'subnet-manager', 'subnet-len', 'ipv6-subnet-len', 'subnet-min', 'subnet-max']);
    expect(offered('service s {\n  $0')).toContain('cluster-ip');
  });

  it('replaces the word at the cursor', () => {
    const { text, offset } = withCursor('pod x on ho$0');
    const [item] = completions(snapshotOf(`${text}\n${article}`), offset);
    expect(text.slice(item?.start, item?.end)).toBe('ho');
  });

  it('offers names of the kind that is expected', () => {
    expect(offered('pod x on $0')).toEqual(['host1', 'host2', 'host3']);
    expect(offered('pod x $0')).toEqual(['on']);
    expect(offered('node n { address 10.0.0.1/8 on $0 }')).toEqual(['lan']);
    expect(offered('cluster x { flannel $0 }')).toEqual(['vxlan', 'udp', 'host-gw', 'none']);
    expect(offered('service kube-system/x { selector $0 }')).toEqual(['k8s-app=kube-dns']);
    expect(offered('service x { cluster-ip $0 }')).toContain('None');
    expect(offered('service x { port http 80 $0 }')).toEqual(['->', 'node-port']);
  });

  it('offers an address that is free in the node it belongs to', () => {
    expect(offered('pod x on host2 { ip $0 }')).toEqual(['10.0.5.2']);
  });

  it('offers what an expectation goes on with', () => {
    expect(offered('expect $0')).toEqual(expect.arrayContaining(['pod1', 'kube-system/kube-dns', 'host1', 'qq.com']));
    expect(offered('expect pod1 $0')).toEqual(['->']);
    expect(offered('expect pod1 -> $0')).toContain('pod2');
    expect(offered('expect pod1 -> pod2 $0')).toEqual(expect.arrayContaining(['not', 'delivered', 'TCP']));
    expect(offered('expect pod1 -> pod2 delivered $0')).toEqual(['to', 'via', 'as']);
    expect(offered('expect pod1 -> pod2 delivered via $0')).toContain('host1/flannel.1');
    expect(offered('expect pod1 -> pod2 delivered via host1/flannel.1, $0')).toContain('host2/flannel.1');
  });

  const inIptables = (line: string): string[] => {
    const marked = article.replace('    *nat\n', `    *nat\n    ${line}\n`);
    const { text, offset } = withCursor(marked);
    return completions(snapshotOf(text), offset).map((c) => c.label);
  };

  it('offers chains and targets of the table behind -j, and devices behind -i', () => {
    expect(inIptables('-A PREROUTING -j $0')).toEqual(expect.arrayContaining(['KUBE-SERVICES', 'DNAT', 'MASQUERADE']));
    expect(inIptables('-A PREROUTING -j KUBE$0')).not.toContain('PREROUTING');
    expect(inIptables('-A $0')).toContain('POSTROUTING');
    expect(inIptables('-A PREROUTING -i $0')).toEqual(expect.arrayContaining(['cni0', 'flannel.1', 'eno16777984', 'docker0']));
    expect(inIptables('-A PREROUTING -p $0')).toContain('udp');
    expect(inIptables('-A PREROUTING --$0')).toContain('--dport');
  });

  it('offers devices in a route', () => {
    const { text, offset } = withCursor(article.replace('10.0.0.0/16 dev flannel.1', '10.0.0.0/16 dev $0'));
    expect(completions(snapshotOf(text), offset).map((c) => c.label)).toEqual(expect.arrayContaining(['cni0', 'flannel.1', 'eno16777984']));
  });

  it('offers nothing in a comment', () => {
    expect(offered('node n { address 10.0.0.1/8 on lan } # see $0')).toEqual([]);
  });
});

describe('every feature answers at every offset of broken files', () => {
  it.each([['the article', article], ['half an article', article.slice(0, 1100)], ['braces', '{{}}}\nnode { { pod on }\n}'], ['nothing', '']])('%s', (_, text) => {
    const s = snapshotOf(text);
    for (let offset = 0; offset <= text.length; offset += 3) {
      hover(s, offset);
      definition(s, offset);
      expect(completions(s, offset).every((c) => c.start <= offset && c.end === offset)).toBe(true);
    }
    expect(foldingRanges(s).every((f) => f.end > f.start)).toBe(true);
  });
});
