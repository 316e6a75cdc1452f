/** A fault planted in a healthy random cluster is named by the cause, and a repair is offered. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import type { Mac } from '../../../engine/src/net/address.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { MAIN_TABLE } from '../../../engine/src/topology/model.ts';
import type { Namespace } from '../../../engine/src/topology/model.ts';
import type { Rule, Table } from '../../../engine/src/topology/netfilter.ts';
import { captured } from '../../../engine/src/topology/origin.ts';
import type { CapturedState, ClusterSpec } from '../../../engine/src/topology/spec.ts';
import { withNode, withPod, withService } from '../../../engine/src/verify/candidate.ts';
import { explain } from '../../../engine/src/verify/explain.ts';
import type { Explanation } from '../../../engine/src/verify/explanation.ts';
import { address, at, cluster, external, flannel, network, node, pod, port, prefix, service, spec } from '../control-plane/specs.ts';

interface Shape {
  readonly nodes: number;
  readonly backend: 'vxlan' | 'host-gw';
  readonly nodePort: boolean;
}

const shapes = fc.record<Shape>({ nodes: fc.integer({ min: 2, max: 4 }), backend: fc.constantFrom('vxlan', 'host-gw'), nodePort: fc.boolean() });

/** `client` on host1, `near` there too, and a pod `web` on the last node: the only endpoint of the service. */
function healthy({ nodes, backend, nodePort }: Shape): ClusterSpec {
  const names = Array.from({ length: nodes }, (_, i) => `host${i + 1}`);
  return spec({
    cluster: cluster({ flannel: flannel({ backend }) }),
    networks: [network('lan', '192.168.93.0/24', '192.168.93.254')],
    externals: [external('example.com', '203.0.113.7')],
    nodes: names.map((name, i) => node(name, `192.168.93.${21 + i}/24`, `10.0.${i + 1}.0/24`, { vtepMac: (0x3e11d2884000 + i) as Mac, at: at(100 + i) })),
    pods: [
      pod('client', 'host1', '10.0.1.10', { at: at(200) }),
      pod('near', 'host1', '10.0.1.11', { labels: { app: 'near' }, listeners: [{ protocol: 'TCP', port: 8080 }], at: at(201) }),
      pod('web', `host${nodes}`, `10.0.${nodes}.20`, { labels: { app: 'web' }, listeners: [{ protocol: 'TCP', port: 8080 }], at: at(202) }),
    ],
    services: [
      service('web', '10.16.0.20', [port('http', 80, 'TCP', { targetPort: 8080, nodePort: nodePort ? 30080 : null, at: at(301) })], { selector: { app: 'web' }, type: nodePort ? 'NodePort' : 'ClusterIP', at: at(300) }),
      service('near', '10.16.0.21', [port('http', 80, 'TCP', { targetPort: 8080, at: at(311) })], { selector: { app: 'near' }, at: at(310) }),
    ],
  });
}

const namespaceOf = (cluster: ClusterSpec, host: string): Namespace => {
  const found = buildTopology(cluster).hosts.find((h) => h.name === host)?.namespaces[0];
  if (found === undefined) throw new Error(`no ${host}`);
  return found;
};

let line = 1000;
const pasted = <T extends { readonly origin: object }>(entries: readonly T[]): readonly T[] => entries.map((e) => ({ ...e, origin: captured(at(line++)) }));

const pastedTable = (table: Table): Table => ({ ...table, origin: captured(at(line++)), chains: table.chains.map((c) => ({ ...c, origin: captured(at(line++)), rules: pasted(c.rules) })) });

/** The node prints what is in force on it, but for what the fault changes. */
const captures = (cluster: ClusterSpec, host: string, part: (ns: Namespace) => CapturedState): ClusterSpec => {
  const printed = part(namespaceOf(cluster, host));
  return withNode(cluster, host, (n) => ({ ...n, captured: printed }));
};

const mainRoutes = (ns: Namespace) => ns.routes.filter((r) => r.table === MAIN_TABLE && r.destination.address.family === 4);
const tableOf = (ns: Namespace, name: string): Table => {
  const found = ns.tables.find((t) => t.name === name && t.family === 4);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const withoutRules = (table: Table, gone: (rule: Rule) => boolean): Table => ({ ...table, chains: table.chains.map((c) => ({ ...c, rules: c.rules.filter((r) => !gone(r)) })) });

interface Fault {
  readonly to: string;
  readonly from?: string;
  /** With vxlan only. */
  readonly tunnelled?: true;
  readonly planted: (cluster: ClusterSpec, last: string) => ClusterSpec;
  /** What the first cause must say; HOST stands for the last node. */
  readonly named: RegExp;
}

const POD = 'pod/web:8080/TCP';
const SERVICE = 'service/web:80/TCP';
const WRONG = 0x0a0000000001 as Mac;
const lease = (ns: Namespace, last: string) => (entry: { readonly origin: { readonly kind: string; readonly because?: string } }): boolean =>
  ns.name === 'root' && entry.origin.because?.startsWith(`the lease of ${last},`) === true;

const drop = (matches: Rule['matches'], text: string): Rule => ({ matches, target: { kind: 'drop' }, text, origin: captured(at(777)) });
const dropping = (rule: Rule) => (cluster: ClusterSpec, last: string): ClusterSpec =>
  captures(cluster, last, (ns) => {
    const filter = pastedTable(tableOf(ns, 'filter'));
    return { tables: [{ ...filter, chains: filter.chains.map((c) => (c.name === 'FORWARD' ? { ...c, rules: [rule, ...c.rules] } : c)) }] };
  });

const FAULTS: Readonly<Record<string, Fault>> = {
  'a dropped route': { to: POD, named: /routes of host1.* lack .*lease of HOST/, planted: (c, last) => captures(c, 'host1', (ns) => ({ routes: pasted(mainRoutes(ns).filter((r) => !lease(ns, last)(r))) })) },
  'a blackhole route': { to: POD, named: /host1 .*blackhole/, planted: (c, last) => captures(c, 'host1', (ns) => ({ routes: pasted(mainRoutes(ns).map((r) => (lease(ns, last)(r) ? { ...r, type: 'blackhole' as const, nexthops: [], text: `blackhole ${r.text.split(' ')[0] ?? ''}` } : r))) })) },
  'a dropped FDB entry': { to: POD, tunnelled: true, named: /FDB of host1.* lacks .*lease of HOST/, planted: (c, last) => captures(c, 'host1', (ns) => ({ fdb: pasted(ns.fdb.filter((e) => !lease(ns, last)(e))) })) },
  'a dropped neighbour': { to: POD, tunnelled: true, named: /neighbours of host1.* lack .*lease of HOST/, planted: (c, last) => captures(c, 'host1', (ns) => ({ neighbours: pasted(ns.neighbours.filter((e) => !lease(ns, last)(e))) })) },
  'a wrong VTEP MAC': { to: POD, tunnelled: true, named: /host1 .*0a:00:00:00:00:01.*lease of HOST/, planted: (c, last) => captures(c, 'host1', (ns) => ({ neighbours: pasted(ns.neighbours.map((e) => (lease(ns, last)(e) ? { ...e, mac: WRONG, text: e.text.replace(/lladdr \S+/, 'lladdr 0a:00:00:00:00:01') } : e))) })) },
  'a stale VTEP address': { to: POD, tunnelled: true, named: /host1 .*192\.168\.93\.99.*lease of HOST/, planted: (c, last) => captures(c, 'host1', (ns) => ({ fdb: pasted(ns.fdb.map((e) => (lease(ns, last)(e) ? { ...e, destination: address('192.168.93.99'), text: e.text.replace(/dst \S+/, 'dst 192.168.93.99') } : e))) })) },
  'forwarding that is off': { to: POD, named: /HOST has `net\.ipv4\.ip_forward = 0`/, planted: (c, last) => withNode(c, last, (n) => ({ ...n, captured: { sysctls: [{ name: 'net.ipv4.ip_forward', value: '0', origin: captured(at(777)) }] } })) },
  'a DROP of everything': { to: POD, named: /HOST .*`-A FORWARD -j DROP`/, planted: dropping(drop([], '-A FORWARD -j DROP')) },
  'a DROP of a sender': { to: POD, named: /HOST .*`-A FORWARD -s 10\.0\.1\.10\/32 -j DROP`/, planted: dropping(drop([{ kind: 'source', prefix: prefix('10.0.1.10/32'), inverted: false }], '-A FORWARD -s 10.0.1.10/32 -j DROP')) },
  'a DROP of answers': { to: POD, named: /HOST .*`-A FORWARD -d 10\.0\.1\.0\/24 -j DROP`/, planted: dropping(drop([{ kind: 'destination', prefix: prefix('10.0.1.0/24'), inverted: false }], '-A FORWARD -d 10.0.1.0/24 -j DROP')) },
  'a policy of DROP with nothing that accepts': { to: POD, named: /filter table of HOST.* lacks flannel's rules for the forwarding/, planted: (c, last) => captures(c, last, (ns) => {
    const filter = withoutRules(pastedTable(tableOf(ns, 'filter')), (r) => r.text.includes('FLANNEL'));
    return { tables: [{ ...filter, chains: filter.chains.map((ch) => (ch.name === 'FORWARD' ? { ...ch, policy: 'DROP' as const } : ch)) }] };
  }) },
  'missing masquerade': { to: 'example.com:443/TCP', named: /nat table of host1.* lacks flannel's rules for the masquerading/, planted: (c) => captures(c, 'host1', (ns) => ({ tables: [withoutRules(pastedTable(tableOf(ns, 'nat')), (r) => r.text.includes('FLANNEL'))] })) },
  'a missing service': { to: SERVICE, named: /nat table of host1.* (lacks|has outdated).*service default\/web/, planted: (c) => captures(c, 'host1', (ns) => ({ tables: [withoutRules(pastedTable(tableOf(ns, 'nat')), (r) => r.text.includes('default/web:http') || r.text.includes('10.16.0.20'))] })) },
  'an endpoint that is gone': { to: SERVICE, named: /nat table of host1 .*outdated.*service default\/web/, planted: (c, last) => captures(c, 'host1', (ns) => {
    const old = `10.0.${last.slice(4)}.20:8080`;
    const nat = pastedTable(tableOf(ns, 'nat'));
    const moved = (r: Rule): Rule => (r.target?.kind === 'dnat' && r.text.includes(old) ? { ...r, text: r.text.replace(old, '10.0.1.99:8080'), target: { kind: 'dnat', range: { ...r.target.range, from: address('10.0.1.99'), to: address('10.0.1.99') } } } : r);
    return { tables: [{ ...nat, chains: nat.chains.map((ch) => ({ ...ch, rules: ch.rules.map(moved) })) }] };
  }) },
  'pods that are not ready': { to: SERVICE, named: /web is not ready/, planted: (c) => withPod(c, 'default/web', (p) => ({ ...p, ready: false })) },
  'a network policy': { to: SERVICE, named: /Network policy default\/locked .*isolates pod default\/web for ingress.*default\/client/, planted: (c) => ({ ...c, networkPolicies: [{ namespace: 'default', name: 'locked', pods: { labels: { app: 'web' }, expressions: [] }, ingress: [], egress: [], types: null, at: at(400) }] }) },
  'a misspelt selector': { to: SERVICE, named: /selector app=wbe of service default\/web .*; web .*has app=web/, planted: (c) => withService(c, 'default/web', (s) => ({ ...s, selector: { app: 'wbe' } })) },
  'a wrong target port': { to: SERVICE, named: /default\/web sends 80\/TCP to port 8081/, planted: (c) => withService(c, 'default/web', (s) => ({ ...s, ports: s.ports.map((p) => ({ ...p, targetPort: 8081 })) })) },
  'bridged packets that iptables does not see': { to: 'service/near:80/TCP', named: /host1 has `net\.bridge\.bridge-nf-call-iptables = 0`/, planted: (c) => withNode(c, 'host1', (n) => ({ ...n, captured: { sysctls: [{ name: 'net.bridge.bridge-nf-call-iptables', value: '0', origin: captured(at(777)) }] } })) },
  'a wrong VNI': { to: POD, tunnelled: true, named: /HOST has the device flannel\.1 with VNI 9/, planted: (c, last) => captures(c, last, (ns) => ({
    interfaces: ns.interfaces.flatMap((i) => (i.device.kind === 'vxlan' ? [{ ...i, device: { ...i.device, vni: 9 }, master: null, index: 7, peerIndex: null, origin: captured(at(777)) }] : [])),
  })) },
};

function explained(cluster: ClusterSpec, from: string, to: string): Explanation | null {
  const topology = buildTopology(cluster);
  return explain({ spec: cluster, topology, compiled: compileTopology(topology), question: { from, to }, expectations: [], goal: null, wanted: 'arrival' });
}

const arrives = (explanation: Explanation | null): boolean => explanation === null;

describe.each(Object.entries(FAULTS))('%s', (_, fault) => {
  it('is named, and mended', () => {
    fc.assert(fc.property(shapes, (shape) => {
      fc.pre(fault.tunnelled !== true || shape.backend === 'vxlan');
      const before = healthy(shape);
      const last = `host${shape.nodes}`;
      expect(arrives(explained(before, 'client', fault.to))).toBe(true);
      const explanation = explained(fault.planted(before, last), 'client', fault.to);
      expect(explanation?.causes.map((c) => c.sentence)).toEqual([expect.stringMatching(new RegExp(fault.named.source.replaceAll('HOST', last))) as string]);
      expect(explanation?.repairs.length).toBeGreaterThan(0);
    }), { numRuns: 12, seed: 4 });
  });
});

describe('two faults at once', () => {
  it('are found in order where the second stands right behind the first', () => {
    const before = healthy({ nodes: 3, backend: 'vxlan', nodePort: false });
    const both = dropping(drop([{ kind: 'source', prefix: prefix('10.0.1.10/32'), inverted: false }], '-A FORWARD -s 10.0.1.10/32 -j DROP'))(before, 'host3');
    const off = withNode(both, 'host3', (n) => ({ ...n, captured: { ...n.captured, sysctls: [{ name: 'net.ipv4.ip_forward', value: '0', origin: captured(at(777)) }] } }));
    const explanation = explained(off, 'client', POD);
    expect(explanation?.causes.map((c) => c.code)).toEqual(['not-forwarding', 'rule-drop']);
    expect(explanation?.repairs[0]?.title).toMatch(/^set net\.ipv4\.ip_forward = 1 on host3; then remove the rule `-A FORWARD -s 10\.0\.1\.10\/32 -j DROP`/);
  });
});
