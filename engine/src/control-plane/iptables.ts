/** A node's iptables: the tables that exist, with what kube-proxy and flannel put into them. */
import type { Family } from '../net/address.ts';
import { BUILTIN_CHAINS } from '../topology/netfilter.ts';
import type { Chain, Rule, Table, TableName } from '../topology/netfilter.ts';
import { derived } from '../topology/origin.ts';
import type { Origin } from '../topology/origin.ts';
import { byName, withChains } from './chain-order.ts';
import { flannelRules } from './flannel/rules.ts';
import type { Placed } from './iptables-rule.ts';
import { DOCKER_CHAIN, dockerRules } from './docker.ts';
import { KUBELET_CHAINS, kubeletRules } from './kubelet.ts';
import { FIXED_CHAINS } from './kube-proxy/fixed.ts';
import { SERVICES } from './kube-proxy/names.ts';
import { kubeProxyRules } from './kube-proxy/rules.ts';
import type { ServicePorts } from './kube-proxy/rules.ts';
import { once } from '../once.ts';
import type { NodePlan, Plan } from './plan.ts';
import { portmapRules } from './portmap.ts';

/** The tables that kube-proxy creates, in iptables-save's order. */
const TABLES = ['mangle', 'filter', 'nat'] as const satisfies readonly TableName[];

/** The rules are made when a packet first asks for them: a trace passes a few nodes of a cluster of hundreds. */
export function nodeTables(plan: Plan, node: NodePlan, ports: ServicePorts): readonly Table[] {
  return ([4, 6] as const).flatMap((family) => {
    const tables = once(() => familyTables(plan, node, ports, family));
    return TABLES.map((name): Table => ({
      family,
      name,
      get chains() { return tables()[name].chains; },
      get origin() { return tables()[name].origin; },
    }));
  });
}

function familyTables(plan: Plan, node: NodePlan, ports: ServicePorts, family: Family): Readonly<Record<(typeof TABLES)[number], Table>> {
  const proxied = plan.settings.kubeProxy.mode === 'iptables';
  const proxy = proxied ? kubeProxyRules(plan, node, family, ports) : { placed: [], services: [], natChains: [] };
  const hostPorts = portmapRules(node, family);
  const docker = family === 4 ? dockerRules(node) : [];
  const empty = [...(plan.settings.kubeletChains === true ? KUBELET_CHAINS : []), ...(docker.length > 0 ? [DOCKER_CHAIN] : [])];
  const placed = [...hostPorts.first, ...proxy.placed, ...kubeletRules(plan, node, family), ...docker, ...flannelRules(plan, node, family), ...hostPorts.rest];
  const fixed = proxied ? derived('kube-proxy', 'services in general', plan.settings.at ?? node.spec.at) : null;
  const table = (name: (typeof TABLES)[number]): Table => tableOf({ family, name, placed, fixed, ...(name === 'nat' ? { services: proxy.services, own: proxy.natChains } : { services: [], own: [] }), empty: empty.filter((e) => e.table === name).map((e) => e.chain), dropsForwarded: docker[0]?.rule.origin ?? null });
  return { mangle: table('mangle'), filter: table('filter'), nat: table('nat') };
}

interface TableParts {
  readonly family: Family;
  readonly name: TableName;
  readonly placed: readonly Placed[];
  /** The first rules of KUBE-SERVICES. */
  readonly services: readonly Rule[];
  /** Of kube-proxy's own chains; `null`: it does not run. */
  readonly fixed: Origin | null;
  /** Chains that are made already. */
  readonly own: readonly Chain[];
  /** Chains that exist, with rules or without. */
  readonly empty: readonly string[];
  /** Who set the policy of filter's FORWARD to DROP; `null`: nobody. */
  readonly dropsForwarded: Origin | null;
}

/** Built-in chains in the kernel's order, then the others by name, as iptables-save (nf_tables) lists them. */
function tableOf({ family, name, placed, services, fixed, own, empty, dropsForwarded }: TableParts): Table {
  const builtin = derived('kernel', 'the built-in chains of iptables');
  const rules = new Map<string, Rule[]>(BUILTIN_CHAINS[name].map((chain) => [chain, []]));
  const always = fixed === null ? [] : (FIXED_CHAINS.find(([table]) => table === name)?.[1] ?? []);
  for (const chain of [...always, ...empty]) rules.set(chain, chain === SERVICES ? [...services] : []);
  for (const { table, chain, rule } of placed) {
    if (table !== name) continue;
    const list = rules.get(chain);
    if (list === undefined) rules.set(chain, [rule]);
    else list.push(rule);
  }
  const users = [...rules.keys()].slice(BUILTIN_CHAINS[name].length);
  const originOf = (chain: string): Origin => (always.includes(chain) ? (fixed ?? builtin) : (rules.get(chain)?.[0]?.origin ?? builtin));
  const chains = [
    ...BUILTIN_CHAINS[name].map((chain): Chain => {
      const drops = name === 'filter' && chain === 'FORWARD' ? dropsForwarded : null;
      return { name: chain, policy: drops === null ? 'ACCEPT' : 'DROP', rules: rules.get(chain) ?? [], origin: drops ?? builtin };
    }),
    ...withChains(byName(own), users.map((chain): Chain => ({ name: chain, policy: null, rules: rules.get(chain) ?? [], origin: originOf(chain) }))),
  ];
  return { family, name, chains, origin: placed.find((p) => p.table === name)?.rule.origin ?? builtin };
}
