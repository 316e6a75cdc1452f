/** Matches on the transport header: tcp, udp, sctp, dccp, multiport, icmp, icmp6 (libxt_tcp.c and its neighbours). */
import type { Match } from '../../../../../engine/src/topology/netfilter.ts';
import { icmpTypes } from './icmp-types.ts';
import type { Given, MatchModule, OptionSpec, RuleContext } from './module.ts';
import { byOption, oneOnly, protocolBefore, textOf, unknownMatch, valueOf } from './module.ts';
import { DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, parseNumber, transportName } from './names.ts';
import type { PortReading } from './values.ts';
import { badValue, portsOf, readNumber, readPorts } from './values.ts';

type Transport = 'tcp' | 'udp' | 'sctp' | 'dccp';

type Reading = OptionSpec & { readonly read: (given: Given, context: RuleContext) => Match | undefined };

/** tcp and sctp read their ports themselves, udp and dccp leave it to libxtables. */
const portReading = (protocol: Transport): PortReading =>
  protocol === 'tcp' || protocol === 'sctp'
    ? { separator: ':', transport: protocol, numbers: 'any base', reversed: 'refused', open: 'both' }
    : { separator: ':', transport: null, numbers: 'decimal', reversed: 'empty', open: 'both' };

const ports = (protocol: Transport, kind: 'source-port' | 'destination-port'): Reading => ({
  name: kind === 'source-port' ? '--sport' : '--dport',
  aliases: [kind === 'source-port' ? '--source-port' : '--destination-port'],
  values: 1,
  invertible: true,
  read: (given, context) => {
    const range = readPorts(context, valueOf(given), portReading(protocol));
    return range === undefined ? undefined : { kind, protocol, ports: range, inverted: given.inverted };
  },
});

/** An option that iptables has and k8snet does not model. */
export const notModelled = (module: string, name: string, values: 0 | 1 | 2): Reading => ({
  name,
  values,
  invertible: true,
  read: (given, context) => {
    context.report(given.at, 'unknown-match', `k8snet does not model \`${name}\`: a trace that reaches this rule ends undecided.`, { severity: 'warning' });
    return unknownMatch(module, textOf(given));
  },
});

const header = (protocol: Transport) => (): readonly Match[] => [{ kind: 'transport-header', protocol }];

/** As on the wire; the order is the one in which iptables prints them. */
export const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;

function flags(context: RuleContext, given: Given, which: 0 | 1): number | undefined {
  const word = given.values[which];
  if (word === undefined) return undefined;
  let bits = 0;
  // strtok(3) passes over empty parts.
  for (const name of word.text.split(',').filter((part) => part !== '')) {
    if (/^all$/i.test(name)) bits |= 63;
    else if (!/^none$/i.test(name)) {
      const bit = Object.entries(TCP_FLAGS).find(([flag]) => flag === name.toUpperCase())?.[1];
      if (bit === undefined) return badValue(context, word, 'flags with commas between: FIN, SYN, RST, PSH, ACK, URG, or ALL or NONE');
      bits |= bit;
    }
  }
  return bits;
}

const tcpFlags: Reading = {
  name: '--tcp-flags',
  values: 2,
  invertible: true,
  read: (given, context) => {
    const mask = flags(context, given, 0);
    const compare = flags(context, given, 1);
    return mask === undefined || compare === undefined ? undefined : { kind: 'tcp-flags', mask, compare, inverted: given.inverted };
  },
};

const syn: Reading = {
  name: '--syn',
  values: 0,
  invertible: true,
  read: (given) => ({ kind: 'tcp-flags', mask: TCP_FLAGS.FIN | TCP_FLAGS.SYN | TCP_FLAGS.RST | TCP_FLAGS.ACK, compare: TCP_FLAGS.SYN, inverted: given.inverted }),
};

const tcpOption: Reading = {
  ...notModelled('tcp', '--tcp-option', 1),
  read: (given, context) => {
    const option = readNumber(context, valueOf(given), 1, 255);
    if (option === undefined) return undefined;
    notModelled('tcp', '--tcp-option', 1).read(given, context);
    return unknownMatch('tcp', `${given.inverted ? '! ' : ''}--tcp-option ${option}`);
  },
};

const icmp = (family: 4 | 6): MatchModule => {
  const name = family === 4 ? 'icmp' : 'icmp6';
  return byOption(
    name,
    [
      {
        name: family === 4 ? '--icmp-type' : '--icmpv6-type',
        values: 1,
        invertible: true,
        read: (given, context) => {
          const word = valueOf(given);
          const found = icmpType(word.text, family);
          if (found === undefined) return badValue(context, word, `a type, \`type/code\` or a name such as ${family === 4 ? 'echo-request' : 'neighbour-solicitation'}`);
          return { kind: 'icmp-type', family, ...found, inverted: given.inverted };
        },
      },
    ],
    { family, protocols: [family === 4 ? ICMP : ICMPV6] },
  );
};

type IcmpType = Pick<Match & { kind: 'icmp-type' }, 'type' | 'codes'>;

/** Names may be shortened as long as one alone fits, in any case (xtables_parse_icmp). */
function icmpType(text: string, family: 4 | 6): IcmpType | undefined {
  const [typeText = '', codeText, more] = text.split('/');
  const type = parseNumber(typeText);
  if (type === undefined) {
    const names = icmpTypes(family);
    const wanted = text.toLowerCase();
    const exact = names.find(([name]) => name.toLowerCase() === wanted);
    const fitting = names.filter(([name]) => name.toLowerCase().startsWith(wanted));
    const found = exact ?? (fitting.length === 1 ? fitting[0] : undefined);
    return text === '' ? undefined : found?.[1];
  }
  const code = codeText === undefined ? undefined : parseNumber(codeText);
  if (type > 255 || more !== undefined || (codeText !== undefined && (code === undefined || code > 255))) return undefined;
  if (type === 255 && code === undefined && family === 4) return { type: 'any', codes: { from: 0, to: 255 } };
  return { type, codes: code === undefined ? { from: 0, to: 255 } : { from: code, to: code } };
}

const portList = (which: 'source' | 'destination' | 'either', name: string, aliases: readonly string[]): Reading => ({
  name,
  aliases,
  values: 1,
  invertible: true,
  read: (given, context) => {
    const word = valueOf(given);
    if (!protocolBefore(context, given.at)) return undefined;
    const reading: PortReading = { separator: ':', transport: transportName(context.protocol), numbers: 'any base', reversed: 'refused', open: 'neither' };
    const parts = word.text.split(',');
    const ranges = parts.map((part) => portsOf(context, word, part, reading));
    const list = ranges.filter((range) => range !== undefined);
    if (list.length < ranges.length) return undefined;
    const single = parts.find((part, i) => part.includes(':') && list[i]?.from === list[i]?.to);
    if (single !== undefined) return badValue(context, word, `one port in place of the range ${single}`);
    const slots = list.reduce((n, range) => n + (range.from === range.to ? 1 : 2), 0);
    if (slots > 15) return badValue(context, word, 'at most 15 ports (a range counts as two)');
    return { kind: 'multiport', which, ports: list, inverted: given.inverted };
  },
});

const multiport = byOption(
  'multiport',
  [
    portList('source', '--sports', ['--source-ports']),
    portList('destination', '--dports', ['--destination-ports']),
    portList('either', '--ports', []),
  ],
  { protocols: [TCP, UDP, UDPLITE, DCCP, SCTP] },
);

/** A module whose every port fits: what is left of it is that the header must be there. */
function transport(protocol: Transport, number: number, ...more: readonly Reading[]): MatchModule {
  const module = byOption(protocol, [ports(protocol, 'source-port'), ports(protocol, 'destination-port'), ...more], { protocols: [number], empty: header(protocol) });
  return {
    ...module,
    read: (given, context, at) => {
      const [first, second] = given.filter((g) => g.option === tcpFlags || g.option === syn);
      if (first !== undefined && second !== undefined) context.report(second.at, 'conflicting-options', '`--syn` and `--tcp-flags` exclude each other.');
      const matches = module.read(given, context, at).filter((match) => !anyPort(match));
      return matches.length === 0 ? header(protocol)() : matches;
    },
  };
}

/** tcp and udp print no port option whose range is whole, not even an inverted one, which no packet passes. */
export const isUnprinted = ({ protocol, ports }: Match & { kind: 'source-port' | 'destination-port' }): boolean =>
  (protocol === 'tcp' || protocol === 'udp') && ports.from === 0 && ports.to === 65535;

/** Every port, which tcp and udp do not print; sctp and dccp keep that an option was given. */
const anyPort = (match: Match): boolean =>
  (match.kind === 'source-port' || match.kind === 'destination-port') && isUnprinted(match) && !match.inverted;

export const TRANSPORT_MATCHES: readonly MatchModule[] = [
  transport('tcp', TCP, tcpOption, tcpFlags, syn),
  transport('udp', UDP),
  transport('sctp', SCTP, notModelled('sctp', '--chunk-types', 2)),
  transport('dccp', DCCP, notModelled('dccp', '--dccp-types', 1), notModelled('dccp', '--dccp-option', 1)),
  icmp(4),
  icmp(6),
  oneOnly(multiport),
];
