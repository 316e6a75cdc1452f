/** Devices are printed in the words of `ip`, in its order, and read back as they were. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Interface } from '../../../engine/src/topology/model.ts';
import type { CapturedInterface } from '../../../engine/src/topology/spec.ts';
import { readAddresses, readLinks } from '../../../server/src/language/native/interface.ts';
import { printAddresses, printLinks } from '../../../server/src/language/native/print-interface.ts';

const PLACE = { host: 'host1', namespace: 'root' };

const linesOf = (text: string) => text.split('\n').map((line, i) => ({ text: line.trim(), at: { file: 'x', line: i + 1 } }));

/** As the topology has them; the far end of a pair is at the number that its line gives. */
function interfacesOf(captured: readonly CapturedInterface[]): Interface[] {
  const nameOf = (index: number | null): string | undefined => captured.find((c) => c.index === index && c.name !== 'lo')?.name;
  return captured.map(({ addresses, device, port, peerIndex, linkNamespace, ...rest }) => {
    const elsewhere = linkNamespace !== undefined || nameOf(peerIndex) === undefined;
    const peer = peerIndex === null ? null : elsewhere ? { host: 'host1', namespace: 'far', name: String(peerIndex) } : { ...PLACE, name: nameOf(peerIndex) ?? '' };
    return { ...rest, addresses: addresses ?? [], port: port ?? (typeof rest.master === 'string' ? { master: rest.master, hairpin: false, isolated: false, learning: true, flood: true } : null), device: device?.kind === 'veth' ? { ...device, peer } : (device ?? { kind: 'physical', network: null }) };
  });
}

const indexOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): number | null => (namespace === 'far' ? Number(name) : null);

/** Whether all words stand in the line, in this order. */
function standsIn(printed: string, line: string): boolean {
  const words = line.trim().split(/\s+/);
  let at = 0;
  for (const word of printed.trim().split(/\s+/)) {
    at = words.indexOf(word, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

const numbered = (line: string): string => line.replace(/^\d+: /, '').replace(/^.*<.*$/, (header) => header.replace(/<(NO-CARRIER,)?(.*?)(,LOWER_UP)?>/, '<$2>').replace(/,M-DOWN/, ''));

/** Lines of `ip` in which nothing stands that a topology knows. */
const saysNothing = (line: string): boolean => line === '' || /^\s*(valid_lft|altname|alias)/.test(line);

function compare(printed: readonly string[], output: string): void {
  const theirs = output.split('\n').filter((line) => !saysNothing(line));
  expect(printed).toHaveLength(theirs.length);
  expect(printed.filter((line, i) => !standsIn(numbered(line), numbered(theirs[i]!)))).toEqual([]);
}

const comparable = (interfaces: readonly CapturedInterface[]): unknown => interfaces.map(({ name, mac, mtu, up, master, port, addresses, device, peerIndex }) => ({
  name, mac, mtu, up, master, port, device: device?.kind === 'physical' ? null : device, addresses: addresses?.map(({ address, length, scope }) => ({ address, length, scope })), paired: peerIndex !== null && device?.kind === 'veth',
}));

const recorded = (host: string, file: string): string => readFileSync(new URL(`../../fixtures/recorded/nodes/${host}/${file}`, import.meta.url), 'utf8');

function check(kind: 'addresses' | 'links', output: string): void {
  const [read, print] = kind === 'addresses' ? [readAddresses, printAddresses] as const : [readLinks, printLinks] as const;
  const captured = read(linesOf(output)).interfaces.filter((c) => c.device?.kind !== 'unknown');
  const printed = print(interfacesOf(captured), PLACE, indexOf);
  compare(printed, output);
  const again = read(linesOf(printed.join('\n')));
  expect(again.problems).toEqual([]);
  expect(comparable(again.interfaces)).toEqual(comparable(captured));
  expect(captured.length).toBeGreaterThan(1);
}

describe.each(['host1', 'host2', 'host3'])('the recorded devices of %s', (host) => {
  test('ip addr', () => { check('addresses', recorded(host, 'ip-addr.txt').replace(/@\S+:/g, ':')); });
  test('ip -d link', () => { check('links', recorded(host, 'ip-link.txt')); });
});

const SETUP = `ip link set lo up; ip link add br0 type bridge; ip link add v0 type veth peer name v1; ip link set v0 master br0; ip link set v0 type bridge_slave hairpin on isolated on learning off flood off
ip link add vx type vxlan id 7 local 10.0.0.1 dev v1 dstport 8472 nolearning ttl 5 df set noudpcsum; ip link add vy type vxlan id 8 local fd00::1 dev v1 dstport 4789 udp6zerocsumtx
ip link add vz type vxlan id 9 dstport 4790 ttl inherit tos inherit df inherit srcport 1000 2000 l2miss l3miss; ip link add vw type vxlan id 10 local fd00::1 dstport 4791 tos 0x10
for d in br0 v0 v1 vx; do ip link set $d up addrgenmode none; done; ip addr add 10.0.0.1/24 dev v1; ip addr add fd00::1/64 dev v1 nodad; ip addr add 10.1.0.1/16 dev br0 scope link
`;

const shell = (script: string): string => spawnSync('unshare', [...(process.getuid?.() === 0 ? ['-n'] : ['-Urn']), 'sh', '-es'], { input: `${SETUP}\n${script}`, encoding: 'utf8' }).stdout;

describe.runIf(shell('ip -d link').includes('vw:'))('devices of this kernel', () => {
  test('ip addr', () => { check('addresses', shell('ip addr').replace(/@\S+:/g, ':')); });
  test('ip -d link', () => { check('links', shell('ip -d link')); });
});
