/** Matches on what the kernel remembers of a packet or its connection: marks, conntrack, recent, statistic, sets. */
import type { Address } from '../../../../../engine/src/net/address.ts';
import { ipv4, sameAddress } from '../../../../../engine/src/net/address.ts';
import type { ConnectionState, Match } from '../../../../../engine/src/topology/netfilter.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { Given, MatchModule, OptionSpec, RuleContext } from './module.ts';
import { allText, byOption, find, required, unknownMatch, valueOf } from './module.ts';
import { notModelled } from './match-transport.ts';
import { protocolNumber } from './names.ts';
import { badValue, readAddress, readHostMask, readMasked, readName, readNumber, readPorts, readRange } from './values.ts';

type Reading = OptionSpec & { readonly read: (given: Given, context: RuleContext) => Match | undefined };

const mark = (kind: 'mark' | 'connmark'): MatchModule =>
  byOption(kind, [
    {
      name: '--mark',
      values: 1,
      invertible: true,
      read: (given, context) => {
        const masked = readMasked(context, valueOf(given));
        return masked === undefined ? undefined : { kind, ...masked, inverted: given.inverted };
      },
    },
  ]);

/** In the order in which iptables prints them. */
export const CONNECTION_STATES: readonly ConnectionState[] = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'];
export const CONNECTION_STATUSES = ['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'] as const;

/** A comma list out of `names`, upper or lower case, in the order of `names`; a beginning is enough (strncasecmp() in libxt_conntrack.c). */
function nameList<T extends string>(context: RuleContext, given: Given, names: readonly T[]): readonly T[] | undefined {
  const word = valueOf(given);
  const found = new Set<T>();
  for (const part of word.text.split(',')) {
    const name = part === '' ? undefined : names.find((n) => n.startsWith(part.toUpperCase()));
    if (name === undefined) {
      const near = closest(part.toUpperCase(), names) ?? null;
      return badValue(context, word, `a list with commas out of ${names.join(', ')}`, near === null ? null : word.text.split(',').map((p) => (p === part ? near : p)).join(','));
    }
    found.add(name);
  }
  return names.filter((name) => found.has(name));
}

const states = (name: '--ctstate' | '--state'): Reading => ({
  name,
  values: 1,
  invertible: true,
  read: (given, context) => {
    const list = nameList(context, given, name === '--state' ? CONNECTION_STATES.slice(0, 5) : CONNECTION_STATES);
    return list === undefined ? undefined : { kind: 'conntrack-state', states: list, spelling: name === '--state' ? 'state' : 'conntrack', inverted: given.inverted };
  },
});

type TupleField = (Match & { kind: 'conntrack-tuple' })['field'];
type PortField = (Match & { kind: 'conntrack-port' })['field'];

const tuple = (field: TupleField): Reading => ({
  name: `--${field}`,
  values: 1,
  invertible: true,
  read: (given, context) => {
    const prefix = readHostMask(context, valueOf(given));
    return prefix === undefined || prefix === 'holes' ? undefined : { kind: 'conntrack-tuple', field, prefix, inverted: given.inverted };
  },
});

const tuplePort = (field: PortField): Reading => ({
  name: `--${field}`,
  values: 1,
  invertible: true,
  read: (given, context) => {
    const ports = readPorts(context, valueOf(given), { separator: ':', transport: null, numbers: 'decimal', reversed: 'empty', open: 'both' });
    return ports === undefined ? undefined : { kind: 'conntrack-port', field, ports, inverted: given.inverted };
  },
});

const status: Reading = {
  name: '--ctstatus',
  values: 1,
  invertible: true,
  read: (given, context) => {
    const statuses = nameList(context, given, CONNECTION_STATUSES);
    return statuses === undefined ? undefined : { kind: 'conntrack-status', statuses, inverted: given.inverted };
  },
};

const direction: Reading = {
  name: '--ctdir',
  values: 1,
  read: (given, context) => {
    const word = valueOf(given);
    const name = readName(context, word, word.text.toUpperCase(), ['ORIGINAL', 'REPLY']);
    return name === undefined ? undefined : { kind: 'conntrack-direction', direction: name };
  },
};

const connectionProtocol: Reading = {
  name: '--ctproto',
  values: 1,
  invertible: true,
  read: (given, context) => {
    const protocol = protocolNumber(valueOf(given).text);
    if (protocol === undefined) return badValue(context, valueOf(given), 'a protocol such as tcp, or its number');
    return unknownMatch('conntrack', `${given.inverted ? '! ' : ''}--ctproto ${protocol}`);
  },
};

const expiry: Reading = {
  ...notModelled('conntrack', '--ctexpire', 1),
  read: (given, context) => {
    const seconds = readRange(context, valueOf(given), ':', 0xffff_ffff);
    if (seconds === undefined) return undefined;
    notModelled('conntrack', '--ctexpire', 1).read(given, context);
    return unknownMatch('conntrack', `${given.inverted ? '! ' : ''}--ctexpire ${seconds.from === seconds.to ? seconds.from : `${seconds.from}:${seconds.to}`}`);
  },
};

const conntrack = byOption('conntrack', [
  states('--ctstate'),
  connectionProtocol,
  tuple('ctorigsrc'), tuple('ctorigdst'), tuple('ctreplsrc'), tuple('ctrepldst'),
  tuplePort('ctorigsrcport'), tuplePort('ctorigdstport'), tuplePort('ctreplsrcport'), tuplePort('ctrepldstport'),
  status,
  expiry,
  direction,
]);

const statistic: MatchModule = {
  name: 'statistic',
  options: [
    { name: '--mode', values: 1 },
    { name: '--probability', values: 1, invertible: true },
    { name: '--every', values: 1, invertible: true },
    { name: '--packet', values: 1 },
  ],
  read: (given, context, module) => [readStatistic(given, context, module) ?? unknownMatch('statistic', allText(given))],
};

/** xt_statistic compares 31 random bits with the probability. */
const STEPS = 0x8000_0000;

function readStatistic(given: readonly Given[], context: RuleContext, module: Given['at']): Match | undefined {
  const mode = find(given, '--mode');
  if (mode === undefined) return required(context, module, 'statistic', '`--mode random` or `--mode nth`');
  const kind = readName(context, valueOf(mode), valueOf(mode).text, ['random', 'nth']);
  if (kind === undefined) return undefined;
  const stray = given.find((g) => g !== mode && (g.option.name === '--probability') !== (kind === 'random'));
  if (stray !== undefined) {
    context.report(stray.at, 'conflicting-options', `\`${stray.option.name}\` does not go with \`--mode ${kind}\`.`);
    return undefined;
  }
  if (kind === 'random') {
    const probability = find(given, '--probability');
    if (probability === undefined) return required(context, mode.at, 'statistic --mode random', '`--probability`');
    const word = valueOf(probability);
    const p = /^(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(word.text) ? Number(word.text) : -1;
    return p < 0 || p > 1 ? badValue(context, word, 'a number from 0 to 1') : { kind: 'statistic-random', probability: Math.round(p * STEPS) / STEPS, inverted: probability.inverted };
  }
  const every = find(given, '--every');
  if (every === undefined) return required(context, mode.at, 'statistic --mode nth', '`--every`');
  const n = readNumber(context, valueOf(every), 1, 0xffff_ffff);
  const packetAt = find(given, '--packet');
  if (packetAt === undefined) return required(context, every.at, 'statistic --mode nth', '`--packet` beside `--every`');
  const packet = readNumber(context, valueOf(packetAt), 0, 0xffff_ffff);
  if (n === undefined || packet === undefined) return undefined;
  if (packet >= n) return badValue(context, valueOf(packetAt), `a number below \`--every\`, from 0 to ${n - 1}`);
  return { kind: 'statistic-nth', every: n, packet, inverted: every.inverted };
}

const RECENT_ACTIONS = ['--set', '--rcheck', '--update', '--remove'];

const recent: MatchModule = {
  name: 'recent',
  options: [
    ...RECENT_ACTIONS.map((name) => ({ name, values: 0 as const, invertible: true as const })),
    { name: '--seconds', values: 1 },
    { name: '--reap', values: 0 },
    { name: '--hitcount', values: 1 },
    { name: '--rttl', values: 0 },
    { name: '--name', values: 1 },
    { name: '--mask', values: 1 },
    { name: '--rsource', values: 0 },
    { name: '--rdest', values: 0 },
  ],
  read: (given, context, module) => [readRecent(given, context, module) ?? unknownMatch('recent', allText(given))],
};

function readRecent(given: readonly Given[], context: RuleContext, module: Given['at']): Match | undefined {
  const [action, second] = given.filter((g) => RECENT_ACTIONS.includes(g.option.name));
  if (action === undefined) return required(context, module, 'recent', 'one of `--set`, `--rcheck`, `--update`, `--remove`');
  if (second !== undefined) {
    context.report(second.at, 'conflicting-options', `\`${second.option.name}\` and \`${action.option.name}\` exclude each other.`);
    return undefined;
  }
  const optional = (name: string, min: number, max: number): number | null | undefined => {
    const option = find(given, name);
    return option === undefined ? null : readNumber(context, valueOf(option), min, max);
  };
  const kind = action.option.name.slice(2) as 'set' | 'rcheck' | 'update' | 'remove';
  const seconds = optional('--seconds', 1, 0xffff_ffff);
  // XT_RECENT_MAX_NSTAMPS; 256 before Linux 6.7.
  const hitcount = optional('--hitcount', 0, 0xffff);
  const reap = find(given, '--reap');
  // recent_mt_check() in xt_recent.c
  const stray = kind === 'rcheck' || kind === 'update' ? undefined : given.find((g) => ['--seconds', '--reap', '--hitcount', '--rttl'].includes(g.option.name));
  if (stray !== undefined) context.report(stray.at, 'conflicting-options', `\`${stray.option.name}\` goes with \`--rcheck\` or \`--update\` only.`);
  else if (reap !== undefined && seconds === null) context.report(reap.at, 'missing-option', '`--reap` needs `--seconds`.');
  if (seconds === undefined || hitcount === undefined || stray !== undefined) return undefined;
  const nameAt = find(given, '--name');
  const name = nameAt === undefined ? 'DEFAULT' : valueOf(nameAt).text;
  const side = find(given, '--rdest') === undefined ? 'source' : 'dest';
  const maskAt = find(given, '--mask');
  const mask = maskAt === undefined ? fullMask(context) : readAddress(context, valueOf(maskAt));
  if (mask === undefined) return undefined;
  return {
    kind: 'recent', action: kind, name, seconds, hitcount: hitcount === 0 ? null : hitcount, reap: reap !== undefined, side, inverted: action.inverted,
    ...(find(given, '--rttl') === undefined ? {} : { sameTtl: true }),
    ...(sameAddress(mask, fullMask(context)) ? {} : { mask }),
  };
}

const fullMask = (context: RuleContext): Address => (context.family === 4 ? ipv4(0xffff_ffff) : { family: 6, words: [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff] });

const set: MatchModule = {
  name: 'set',
  options: [
    { name: '--match-set', aliases: ['--set'], values: 2, invertible: true },
    { name: '--return-nomatch', values: 0 },
    ...['--update-counters', '--update-subcounters'].map((name) => ({ name, values: 0 as const, invertible: true as const })),
    ...['--packets-eq', '--packets-lt', '--packets-gt', '--bytes-eq', '--bytes-lt', '--bytes-gt'].map((name) => ({ name, values: 1 as const, invertible: true as const })),
  ],
  read: (given, context, module) => {
    const main = find(given, '--match-set');
    const returnNomatch = find(given, '--return-nomatch');
    const other = given.find((g) => g !== main && g !== returnNomatch);
    if (main === undefined) required(context, module, 'set', '`--match-set NAME src,dst`');
    if (other !== undefined) {
      context.report(other.at, 'unknown-match', `k8snet does not model \`${other.option.name}\`: a trace that reaches this rule ends undecided.`, { severity: 'warning' });
    }
    const directions = main === undefined ? undefined : setDirections(context, main);
    if (main === undefined || other !== undefined || directions === undefined) return [unknownMatch('set', allText(given))];
    return [{ kind: 'set', name: valueOf(main).text, directions, inverted: main.inverted, ...(returnNomatch === undefined ? {} : { returnNomatch: true }) }];
  },
};

function setDirections(context: RuleContext, given: Given): readonly ('src' | 'dst')[] | undefined {
  const word = given.values[1];
  if (word === undefined) return undefined;
  const parts = word.text.split(',');
  const directions = parts.filter((part) => part === 'src' || part === 'dst');
  return directions.length === parts.length && parts.length <= 6 ? directions : badValue(context, word, 'directions with commas between, out of src and dst');
}

export const STATE_MATCHES: readonly MatchModule[] = [
  mark('mark'), mark('connmark'), conntrack, byOption('state', [states('--state')]), statistic, recent, set,
];
