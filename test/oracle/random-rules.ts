/** Random iptables rules over what the simulator models and this kernel has, about the addresses and ports of the random cluster. */
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

type Table = 'raw' | 'mangle' | 'nat' | 'filter';
type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

const HOOKS: Readonly<Record<Table, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

export const PORTS = [80, 81, 53, 8080, 9000];

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const inverted = fc.boolean().map((yes) => (yes ? '! ' : ''));
/** Mostly as it is: an inverted condition is nearly always true. */
const seldomInverted = fc.integer({ min: 0, max: 4 }).map((n) => (n === 4 ? '! ' : ''));
const port = oneOf(PORTS);
const ports = fc.oneof(port.map(String), fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}:${Math.max(a, b)}`));
const mark = fc.tuple(oneOf(['0x1', '0x10', '0x4000', '0xff']), oneOf(['0xff', '0xffffffff', '0x4000'])).map(([v, m]) => `${v}/${m}`);

/** Conditions that any table and chain may have, and those of one transport; the state ones not before conntrack has seen the packet. */
function conditions(v: Vocabulary, table: Table, hook: Hook | null): fc.Arbitrary<string> {
  const icmp = v.family === 4 ? 'icmp' : 'ipv6-icmp';
  const end = (flag: string) => fc.tuple(seldomInverted, oneOf(v.prefixes)).map(([not, prefix]) => `${not}-${flag} ${prefix}`);
  const device = (flag: string) => fc.tuple(seldomInverted, oneOf(v.devices)).map(([not, name]) => `${not}-${flag} ${name}`);
  const range = fc.tuple(oneOf(['src', 'dst']), oneOf(v.pods), oneOf(v.pods), seldomInverted).map(([which, a, b, not]) => {
    const [low, high] = [a, b].sort((x, y) => (x.length === y.length ? (x < y ? -1 : 1) : x.length - y.length));
    return `-m iprange ${not}--${which}-range ${low ?? a}-${high ?? b}`;
  });
  const transport = fc.oneof(
    fc.tuple(oneOf(['tcp', 'udp']), oneOf(['sport', 'dport']), ports, seldomInverted).map(([p, which, of, not]) => `-p ${p} -m ${p} ${not}--${which} ${of}`),
    fc.tuple(oneOf(['tcp', 'udp', icmp]), seldomInverted).map(([p, not]) => `${not}-p ${p}`),
    fc.tuple(oneOf(['tcp', 'udp']), oneOf(['dports', 'sports', 'ports']), ports, ports, seldomInverted).map(([p, which, a, b, not]) => `-p ${p} -m multiport ${not}--${which} ${a},${b}`),
    fc.tuple(oneOf(['SYN,RST SYN', 'FIN,SYN,RST,ACK SYN', 'SYN,ACK SYN,ACK', 'RST RST', 'ACK NONE']), seldomInverted).map(([flags, not]) => `-p tcp -m tcp ${not}--tcp-flags ${flags}`),
    v.family === 4
      ? fc.tuple(oneOf(['8', '0', '3', '3/1', '3/3', '11', 'any']), seldomInverted).map(([type, not]) => `-p icmp -m icmp ${type === 'any' ? '' : not}--icmp-type ${type}`)
      : fc.tuple(oneOf(['128', '129', '1', '1/4', '2', '3']), seldomInverted).map(([type, not]) => `-p ipv6-icmp -m icmp6 ${not}--icmpv6-type ${type}`),
    fc.tuple(oneOf(['0:1400', '1:1460', '1461:65535', '500:1500']), seldomInverted).map(([mss, not]) => `-p tcp -m tcp --tcp-flags SYN,RST SYN -m tcpmss ${not}--mss ${mss}`),
  );
  const packet = fc.oneof(
    fc.tuple(oneOf(['0:100', '28:84', '1000:1500', '60']), seldomInverted).map(([of, not]) => `-m length ${not}--length ${of}`),
    fc.tuple(oneOf(['eq 64', 'lt 64', 'gt 62', 'eq 63', '! 64']), fc.constant('')).map(([test]) => {
      const [how, value] = test.split(' ');
      const [module, flag] = v.family === 4 ? ['ttl', 'ttl'] : ['hl', 'hl'];
      return how === '!' ? `-m ${module} ! --${flag}-eq ${value ?? ''}` : `-m ${module} --${flag}-${how ?? ''} ${value ?? ''}`;
    }),
    fc.tuple(oneOf(['unicast', 'broadcast', 'multicast']), seldomInverted).map(([type, not]) => `-m pkttype ${not}--pkt-type ${type}`),
    fc.tuple(oneOf(['0x00', '0x0a', '0x2e']), seldomInverted).map(([value, not]) => `-m dscp ${not}--dscp ${value}`),
    fc.tuple(mark, inverted).map(([value, not]) => `-m mark ${not}--mark ${value}`),
    fc.tuple(oneOf(['src', 'dst']), oneOf(v.family === 4 ? ['LOCAL', 'UNICAST', 'BROADCAST', 'LOCAL,UNICAST', 'MULTICAST', 'UNREACHABLE', 'BLACKHOLE', 'PROHIBIT'] : ['LOCAL', 'UNICAST', 'LOCAL,UNICAST', 'MULTICAST', 'UNREACHABLE']), seldomInverted).map(([which, type, not]) => `-m addrtype ${not}--${which}-type ${type}`),
    fc.constant('-m comment --comment "as it was"'),
    fc.tuple(oneOf(['0.5', '0.25']), seldomInverted).map(([p, not]) => `-m statistic --mode random ${not}--probability ${p}`),
  );
  const state = fc.oneof(
    fc.tuple(oneOf(['NEW', 'ESTABLISHED', 'RELATED', 'RELATED,ESTABLISHED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT', 'NEW,UNTRACKED']), seldomInverted).map(([states, not]) => `-m conntrack ${not}--ctstate ${states}`),
    fc.tuple(oneOf(['NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'INVALID', 'UNTRACKED']), seldomInverted).map(([states, not]) => `-m state ${not}--state ${states}`),
    fc.tuple(oneOf(['CONFIRMED', 'SEEN_REPLY', 'ASSURED', 'NONE', 'CONFIRMED,SEEN_REPLY']), seldomInverted).map(([of, not]) => `-m conntrack ${not}--ctstatus ${of}`),
    fc.tuple(oneOf(['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst']), oneOf(v.prefixes), seldomInverted).map(([field, prefix, not]) => `-m conntrack ${not}--${field} ${prefix}`),
    fc.tuple(oneOf(['ctorigdstport', 'ctreplsrcport']), ports, seldomInverted).map(([field, of, not]) => `-m conntrack ${not}--${field} ${of}`),
    oneOf(['ORIGINAL', 'REPLY']).map((direction) => `-m conntrack --ctdir ${direction}`),
    fc.tuple(mark, inverted).map(([value, not]) => `-m connmark ${not}--mark ${value}`),
  );
  const input = hook === 'PREROUTING' || hook === 'INPUT' || hook === 'FORWARD';
  const output = hook === 'OUTPUT' || hook === 'POSTROUTING' || hook === 'FORWARD';
  return fc.oneof(
    { weight: 3, arbitrary: end('s') },
    { weight: 3, arbitrary: end('d') },
    { weight: 5, arbitrary: transport },
    { weight: 4, arbitrary: packet },
    { weight: 2, arbitrary: range },
    ...(table === 'raw' ? [{ weight: 1, arbitrary: state }] : [{ weight: 4, arbitrary: state }]),
    ...(input ? [
      { weight: 2, arbitrary: device('i') },
      { weight: 1, arbitrary: fc.tuple(oneOf(v.macs), seldomInverted).map(([mac, not]) => `-m mac ${not}--mac-source ${mac}`) },
      { weight: 1, arbitrary: fc.tuple(oneOf(['veth+', 'eth0', 'flannel.1']), seldomInverted).map(([name, not]) => `-m physdev ${not}--physdev-in ${name}`) },
      { weight: 1, arbitrary: seldomInverted.map((not) => `-m physdev ${not}--physdev-is-in`) },
      { weight: 1, arbitrary: oneOf(['src', 'dst']).map((which) => `-m addrtype --${which}-type LOCAL --limit-iface-in`) },
    ] : []),
    ...(output ? [
      { weight: 2, arbitrary: device('o') },
    ] : []),
    ...(hook === 'FORWARD' || hook === 'POSTROUTING' ? [
      { weight: 1, arbitrary: seldomInverted.map((not) => `-m physdev ${not}--physdev-is-bridged`) },
      { weight: 1, arbitrary: seldomInverted.map((not) => `-m physdev ${not}--physdev-out veth+ --physdev-is-bridged`) },
    ] : []),
  );
}

const REJECTS = {
  4: ['icmp-port-unreachable', 'icmp-net-unreachable', 'icmp-host-unreachable', 'icmp-proto-unreachable', 'icmp-net-prohibited', 'icmp-host-prohibited', 'icmp-admin-prohibited'],
  6: ['icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable', 'icmp6-port-unreachable'],
} as const;

function naturalTargets(v: Vocabulary, hook: Hook | null): fc.Arbitrary<string>[] {
  const bracketed = (address: string): string => (v.family === 6 ? `[${address}]` : address);
  const network = v.family === 4 ? '10.0.2.0/24' : 'fd00:10:2::/64';
  const random = oneOf(['', '', ' --random', ' --random-fully', ' --persistent']);
  const dnat = fc.tuple(oneOf(v.pods), oneOf(['tcp', 'udp']), fc.option(port, { nil: null }), random).map(([to, p, at, how]) => (at === null ? `-j DNAT --to-destination ${to}${how === ' --random-fully' ? '' : how}` : `-p ${p} -j DNAT --to-destination ${bracketed(to)}:${at}`));
  const redirect = fc.tuple(oneOf(['tcp', 'udp']), fc.option(port, { nil: null })).map(([p, at]) => (at === null ? '-j REDIRECT' : `-p ${p} -j REDIRECT --to-ports ${at}`));
  const snat = fc.tuple(oneOf(v.hosts), oneOf(['tcp', 'udp']), fc.option(oneOf(['5000', '5000-5010']), { nil: null }), random).map(([to, p, at, how]) => (at === null ? `-j SNAT --to-source ${to}${how}` : `-p ${p} -j SNAT --to-source ${bracketed(to)}:${at}`));
  const masquerade = oneOf(['-j MASQUERADE', '-j MASQUERADE --random-fully', '-p tcp -j MASQUERADE --to-ports 6000', '-p udp -j MASQUERADE --to-ports 6000-6010']);
  const netmap = fc.constant(`-j NETMAP --to ${network}`);
  switch (hook) {
    case 'PREROUTING':
    case 'OUTPUT':
      return [dnat, dnat, redirect, netmap];
    case 'POSTROUTING':
      return [snat, masquerade, masquerade, netmap];
    case 'INPUT':
      return [snat];
    case 'FORWARD':
    case null:
      return [];
  }
}

function targets(v: Vocabulary, table: Table, hook: Hook | null): fc.Arbitrary<string> {
  const marks = fc.tuple(oneOf(['--set-xmark', '--set-xmark']), mark).map(([how, value]) => `-j MARK ${how} ${value}`);
  const verdicts = fc.oneof({ weight: 4, arbitrary: fc.constant('-j ACCEPT') }, { weight: 1, arbitrary: fc.constant('-j DROP') }, { weight: 2, arbitrary: fc.constant('-j RETURN') });
  const log = oneOf(['-j LOG', '-j NFLOG --nflog-group 5', '']);
  const [ttl, hl] = v.family === 4 ? ['TTL', 'ttl'] : ['HL', 'hl'];
  switch (table) {
    case 'raw':
      return fc.oneof(marks, verdicts, oneOf(['-j NOTRACK', '-j CT --notrack', '-j CT --zone 3', '']));
    case 'mangle':
      return fc.oneof(
        { weight: 3, arbitrary: marks },
        { weight: 2, arbitrary: verdicts },
        { weight: 2, arbitrary: oneOf(['-j CONNMARK --set-xmark 0x10/0xffffffff', '-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff', '-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff']) },
        // An IPv6 packet that br_netfilter put together has a checksum over its header, which HL and DSCP do not mend.
        ...(v.family === 6 && (hook === 'PREROUTING' || hook === 'INPUT') ? [] : [{ weight: 2, arbitrary: oneOf([`-j ${ttl} --${hl}-set 9`, `-j ${ttl} --${hl}-inc 2`, `-j ${ttl} --${hl}-dec 1`]) }, { weight: 1, arbitrary: oneOf(['-j DSCP --set-dscp 0x0a', '-j DSCP --set-dscp 0x2e']) }]),
        { weight: 1, arbitrary: oneOf(hook === 'FORWARD' || hook === 'POSTROUTING' || hook === 'OUTPUT' ? ['-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu', '-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000'] : ['-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000']) },
        { weight: 1, arbitrary: log },
      );
    case 'nat':
      return fc.oneof(...naturalTargets(v, hook), marks, oneOf(['-j ACCEPT', '-j RETURN', '-j ACCEPT']));
    case 'filter':
      return fc.oneof(
        { weight: 5, arbitrary: verdicts },
        { weight: 3, arbitrary: oneOf(REJECTS[v.family]).map((how) => `-j REJECT --reject-with ${how}`) },
        { weight: 1, arbitrary: fc.constant('-p tcp -j REJECT --reject-with tcp-reset') },
        { weight: 1, arbitrary: marks },
        { weight: 1, arbitrary: log },
      );
  }
}

/** The part of a rule that two conditions cannot both have. */
const partOf = (text: string): string => /-m (\S+)/.exec(text)?.[1] ?? /(?:^|! )(-[sdio]) /.exec(text)?.[1] ?? '';

/** A rule has one protocol, the target's before a condition's; conditions that need another one are left out, as are second ones of a module. */
function joined(matches: readonly string[], target: string): string {
  let protocol = /(?:^|\s)-p (\S+)/.exec(target)?.[1] ?? null;
  const seen = new Set(/-m (\S+)/.exec(target)?.slice(1) ?? []);
  const kept: string[] = [];
  let negated = '';
  for (const match of matches) {
    const own = /(?:^|\s)-p (\S+)/.exec(match)?.[1] ?? null;
    if (own !== null && match.startsWith('! -p')) {
      if (protocol === null) [negated, protocol] = [match, ''];
      continue;
    }
    if (seen.has(partOf(match)) || (own !== null && protocol !== null && own !== protocol)) continue;
    if (partOf(match) !== '') seen.add(partOf(match));
    protocol = own ?? protocol;
    kept.push(match.replace(/-p \S+ ?/, '').trim());
  }
  const first = protocol === null || protocol === '' ? negated : `-p ${protocol}`;
  return [first, ...kept, target.replace(/-p \S+ ?/, '').trim()].filter((part) => part !== '').join(' ');
}

const rule = (v: Vocabulary, table: Table, hook: Hook | null, callable: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(
    fc.array(conditions(v, table, hook), { maxLength: 3 }),
    callable.length === 0
      ? targets(v, table, hook)
      : fc.oneof({ weight: 3, arbitrary: targets(v, table, hook) }, { weight: 2, arbitrary: fc.tuple(oneOf(['-j', '-j', '-g']), oneOf(callable)).map(([how, chain]) => `${how} ${chain}`) }),
  ).map(([matches, target]) => joined(matches, target));

/** One table as iptables-save prints it. A user chain is called from one hook's chain or a chain before it, so there is no loop. */
function tableText(v: Vocabulary, table: Table): fc.Arbitrary<string> {
  const hooks = HOOKS[table];
  const builtin = fc.tuple(...hooks.map((hook) => fc.tuple(
    fc.constant(hook),
    fc.integer({ min: 0, max: table === 'filter' ? 9 : 60 }).map((n) => (n === 1 && table !== 'nat' ? 'DROP' : 'ACCEPT')),
    fc.array(rule(v, table, hook, [`${hook}-A`, `${hook}-B`]), { maxLength: 3 }),
    fc.array(rule(v, table, hook, [`${hook}-B`]), { maxLength: 2 }),
    fc.array(rule(v, table, hook, []), { maxLength: 2 }),
  )));
  return builtin.map((chains) => [
    `*${table}`,
    ...chains.map(([hook, policy]) => `:${hook} ${policy} [0:0]`),
    ...chains.flatMap(([hook, , own, a, b]) => {
      const used = (name: string, rules: readonly string[]): boolean => rules.length > 0 || own.some((r) => r.endsWith(name)) || a.some((r) => r.endsWith(name));
      return [...(used(`${hook}-A`, a) ? [`:${hook}-A - [0:0]`] : []), ...(used(`${hook}-B`, b) ? [`:${hook}-B - [0:0]`] : [])];
    }),
    // Without neighbour discovery nothing is delivered; the simulator does not send it through the chains.
    ...(v.family === 6 && table !== 'nat' ? hooks.flatMap((hook) => ['135', '136'].map((type) => `-A ${hook} -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j ACCEPT`)) : []),
    // A tunnel whose outer packets go to another port is not recognised in what the kernel did.
    ...(table === 'nat' ? ['PREROUTING', 'OUTPUT'].flatMap((hook) => ['8472', '4789'].map((at) => `-A ${hook} -p udp -m udp --dport ${at} -j ACCEPT`)) : []),
    ...chains.flatMap(([hook, , own, a, b]) => [
      ...own.map((text) => `-A ${hook} ${text}`.trim()),
      ...a.map((text) => `-A ${hook}-A ${text}`.trim()),
      ...b.map((text) => `-A ${hook}-B ${text}`.trim()),
    ]),
    'COMMIT',
  ].join('\n'));
}

/** None, one or more tables; what is not captured stays as kube-proxy and flannel derive it. */
export const iptablesText = (v: Vocabulary): fc.Arbitrary<string> =>
  fc.subarray(['raw', 'mangle', 'nat', 'filter'] as const, { minLength: 1 }).chain((tables) => fc.tuple(...tables.map((table) => tableText(v, table)))).map((texts) => texts.join('\n'));
