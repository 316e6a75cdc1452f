/** `ip -j` and `bridge -j` say what the same tools print as text, and both are read to the same records. */
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { DUMP_READERS } from '../../../server/src/language/bind/dump-formats.ts';
import { linesOfFile } from '../../../server/src/language/bind/dump-lines.ts';
import type { CaptureKeyword } from '../../../server/src/language/bind/declarations.ts';

const lines = (text: string) => text.split('\n').map((line) => ({ text: line.trim(), offset: -1, key: {} }));
const read = (keyword: CaptureKeyword, text: string) => DUMP_READERS[keyword](lines(text), (i) => ({ file: 'x', line: i + 1 }));

/** Without what only one of the two can say: where a record stands, and blanks in its text. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (key, v: unknown) => (key === 'origin' ? undefined : key === 'text' && typeof v === 'string' ? undefined : v)));

const recorded = (host: string, file: string): string => readFileSync(new URL(`../../fixtures/recorded/nodes/${host}/${file}`, import.meta.url), 'utf8');

describe.each(['host1', 'host2', 'host3'])('the recorded dumps of %s', (host) => {
  test.each([['addresses', 'ip-addr'], ['routes', 'ip-route']] as const)('%s: JSON and text hold the same', (keyword, file) => {
    const [json, text] = [read(keyword, recorded(host, `${file}.json`)), read(keyword, recorded(host, `${file}.txt`))];
    expect(json.problems).toEqual([]);
    // The JSON was printed with `-d`: it knows the devices' kinds; the name of a peer's namespace is printed as text alone.
    const common = (state: object): unknown => JSON.parse(JSON.stringify(plain(state), (key, v: unknown) => (key === 'device' || key === 'port' || key === 'linkNamespace' ? undefined : v)));
    expect(common(json.state)).toEqual(common(text.state));
    expect(Object.values(json.state)[0]).not.toEqual([]);
  });
});

/** Devices, routes, rules, neighbours and FDB entries of every kind that this kernel has, in a namespace of their own. */
const SETUP = `
ip link set lo up; ip link add br0 type bridge; ip link add v0 type veth peer name v1; ip link set v0 master br0; ip link set v0 type bridge_slave hairpin on isolated on
ip link add vx type vxlan id 7 local 10.0.0.1 dev v1 dstport 8472 nolearning ttl 5 df set noudpcsum; ip link add vy type vxlan id 8 local fd00::1 dev v1 dstport 4789 udp6zerocsumtx
for d in br0 v0 v1 vx; do ip link set $d up; done
ip addr add 10.0.0.1/24 dev v1; ip addr add fd00::1/64 dev v1 nodad; ip addr add 10.9.9.1 peer 10.9.9.2/32 dev v1
ip route add 10.5.0.0/16 via 10.0.0.2; ip route add 10.6.0.0/16 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3 dev v1 onlink; ip route add unreachable 10.7.0.0/16 metric 5
ip route add 10.8.0.0/16 via inet6 fe80::1 dev v1 mtu 1400 table 100 tos 0x10; ip route add default via 10.0.0.2 proto static metric 7; ip route add 10.10.0.0/16 via 10.0.0.2 dev v1 onlink src 10.0.0.1
ip -6 route add fd01::/64 via fd00::2; ip -6 route add fd02::/64 nexthop via fd00::2 nexthop via fd00::3; ip -6 route add prohibit fd03::/64; ip -6 route add default via fd00::2 expires 500
ip neigh add 10.0.0.2 lladdr 0a:00:00:00:00:01 dev v1; ip neigh add 10.0.0.3 lladdr 0a:00:00:00:00:05 dev v1 nud stale router; ip neigh add fd00::7 lladdr 0a:00:00:00:00:04 dev v1 nud noarp; ip neigh add 10.0.0.9 lladdr 0a:00:00:00:00:09 dev v1
bridge fdb add 0a:00:00:00:00:02 dev vx dst 10.0.0.2 port 99 vni 5 via v1; bridge fdb append 00:00:00:00:00:00 dev vx dst 10.0.0.9; bridge fdb add 0a:00:00:00:00:03 dev v0 master static
ip rule add from 10.0.0.0/8 to 10.1.0.0/16 fwmark 1/3 iif v1 ipproto tcp lookup 100; ip rule add not fwmark 5 goto 32766 pref 50; ip rule add pref 51 prohibit; ip rule add pref 52 lookup main suppress_prefixlength 0
ip rule add oif v1 pref 61 nop; ip rule add pref 62 blackhole from 10.3.0.0/16; ip rule add pref 63 from 10.4.0.1 uidrange 5-6 sport 1-9 dport 53 tos 0x10 lookup 7; ip -6 rule add from fd00::/8 lookup 9
ip rule add goto 900 pref 64; ip rule add from 10.4.0.2 lookup 8 realms 3/4 pref 65; ip rule add iif nosuch ipproto gre lookup 8 pref 66; ip rule add unreachable pref 67
ip link add vz type vxlan id 9 group 239.1.1.1 dev v1 dstport 4790 ttl inherit tos inherit srcport 1000 2000; ip link add vw type vxlan external dstport 4791; ip link set v0 type bridge_slave neigh_suppress on mcast_flood off
ip tuntap add t0 mode tun; ip tuntap add t1 mode tap; ip addr add 10.10.0.9/24 dev v1 preferred_lft 5 valid_lft 50; ip addr add fd00::5/64 dev v1 preferred_lft 0
ip nexthop add id 1 via 10.0.0.2 dev v1; ip nexthop add id 2 via 10.0.0.3 dev v1; ip nexthop add id 5 group 1,2/2,3; ip route add 10.31.0.0/16 nhid 1; ip route add 10.32.0.0/16 nhid 5
ip route add 10.33.0.0/16 via 10.0.0.2 realm 5 rtt 20ms initcwnd 10 features ecn congctl reno; ip route add throw 10.34.0.0/16 table 7; ip route add local 10.35.0.0/16 dev lo
ip -6 route add fd05::/64 from fd00::/64 via fd00::2; ip -6 route add fd06::/64 encap seg6 mode encap segs fd00::55 dev v1
`;

const shell = (script: string): string => {
  const { stdout, status } = spawnSync('unshare', [...(process.getuid?.() === 0 ? ['-n'] : ['-Urn']), 'sh', '-s'], { input: `${SETUP}\n${script}`, encoding: 'utf8' });
  return status === 0 ? stdout : '';
};

const COMMANDS: readonly (readonly [CaptureKeyword, string, string])[] = [
  ['routes', 'ip -4 route show table all', 'ip -4 -j route show table all'],
  ['routes', 'ip -d route', 'ip -j -d route'],
  ['routes', 'ip -6 route show table all', 'ip -6 -j route show table all'],
  ['rules', 'ip rule', 'ip -j rule'],
  ['rules', 'ip -d -6 rule', 'ip -j -d -6 rule'],
  ['neighbours', 'ip neigh', 'ip -j neigh'],
  ['neighbours', 'ip -s neigh', 'ip -j -s neigh'],
  ['fdb', 'bridge fdb show', 'bridge -j fdb show'],
  ['fdb', 'bridge -s -d fdb show', 'bridge -s -d -j fdb show'],
  ['addresses', 'ip addr', 'ip -j addr'],
  ['addresses', 'ip -d -s addr', 'ip -j -d -s addr'],
  ['links', 'ip -d link', 'ip -j -d link'],
  ['links', 'ip -d -s link', 'ip -j -p -d -s link'],
  ['links', 'bridge -d link', 'bridge -j -d link'],
];

describe.runIf(shell('ip -j rule') !== '')('iproute2', () => {
  const outputs = shell(COMMANDS.map(([, text, json]) => `${text}; echo ====; ${json}; echo ====`).join('\n')).split('====\n');
  test.each(COMMANDS.map(([keyword, text, json], i) => [text, json, keyword, i] as const))('%s and %s hold the same', (_, __, keyword, i) => {
    const [text, json] = [read(keyword, outputs[2 * i]!), read(keyword, outputs[2 * i + 1]!)];
    expect(plain(json.state)).toEqual(plain(text.state));
    expect(json.problems.map((p) => p.message.replace(/^In `.*?`: /, ''))).toEqual(text.problems.map((p) => p.message));
    expect(JSON.stringify(json.state).length).toBeGreaterThan(40);
  });
});

/** The same state, asked for in other ways; all are read as the first is. */
const SPELLINGS: readonly (readonly [CaptureKeyword, string, readonly string[]])[] = [
  ['routes', 'ip route show table all', ['ip -d route show table all', 'ip -N route show table all', 'ip -o route show table all', 'ip -s -d -N route show table all', 'ip -c=always route show table all', 'ip -br route show table all']],
  ['rules', 'ip rule', ['ip -d rule', 'ip -N rule', 'ip -o rule', 'ip -c=always rule', 'ip -br rule']],
  ['addresses', 'ip addr', ['ip -s addr', 'ip -s -s addr', 'ip -c=always addr', 'ip -h -s addr', 'ip -N addr']],
  ['links', 'ip link', ['ip -s -s link', 'ip -o link', 'ip -N link', 'ip -c=always link']],
  ['links', 'ip -d link', ['ip -d -s -s link', 'ip -d -o link', 'ip -d -N link', 'ip -d -c=always link']],
  ['neighbours', 'ip neigh', ['ip -d neigh', 'ip -s -s neigh', 'ip -N neigh', 'ip -c=always neigh']],
  ['fdb', 'bridge fdb', ['bridge -d fdb', 'bridge -s fdb', 'bridge -o fdb', 'bridge -c=always fdb']],
];

describe.runIf(shell('ip -j rule') !== '')('the same state in other words', () => {
  const asText = (keyword: CaptureKeyword, output: string) => DUMP_READERS[keyword](linesOfFile(output), (i) => ({ file: 'x', line: i + 1 }));
  test.each(SPELLINGS)('%s: %s', (keyword, first, others) => {
    const [wanted, ...outputs] = shell([first, ...others].map((command) => `${command}; echo ====`).join('\n')).split('====\n');
    const read1 = asText(keyword, wanted!);
    for (const [i, command] of others.entries()) {
      const state = asText(keyword, outputs[i]!);
      expect({ command, state: plain(state.state), told: state.problems.map((p) => p.message) }).toEqual({ command, state: plain(read1.state), told: read1.problems.map((p) => p.message) });
    }
    expect(read1.problems.filter((p) => p.severity === 'error')).toEqual([]);
  });
  test.each([['addresses', 'ip -br addr'], ['addresses', 'ip -o addr'], ['links', 'ip -br link'], ['neighbours', 'ip -br neigh']] as const)('%s: %s says too little, and each of its lines is told', (keyword, command) => {
    const output = shell(command);
    expect(asText(keyword, output).problems.filter((p) => p.severity === 'error')).toHaveLength(output.trim().split('\n').length);
  });
});

describe('a problem in JSON stands at its token, with its path', () => {
  test.each([
    ['routes', '[{"dst":"10.0.0.0/33","dev":"eth0"}]', 0, 8, 13, 'In `[0].dst`'],
    ['routes', '[ {\n "dst": "default",\n "gatewai": "10.0.0.1" } ]', 2, 0, 9, 'In `[0].gatewai`'],
    ['routes', '[{"dst":"10.0.0.0/8","nexthops":[{"gateway":"10.0.0.1"},{"gateway":"x"}]}]', 0, 67, 3, 'In `[0].nexthops[1].gateway`'],
    ['routes', '[{"dst":"default"', 0, 17, 0, 'A `,` or the `}`'],
    ['routes', '[{"dst":"default"}', 0, 18, 0, 'A `,` or the `]`'],
    ['routes', '[{"dst" "default"}]', 0, 8, 11, 'The `:`'],
    ['routes', '[{"dst":}]', 0, 8, 2, 'A value'],
    ['routes', '[{"dst":"default}]', 0, 8, 10, 'This text'],
    ['routes', '[] []', 0, 3, 2, 'Nothing may follow'],
    ['routes', '[5]', 0, 1, 1, 'In `[0]`: An object'],
    ['rules', '[{"priority":5,"src":"10.0.0.0","srclen":99,"table":"main"}]', 0, 21, 10, 'In `[0].src`'],
    ['neighbours', '[{"dst":"10.0.0.1","dev":"eth0","lladdr":"zz","state":["STALE"]}]', 0, 41, 4, 'In `[0].lladdr`'],
    ['fdb', '[{"mac":"0a:00:00:00:00:01","ifname":"vx","dst":"here"}]', 0, 48, 6, 'In `[0].dst`'],
    ['addresses', '[{"ifname":"eth0","flags":["UP"],"mtu":"many","link_type":"ether","address":"0a:00:00:00:00:01"}]', 0, 39, 6, 'In `[0].mtu`'],
    ['links', '[{"ifname":"vx","mtu":1450,"flags":[],"linkinfo":{"info_kind":"vxlan","info_data":{"id":99999999}}}]', 0, 88, 8, 'In `[0].linkinfo.info_data.id`'],
  ] as const)('%s %s', (keyword, text, line, offset, length, message) => {
    const { problems } = read(keyword, text);
    expect(problems[0]).toMatchObject({ line, offset, length });
    expect(problems[0]!.message).toContain(message);
  });
  test('what stands before the mistake is read', () => {
    expect(read('routes', '[{"dst":"default","gateway":"10.0.0.1","dev":"eth0"},{"dst":').state.routes).toHaveLength(1);
  });
  test('a record without what makes it is told at its brace', () => {
    expect(read('neighbours', '[ {\n "dst": "10.0.0.1",\n "lladdr": "0a:00:00:00:00:01" } ]').problems[0]).toMatchObject({ line: 1, offset: 7, length: 10 });
  });
});
