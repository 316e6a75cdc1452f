import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { printTables } from '../../../server/src/language/native/iptables/print.ts';
import { readIptables } from '../../../server/src/language/native/iptables/tables.ts';
import { readFdb } from '../../../server/src/language/native/fdb.ts';
import { readAddresses, readLinks } from '../../../server/src/language/native/interface.ts';
import { readNeighbours } from '../../../server/src/language/native/neighbour.ts';
import { readPolicyRules } from '../../../server/src/language/native/policy-rule.ts';
import { printFdbEntry, printNeighbour, printPolicyRule, printRoute, printSysctl } from '../../../server/src/language/native/print.ts';
import { readRoutes } from '../../../server/src/language/native/route.ts';
import { readSysctls } from '../../../server/src/language/native/sysctl.ts';

const FIXTURES = new URL('../../fixtures/recorded/', import.meta.url);

const linesOf = (text: string) => text.split('\n').map((line, i) => ({ text: line.trim(), at: { file: 'x', line: i + 1 } }));
const dump = (path: string) => linesOf(readFileSync(new URL(path, FIXTURES), 'utf8'));
const texts = (lines: readonly { text: string }[]) => lines.map((line) => line.text).filter((text) => text !== '' && !text.startsWith('#'));

describe.each(['host1', 'host2', 'host3'])('the recorded node %s', (host) => {
  test('every iptables rule is read, and printed as iptables-save printed it', () => {
    const lines = dump(`nodes/${host}/iptables-save.txt`);
    const { tables, problems } = readIptables(lines, 4);
    expect(problems).toEqual([]);
    expect(tables.map((table) => table.name)).toEqual(['mangle', 'nat', 'filter']);
    expect(printTables(tables).sort()).toEqual(texts(lines).sort());
    const rules = tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules));
    expect(rules.map((rule) => rule.text)).toEqual(expect.arrayContaining(texts(lines).filter((text) => text.startsWith('-A'))));
  });
  test.each(['ip-route.txt', 'ip-route-all.txt'])('%s is read and printed line by line', (file) => {
    const lines = dump(`nodes/${host}/${file}`);
    const { routes, problems } = readRoutes(lines);
    expect(problems).toEqual([]);
    expect(routes.map(printRoute)).toEqual(texts(lines));
    expect(routes.map((route) => route.text)).toEqual(texts(lines));
  });
  test('ip rule', () => {
    const lines = dump(`nodes/${host}/ip-rule.txt`);
    const { rules, problems } = readPolicyRules(lines);
    expect(problems).toEqual([]);
    expect(rules.map(printPolicyRule)).toEqual(texts(lines));
    expect(rules.map((rule) => [rule.priority, rule.action])).toEqual([
      [0, { kind: 'lookup', table: 255, suppressPrefixLength: null }],
      [32766, { kind: 'lookup', table: 254, suppressPrefixLength: null }],
      [32767, { kind: 'lookup', table: 253, suppressPrefixLength: null }],
    ]);
  });
  test('ip neigh', () => {
    const lines = dump(`nodes/${host}/ip-neigh.txt`);
    const { neighbours, problems } = readNeighbours(lines);
    expect(problems).toEqual([]);
    expect(neighbours.map(printNeighbour)).toEqual(texts(lines));
  });
  test('bridge fdb', () => {
    const lines = dump(`nodes/${host}/bridge-fdb.txt`);
    const { entries, problems } = readFdb(lines);
    expect(problems).toEqual([]);
    expect(entries.map(printFdbEntry)).toEqual(texts(lines));
  });
  test('sysctl', () => {
    const lines = dump(`nodes/${host}/sysctl.txt`);
    const { sysctls, problems } = readSysctls(lines);
    expect(problems).toEqual([]);
    expect(sysctls.map(printSysctl)).toEqual(texts(lines));
  });
  test('ip addr, against what ip itself says as JSON', () => {
    const { interfaces, problems } = readAddresses(dump(`nodes/${host}/ip-addr.txt`));
    expect(problems).toEqual([]);
    expect(interfaces.map(summary)).toEqual(fromJson(host));
  });
  test('ip -d link, against what ip itself says as JSON', () => {
    const { interfaces, problems } = readLinks(dump(`nodes/${host}/ip-link.txt`));
    expect(problems).toEqual([]);
    expect(interfaces.map((i) => ({ ...summary(i), addresses: undefined }))).toEqual(fromJson(host).map((i) => ({ ...i, addresses: undefined })));
    const flannel = interfaces.find((i) => i.name === 'flannel.1')!;
    expect(flannel.device).toMatchObject({ kind: 'vxlan', vni: 1, port: 8472, learning: false, checksum: true, df: 'unset', misses: null });
    expect(interfaces.find((i) => i.name === 'cni0')!.device).toEqual({ kind: 'bridge' });
    const ports = interfaces.filter((i) => i.master === 'cni0');
    expect(ports.length).toBeGreaterThan(0);
    for (const { port } of ports) expect(port).toEqual({ master: 'cni0', hairpin: true, isolated: false, learning: true, flood: true });
  });
});

const summary = (i: ReturnType<typeof readAddresses>['interfaces'][number]) => ({
  index: i.index, name: i.name, mtu: i.mtu, up: i.up, mac: i.mac, master: i.master, addresses: i.addresses?.map((a) => `${a.length} ${a.scope} ${JSON.stringify(a.address.words)}`),
});

function fromJson(host: string) {
  interface Json { ifindex: number; ifname: string; mtu: number; flags: string[]; link_type: string; address: string; master?: string; addr_info: { local: string; prefixlen: number; scope: string }[] }
  const json = JSON.parse(readFileSync(new URL(`nodes/${host}/ip-addr.json`, FIXTURES), 'utf8')) as Json[];
  return json.map((i) => ({
    index: i.ifindex,
    name: i.ifname,
    mtu: i.mtu,
    up: i.flags.includes('UP'),
    mac: i.link_type === 'ether' ? Number(`0x${i.address.replaceAll(':', '')}`) : null,
    master: i.master ?? null,
    addresses: i.addr_info.map((a) => `${a.prefixlen} ${a.scope} ${JSON.stringify(wordsOfAddress(a.local))}`),
  }));
}

/** Written apart from the engine, so that nothing of ours is in the expectation. */
function wordsOfAddress(text: string): number[] {
  if (!text.includes(':')) return [0, 0, 0, text.split('.').reduce((n, octet) => n * 256 + Number(octet), 0)];
  const [head = '', tail = ''] = text.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right].map((g) => Number.parseInt(g, 16));
  return [0, 2, 4, 6].map((i) => groups[i]! * 65536 + groups[i + 1]!);
}

const PODS = readdirSync(new URL('pods/', FIXTURES));

test('there are recorded pods', () => expect(PODS.length).toBeGreaterThan(5));

test.each(PODS)('inside the pod %s', (file) => {
  const [, addresses = '', routes = ''] = /^# ip addr\n([\s\S]*)# ip route\n([\s\S]*)$/.exec(readFileSync(new URL(`pods/${file}`, FIXTURES), 'utf8')) ?? [];
  const read = { addresses: readAddresses(linesOf(addresses)), routes: readRoutes(linesOf(routes)) };
  expect([...read.addresses.problems, ...read.routes.problems]).toEqual([]);
  expect(read.addresses.interfaces.map((i) => i.name)).toEqual(['lo', 'eth0']);
  expect(read.routes.routes.map(printRoute)).toEqual(texts(linesOf(routes)));
});
