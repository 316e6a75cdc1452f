/** A real kube-proxy 1.30 and flannel's programming, on three hosts, are the judge of what is derived. */
import { describe, expect, it } from 'vitest';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { Namespace } from '../../../engine/src/topology/model.ts';
import { recordedSpec, recordedText } from './recorded.ts';

const topology = buildTopology(recordedSpec());

function rootOf(host: string): Namespace {
  const found = topology.hosts.find((h) => h.name === host)?.namespaces[0];
  if (found === undefined) throw new Error(`no host ${host}`);
  return found;
}

const lines = (text: string): readonly string[] => text.split('\n').map((l) => l.trim()).filter((l) => l !== '');

/** Every line as `TABLE line`; chain lines without their counters. */
function recordedTables(host: string): readonly string[] {
  let table = '';
  return lines(recordedText(`nodes/${host}/iptables-save.txt`)).flatMap((line) => {
    if (line.startsWith('*')) table = line.slice(1);
    if (!line.startsWith('-A') && !line.startsWith(':')) return [];
    return [`${table} ${line.replace(/ \[\d+:\d+\]$/, '')}`];
  });
}

const derivedTables = (host: string): readonly string[] =>
  rootOf(host)
    .tables.filter((t) => t.family === 4)
    .flatMap((t) => t.chains.flatMap((c) => [`${t.name} :${c.name} ${c.policy ?? '-'}`, ...c.rules.map((r) => `${t.name} ${r.text}`)]));

describe.each(['host1', 'host2', 'host3'])('%s', (host) => {
  it('has the iptables lines that kube-proxy and flannel wrote, no more and no fewer', () => {
    expect([...derivedTables(host)].sort()).toEqual([...recordedTables(host)].sort());
  });

  it('has the same rules in the same order in every chain but those that list services', () => {
    const listing = /^nat -A KUBE-(SERVICES|NODEPORTS)|^filter -A KUBE-(SERVICES|EXTERNAL-SERVICES|PROXY-FIREWALL|NODEPORTS)/;
    const ordered = (all: readonly string[]): readonly string[] => all.filter((l) => !listing.test(l) && !/^\w+ :/.test(l));
    expect(ordered(derivedTables(host))).toEqual(ordered(recordedTables(host)));
  });

  it('has the IPv4 routes that ip route printed, in its order', () => {
    const recorded = lines(recordedText(`nodes/${host}/ip-route-all.txt`)).filter((l) => !l.includes(':'));
    // The recorded hosts' default route was written with a metric.
    const derived = rootOf(host).routes.filter((r) => r.destination.address.family === 4).map((r) => r.text.replace(/ proto static$/, ' proto static metric 100'));
    expect(derived).toEqual(recorded);
  });

  it("has flannel's permanent neighbours and its FDB entries", () => {
    const neighbours = lines(recordedText(`nodes/${host}/ip-neigh.txt`)).filter((l) => l.endsWith('PERMANENT'));
    expect(rootOf(host).neighbours.map((n) => n.text).sort()).toEqual([...neighbours].sort());
    const fdb = lines(recordedText(`nodes/${host}/bridge-fdb.txt`)).filter((l) => l.includes(' dst '));
    expect(rootOf(host).fdb.map((e) => e.text).sort()).toEqual([...fdb].sort());
  });

  it('has the sysctls that the node printed, as far as they are derived', () => {
    const recorded = new Map(lines(recordedText(`nodes/${host}/sysctl.txt`)).map((l) => l.split(' = ') as [string, string]));
    const known = rootOf(host).sysctls.filter((s) => recorded.has(s.name));
    expect(known.length).toBeGreaterThan(5);
    for (const sysctl of known) expect(`${sysctl.name} = ${sysctl.value}`).toBe(`${sysctl.name} = ${recorded.get(sysctl.name) ?? ''}`);
  });
});

describe('pods', () => {
  it.each(['default/pod1', 'default/pod2', 'kube-system/coredns-a', 'kube-system/coredns-b', 'default/web-1', 'default/web-3', 'default/shop-1'])('%s has the routes and the MAC that it printed', (name) => {
    const recorded = lines(recordedText(`pods/${name.slice(name.indexOf('/') + 1)}.txt`));
    const namespace = topology.hosts.flatMap((h) => h.namespaces).find((n) => n.name === name);
    expect(namespace?.routes.filter((r) => r.table === 254).map((r) => r.text)).toEqual(recorded.slice(recorded.indexOf('# ip route') + 1));
    const mac = recorded.map((l) => /link\/ether (\S+)/.exec(l)?.[1]).find((m) => m !== undefined);
    const eth0 = namespace?.interfaces.find((i) => i.name === 'eth0');
    expect((eth0?.mac ?? 0).toString(16).padStart(12, '0')).toBe(mac?.replaceAll(':', ''));
  });
});
