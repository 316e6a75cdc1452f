/** What is drift and what is not: the article's excerpt, the recorded cluster, and what other programs write. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { driftOf } from '../../../engine/src/verify/drift.ts';
import type { DumpFolder } from '../../../server/src/language/import/folder.ts';
import { importFolder } from '../../../server/src/language/import/import.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';

const CLUSTER = (inHost1: string): string => `
cluster { kube-proxy none }
network lan 192.168.93.0/24 { gateway 192.168.93.254 }
node host1 {
  address 192.168.93.212/24 on lan
  pod-cidr 10.244.1.0/24
${inHost1}
}
node host2 { address 192.168.93.213/24 on lan; pod-cidr 10.244.2.0/24; vtep-mac 3e:11:d2:88:40:6b }
pod client on host1 { ip 10.244.1.10 }
`;

function drift(text: string) {
  const snapshot = createSnapshot({ file: 'x.k8snet', text });
  return driftOf(snapshot.spec(), snapshot.topology());
}

const POSTRTG = `
    -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
    -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
    -A FLANNEL-POSTRTG -s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN
    -A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN
    -A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN
    -A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
    -A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully`;

describe('an excerpt', () => {
  it("as the article's is told once, as information", () => {
    const found = drift(readFileSync(new URL('../../../examples/article.k8snet', import.meta.url), 'utf8'));
    expect(found.map((d) => d.kind)).toEqual(['partial']);
  });
});

describe('no drift', () => {
  it.each([
    ['counters, and a kernel without --random-fully', `  iptables {\n    *nat${POSTRTG.replaceAll(' --random-fully', '').replaceAll('-A ', '[12:3456] -A ')}\n    COMMIT\n  }`],
    ['comments', `  iptables {\n    *nat${POSTRTG.replaceAll(' -m comment --comment "flanneld masq"', '')}\n    COMMIT\n  }`],
    ["rules of other programs beside flannel's", `  iptables {\n    *nat\n    -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE${POSTRTG}\n    COMMIT\n  }`],
    ['masquerading that another rule does', '  iptables {\n    *nat\n    -A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE\n    COMMIT\n  }'],
    ['another metric, and routes of other programs', '  routes {\n    default via 192.168.93.254 dev eth0 proto dhcp metric 100\n    10.8.0.0/16 via 192.168.93.7 dev eth0\n    10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1\n    10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink\n    192.168.93.0/24 dev eth0 proto kernel scope link src 192.168.93.212 metric 100\n  }'],
    ['neighbours that the kernel learned', '  neighbours {\n    192.168.93.254 dev eth0 lladdr 2a:33:7d:5a:f1:2b STALE\n    10.244.2.0 dev flannel.1 lladdr 3e:11:d2:88:40:6b PERMANENT\n  }'],
    ['a switch of which every distribution has its own value', '  sysctl {\n    net.ipv4.conf.all.rp_filter = 2\n  }'],
  ])('are %s', (_, captured) => {
    expect(drift(CLUSTER(captured))).toEqual([]);
  });

  it('is what the older flannel answers to misses', () => {
    expect(drift(CLUSTER('  routes {\n    10.244.0.0/16 dev flannel.1\n    default via 192.168.93.254 dev eth0\n    10.244.1.0/24 dev cni0\n    192.168.93.0/24 dev eth0\n  }\n  fdb {\n    3e:11:d2:88:40:99 dev flannel.1 dst 192.168.93.213 self permanent\n  }'))).toEqual([]);
  });
});

describe('drift', () => {
  it.each([
    ['a missing route', '  routes {\n    default via 192.168.93.254 dev eth0\n    10.244.1.0/24 dev cni0\n    192.168.93.0/24 dev eth0\n  }', 'drift', /routes of host1 lack flannel's route for the lease of host2/],
    ['a stale VTEP MAC', '  fdb {\n    3e:11:d2:88:40:99 dev flannel.1 dst 192.168.93.213 self permanent\n  }', 'drift', /3e:11:d2:88:40:99.*where flannel would have `3e:11:d2:88:40:6b/],
    ['a lease that is gone', '  neighbours {\n    10.244.2.0 dev flannel.1 lladdr 3e:11:d2:88:40:6b PERMANENT\n    10.244.7.0 dev flannel.1 lladdr 3e:11:d2:88:40:77 PERMANENT\n  }', 'harmless', /still has the neighbour `10\.244\.7\.0/],
    ['an MTU above what the tunnel carries', '  links {\n    7: flannel.1: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state UNKNOWN\n        link/ether 3e:11:d2:88:40:01 brd ff:ff:ff:ff:ff:ff\n  }', 'drift', /mtu 1500.*where flannel would have .*mtu 1450/],
    ['an MTU below it', '  links {\n    7: flannel.1: <BROADCAST,MULTICAST,UP> mtu 1400 qdisc noqueue state UNKNOWN\n        link/ether 3e:11:d2:88:40:01 brd ff:ff:ff:ff:ff:ff\n  }', 'harmless', /mtu 1400/],
    ['forwarding that is off', '  sysctl {\n    net.ipv4.ip_forward = 0\n  }', 'drift', /net\.ipv4\.ip_forward = 0/],
    ['a part of the masquerade rules', `  iptables {\n    *nat${POSTRTG.split('\n').slice(0, 5).join('\n')}\n    COMMIT\n  }`, 'drift', /nat table of host1 lacks flannel's rules for the masquerading/],
  ])('is %s', (_, captured, kind, sentence) => {
    const found = drift(CLUSTER(captured));
    expect(found.map((d) => d.kind)).toEqual([kind]);
    expect(found[0]?.sentence).toMatch(sentence);
    expect(found[0]?.fixes.length).toBeGreaterThan(0);
  });

  it('of a stale MAC can be settled either way', () => {
    const [found] = drift(CLUSTER('  fdb {\n    3e:11:d2:88:40:99 dev flannel.1 dst 192.168.93.213 self permanent\n  }'));
    expect(found?.fixes.map((f) => f.edits)).toMatchObject([
      [{ kind: 'lines', block: 'fdb', add: ['3e:11:d2:88:40:6b dev flannel.1 dst 192.168.93.213 self permanent'] }],
      [{ kind: 'statement', owner: { kind: 'node', name: 'host2' }, keyword: 'vtep-mac', text: 'vtep-mac 3e:11:d2:88:40:99' }],
    ]);
  });
});

describe('a dump in another file', () => {
  const told = (dumps: string, files: Readonly<Record<string, string>>): readonly string[] =>
    createSnapshot({ file: 'x.k8snet', text: CLUSTER(dumps), readFile: (p) => files[p] }).driftDiagnostics().map((d) => d.message);

  it('is named with the line that is wrong', () => {
    const [message] = told('  fdb from "host1/fdb.txt"', { 'host1/fdb.txt': '01:00:5e:00:00:01 dev eth0 self permanent\n3e:11:d2:88:40:99 dev flannel.1 dst 192.168.93.213 self permanent\n' });
    expect(message).toMatch(/^host1\/fdb\.txt:2: .*where flannel would have `3e:11:d2:88:40:6b dev flannel\.1 dst 192\.168\.93\.213 self permanent`/);
  });

  it('is named, and the line that it lacks', () => {
    const [message] = told('  fdb from "fdb.txt"', { 'fdb.txt': '' });
    expect(message).toMatch(/^fdb\.txt: the FDB of host1 lacks flannel's FDB entry for the lease of host2, 10\.244\.2\.0\/24, `3e:11:d2:88:40:6b dev flannel\.1 dst 192\.168\.93\.213/i);
  });
});

describe('the recorded cluster, imported', () => {
  const RECORDED = new URL('../../fixtures/recorded/', import.meta.url).pathname;
  const read = (p: string): string => readFileSync(RECORDED + p, 'utf8');
  const listFolder: DumpFolder['listFolder'] = (p) => readdirSync(RECORDED + p, { withFileTypes: true }).map((e) => ({ name: e.name, kind: e.isDirectory() ? 'folder' : 'file' }));
  const { text } = importFolder({ listFolder, readFile: (p) => ({ text: read(p) }) }, '');
  const drifted = (change: (path: string, content: string) => string) =>
    createSnapshot({ file: 'cluster.k8snet', text: text ?? '', listFolder, readFile: (p) => change(p, read(p)) }).driftDiagnostics().map((d) => `${d.code} ${d.message}`);

  it('has none', () => {
    expect(drifted((_, content) => content)).toEqual([]);
  });

  it('has none with what kubelet, and kube-proxy from 1.31 on, write besides', () => {
    const besides = (dump: string): string => dump
      .replace(/^\*mangle$/m, '*mangle\n:KUBE-IPTABLES-HINT - [0:0]\n:KUBE-KUBELET-CANARY - [0:0]')
      .replace(/^\*(filter|nat)$/gm, '*$1\n:KUBE-KUBELET-CANARY - [0:0]')
      .replace(/^(-A (?:INPUT|OUTPUT)) -j KUBE-FIREWALL\n((?:\1 .*\n)+)/gm, '$2$1 -j KUBE-FIREWALL\n')
      .replace('--ctstate INVALID -j DROP', '--ctstate INVALID -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP')
      .replace(/^(-A KUBE-NODEPORTS) (-p \w+ .*) (-j KUBE-EXT-.*)$/gm, '$1 -d 127.0.0.0/8 $2 -m nfacct --nfacct-name  localhost_nps_accepted_pkts $3\n$1 $2 $3');
    const found = besides(read('nodes/host1/iptables-save.txt'));
    expect(found.match(/nfacct/g)?.length).toBeGreaterThan(4);
    expect(found).toMatch(/-j KUBE-EXTERNAL-SERVICES\n-A INPUT -j KUBE-FIREWALL\n/);
    expect(drifted((p, content) => (p.endsWith('iptables-save.txt') ? besides(content) : content))).toEqual([]);
  });

  it('has one where one endpoint of a service was left out on one node', () => {
    const [line = ''] = /^-A KUBE-SEP-\S+ .*--to-destination .*$/m.exec(read('nodes/host1/iptables-save.txt')) ?? [];
    expect(line).not.toBe('');
    const found = drifted((p, content) => (p === 'nodes/host1/iptables-save.txt' ? content.replace(`${line}\n`, '') : content));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^K8N6001 nodes\/host1\/iptables-save\.txt:\d+: the nat table of host1 has outdated rules for service /i);
  });
});
