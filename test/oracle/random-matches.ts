/** Random conditions of iptables rules: every match that the simulator models and this kernel has. */
import fc from 'fast-check';

export interface Vocabulary {
  readonly family: 4 | 6;
  /** With their lengths. */
  readonly prefixes: readonly string[];
  readonly pods: readonly string[];
  readonly hosts: readonly string[];
  readonly services: readonly string[];
  readonly devices: readonly string[];
  readonly macs: readonly string[];
}

export type Table = 'raw' | 'mangle' | 'nat' | 'filter';
export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

export const PORTS = [80, 81, 53, 8080, 9000];

export const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const inverted = fc.boolean().map((yes) => (yes ? '! ' : ''));
/** Mostly as it is: an inverted condition is nearly always true. */
const seldomInverted = fc.integer({ min: 0, max: 4 }).map((n) => (n === 4 ? '! ' : ''));
export const port = oneOf(PORTS);
const ports = fc.oneof(port.map(String), fc.tuple(port, port).map(([a, b]) => (a === b ? String(a) : `${Math.min(a, b)}:${Math.max(a, b)}`)));
export const mark = fc.tuple(oneOf(['0x1', '0x10', '0x4000', '0xff']), oneOf(['0xff', '0xffffffff', '0x4000'])).map(([v, m]) => `${v}/${m}`);

type Weighted = { readonly weight: number; readonly arbitrary: fc.Arbitrary<string> };
const often = (weight: number, arbitrary: fc.Arbitrary<string>): Weighted => ({ weight, arbitrary });

const end = (v: Vocabulary, flag: string): fc.Arbitrary<string> => fc.tuple(seldomInverted, oneOf(v.prefixes)).map(([not, prefix]) => `${not}-${flag} ${prefix}`);
const device = (v: Vocabulary, flag: string): fc.Arbitrary<string> => fc.tuple(seldomInverted, oneOf(v.devices)).map(([not, name]) => `${not}-${flag} ${name}`);

const range = (v: Vocabulary): fc.Arbitrary<string> =>
  fc.tuple(oneOf(['src', 'dst']), oneOf(v.pods), oneOf(v.pods), seldomInverted).map(([which, a, b, not]) => {
    const [low, high] = [a, b].sort((x, y) => (x.length === y.length ? (x < y ? -1 : 1) : x.length - y.length));
    return `-m iprange ${not}--${which}-range ${low ?? a}-${high ?? b}`;
  });

function transport(v: Vocabulary): fc.Arbitrary<string> {
  const icmp = v.family === 4 ? 'icmp' : 'ipv6-icmp';
  return fc.oneof(
    fc.tuple(oneOf(['tcp', 'udp']), oneOf(['sport', 'dport', 'dport']), ports, seldomInverted).map(([p, which, of, not]) => `-p ${p} -m ${p} ${not}--${which} ${of}`),
    fc.tuple(oneOf(['tcp', 'udp', icmp]), seldomInverted).map(([p, not]) => `${not}-p ${p}`),
    fc.tuple(oneOf(['tcp', 'udp']), oneOf(['dports', 'sports', 'ports']), ports, ports, seldomInverted).map(([p, which, a, b, not]) => `-p ${p} -m multiport ${not}--${which} ${a},${b}`),
    fc.tuple(oneOf(['SYN,RST SYN', 'FIN,SYN,RST,ACK SYN', 'SYN,ACK SYN,ACK', 'RST RST', 'ACK NONE']), seldomInverted).map(([flags, not]) => `-p tcp -m tcp ${not}--tcp-flags ${flags}`),
    v.family === 4
      ? fc.tuple(oneOf(['8', '0', '3', '3/1', '3/3', '11', 'any']), seldomInverted).map(([type, not]) => `-p icmp -m icmp ${type === 'any' ? '' : not}--icmp-type ${type}`)
      : fc.tuple(oneOf(['128', '129', '1', '1/4', '2', '3']), seldomInverted).map(([type, not]) => `-p ipv6-icmp -m icmp6 ${not}--icmpv6-type ${type}`),
    fc.tuple(oneOf(['0:1400', '1:1460', '1461:65535', '500:1500']), seldomInverted).map(([mss, not]) => `-p tcp -m tcp --tcp-flags SYN,RST SYN -m tcpmss ${not}--mss ${mss}`),
  );
}

const recent = fc.tuple(oneOf(['--set', '--rcheck', '--update', '--remove', '--rcheck --seconds 60', '--update --hitcount 2', '--rcheck --seconds 60 --hitcount 1']), oneOf(['first', 'second']), oneOf(['--rsource', '--rdest']), seldomInverted)
  .map(([what, name, side, not]) => `-m recent ${not}${what} --name ${name} ${side}`);

/** Sets of the random cluster, by the types that this kernel has; a rule that names one has the node print them. */
export function ipsetLines(v: Vocabulary): readonly string[] {
  const family = v.family === 4 ? 'inet' : 'inet6';
  const [pod, other] = [v.pods[0] ?? '', v.pods.at(-1) ?? ''];
  const [host] = v.hosts;
  const network = v.family === 4 ? '10.0.2.0/24' : 'fd00:10:2::/64';
  const inside = v.family === 4 ? '10.0.2.11' : 'fd00:10:2::11';
  const head = 'hashsize 1024 maxelem 65536';
  return [
    `create addresses${v.family} hash:ip family ${family} ${head}`, `add addresses${v.family} ${pod}`, `add addresses${v.family} ${host ?? pod}`,
    `create networks${v.family} hash:net family ${family} ${head}`, `add networks${v.family} ${network}`, `add networks${v.family} ${inside} nomatch`,
    `create servers${v.family} hash:ip,port family ${family} ${head}`, `add servers${v.family} ${other},tcp:80`, `add servers${v.family} ${other},udp:53`, `add servers${v.family} ${pod},udp:80`,
    `create pairs${v.family} hash:ip,port,ip family ${family} ${head}`, `add pairs${v.family} ${pod},tcp:80,${other}`, `add pairs${v.family} ${other},udp:53,${pod}`,
    ...(v.family === 4 ? ['create ports4 bitmap:port range 0-10000', 'add ports4 80', 'add ports4 53-54', 'create all4 list:set size 8', 'add all4 addresses4', 'add all4 networks4'] : []),
  ];
}

const set = (v: Vocabulary): fc.Arbitrary<string> =>
  fc.tuple(oneOf([
    `addresses${v.family} src`, `addresses${v.family} dst`, `networks${v.family} src`, `networks${v.family} dst`, `servers${v.family} dst,dst`, `servers${v.family} src,src`, `pairs${v.family} src,dst,dst`,
    ...(v.family === 4 ? ['ports4 dst', 'ports4 src', 'all4 src', 'all4 dst'] : []),
  ]), seldomInverted).map(([which, not]) => `-m set ${not}--match-set ${which}`);

/** Large enough never to be used up. */
const limit = oneOf([
  '-m limit --limit 1000/sec --limit-burst 1000', '-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 1000 --hashlimit-mode srcip --hashlimit-name sources',
  '-m hashlimit --hashlimit-above 1000/sec --hashlimit-burst 1000 --hashlimit-mode dstip,dstport --hashlimit-name servers',
]);

function packet(v: Vocabulary): fc.Arbitrary<string> {
  const types = v.family === 4 ? ['LOCAL', 'UNICAST', 'BROADCAST', 'LOCAL,UNICAST', 'MULTICAST', 'UNREACHABLE', 'BLACKHOLE', 'PROHIBIT'] : ['LOCAL', 'UNICAST', 'LOCAL,UNICAST', 'MULTICAST', 'UNREACHABLE'];
  return fc.oneof(
    fc.tuple(oneOf(['0:100', '28:84', '1000:1500', '60', '1501:65535']), seldomInverted).map(([of, not]) => `-m length ${not}--length ${of}`),
    oneOf(['eq 64', 'lt 64', 'gt 62', 'eq 63', '! 64']).map((test) => {
      const [how, value] = test.split(' ');
      const name = v.family === 4 ? 'ttl' : 'hl';
      return how === '!' ? `-m ${name} ! --${name}-eq ${value ?? ''}` : `-m ${name} --${name}-${how ?? ''} ${value ?? ''}`;
    }),
    fc.tuple(oneOf(['unicast', 'broadcast', 'multicast']), seldomInverted).map(([type, not]) => `-m pkttype ${not}--pkt-type ${type}`),
    fc.tuple(oneOf(['0x00', '0x0a', '0x2e']), seldomInverted).map(([value, not]) => `-m dscp ${not}--dscp ${value}`),
    fc.tuple(mark, inverted).map(([value, not]) => `-m mark ${not}--mark ${value}`),
    fc.tuple(oneOf(['src', 'dst']), oneOf(types), seldomInverted).map(([which, type, not]) => `-m addrtype ${not}--${which}-type ${type}`),
    fc.constant('-m comment --comment "as it was"'),
    fc.tuple(oneOf(['0.5', '0.25']), seldomInverted).map(([p, not]) => `-m statistic --mode random ${not}--probability ${p}`),
    fc.tuple(oneOf(['--every 2 --packet 0', '--every 3 --packet 1']), seldomInverted).map(([nth, not]) => `-m statistic --mode nth ${not}${nth}`),
    recent,
    set(v),
    limit,
  );
}

/** The state ones are seldom in raw, before conntrack has seen the packet. */
const state = (v: Vocabulary): fc.Arbitrary<string> =>
  fc.oneof(
    fc.tuple(oneOf(['NEW', 'ESTABLISHED', 'RELATED', 'RELATED,ESTABLISHED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT', 'NEW,UNTRACKED']), seldomInverted).map(([states, not]) => `-m conntrack ${not}--ctstate ${states}`),
    fc.tuple(oneOf(['NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'INVALID', 'UNTRACKED']), seldomInverted).map(([states, not]) => `-m state ${not}--state ${states}`),
    fc.tuple(oneOf(['CONFIRMED', 'SEEN_REPLY', 'ASSURED', 'NONE', 'CONFIRMED,SEEN_REPLY']), seldomInverted).map(([of, not]) => `-m conntrack ${not}--ctstatus ${of}`),
    fc.tuple(oneOf(['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst']), oneOf(v.prefixes), seldomInverted).map(([field, prefix, not]) => `-m conntrack ${not}--${field} ${prefix}`),
    fc.tuple(oneOf(['ctorigdstport', 'ctreplsrcport']), ports, seldomInverted).map(([field, of, not]) => `-m conntrack ${not}--${field} ${of}`),
    oneOf(['ORIGINAL', 'REPLY']).map((direction) => `-m conntrack --ctdir ${direction}`),
    fc.tuple(mark, inverted).map(([value, not]) => `-m connmark ${not}--mark ${value}`),
  );

/** What needs the device that a packet came in by, or leaves by. */
function ofDevices(v: Vocabulary, hook: Hook): readonly Weighted[] {
  const input = hook === 'PREROUTING' || hook === 'INPUT' || hook === 'FORWARD';
  const output = hook === 'OUTPUT' || hook === 'POSTROUTING' || hook === 'FORWARD';
  return [
    ...(input ? [
      often(2, device(v, 'i')),
      often(1, fc.tuple(oneOf(v.macs), seldomInverted).map(([mac, not]) => `-m mac ${not}--mac-source ${mac}`)),
      often(1, fc.tuple(oneOf(['veth+', 'eth0', 'flannel.1']), seldomInverted).map(([name, not]) => `-m physdev ${not}--physdev-in ${name}`)),
      often(1, seldomInverted.map((not) => `-m physdev ${not}--physdev-is-in`)),
      often(1, oneOf(['src', 'dst']).map((which) => `-m addrtype --${which}-type LOCAL --limit-iface-in`)),
    ] : []),
    ...(output ? [often(2, device(v, 'o'))] : []),
    ...(hook === 'FORWARD' || hook === 'POSTROUTING' ? [
      often(1, seldomInverted.map((not) => `-m physdev ${not}--physdev-is-bridged`)),
      often(1, seldomInverted.map((not) => `-m physdev ${not}--physdev-out veth+ --physdev-is-bridged`)),
      often(1, oneOf(['src', 'dst']).map((which) => `-m addrtype --${which}-type LOCAL --limit-iface-out`)),
    ] : []),
    // A forwarded packet has no owner; of one that is sent here the file does not tell it.
    ...(hook === 'POSTROUTING' ? [often(1, seldomInverted.map((not) => `-m owner ${not}--uid-owner 0`))] : []),
  ];
}

const reversePath = oneOf(['-m rpfilter', '-m rpfilter --invert', '-m rpfilter --loose', '-m rpfilter --accept-local', '-m rpfilter --validmark --invert']);

export const conditions = (v: Vocabulary, table: Table, hook: Hook): fc.Arbitrary<string> =>
  fc.oneof(
    ...(hook === 'PREROUTING' && (table === 'raw' || table === 'mangle') ? [often(2, reversePath)] : []),
    often(3, end(v, 's')),
    often(3, end(v, 'd')),
    often(6, transport(v)),
    often(6, packet(v)),
    often(2, range(v)),
    often(table === 'raw' ? 1 : 4, state(v)),
    ...ofDevices(v, hook),
  );
