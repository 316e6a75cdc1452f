/** One `-A` line to rule records. Nothing here depends on the lines around it, so a reading may be kept for its line. */
import { isAnswered } from '../../../../../engine/src/data-plane/netfilter/matches/absent.ts';
import type { Family, Prefix } from '../../../../../engine/src/net/address.ts';
import type { Match, Rule, Target } from '../../../../../engine/src/topology/netfilter.ts';
import type { LineProblem, Report, Span } from '../dump.ts';
import { reporter } from '../dump.ts';
import { closest } from '../../../../../engine/src/closest.ts';
import type { Word } from '../words.ts';
import type { Given, OptionSpec, RuleContext } from './module.ts';
import { textOf, unknownMatch, valueOf } from './module.ts';
import type { LoadedMatch, LoadedTarget, SortedRule } from './options.ts';
import { sortRule } from './options.ts';
import { printRule } from './print.ts';
import { matchModule } from './registry.ts';
import { PROTOCOL_NUMBERS, parseNumber, protocolNumber } from './names.ts';
import { badValue, readInterface, readPrefix } from './values.ts';
import { bareOrQuoted, ruleWords } from './words.ts';

export type RuleBody = Omit<Rule, 'origin'>;

export interface RuleReading {
  readonly kind: 'rule';
  readonly chain: string;
  readonly chainAt: Span;
  /** From 1: where `-I` puts it in; `null` at the chain's end. */
  readonly place: number | null;
  /** Several where `-s` or `-d` lists several addresses: iptables makes a rule of each. */
  readonly rules: readonly RuleBody[];
  /** Where the name of the target or of the chain after -j or -g stands. */
  readonly targetAt: Span | null;
  readonly problems: readonly LineProblem[];
}

/** XT_EXTENSION_MAXNAMELEN less the closing 0. */
export const MAX_CHAIN_NAME = 28;

/** `text` from `-A` on, or with `[packets:bytes]` before it. */
export function readRule(text: string, family: Family): RuleReading {
  const { problems, report } = reporter();
  const counters = /^\[\d+:\d+\]\s*/.exec(text)?.[0].length ?? 0;
  const words = ruleWords(counters === 0 ? text : text.slice(counters), report).map((word) => (counters === 0 ? word : { ...word, offset: word.offset + counters }));
  const sorted = sortRule(words, family, report);
  const command = commandOf(sorted, words[0], report);
  const chain = command === undefined ? null : valueOf(command);
  if (chain !== null) checkChainName(chain, report);
  const common = { kind: 'rule', chain: chain?.text ?? '', chainAt: chain ?? { offset: 0, length: text.length }, place: command?.option.name === '-I' ? Number(command.values[1]?.text ?? 1) : null, problems } as const;
  if (sorted.passedOver !== null) {
    report(sorted.passedOver.at, 'not-modelled', `iptables passes over a rule with \`${sorted.passedOver.at.text}\` when it restores tables of the other family, and so does k8snet.`, { severity: 'warning' });
    return { ...common, rules: [], targetAt: null };
  }
  const context = { family, protocol: protocolOf(sorted), protocolAt: option(sorted, '-p')?.at.offset ?? null, report };
  const headers = readHeaders(sorted, context, chain?.text ?? '');
  checkLimit(sorted, chain?.text ?? '', report);
  const read = sorted.matches.map((match) => readMatch(match, context));
  const first = new Set(read.flatMap(([match]) => match ?? []));
  const matches = [...read.flat(), ...sorted.strays.map((stray) => unknownMatch('', stray))];
  const target = sorted.target === null ? null : readTarget(sorted.target, context);
  const rules = headers.map((header) => {
    const rule = { matches: [...header, ...matches], target };
    return { ...rule, text: printRule(chain?.text ?? '', rule, family, first) };
  });
  return { ...common, rules, targetAt: sorted.target?.name ?? null };
}

/** `-A` or `-I`: one of them, once. */
function commandOf(sorted: SortedRule, word: Word | undefined, report: Report): Given | undefined {
  const [first, second] = sorted.base.filter((g) => g.option.name === '-A' || g.option.name === '-I');
  if (first === undefined && word !== undefined) report(word, 'not-a-dump-line', 'A rule begins with `-A CHAIN`: the chain that it belongs to is missing.');
  if (first !== undefined && second !== undefined && first.option !== second.option) report(second.at, 'conflicting-options', `\`${second.at.text}\` and \`${first.at.text}\` exclude each other.`);
  return first;
}

export function checkChainName(word: Word, report: Report): void {
  if (word.text.length > MAX_CHAIN_NAME) report(word, 'bad-value', `The name of a chain has at most ${MAX_CHAIN_NAME} characters: this has ${word.text.length}.`);
  else if (word.text === '' || /^[-!]/.test(word.text) || /\s/.test(word.text)) report(word, 'bad-value', `\`${word.text}\` is no name of a chain: it cannot begin with \`-\` or \`!\` or hold blanks.`);
}

const option = (sorted: SortedRule, name: string): Given | undefined => sorted.base.find((g) => g.option.name === name);

function protocolOf(sorted: SortedRule): number | null {
  const given = option(sorted, '-p');
  const number = given === undefined || given.inverted ? undefined : protocolNumber(valueOf(given).text);
  return number === undefined || number === 0 ? null : number;
}

/** The matches of the rule's own options, in iptables-save's order: -s -d -i -o -p -f; one list for each pair of addresses. */
function readHeaders(sorted: SortedRule, context: RuleContext, chain: string): readonly (readonly Match[])[] {
  for (const word of option(sorted, '-c')?.values ?? []) {
    if (parseNumber(word.text) === undefined) badValue(context, word, 'a number of packets and one of bytes');
  }
  const sources = readAddresses(option(sorted, '-s'), 'source', context);
  const destinations = readAddresses(option(sorted, '-d'), 'destination', context);
  const rest = [
    ...readDevice(option(sorted, '-i'), 'in-interface', context, chain),
    ...readDevice(option(sorted, '-o'), 'out-interface', context, chain),
    ...readProtocol(option(sorted, '-p'), context),
    ...readFragment(option(sorted, '-f'), context),
  ];
  return sources.flatMap((source) => destinations.map((destination) => [...source, ...destination, ...rest]));
}

function readAddresses(given: Given | undefined, kind: 'source' | 'destination', context: RuleContext): readonly (readonly Match[])[] {
  if (given === undefined) return [[]];
  const word = valueOf(given);
  const parts = word.text.split(',');
  if (parts.length > 1 && given.inverted) context.report(word, 'not-invertible', 'A list of addresses takes no `!`: write one rule for each address.');
  return parts.map((part) => {
    const prefix = readPrefix(context, word, part);
    if (prefix === undefined) return [unknownMatch('', textOf(given))];
    if (prefix === 'holes') {
      context.report(word, 'unknown-match', `k8snet does not model a mask with holes: a trace that reaches this rule ends undecided.`, { severity: 'warning' });
      return [unknownMatch('', textOf(given))];
    }
    return anyPrefix(prefix) && !given.inverted ? [] : [{ kind, prefix, inverted: given.inverted }];
  });
}

const anyPrefix = (prefix: Prefix): boolean => prefix.length === 0;

/** Chains through which no packet with that device comes: iptables refuses the rule there (xshared.c). */
const WITHOUT_DEVICE: Readonly<Record<'in-interface' | 'out-interface', readonly string[]>> = {
  'in-interface': ['POSTROUTING', 'OUTPUT'],
  'out-interface': ['PREROUTING', 'INPUT'],
};

function readDevice(given: Given | undefined, kind: 'in-interface' | 'out-interface', context: RuleContext, chain: string): readonly Match[] {
  if (given === undefined) return [];
  if (WITHOUT_DEVICE[kind].includes(chain)) {
    context.report(given.at, 'conflicting-options', `\`${given.at.text}\` cannot stand in ${chain}: packets have no ${kind === 'in-interface' ? 'incoming' : 'outgoing'} device there.`);
  }
  const name = readInterface(context, valueOf(given));
  if (name === undefined) return [unknownMatch('', textOf(given))];
  return name === '+' && !given.inverted ? [] : [{ kind, name, inverted: given.inverted }];
}

/** addrtype_mt_checkentry_v1() in xt_addrtype.c */
const LIMITED: Readonly<Record<string, keyof typeof WITHOUT_DEVICE>> = { '--limit-iface-in': 'in-interface', '--limit-iface-out': 'out-interface' };

function checkLimit(sorted: SortedRule, chain: string, report: Report): void {
  for (const { at, option: { name } } of sorted.matches.flatMap((match) => match.given)) {
    const device = LIMITED[name];
    if (device !== undefined && WITHOUT_DEVICE[device].includes(chain)) report(at, 'conflicting-options', `\`${name}\` cannot stand in ${chain}: packets have no such device there.`);
  }
}

function readProtocol(given: Given | undefined, context: RuleContext): readonly Match[] {
  if (given === undefined) return [];
  const word = valueOf(given);
  const protocol = protocolNumber(word.text);
  if (protocol === undefined) {
    badValue(context, word, 'a protocol such as tcp, udp, sctp or icmp, or its number', closest(word.text.toLowerCase(), PROTOCOL_NUMBERS.keys()) ?? null);
    return [unknownMatch('', textOf(given))];
  }
  if (protocol === 0 && given.inverted) context.report(given.at, 'not-invertible', 'No packet is of no protocol: `! -p all` matches nothing.');
  return protocol === 0 && !given.inverted ? [] : [{ kind: 'protocol', protocol, inverted: given.inverted }];
}

function readFragment(given: Given | undefined, context: RuleContext): readonly Match[] {
  if (given === undefined) return [];
  if (context.family === 6) {
    context.report(given.at, 'unknown-option', '`-f` is for IPv4: `ip6tables` has `-m frag`.');
    return [unknownMatch('', textOf(given))];
  }
  return [{ kind: 'fragment', inverted: given.inverted }];
}

function readMatch(match: LoadedMatch, context: RuleContext): readonly Match[] {
  const { module } = match;
  if (module === null) {
    const kept = unknownMatch(match.name, match.rest.map(bareOrQuoted).join(' '));
    if (matchModule(match.name, context.family) === 'opaque' && !isAnswered(kept)) {
      context.report(match.at, 'unknown-match', `k8snet does not model the match \`${match.name}\`: a trace that reaches this rule ends undecided.`, { severity: 'warning' });
    }
    return [kept];
  }
  if (module.protocols !== undefined && (context.protocol === null || !module.protocols.includes(context.protocol))) {
    const names = [...PROTOCOL_NUMBERS].filter(([, n]) => module.protocols?.includes(n)).map(([name]) => `\`-p ${name}\``);
    context.report(match.at, 'protocol-needed', `The match \`${module.name}\` needs ${names.join(', ')} in the rule.`);
  }
  return module.read(inOrder(match.given, module.options), context, match.at);
}

const inOrder = (given: readonly Given[], order: readonly OptionSpec[]): readonly Given[] =>
  given.length < 2 ? given : [...given].sort((a, b) => order.indexOf(a.option) - order.indexOf(b.option));

function readTarget(target: LoadedTarget, context: RuleContext): Target {
  const { name, module } = target;
  if (target.opaque) {
    context.report(name, 'unknown-target', `k8snet does not model the target \`${name.text}\`: a trace that reaches this rule ends undecided.`, { severity: 'warning' });
    return { kind: 'unknown', name: name.text, text: target.rest.map(bareOrQuoted).join(' ') };
  }
  if (module !== null) {
    if (module.protocols !== undefined && (context.protocol === null || !module.protocols.includes(context.protocol))) {
      context.report(name, 'protocol-needed', `\`-j ${name.text}\` needs \`-p tcp\` in the rule.`);
    }
    return module.read(inOrder(target.given, module.options), context, name);
  }
  if (target.via === 'jump') {
    if (name.text === 'ACCEPT') return { kind: 'accept' };
    if (name.text === 'DROP') return { kind: 'drop' };
    if (name.text === 'RETURN') return { kind: 'return' };
  }
  checkChainName(name, context.report);
  return { kind: 'jump', chain: name.text, via: target.via };
}
