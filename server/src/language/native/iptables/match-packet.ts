/** Matches on the packet around its transport header, on its devices and its sender. */
import { compareAddresses, parseMac } from '../../../../../engine/src/net/address.ts';
import type { AddressType, Match } from '../../../../../engine/src/topology/netfilter.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { Word } from '../words.ts';
import type { Given, MatchModule, OptionSpec, RuleContext } from './module.ts';
import { byOption, oneOnly, textOf, unknownMatch, valueOf } from './module.ts';
import { DSCP_CLASSES } from './dscp.ts';
import { TCP } from './names.ts';
import { badValue, padded, readAddress, readInterface, readName, readNumber, readRange, warnReversed } from './values.ts';

type Reading = OptionSpec & { readonly read: (given: Given, context: RuleContext) => Match | undefined };

/** XT_MAX_COMMENT_LEN less the closing 0 */
const LONGEST_COMMENT = 255;

const comment = byOption('comment', [
  {
    name: '--comment',
    values: 1,
    read: (given, context) => {
      const word = valueOf(given);
      if (word.text.length > LONGEST_COMMENT) context.report(word, 'bad-value', `iptables keeps ${LONGEST_COMMENT} characters of a comment: the rest of this one is cut off.`, { severity: 'warning' });
      return { kind: 'comment', text: word.text.slice(0, LONGEST_COMMENT) };
    },
  },
]);

export const ADDRESS_TYPES: readonly AddressType[] = ['UNSPEC', 'UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'BLACKHOLE', 'UNREACHABLE', 'PROHIBIT', 'THROW'];

/** addrtype_mt_checkentry_v1() in xt_addrtype.c */
const NOT_IN_IPV6: readonly AddressType[] = ['BROADCAST', 'BLACKHOLE', 'PROHIBIT', 'THROW'];

const addressType = (which: 'source' | 'destination'): OptionSpec => ({ name: which === 'source' ? '--src-type' : '--dst-type', values: 1, invertible: true });

const addrtype: MatchModule = {
  name: 'addrtype',
  options: [addressType('source'), addressType('destination'), { name: '--limit-iface-in', values: 0 }, { name: '--limit-iface-out', values: 0 }],
  read: (given, context, module) => {
    const limits = given.filter((g) => g.option.values === 0);
    if (limits.length === 2 && limits[1] !== undefined) context.report(limits[1].at, 'conflicting-options', '`--limit-iface-in` and `--limit-iface-out` exclude each other.');
    const limit = limits[0] === undefined ? null : limits[0].option.name === '--limit-iface-in' ? 'in' : 'out';
    const types = given.filter((g) => g.option.values === 1);
    if (types.length === 0) {
      context.report(module, 'missing-option', 'The match `addrtype` needs `--src-type` or `--dst-type`.');
      return [unknownMatch('addrtype', given.map(textOf).join(' '))];
    }
    const lists = types.map((g) => addressTypes(context, valueOf(g)));
    if (lists.includes('not modelled')) return [unknownMatch('addrtype', [...types.map(inFull), ...limits].map(textOf).join(' '))];
    return types.map((g, i): Match => {
      const list = lists[i];
      const which = g.option.name === '--src-type' ? 'source' : 'destination';
      return list === undefined || list === 'not modelled' ? unknownMatch('addrtype', textOf(g)) : { kind: 'address-type', which, types: list, limit, inverted: g.inverted };
    });
  },
};

/** Of libxt_addrtype's rtn_names, in its order: no address is of the last two. A beginning is enough there. */
const TYPE_NAMES: readonly string[] = [...ADDRESS_TYPES, 'NAT', 'XRESOLVE'];

const fullType = (part: string): string | undefined => (part === '' ? undefined : TYPE_NAMES.find((type) => type.startsWith(part.toUpperCase())));

/** The option with its types written out, in iptables' order. */
function inFull(given: Given): Given {
  const names = new Set(valueOf(given).text.split(',').map(fullType));
  return { ...given, values: [{ ...valueOf(given), text: TYPE_NAMES.filter((name) => names.has(name)).join(',') }] };
}

function addressTypes(context: RuleContext, word: Word): readonly AddressType[] | 'not modelled' | undefined {
  const given = new Set<string>();
  for (const part of word.text.split(',')) {
    const full = fullType(part);
    const name = ADDRESS_TYPES.find((type) => type === full);
    if (name === undefined && full !== undefined && context.family === 4) {
      context.report(word, 'unknown-match', `k8snet does not model the type ${full}: a trace that reaches this rule ends undecided.`, { severity: 'warning' });
      return 'not modelled';
    }
    if (name === undefined) return badValue(context, word, `types with commas between, out of ${ADDRESS_TYPES.join(', ')}`, closest(part.toUpperCase(), ADDRESS_TYPES) ?? null);
    if (context.family === 6 && NOT_IN_IPV6.includes(name)) return badValue(context, word, `a type that IPv6 has: the kernel knows no ${name} there`);
    given.add(name);
  }
  return ADDRESS_TYPES.filter((type) => given.has(type));
}

const addressRange = (which: 'source' | 'destination'): Reading => ({
  name: which === 'source' ? '--src-range' : '--dst-range',
  values: 1,
  invertible: true,
  read: (given, context) => {
    const word = valueOf(given);
    const [first = '', second] = word.text.split('-');
    const from = readAddress(context, word, padded(first));
    const to = second === undefined ? from : from && readAddress(context, word, padded(second));
    if (from === undefined || to === undefined) return undefined;
    if (compareAddresses(from, to) > 0) warnReversed(context, word, `${second ?? ''}-${first}`);
    return { kind: 'address-range', which, from, to, inverted: given.inverted };
  },
});

const mac = byOption('mac', [
  {
    name: '--mac-source',
    values: 1,
    invertible: true,
    read: (given, context) => {
      const found = parseMac(valueOf(given).text);
      return found === undefined ? badValue(context, valueOf(given), 'a MAC address such as 0a:58:0a:00:05:96') : { kind: 'mac-source', mac: found, inverted: given.inverted };
    },
  },
]);

const physdevName = (test: 'in' | 'out'): Reading => ({
  name: `--physdev-${test}`,
  values: 1,
  invertible: true,
  read: (given, context) => {
    const name = readInterface(context, valueOf(given));
    return name === undefined ? undefined : { kind: 'physdev', test, name, inverted: given.inverted };
  },
});

const physdevIs = (test: 'in' | 'out' | 'bridged'): Reading => ({
  name: `--physdev-is-${test}`,
  values: 0,
  invertible: true,
  read: (given) => ({ kind: 'physdev-is', test, inverted: given.inverted }),
});

const physdev = byOption('physdev', [physdevIs('in'), physdevName('in'), physdevIs('out'), physdevName('out'), physdevIs('bridged')]);

const length = byOption('length', [
  {
    name: '--length',
    values: 1,
    invertible: true,
    read: (given, context) => {
      const lengths = readRange(context, valueOf(given), ':', 65535);
      return lengths === undefined ? undefined : { kind: 'length', lengths, inverted: given.inverted };
    },
  },
]);

const ttlOption = (module: 'ttl' | 'hl', compare: 'eq' | 'lt' | 'gt'): Reading => ({
  name: `--${module}-${compare}`,
  ...(compare === 'eq' ? { aliases: [`--${module}`], invertible: true as const } : {}),
  values: 1,
  read: (given, context) => {
    const value = readNumber(context, valueOf(given), 0, 255);
    return value === undefined ? undefined : { kind: 'ttl', compare: given.inverted ? 'ne' : compare, value };
  },
});

const ttl = (module: 'ttl' | 'hl'): MatchModule => oneOnly(byOption(module, (['eq', 'lt', 'gt'] as const).map((compare) => ttlOption(module, compare)), { family: module === 'ttl' ? 4 : 6 }));

const dscp = byOption('dscp', [
  {
    name: '--dscp',
    values: 1,
    invertible: true,
    read: (given, context) => {
      const value = readNumber(context, valueOf(given), 0, 63);
      return value === undefined ? undefined : { kind: 'dscp', value, inverted: given.inverted };
    },
  },
  {
    name: '--dscp-class',
    values: 1,
    invertible: true,
    read: (given, context) => {
      const value = DSCP_CLASSES.get(valueOf(given).text.toUpperCase());
      return value === undefined ? badValue(context, valueOf(given), 'a class: EF, BE, CS0 to CS7, AF11 to AF43') : { kind: 'dscp', value, inverted: given.inverted };
    },
  },
]);

const pkttype = byOption('pkttype', [
  {
    name: '--pkt-type',
    values: 1,
    invertible: true,
    read: (given, context) => {
      const text = valueOf(given).text.toLowerCase();
      if (text === 'otherhost') {
        context.report(valueOf(given), 'unknown-match', 'k8snet does not model frames for another host: a trace that reaches this rule ends undecided.', { severity: 'warning' });
        return undefined;
      }
      const type = readName(context, valueOf(given), text === 'host' ? 'unicast' : text === 'bcast' ? 'broadcast' : text === 'mcast' ? 'multicast' : text, ['unicast', 'broadcast', 'multicast']);
      return type === undefined ? undefined : { kind: 'packet-type', type, inverted: given.inverted };
    },
  },
]);

const ownerId = (name: string): Reading => ({
  name,
  values: 1,
  invertible: true,
  read: (given, context) => {
    const word = valueOf(given);
    const text = word.text === 'root' ? '0' : word.text;
    if (!/^\d+(-\d+)?$/.test(text)) return badValue(context, word, 'a number or a range such as 0-1000: names are known to the node only');
    return { kind: 'owner', text: `${name} ${text}`, inverted: given.inverted };
  },
});

const ownerOptions = byOption('owner', [
  { name: '--socket-exists', values: 0, invertible: true, read: (given) => ({ kind: 'owner', text: '--socket-exists', inverted: given.inverted }) },
  ownerId('--uid-owner'),
  ownerId('--gid-owner'),
  { name: '--suppl-groups', values: 0, read: (given) => ({ kind: 'owner', text: '--suppl-groups', inverted: given.inverted }) },
]);

const owner: MatchModule = {
  ...ownerOptions,
  read: (given, context, module) => {
    const groups = given.find((g) => g.option.name === '--suppl-groups');
    if (groups !== undefined && !given.some((g) => g.option.name === '--gid-owner')) context.report(groups.at, 'missing-option', '`--suppl-groups` needs `--gid-owner` before it.');
    return ownerOptions.read(given, context, module);
  },
};

const tcpmss = byOption(
  'tcpmss',
  [
    {
      name: '--mss',
      values: 1,
      invertible: true,
      read: (given, context) => {
        const word = valueOf(given);
        const values = readRange(context, word, ':', 65535);
        if (values !== undefined && values.from > values.to) return badValue(context, word, 'the smaller end of the range first');
        return values === undefined ? undefined : { kind: 'tcpmss', values, inverted: given.inverted };
      },
    },
  ],
  { protocols: [TCP] },
);

const rpfilter: MatchModule = {
  name: 'rpfilter',
  options: ['--loose', '--validmark', '--accept-local', '--invert'].map((name) => ({ name, values: 0 })),
  read: (given) => {
    const flags = given.filter((g) => g.option.name !== '--invert');
    return [{ kind: 'rpfilter', text: flags.map(textOf).join(' '), inverted: flags.length < given.length }];
  },
};

export const PACKET_MATCHES: readonly MatchModule[] = [
  comment, addrtype, byOption('iprange', [addressRange('source'), addressRange('destination')]), mac, physdev, length, ttl('ttl'), ttl('hl'), dscp, pkttype, owner, tcpmss, rpfilter,
];
