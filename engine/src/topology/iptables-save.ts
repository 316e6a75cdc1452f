/** A table as iptables-save prints it, counters at zero: no packet has passed. */
import type { Chain, Rule, Table } from './netfilter.ts';

/** One line each, without newlines; `printed` gives a rule's line. */
export function savedTable(table: Table, printed: (rule: Rule, chain: Chain) => string = (rule) => rule.text): string[] {
  const lines = [`*${table.name}`];
  for (const chain of table.chains) lines.push(`:${chain.name} ${chain.policy ?? '-'} [0:0]`);
  for (const chain of table.chains) for (const rule of chain.rules) lines.push(printed(rule, chain));
  lines.push('COMMIT');
  return lines;
}
