import { describe, expect, it } from 'vitest';
import { makeRoute } from '../../../engine/src/control-plane/route.ts';
import { formatMac } from '../../../engine/src/net/address.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { Interface, Namespace } from '../../../engine/src/topology/model.ts';
import { captured } from '../../../engine/src/topology/origin.ts';
import type { CapturedInterface, CapturedState } from '../../../engine/src/topology/spec.ts';
import { recordedSnapshot } from '../data-plane/recorded-file.ts';
import { address, article, at, node, prefix } from './specs.ts';

const origin = captured(at(100));

const route = (destination: string, device: string, via?: string) =>
  makeRoute({ destination: prefix(destination), device, ...(via === undefined ? {} : { via: address(via) }), scope: 'global', origin });

const link = (name: string, parts: Partial<CapturedInterface> = {}): CapturedInterface => ({
  name, mac: 0x020000000009 as never, mtu: 1500, up: true, addresses: [], port: null, device: null, index: 1, peerIndex: null, origin, ...parts,
});

/** host1 of the article with the captured state. */
function host1(state: CapturedState): Namespace {
  const nodes = article().nodes.map((n) => (n.name === 'host1' ? { ...n, captured: state } : n));
  const root = buildTopology(article({ nodes })).hosts.find((h) => h.name === 'host1')?.namespaces[0];
  if (root === undefined) throw new Error('no host1');
  return root;
}

const derived = host1({});

const device = (namespace: Namespace | undefined, name: string): Interface | undefined => namespace?.interfaces.find((i) => i.name === name);

const routes = (namespace: Namespace, table: number): readonly string[] => namespace.routes.filter((r) => r.table === table).map((r) => r.text);

describe('captured routes', () => {
  it("replace the main table of their family and leave the kernel's local table", () => {
    const namespace = host1({ routes: [route('0.0.0.0/0', 'eth0', '192.168.93.1')] });
    expect(routes(namespace, 254)).toEqual(['default via 192.168.93.1 dev eth0']);
    expect(routes(namespace, 255)).toEqual(routes(derived, 255));
  });

  it('without a line mean that there are none', () => {
    expect(routes(host1({ routes: [] }), 254)).toEqual([]);
  });

  it('of the whole pod network on the vxlan device tell the older generation of flannel', () => {
    const namespace = host1({ routes: [route('10.0.0.0/16', 'flannel.1')] });
    expect([namespace.neighbours, namespace.fdb]).toEqual([[], []]);
    const vxlan = device(namespace, 'flannel.1')?.device;
    expect(vxlan?.kind === 'vxlan' && vxlan.misses?.map((l) => l.node)).toEqual(['host3', 'host2']);
  });

  it('by a device that nothing else knows bring that device, of the kind that its name tells', () => {
    const namespace = host1({ routes: [route('10.1.0.0/16', 'tun7'), route('10.2.0.0/16', 'br-cafe'), route('10.3.0.0/16', 'flannel.42')] });
    expect(['tun7', 'br-cafe', 'flannel.42'].map((n) => device(namespace, n)?.device.kind)).toEqual(['unknown', 'bridge', 'vxlan']);
    expect(device(namespace, 'flannel.42')?.device).toMatchObject({ vni: 42 });
  });
});

describe('captured tables', () => {
  it('replace the table of their name and leave the others', () => {
    const nat = { family: 4 as const, name: 'nat' as const, chains: [], origin };
    const namespace = host1({ tables: [nat] });
    expect(namespace.tables.find((t) => t.family === 4 && t.name === 'nat')).toBe(nat);
    expect(namespace.tables.filter((t) => t !== nat)).toEqual(derived.tables.filter((t) => t.family !== 4 || t.name !== 'nat'));
  });
});

describe('captured sysctls', () => {
  it('are single values over the defaults, by both names of forwarding', () => {
    const namespace = host1({ sysctls: [{ name: 'net.ipv4.ip_forward', value: '0', origin }] });
    const changed = namespace.sysctls.filter((s) => derived.sysctls.find((d) => d.name === s.name)?.value !== s.value);
    expect(changed.map((s) => `${s.name} = ${s.value}`)).toEqual(['net.ipv4.ip_forward = 0', 'net.ipv4.conf.all.forwarding = 0']);
  });
});

describe('captured neighbours', () => {
  it('replace what flannel programs, and tell the MACs of devices that nobody captured', () => {
    const entry = { device: 'eth0', address: address('192.168.93.254'), mac: 0x2a337d5af12b as never, state: 'stale' as const, text: '', origin };
    const vtep = { device: 'flannel.1', address: address('10.0.5.0'), mac: 0x6a8c10000002 as never, state: 'permanent' as const, text: '', origin };
    const nodes = article().nodes.map((n) => (n.name === 'host1' ? { ...n, captured: { neighbours: [entry, vtep] } } : n));
    const { hosts } = buildTopology(article({ nodes }));
    expect(hosts[0]?.namespaces[0]?.neighbours).toEqual([entry, vtep]);
    expect(formatMac(device(hosts.find((h) => h.name === 'lan')?.namespaces[0], 'eth0')?.mac ?? (0 as never))).toBe('2a:33:7d:5a:f1:2b');
    expect(formatMac(device(hosts.find((h) => h.name === 'host2')?.namespaces[0], 'flannel.1')?.mac ?? (0 as never))).toBe('6a:8c:10:00:00:02');
    expect(hosts.find((h) => h.name === 'host3')?.namespaces[0]?.fdb.map((f) => f.text)).toContain('6a:8c:10:00:00:02 dev flannel.1 dst 192.168.93.213 self permanent');
  });
});

describe('captured devices', () => {
  it('give their properties to the derived ones of the same name', () => {
    const namespace = host1({ interfaces: [link('cni0', { mtu: 1400, up: false })] });
    expect(device(namespace, 'cni0')).toMatchObject({ mtu: 1400, up: false, addresses: [], device: { kind: 'bridge' } });
    expect(device(namespace, 'eth0')).toEqual(device(derived, 'eth0'));
    expect(routes(namespace, 254).filter((r) => r.includes('cni0'))).toEqual([]);
  });

  it('of a whole dump are all that there are, but for the pods\' veths', () => {
    const namespace = host1({ interfaces: [link('lo'), link('eth0')] });
    expect(namespace.interfaces.map((i) => i.name.replace(/^veth.*/, 'veth'))).toEqual(['lo', 'eth0', 'veth']);
  });

  it('give the veth to the pod that link-netns names', () => {
    const nodes = [node('host1', '192.168.93.212/24', '10.0.14.0/24', { captured: { interfaces: [link('veth3f10a000', { linkNamespace: 'pod1', addresses: null })] } })];
    const host = buildTopology(article({ nodes })).hosts[0];
    expect(host?.namespaces[0]?.interfaces.filter((i) => i.name.startsWith('veth')).map((i) => i.name)).toEqual(['veth3f10a000']);
    expect(device(host?.namespaces[1], 'eth0')?.device).toEqual({ kind: 'veth', peer: { host: 'host1', namespace: 'root', name: 'veth3f10a000' } });
    expect(device(host?.namespaces[0], 'veth3f10a000')).toMatchObject({ port: { master: 'cni0', hairpin: true }, device: { peer: { namespace: 'default/pod1' } } });
  });

  it('that nobody declared are plugged into the network that their address is in', () => {
    const bare = node('host1', '', '10.0.14.0/24', { interfaces: [], captured: { interfaces: [link('ens3', { addresses: [{ address: address('192.168.93.212'), length: 24, scope: 'global', origin }] })] } });
    const topology = buildTopology(article({ nodes: [bare, node('host2', '192.168.93.213/24', '10.0.5.0/24')] }));
    expect(device(topology.hosts[0]?.namespaces[0], 'ens3')?.device).toEqual({ kind: 'physical', network: 'lan' });
    expect(topology.hosts[1]?.namespaces[0]?.fdb.map((f) => f.text.replace(/^\S+/, 'MAC'))).toEqual(['MAC dev flannel.1 dst 192.168.93.212 self permanent']);
  });
});

describe('the recorded cluster, all of whose dumps are captured', () => {
  const host = recordedSnapshot().topology().hosts.find((h) => h.name === 'host1');

  it('has just the devices that ip addr printed', () => {
    expect(host?.namespaces[0]?.interfaces.map((i) => i.name)).toEqual(['lo', 'eno16777984', 'cni0', 'veth3f113999', 'veth3f10a000', 'veth3f10e444', 'flannel.1', 'docker0']);
  });

  it.each([['default/pod1', 'veth3f10a000'], ['default/web-1', 'veth3f10e444'], ['default/gtp-1', 'veth3f113999']])('ties %s to %s', (pod, veth) => {
    const eth0 = device(host?.namespaces.find((n) => n.name === pod), 'eth0');
    expect(eth0?.device).toMatchObject({ kind: 'veth', peer: { name: veth } });
    expect(device(host?.namespaces[0], veth)).toMatchObject({ port: { master: 'cni0', hairpin: true }, device: { kind: 'veth', peer: { namespace: pod } } });
  });

  it('has the VTEP MAC that it printed and the uplink on the network', () => {
    expect(formatMac(device(host?.namespaces[0], 'flannel.1')?.mac ?? (0 as never))).toBe('6a:8c:10:00:00:01');
    expect(device(host?.namespaces[0], 'flannel.1')?.device).toMatchObject({ kind: 'vxlan', underlay: 'eno16777984', misses: null });
    expect(device(host?.namespaces[0], 'eno16777984')?.device).toEqual({ kind: 'physical', network: 'lan' });
  });
});
