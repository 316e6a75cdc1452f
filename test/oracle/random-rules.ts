/** Random iptables rules over what the simulator models and this kernel has, about the addresses and ports of the random cluster. */
import fc from 'fast-check';
import { conditions, mark, oneOf, port } from './random-matches.ts';
import type { Hook, Table, Vocabulary } from './random-matches.ts';

const HOOKS: Readonly<Record<Table, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

const REJECTS = {
  4: ['icmp-port-unreachable', 'icmp-net-unreachable', 'icmp-host-unreachable', 'icmp-proto-unreachable', 'icmp-net-prohibited', 'icmp-host-prohibited', 'icmp-admin-prohibited'],
  6: ['icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable', 'icmp6-port-unreachable', 'icmp6-policy-fail', 'icmp6-reject-route'],
} as const;

function natTargets(v: Vocabulary, hook: Hook): fc.Arbitrary<string>[] {
  const bracketed = (address: string): string => (v.family === 6 ? `[${address}]` : address);
  const network = v.family === 4 ? '10.0.2.0/24' : 'fd00:10:2::/64';
  const pods = v.family === 4 ? '10.0.1.11-10.0.1.12' : 'fd00:10:1::11-fd00:10:1::12';
  const random = oneOf(['', '', ' --random', ' --random-fully', ' --persistent']);
  const protocol = oneOf(['tcp', 'udp']);
  const dnat = fc.oneof(
    fc.tuple(oneOf(v.pods), random).map(([to, how]) => `-j DNAT --to-destination ${to}${how === ' --random-fully' ? '' : how}`),
    fc.tuple(oneOf(v.pods), protocol, fc.oneof(port.map(String), fc.constant('80-81'))).map(([to, p, at]) => `-p ${p} -j DNAT --to-destination ${bracketed(to)}:${at}`),
    fc.constant(`-j DNAT --to-destination ${pods}`),
  );
  const redirect = fc.tuple(protocol, oneOf([null, '80', '53', '8080', '80-81'])).map(([p, at]) => (at === null ? '-j REDIRECT' : `-p ${p} -j REDIRECT --to-ports ${at}`));
  const snat = fc.oneof(
    fc.tuple(oneOf(v.hosts), random).map(([to, how]) => `-j SNAT --to-source ${to}${how}`),
    fc.tuple(oneOf(v.hosts), protocol, oneOf(['5000', '5000-5010'])).map(([to, p, at]) => `-p ${p} -j SNAT --to-source ${bracketed(to)}:${at}`),
    fc.constant(`-j SNAT --to-source ${v.family === 4 ? '192.168.93.211-192.168.93.212' : 'fd00:93::211-fd00:93::212'}`),
  );
  const masquerade = oneOf(['-j MASQUERADE', '-j MASQUERADE --random', '-j MASQUERADE --random-fully', '-p tcp -j MASQUERADE --to-ports 6000', '-p udp -j MASQUERADE --to-ports 6000-6010']);
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
      return [];
  }
}

const marks = mark.map((value) => `-j MARK --set-xmark ${value}`);
const log = oneOf(['-j LOG', '-j NFLOG --nflog-group 5', '']);
const verdicts = fc.oneof({ weight: 4, arbitrary: fc.constant('-j ACCEPT') }, { weight: 1, arbitrary: fc.constant('-j DROP') }, { weight: 2, arbitrary: fc.constant('-j RETURN') });
/** What lets the packet go on to the next rule. */
const harmless = fc.oneof({ weight: 2, arbitrary: marks }, { weight: 1, arbitrary: log });

function mangled(v: Vocabulary, hook: Hook): fc.Arbitrary<string> {
  const [ttl, hl] = v.family === 4 ? ['TTL', 'ttl'] : ['HL', 'hl'];
  const mss = ['-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000', ...(hook === 'PREROUTING' || hook === 'INPUT' ? [] : ['-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu'])];
  return fc.oneof(
    { weight: 2, arbitrary: oneOf(['-j CONNMARK --set-xmark 0x10/0xffffffff', '-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff', '-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff']) },
    // An IPv6 packet that br_netfilter put together has a checksum over its header, which HL and DSCP do not mend.
    ...(v.family === 6 && (hook === 'PREROUTING' || hook === 'INPUT') ? [] : [{ weight: 2, arbitrary: oneOf([`-j ${ttl} --${hl}-set 9`, `-j ${ttl} --${hl}-inc 2`, `-j ${ttl} --${hl}-dec 1`]) }, { weight: 1, arbitrary: oneOf(['-j DSCP --set-dscp 0x0a', '-j DSCP --set-dscp 0x2e']) }]),
    { weight: 1, arbitrary: oneOf(mss) },
  );
}

function targets(v: Vocabulary, table: Table, hook: Hook): fc.Arbitrary<string> {
  switch (table) {
    case 'raw':
      return fc.oneof({ weight: 2, arbitrary: harmless }, { weight: 1, arbitrary: verdicts }, { weight: 1, arbitrary: oneOf(['-j NOTRACK', '-j CT --notrack', '-j CT --zone 3', '-j CT --zone-orig 3', '-j CT --zone-reply 3']) });
    case 'mangle':
      return fc.oneof({ weight: 3, arbitrary: harmless }, { weight: 1, arbitrary: verdicts }, { weight: 4, arbitrary: mangled(v, hook) });
    case 'nat':
      return fc.oneof(...natTargets(v, hook), harmless, oneOf(['-j ACCEPT', '-j RETURN', '-j ACCEPT']));
    case 'filter':
      return fc.oneof(
        { weight: 4, arbitrary: harmless },
        { weight: 4, arbitrary: verdicts },
        { weight: 2, arbitrary: oneOf(REJECTS[v.family]).map((how) => `-j REJECT --reject-with ${how}`) },
        { weight: 1, arbitrary: fc.constant('-p tcp -j REJECT --reject-with tcp-reset') },
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

const rule = (v: Vocabulary, table: Table, hook: Hook, callable: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(
    fc.array(conditions(v, table, hook), { maxLength: 2 }),
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
    fc.array(rule(v, table, hook, [`${hook}-A`, `${hook}-B`]), { maxLength: 5 }),
    fc.array(rule(v, table, hook, [`${hook}-B`]), { maxLength: 3 }),
    fc.array(rule(v, table, hook, []), { maxLength: 3 }),
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
