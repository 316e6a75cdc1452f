/** A table as iptables-save prints it, counters at zero: no packet has passed. */
import type { Chain, Rule, Table } from './netfilter.ts';

/** One line each, without newlines; `printed` gives a rule's line. */
export const savedTable = (table: Table, printed: (rule: Rule, chain: Chain) => string = (rule) => rule.text): string[] => [
  `*${table.name}`,
  ...table.chains.map((chain) => `:${chain.name} ${chain.policy ?? '-'} [0:0]`),
  ...table.chains.flatMap((chain) => chain.rules.map((rule) => printed(rule, chain))),
  'COMMIT',
];
