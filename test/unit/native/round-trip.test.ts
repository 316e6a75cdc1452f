/** What is printed reads back to the same record, whatever the record. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Address, Family, Mac, Prefix } from '../../../engine/src/net/address.ts';
import { compareAddresses, ipv4, networkOf } from '../../../engine/src/net/address.ts';
import type { FdbEntry, Neighbour, PolicyRule, Route } from '../../../engine/src/topology/model.ts';
import type { Match, NatRange, PortRange, Target } from '../../../engine/src/topology/netfilter.ts';
import { readFdbLine } from '../../../server/src/language/native/fdb.ts';
import { printRule } from '../../../server/src/language/native/iptables/print.ts';
import { readRule } from '../../../server/src/language/native/iptables/rule.ts';
import { readNeighbourLine } from '../../../server/src/language/native/neighbour.ts';
import { readPolicyRuleLine } from '../../../server/src/language/native/policy-rule.ts';
import { printFdbEntry, printNeighbour, printPolicyRule, printRoute } from '../../../server/src/language/native/print.ts';
import { readRoutes } from '../../../server/src/language/native/route.ts';

const word = fc.nat(0xffff_ffff);
const address = (family: Family): fc.Arbitrary<Address> =>
  family === 4 ? word.map(ipv4) : fc.tuple(word, word, word, word).map((words) => ({ family: 6, words }) as const);
const prefix = (family: Family, shortest = 1): fc.Arbitrary<Prefix> =>
  fc.tuple(address(family), fc.integer({ min: shortest, max: family === 4 ? 32 : 128 })).map(([a, length]) => networkOf({ address: a, length }));
const mac = fc.nat(0xffff_ffff_ffff).map((n) => n as Mac);
const device = fc.stringMatching(/^[a-z][a-z0-9.]{0,12}$/);
const number = fc.nat(0xffff_ffff);
const portRange: fc.Arbitrary<PortRange> = fc.tuple(fc.nat(65535), fc.nat(65535)).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const someRange = portRange.filter((r) => r.from > 0 || r.to < 65535);
const inverted = fc.boolean();
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constant(`a "b" \\ 'c' -j DROP`)).map((s) => s.replace(/[\r\n\t\u0085\u2028\u2029]/g, ' '));
const nonEmpty = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 });

/** One match that needs no protocol. */
const plainMatch = (family: Family): fc.Arbitrary<Match> =>
  fc.oneof(
    fc.record({ kind: fc.constant('comment' as const), text }),
    fc.record({ kind: fc.constantFrom('mark' as const, 'connmark' as const), value: number, mask: number, inverted }),
    fc.record({ kind: fc.constant('conntrack-state' as const), states: nonEmpty(['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const), spelling: fc.constant('conntrack' as const), inverted }),
    fc.record({ kind: fc.constant('conntrack-state' as const), states: nonEmpty(['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED'] as const), spelling: fc.constant('state' as const), inverted }),
    fc.record({ kind: fc.constant('conntrack-tuple' as const), field: fc.constantFrom('ctorigsrc' as const, 'ctorigdst' as const, 'ctreplsrc' as const, 'ctrepldst' as const), prefix: prefix(family), inverted }),
    fc.record({ kind: fc.constant('conntrack-port' as const), field: fc.constantFrom('ctorigsrcport' as const, 'ctorigdstport' as const, 'ctreplsrcport' as const, 'ctrepldstport' as const), ports: portRange, inverted }),
    fc.record({ kind: fc.constant('conntrack-status' as const), statuses: fc.oneof(fc.constant(['NONE'] as const), nonEmpty(['EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'] as const)), inverted }),
    fc.record({ kind: fc.constant('conntrack-direction' as const), direction: fc.constantFrom('ORIGINAL' as const, 'REPLY' as const) }),
    fc.record({ kind: fc.constant('address-type' as const), which: fc.constantFrom('source' as const, 'destination' as const), types: nonEmpty(family === 4 ? (['UNICAST', 'LOCAL', 'BROADCAST', 'MULTICAST'] as const) : (['UNICAST', 'LOCAL', 'MULTICAST'] as const)), limit: fc.constant(null), inverted }),
    fc.tuple(address(family), address(family), fc.constantFrom('source' as const, 'destination' as const), inverted).map(([a, b, which, i]): Match => {
      const [from, to] = compareAddresses(a, b) <= 0 ? [a, b] : [b, a];
      return { kind: 'address-range', which, from, to, inverted: i };
    }),
    fc.record({ kind: fc.constant('mac-source' as const), mac, inverted }),
    fc.record({ kind: fc.constant('physdev' as const), test: fc.constantFrom('in' as const, 'out' as const), name: device, inverted }),
    fc.record({ kind: fc.constant('physdev-is' as const), test: fc.constantFrom('in' as const, 'out' as const, 'bridged' as const), inverted }),
    fc.record({ kind: fc.constant('set' as const), name: device, directions: fc.array(fc.constantFrom('src' as const, 'dst' as const), { minLength: 1, maxLength: 6 }), inverted }),
    fc.record({ kind: fc.constant('statistic-random' as const), probability: fc.nat(0x8000_0000).map((n) => n / 0x8000_0000), inverted }),
    fc.tuple(fc.integer({ min: 1, max: 0xffff_ffff }), fc.nat(0xffff_ffff), inverted).map(([every, n, i]): Match => ({ kind: 'statistic-nth', every, packet: n % every, inverted: i })),
    fc.record({ kind: fc.constant('recent' as const), action: fc.constantFrom('rcheck' as const, 'update' as const), name: device, seconds: fc.integer({ min: 1, max: 100_000 }), hitcount: fc.option(fc.integer({ min: 1, max: 255 })), reap: fc.boolean(), side: fc.constantFrom('source' as const, 'dest' as const), inverted }),
    fc.record({ kind: fc.constant('recent' as const), action: fc.constantFrom('set' as const, 'remove' as const), name: device, seconds: fc.constant(null), hitcount: fc.constant(null), reap: fc.constant(false), side: fc.constantFrom('source' as const, 'dest' as const), inverted }),
    fc.record({ kind: fc.constant('length' as const), lengths: portRange, inverted }),
    fc.record({ kind: fc.constant('ttl' as const), compare: fc.constantFrom('eq' as const, 'ne' as const, 'lt' as const, 'gt' as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant('dscp' as const), value: fc.nat(63), inverted }),
    fc.record({ kind: fc.constant('packet-type' as const), type: fc.constantFrom('unicast' as const, 'broadcast' as const, 'multicast' as const), inverted }),
    fc.record({ kind: fc.constant('owner' as const), text: fc.nat(100_000).map((n) => `--uid-owner ${n}`), inverted }),
    fc.record({ kind: fc.constant('rpfilter' as const), text: fc.constantFrom('', '--loose', '--loose --validmark'), inverted }),
    fc.constant<Match>({ kind: 'limit', text: '--limit 5/min --limit-burst 10' }),
    fc.constant<Match>({ kind: 'unknown', name: 'socket', text: '--transparent' }),
  );

const withPorts = { tcp: 6, udp: 17, sctp: 132, dccp: 33 } as const;

const transportMatch = (protocol: keyof typeof withPorts): fc.Arbitrary<Match> =>
  fc.oneof(
    fc.record({ kind: fc.constantFrom('source-port' as const, 'destination-port' as const), protocol: fc.constant(protocol), ports: someRange, inverted }),
    fc.constant<Match>({ kind: 'transport-header', protocol }),
    fc.record({ kind: fc.constant('multiport' as const), which: fc.constantFrom('source' as const, 'destination' as const, 'either' as const), ports: fc.array(portRange, { minLength: 1, maxLength: 7 }), inverted }),
    ...(protocol === 'tcp'
      ? [
          // Flags of which none is looked at are not printed.
          fc.record({ kind: fc.constant('tcp-flags' as const), mask: fc.integer({ min: 1, max: 63 }), compare: fc.nat(63), inverted }),
          fc.record({ kind: fc.constant('tcpmss' as const), values: portRange, inverted }),
        ]
      : []),
  );

const natRange = (family: Family, ports: boolean): fc.Arbitrary<NatRange> =>
  fc.tuple(address(family), address(family), ports ? fc.option(portRange) : fc.constant(null), fc.boolean(), fc.boolean()).map(([a, b, p, random, persistent]) => {
    const [from, to] = compareAddresses(a, b) <= 0 ? [a, b] : [b, a];
    return { from, to, ports: p, random, randomFully: false, persistent };
  });

const target = (family: Family, ports: boolean): fc.Arbitrary<Target | null> =>
  fc.oneof(
    fc.constant(null),
    fc.record({ kind: fc.constantFrom('accept' as const, 'drop' as const, 'return' as const) }),
    fc.record({ kind: fc.constant('jump' as const), chain: fc.stringMatching(/^[A-Z]{3}-[A-Z0-9]{1,20}$/), via: fc.constantFrom('jump' as const, 'goto' as const) }),
    fc.record({ kind: fc.constant('reject' as const), with: fc.constantFrom(...(family === 4 ? ['icmp-port-unreachable', 'icmp-admin-prohibited'] : ['icmp6-no-route', 'icmp6-port-unreachable'])) }),
    fc.record({ kind: fc.constantFrom('dnat' as const, 'snat' as const), range: natRange(family, ports) }),
    fc.record({ kind: fc.constant('masquerade' as const), ports: ports ? fc.option(portRange) : fc.constant(null), random: fc.boolean(), randomFully: fc.boolean() }),
    fc.record({ kind: fc.constant('redirect' as const), ports: ports ? fc.option(portRange) : fc.constant(null), random: fc.boolean(), randomFully: fc.constant(false) }),
    fc.record({ kind: fc.constant('netmap' as const), prefix: prefix(family) }),
    fc.record({ kind: fc.constant('mark' as const), value: number, mask: number }),
    fc.record({ kind: fc.constant('connmark' as const), action: fc.constant('set' as const), value: number, mask: number, nfmask: fc.constant(0xffff_ffff), ctmask: fc.constant(0xffff_ffff) }),
    fc.record({ kind: fc.constant('connmark' as const), action: fc.constantFrom('save' as const, 'restore' as const), value: fc.constant(0), mask: fc.constant(0xffff_ffff), nfmask: number, ctmask: number }),
    fc.constant<Target>({ kind: 'ct', notrack: true, zone: null, text: '--notrack' }),
    fc.integer({ min: 1, max: 65535 }).map((zone): Target => ({ kind: 'ct', notrack: false, zone, text: `--zone ${zone}` })),
    fc.constant<Target>({ kind: 'log', spelling: 'LOG', text: '--log-prefix "dropped: " --log-level 7' }),
    fc.record({ kind: fc.constant('ttl' as const), action: fc.constantFrom('set' as const, 'inc' as const, 'dec' as const), value: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ kind: fc.constant('dscp' as const), value: fc.nat(63) }),
    fc.constant<Target>({ kind: 'unknown', name: 'NFQUEUE', text: '--queue-num 3' }),
  );

const rule = fc.constantFrom<Family>(4, 6).chain((family) =>
  fc.option(fc.constantFrom(...(Object.keys(withPorts) as (keyof typeof withPorts)[]))).chain((protocol) =>
    fc.record({
      family: fc.constant(family),
      headers: fc.tuple(
        fc.option(fc.record({ kind: fc.constant('source' as const), prefix: prefix(family), inverted })),
        fc.option(fc.record({ kind: fc.constant('destination' as const), prefix: prefix(family), inverted })),
        fc.option(fc.record({ kind: fc.constant('in-interface' as const), name: device, inverted })),
        fc.option(fc.record({ kind: fc.constant('out-interface' as const), name: device, inverted })),
        fc.constant(protocol === null ? null : { kind: 'protocol' as const, protocol: withPorts[protocol], inverted: false }),
      ).map((headers) => headers.filter((h) => h !== null)),
      matches: fc.array(protocol === null ? plainMatch(family) : fc.oneof(plainMatch(family), transportMatch(protocol)), { maxLength: 5 }),
      target: target(family, protocol !== null),
    }),
  ),
);

test('iptables rules', () => {
  fc.assert(
    fc.property(rule, ({ family, headers, matches, target: t }) => {
      const record = { matches: [...headers, ...matches], target: t };
      const line = printRule('FORWARD', record, family);
      const reading = readRule(line, family);
      expect(reading.problems.filter((p) => p.severity === 'error')).toEqual([]);
      expect(reading.chain).toBe('FORWARD');
      expect(reading.rules).toEqual([{ ...record, text: line }]);
    }),
    { numRuns: 1000 },
  );
});

describe('iproute2 records', () => {
  const nexthop = (family: Family) => fc.record({ via: fc.option(address(family)), device, weight: fc.integer({ min: 1, max: 255 }), onlink: fc.boolean() });
  const route: fc.Arbitrary<Omit<Route, 'text' | 'origin'>> = fc.constantFrom<Family>(4, 6).chain((family) =>
    fc.record({
      destination: prefix(family, 0),
      type: fc.constantFrom('unicast' as const, 'local' as const, 'broadcast' as const, 'anycast' as const, 'multicast' as const),
      table: fc.integer({ min: 1, max: 0xffff_ffff }).filter((t) => t !== 254),
      nexthops: fc.oneof(nexthop(family).map((n) => [{ ...n, weight: 1 }]), fc.array(nexthop(family), { minLength: 2, maxLength: 4 })),
      source: fc.option(address(family)),
      metric: number,
      scope: family === 4 ? fc.constantFrom('global' as const, 'link' as const, 'host' as const) : fc.constant('global' as const),
      protocol: fc.constantFrom('boot', 'kernel', 'static', 'bgp', 'ra', '99'),
      mtu: fc.option(fc.nat(65535)),
      tos: fc.constantFrom(0, 0x10, 0x08),
    }),
  );
  test('routes', () => {
    fc.assert(
      fc.property(route, (record) => {
        const printed = printRoute(record);
        const at = { file: 'x', line: 1 };
        const { routes, problems } = readRoutes(printed.split('\n').map((line) => ({ text: line.trim(), at })));
        expect(problems).toEqual([]);
        expect(routes).toEqual([{ ...record, text: printed, origin: { kind: 'captured', at } }]);
      }),
      { numRuns: 1000 },
    );
  });
  test('neighbours', () => {
    const neighbour: fc.Arbitrary<Omit<Neighbour, 'text' | 'origin'>> = fc.oneof(
      fc.record({ device, address: fc.oneof(address(4), address(6)), mac, state: fc.constantFrom('permanent' as const, 'noarp' as const, 'reachable' as const, 'stale' as const, 'delay' as const, 'probe' as const) }),
      fc.record({ device, address: fc.oneof(address(4), address(6)), mac: fc.constant(null), state: fc.constantFrom('incomplete' as const, 'failed' as const) }),
    );
    fc.assert(fc.property(neighbour, (record) => {
      const printed = printNeighbour(record);
      expect(readNeighbourLine(printed)).toEqual({ neighbour: { ...record, text: printed }, problems: [] });
    }));
  });
  test('FDB entries', () => {
    const entry: fc.Arbitrary<Omit<FdbEntry, 'text' | 'origin'>> = fc.record({
      device, mac, master: fc.option(device), destination: fc.option(fc.oneof(address(4), address(6))), port: fc.option(fc.nat(65535)), vni: fc.option(fc.nat(0xff_ffff)), via: fc.option(device), permanent: fc.boolean(),
    });
    fc.assert(fc.property(entry, (record) => {
      const printed = printFdbEntry(record);
      expect(readFdbLine(printed)).toEqual({ entry: { ...record, text: printed }, problems: [] });
    }));
  });
  test('policy rules', () => {
    const policy: fc.Arbitrary<Omit<PolicyRule, 'text' | 'origin'>> = fc.constantFrom<Family>(4, 6).chain((family) =>
      fc.record({
        family: fc.constant(family),
        priority: number,
        inverted,
        from: fc.option(prefix(family)),
        to: fc.option(prefix(family)),
        inInterface: fc.option(device),
        outInterface: fc.option(device),
        mark: fc.option(fc.record({ value: number, mask: number })),
        protocol: fc.option(fc.constantFrom(1, 6, 17, 58, 132)),
        action: fc.oneof(
          fc.record({ kind: fc.constant('lookup' as const), table: number, suppressPrefixLength: fc.option(fc.nat(32)) }),
          fc.record({ kind: fc.constantFrom('unreachable' as const, 'blackhole' as const, 'prohibit' as const, 'nop' as const) }),
          fc.record({ kind: fc.constant('goto' as const), priority: number }),
        ),
      }),
    );
    fc.assert(fc.property(policy, (record) => {
      const printed = printPolicyRule(record);
      const family = (record.from ?? record.to)?.address.family ?? null;
      expect(readPolicyRuleLine(printed)).toEqual({ rule: { ...record, family, text: printed }, heads: null, problems: [] });
    }));
  });
});
