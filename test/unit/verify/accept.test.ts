/**
 * The captured side adopted: what a node holds is what its programs make of another declaration, and the fix says that
 * one. Applied to the text, nothing drifts any more, and nothing of the dump was touched.
 */
import { describe, expect, it } from 'vitest';
import { savedTable } from '../../../engine/src/topology/iptables-save.ts';
import type { Snapshot } from '../../../server/src/language/snapshot.ts';
import { createSnapshot } from '../../../server/src/language/snapshot.ts';
import { applyFix } from '../language/fixtures.ts';

interface Said {
  readonly cluster?: string;
  readonly lan?: string;
  readonly host1?: string;
  readonly host2?: string;
  readonly web?: string;
  readonly more?: string;
  readonly services?: string;
}

const SERVICE = 'service web {\n  cluster-ip 10.96.0.20\n  port http 80 -> 8080 node-port 30080\n  selector app=web\n}';

const file = ({ cluster = '', lan = '', host1 = '', host2 = '', web = '', more = '', services = SERVICE }: Said): string => `${cluster}
network lan 192.168.93.0/24 { gateway 192.168.93.254${lan} }
node host1 {
  address 192.168.93.212/24 on lan
  pod-cidr 10.244.1.0/24
  ${host1}
}
node host2 {
  address 192.168.93.213/24 on lan
  ${host2 === '' ? 'pod-cidr 10.244.2.0/24\n  vtep-mac 3e:11:d2:88:40:6b' : host2}
}
pod client on host1 { ip 10.244.1.10 }
pod near on host1 {
  ip 10.244.1.11
  labels app=web
  ${web}
}
pod other on host1 { ip 10.244.1.12; labels app=other }
${services}
${more}
`;

const open = (text: string): Snapshot => createSnapshot({ file: 'x.k8snet', text });
const drifts = (snapshot: Snapshot) => snapshot.driftDiagnostics().filter((d) => ['drift', 'harmless-drift'].includes(d.slug));

const root = (text: string) => {
  const found = open(text).topology().hosts.find((h) => h.name === 'host1')?.namespaces[0];
  if (found === undefined) throw new Error('no host1');
  return found;
};
type Printed = (text: string) => string;
const block = (keyword: string, lines: readonly string[]): string => `${keyword} {\n${lines.map((l) => `    ${l}`).join('\n')}\n  }`;
const nat: Printed = (text) => block('iptables', root(text).tables.filter((t) => t.family === 4 && t.name === 'nat').flatMap((t) => savedTable(t)));
const routes: Printed = (text) => block('routes', root(text).routes.filter((r) => r.table === 254 && r.destination.address.family === 4).map((r) => r.text));
const neighbours: Printed = (text) => block('neighbours', root(text).neighbours.map((n) => n.text));
const fdb: Printed = (text) => block('fdb', root(text).fdb.map((e) => e.text));
const links: Printed = (text) => block('links', root(text).interfaces.filter((i) => i.device.kind === 'vxlan').flatMap((i) => [
  `7: ${i.name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu ${i.mtu} qdisc noqueue state UNKNOWN mode DEFAULT group default`,
  '    link/ether 3e:11:d2:88:40:01 brd ff:ff:ff:ff:ff:ff promiscuity 0',
  `    vxlan id 1 local 192.168.93.212 dev eth0 srcport 0 0 dstport ${i.device.kind === 'vxlan' ? i.device.port : 0} nolearning ttl auto ageing 300 udpcsum`,
]));

const HOST_GW = 'cluster { flannel host-gw }';

/** What the node's programs were told, what the file says, what was printed, and the title of the fix. */
const CASES: readonly (readonly [string, Said, Said, Printed, RegExp])[] = [
  ['a neighbour with another VTEP MAC', { host2: 'pod-cidr 10.244.2.0/24; vtep-mac 3e:11:d2:88:40:99' }, {}, neighbours, /^Say that 3e:11:d2:88:40:99 is the VTEP MAC of host2$/],
  ['an FDB entry with another VTEP MAC', { host2: 'pod-cidr 10.244.2.0/24; vtep-mac 3e:11:d2:88:40:99' }, {}, fdb, /^Say that 3e:11:d2:88:40:99 is the VTEP MAC of host2$/],
  ['an FDB entry that leads to another address', { host2: 'pod-cidr 10.244.2.0/24; vtep-mac 3e:11:d2:88:40:6b; public-ip 192.168.93.99' }, {}, fdb, /^Say that 192\.168\.93\.99 is the public address of host2$/],
  ['a route of host-gw to another address', { cluster: HOST_GW, host2: 'pod-cidr 10.244.2.0/24; public-ip 192.168.93.99' }, { cluster: HOST_GW }, routes, /^Say that 192\.168\.93\.99 is the public address of host2$/],
  ['a route to another lease', { host2: 'pod-cidr 10.244.7.0/24; vtep-mac 3e:11:d2:88:40:6b' }, {}, routes, /^Say that the lease of host2 is 10\.244\.7\.0\/24$/],
  ['a neighbour in another lease', { host2: 'pod-cidr 10.244.7.0/24; vtep-mac 3e:11:d2:88:40:6b' }, {}, neighbours, /^Say that the lease of host2 is 10\.244\.7\.0\/24$/],
  ['a smaller MTU, without a cluster', { cluster: 'cluster { flannel vxlan { mtu 1400 } }' }, {}, links, /^Say that flannel's MTU is 1400$/],
  ['a smaller MTU, in a cluster that says nothing of flannel', { cluster: 'cluster { flannel vxlan { mtu 1400 } }' }, { cluster: 'cluster demo { domain cluster.local }' }, links, /^Say that flannel's MTU is 1400$/],
  ['a smaller MTU, beside other settings', { cluster: 'cluster { flannel vxlan { mtu 1400; direct-routing } }' }, { cluster: 'cluster {\n  flannel vxlan {\n    direct-routing\n  }\n}' }, links, /^Say that flannel's MTU is 1400$/],
  ['a larger MTU, of a network of jumbo frames', { lan: '; mtu 9000' }, {}, links, /^Say that the MTU of network lan is 9000$/],
  ['another VXLAN port', { cluster: 'cluster { flannel vxlan { port 4789 } }' }, {}, links, /^Say that flannel's port is 4789$/],
  ['an endpoint that no pod is', { services: SERVICE.replace('selector', 'endpoints 10.244.2.99:8080 port http\n  selector') }, {}, nat, /^Say that service default\/web port http has the endpoint 10\.244\.2\.99:8080$/],
  ['an endpoint that is a pod which the selector does not select', { services: SERVICE.replace('selector', 'endpoints 10.244.1.12:8080 port http\n  selector') }, {}, nat, /^Say that service default\/web port http has the endpoint 10\.244\.1\.12:8080$/],
  ['an endpoint that is a pod which is not ready', { more: 'pod far on host2 { ip 10.244.2.20; labels app=web }' }, { more: 'pod far on host2 { ip 10.244.2.20; labels app=web; not-ready }' }, nat, /^Say that default\/far is ready$/],
  ['a pod that is no endpoint', { more: 'pod far on host2 { ip 10.244.2.20; labels app=web; not-ready }' }, { more: 'pod far on host2 { ip 10.244.2.20; labels app=web }' }, nat, /^Say that default\/far is not ready$/],
  ['an endpoint for another', { services: SERVICE.replace('selector', 'endpoints 10.244.2.99:8080 port http\n  selector'), web: 'not-ready' }, {}, nat, /^Say that service default\/web port http has the endpoint 10\.244\.2\.99:8080, and default\/near is not ready$/],
  ['a pod that is no endpoint of two services', { services: `${SERVICE}\nservice second { cluster-ip 10.96.0.21; port 80 -> 8080; selector app=web }`, more: 'pod far on host2 { ip 10.244.2.20; labels app=web; not-ready }' }, { services: `${SERVICE}\nservice second { cluster-ip 10.96.0.21; port 80 -> 8080; selector app=web }`, more: 'pod far on host2 { ip 10.244.2.20; labels app=web }' }, nat, /^Say that default\/far is not ready$/],
  ['a service that is not declared', { more: 'service db/pg {\n  cluster-ip 10.96.0.77\n  port sql 5432 node-port 30432\n  port 8008/UDP\n  endpoints 10.244.2.40:5432, 10.244.2.41:5432 port sql\n  session-affinity 600\n}' }, {}, nat, /^Say that there is a service db\/pg, as in the rules$/],
  ['another node port', { services: SERVICE.replace('30080', '30099') }, {}, nat, /^Say that the node port of service default\/web port http is 30099$/],
  ['another cluster IP', { services: SERVICE.replace('10.96.0.20', '10.96.0.25') }, {}, nat, /^Say that the cluster IP of service default\/web is 10\.96\.0\.25$/],
  ['masquerading of all that goes to services', { cluster: 'cluster { kube-proxy iptables { masquerade-all } }' }, {}, nat, /^Say that kube-proxy masquerades all that goes to services$/],
];

describe.each(CASES)('%s', (_, told, said, printed, title) => {
  const dump = printed(file(told));
  const snapshot = open(file({ ...said, host1: dump }));
  const fixes = drifts(snapshot).flatMap((d) => d.fixes).filter((f) => title.test(f.title));

  it('drifts, and the captured side can be adopted', () => {
    expect(snapshot.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(fixes.length, drifts(snapshot).map((d) => `${d.message}\n${d.fixes.map((f) => f.title).join('\n')}`).join('\n')).toBeGreaterThan(0);
  });

  it('does not drift any more when it is, and the dump is as it was', () => {
    for (const fix of fixes) {
      const text = applyFix(snapshot.text, fix);
      const after = open(text);
      expect(text).toContain(dump);
      expect(after.diagnostics.filter((d) => d.severity === 'error'), text).toEqual([]);
      expect(drifts(after).map((d) => d.message), text).toEqual([]);
    }
  });
});

describe('over IPv6', () => {
  const six = (service: string, dump: string): string => `cluster { pod-cidr 10.244.0.0/16, fd00:244::/48; service-cidr 10.96.0.0/12, fd00:96::/108 }
network lan 192.168.93.0/24, fd00:93::/64
node host1 {
  address 192.168.93.212/24, fd00:93::212/64 on lan
  pod-cidr 10.244.1.0/24, fd00:244:0:1::/64
  ${dump}
}
node host2 { address 192.168.93.213/24, fd00:93::213/64 on lan; pod-cidr 10.244.2.0/24, fd00:244:0:2::/64 }
pod near on host1 { ip 10.244.1.11, fd00:244:0:1::11; labels app=web }
service web { cluster-ip 10.96.0.20, fd00:96::20; port http 80 -> 8080; selector app=web${service} }
`;
  const nat6 = (text: string): string => block('ip6tables', root(text).tables.filter((t) => t.family === 6 && t.name === 'nat').flatMap((t) => savedTable(t)));

  it('an endpoint is said in brackets', () => {
    const snapshot = open(six('', nat6(six('; endpoints [fd00:244:0:2::99]:8080 port http', ''))));
    const [fix] = drifts(snapshot).flatMap((d) => d.fixes).filter((f) => f.title.startsWith('Say'));
    expect(fix?.title).toBe('Say that service default/web port http has the endpoint [fd00:244:0:2::99]:8080');
    expect(drifts(open(applyFix(snapshot.text, fix ?? { title: '', edits: [] })))).toEqual([]);
  });

  it('a lease is said beside that of IPv4', () => {
    const moved = six('', '').replace('fd00:244:0:2::/64', 'fd00:244:0:7::/64');
    const printed = block('routes', root(moved).routes.filter((r) => r.table === 254 && r.destination.address.family === 6).map((r) => r.text));
    const snapshot = open(six('', printed));
    const [fix] = drifts(snapshot).flatMap((d) => d.fixes).filter((f) => f.title.startsWith('Say'));
    expect(fix?.title).toBe('Say that the lease of host2 is fd00:244:0:7::/64');
    const after = open(applyFix(snapshot.text, fix ?? { title: '', edits: [] }));
    expect(drifts(after).map((d) => d.message)).toEqual([]);
    expect(after.spec().nodes.find((n) => n.name === 'host2')?.podCidrs).toHaveLength(2);
  });
});

describe('nothing is offered', () => {
  const titles = (said: Said): readonly string[] => drifts(open(file(said))).flatMap((d) => d.fixes.map((f) => f.title)).filter((t) => /^Say/.test(t));

  it('where several leases are missing, and one is of nobody', () => {
    const more = 'node host3 { address 192.168.93.214/24 on lan; pod-cidr 10.244.3.0/24; vtep-mac 3e:11:d2:88:40:6c }';
    expect(titles({ more, host1: routes(file({ host2: 'pod-cidr 10.244.7.0/24' })) })).toEqual([]);
  });

  it('where a neighbour of another lease has another MAC, too: it may be anybody', () => {
    expect(titles({ host1: neighbours(file({ host2: 'pod-cidr 10.244.7.0/24; vtep-mac 3e:11:d2:88:40:99' })) })).toEqual([]);
  });

  const TWO = `${SERVICE}\nservice second { cluster-ip 10.96.0.21; port 80 -> 8080; selector app=web }`;

  it('where a pod is missing from one service, and is an endpoint of another', () => {
    const dump = nat(file({ services: TWO })).split('\n').filter((l) => !/KUBE-SEP-.*default\/web:http.*--to-destination 10\.244\.1\.11:8080/.test(l)).join('\n');
    expect(titles({ services: TWO, host1: dump })).toEqual([]);
  });

  it('that would undo what else is said of flannel or kube-proxy elsewhere', () => {
    const snapshot = createSnapshot({
      file: 'x.k8snet', text: file({ host1: links(file({ cluster: 'cluster { flannel vxlan { mtu 1400; direct-routing } }' })), more: 'objects from "flannel.yaml"' }),
      readFile: () => 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-flannel-cfg, namespace: kube-flannel}\ndata:\n  net-conf.json: |\n    {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", "DirectRouting": true}}\n',
    });
    expect(drifts(snapshot).flatMap((d) => d.fixes.map((f) => f.title)).filter((t) => t.startsWith('Say'))).toEqual([]);
    expect(drifts(snapshot)).toHaveLength(1);
  });

  it('where an entry is only missing', () => {
    expect(titles({ host1: block('fdb', []) })).toEqual([]);
  });
});
