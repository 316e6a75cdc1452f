/** What a match or target extension is made of; one file per group of extensions holds the tables. */
import type { Family } from '../../../../../engine/src/net/address.ts';
import type { Match, Target } from '../../../../../engine/src/topology/netfilter.ts';
import type { Report } from '../dump.ts';
import type { Word } from '../words.ts';
import { bareOrQuoted } from './words.ts';

export interface RuleContext {
  readonly family: Family;
  /** Of `-p`, without a `!` before it; `null` where any protocol may pass. */
  readonly protocol: number | null;
  /** Where `-p` stands: some options look at the protocol when they are read. */
  readonly protocolAt: number | null;
  readonly report: Report;
}

/** One option as it stands in a rule. */
export interface Given {
  readonly option: OptionSpec;
  readonly inverted: boolean;
  readonly values: readonly Word[];
  /** The option itself. */
  readonly at: Word;
}

export interface OptionSpec {
  /** With its dashes, as iptables-save spells it. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly values: 0 | 1 | 2;
  readonly invertible?: true;
}

interface Extension {
  readonly name: string;
  readonly options: readonly OptionSpec[];
  /** Where it is for one family alone. */
  readonly family?: Family;
}

export interface MatchModule extends Extension {
  /** `-p` must name one of these. */
  readonly protocols?: readonly number[];
  /** `given` is in the order of `options`, which is the order in which iptables-save prints them. An option that cannot be read is reported and becomes an unknown match. */
  readonly read: (given: readonly Given[], context: RuleContext, module: Word) => readonly Match[];
}

export interface TargetModule extends Extension {
  readonly protocols?: readonly number[];
  /** The only tables in which iptables takes it; semantic checks of the language use it. */
  readonly tables?: readonly string[];
  readonly read: (given: readonly Given[], context: RuleContext, at: Word) => Target;
}

/** Whether `-p` with the rule's protocol stands before this option; else says so. */
export function protocolBefore(context: RuleContext, at: Word): boolean {
  if (context.protocolAt === null || context.protocolAt < at.offset) return true;
  context.report(at, 'protocol-needed', `iptables reads \`${at.text}\` by the protocol: put \`-p\` before it.`);
  return false;
}

/** The value of an option, where it has one. */
export const valueOf = (given: Given): Word => given.values[0] ?? given.at;

export const find = (given: readonly Given[], name: string): Given | undefined => given.find((g) => g.option.name === name);

/** The option as written, with its `!` and values. */
export const textOf = (given: Given): string =>
  [given.inverted ? '!' : '', given.option.name, ...given.values.map(bareOrQuoted)].filter((part) => part !== '').join(' ');

export const allText = (given: readonly Given[]): string => given.map(textOf).join(' ');

/** Says that an option is missing. */
export function required(context: RuleContext, at: Word, what: string, option: string): undefined {
  context.report(at, 'missing-option', `\`${what}\` needs ${option}.`);
  return undefined;
}

export const unknownMatch = (name: string, text: string): Extract<Match, { readonly kind: 'unknown' }> => ({ kind: 'unknown', name, text });

/** A module that takes one of its options in a rule, not two. */
export const oneOnly = (module: MatchModule): MatchModule => ({
  ...module,
  read: (given, context, at) => {
    const [first, second] = given;
    if (first !== undefined && second !== undefined) {
      context.report(second.at, 'conflicting-options', `\`${second.option.name}\` and \`${first.option.name}\` exclude each other: write a second \`-m ${module.name}\` before this option.`);
    }
    return module.read(given, context, at);
  },
});

/** A module whose options are read one by one, each to one match of its own. */
export function byOption(
  name: string,
  options: readonly (OptionSpec & { readonly read: (given: Given, context: RuleContext) => Match | undefined })[],
  rest: Partial<Pick<MatchModule, 'family' | 'protocols'>> & { readonly empty?: (context: RuleContext, module: Word) => readonly Match[] } = {},
): MatchModule {
  const { empty, ...extension } = rest;
  return {
    name,
    options,
    ...extension,
    read: (given, context, module) => {
      if (given.length === 0) {
        if (empty !== undefined) return empty(context, module);
        const expected = options.length === 1 ? `\`${options[0]?.name ?? ''}\`` : `one of ${options.map((o) => `\`${o.name}\``).join(', ')}`;
        context.report(module, 'missing-option', `The match \`${name}\` needs ${expected}.`);
        return [unknownMatch(name, '')];
      }
      return given.map((g) => options.find((o) => o === g.option)?.read(g, context) ?? unknownMatch(name, textOf(g)));
    },
  };
}
