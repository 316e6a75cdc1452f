/**
 * All that is derived for a node, kube-proxy's, kubelet's, flannel's, portmap's and Docker's rules together, stands as
 * iptables prints it: restored, it is saved as the same text. Both flavours and families, in network namespaces of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { savedTable } from '../../engine/src/topology/iptables-save.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';

const ISOLATED = process.getuid?.() === 0 ? ['-n'] : ['-Urn'];

const folder = mkdtempSync(path.join(tmpdir(), 'k8snet-derived-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

/** One shell in a fresh network namespace: nothing touches the host. */
const shell = (script: string) =>
  spawnSync('unshare', [...ISOLATED, 'sh', '-s'], { input: script, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, XTABLES_LOCKFILE: path.join(folder, 'lock') } });

const available = shell('iptables-legacy-save && iptables-nft-save && ip6tables-legacy-save && ip6tables-nft-save').status === 0;

const BOTH: readonly string[] = ['Cluster', 'Local'];

/** A service of every type, policy, affinity and state of its endpoints. */
function services(): string {
  const texts: string[] = [];
  for (const type of ['ClusterIP', 'NodePort', 'LoadBalancer']) {
    for (const [external, internal] of BOTH.flatMap((e) => BOTH.map((i) => [e, i] as const))) {
      for (const behind of ['app=web', 'app=leaving', 'app=elsewhere', 'app=nobody']) {
        const n = texts.length + 1;
        const nodePort = (port: number): string => (type === 'ClusterIP' ? '' : ` node-port ${30000 + n * 4 + port}`);
        texts.push(`service shop/s${n} {
  type ${type}
  cluster-ip 10.96.1.${n}, fd96::1${n.toString(16).padStart(2, '0')}
  port http 80/TCP -> 8080${nodePort(0)}
  port dns 53/UDP${nodePort(1)}
  port signal 53/SCTP${nodePort(2)}
  selector ${behind}
  external-ip 203.0.113.${n}, 2001:db8::${n.toString(16)}
  external-traffic-policy ${external}; internal-traffic-policy ${internal}
${n % 3 === 0 ? `  session-affinity ${n * 100}\n` : ''}${n % 5 === 0 ? '  traffic-distribution PreferSameNode\n' : ''}${type === 'LoadBalancer' ? `  load-balancer-ip 198.51.100.${n}, 2001:db8:1::${n.toString(16)}
  load-balancer-source-ranges 192.168.9.0/24, 172.16.0.0/12, 0.0.0.0/0, fd09::/64, 2001:db8::5/128
${external === 'Local' ? `  health-check-node-port ${32000 + n}\n` : ''}` : ''}}`);
      }
    }
  }
  return texts.join('\n');
}

const file = (settings: string, kubeProxy: string, node: string): string => `
cluster c { pod-cidr 10.244.0.0/16, fd24::/48; service-cidr 10.96.0.0/16, fd96::/112; ${settings}
  kube-proxy iptables { ${kubeProxy} }
}
network lan 192.168.9.0/24, fd09::/64 { gateway 192.168.9.254, fd09::fe }
node n1 { address 192.168.9.1/24, fd09::1/64 on lan; pod-cidr 10.244.1.0/24, fd24:0:0:1::/64; labels topology.kubernetes.io/zone=a; ${node} }
node n2 { address 192.168.9.2/24, fd09::2/64 on lan; pod-cidr 10.244.2.0/24, fd24:0:0:2::/64; labels topology.kubernetes.io/zone=b }
pod web-1 on n1 { ip 10.244.1.5, fd24:0:0:1::5 }
pod shop/web-1 on n1 {
  ip 10.244.1.6, fd24:0:0:1::6; labels app=web
  port 80/TCP host-port 8080; port 53/UDP host-port 8053 host-ip 192.168.9.1; port 5060/SCTP host-port 5060 host-ip fd09::1
}
pod shop/web-2 on n2 { ip 10.244.2.6, fd24:0:0:2::6; labels app=web }
pod shop/web-3 on n2 { ip 10.244.2.7, fd24:0:0:2::7; labels app=web }
pod shop/leaving-1 on n1 { ip 10.244.1.8, fd24:0:0:1::8; labels app=leaving; terminating }
pod shop/leaving-2 on n2 { ip 10.244.2.8, fd24:0:0:2::8; labels app=leaving; terminating }
pod shop/far on n2 { ip 10.244.2.9, fd24:0:0:2::9; labels app=elsewhere }
${services()}
`;

const CASES: readonly (readonly [string, string])[] = [
  ['every default, and Docker', file('', '', 'docker')],
  ['kubelet, and node ports on some addresses', file('kubelet-chains', 'node-port-addresses 192.168.9.0/24, 10.0.0.0/8, fd00::/8', 'docker 172.18.0.1/24')],
  ['everything masqueraded, and node ports on the primary addresses', file('flannel host-gw', 'masquerade-all; node-port-addresses primary; conntrack-tcp-be-liberal', '')],
  ['pods told by the node’s CIDRs, none on localhost', file('flannel vxlan { no-masquerade }', 'detect-local NodeCIDR; no-localhost-node-ports', '')],
  ['pods told by the bridge', file('kubelet-chains', 'detect-local BridgeInterface cni0; no-localhost-node-ports', '')],
  ['pods told by their devices', file('flannel none', 'detect-local InterfaceNamePrefix veth', 'docker')],
  ['pods not told', file('', 'cluster-cidr None; node-port-addresses 127.0.0.0/8', '')],
];

/** Rules in their order, chains with their policies by name: the flavours list user chains in different orders. */
function body(dump: string): string {
  const lines = dump.replace(/\[\d+:\d+\]/g, '[0:0]').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const tables = lines.join('\n').split(/^(?=\*)/m).sort();
  return tables.map((table) => {
    const [name, ...rest] = table.trim().split('\n');
    const chains = [...new Set(rest.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []))].sort();
    return [name, ...rest.filter((l) => l.startsWith(':')).sort(), ...chains.flatMap((chain) => rest.filter((l) => l.startsWith(`-A ${chain} `)))].join('\n');
  }).join('\n');
}

describe.runIf(available)('derived rules', () => {
  test.each(CASES)('with %s restore to themselves', { timeout: 120_000 }, (_, text) => {
    const snapshot = createSnapshot({ file: 'derived.k8snet', text });
    expect(snapshot.diagnostics.filter((d) => d.severity === 'error').map((d) => d.message)).toEqual([]);
    for (const name of ['n1', 'n2']) {
      const tables = snapshot.topology().hosts.find((h) => h.name === name)?.namespaces[0]?.tables ?? [];
      for (const family of [4, 6] as const) {
        const dump = tables.filter((t) => t.family === family).map((t) => `${savedTable(t).join('\n')}\n`).join('');
        expect(dump.split('\n').length).toBeGreaterThan(500);
        const input = path.join(folder, 'dump');
        writeFileSync(input, dump);
        for (const flavour of ['legacy', 'nft']) {
          const tool = `ip${family === 6 ? '6' : ''}tables-${flavour}`;
          const { stdout, stderr, status } = shell(`${tool}-restore ${input} && for t in mangle filter nat; do ${tool}-save -t $t; done`);
          expect([status, stderr.replaceAll(/^# Warning: .*\n/gm, '')]).toEqual([0, '']);
          expect(body(stdout)).toBe(body(dump));
        }
      }
    }
  });
});
