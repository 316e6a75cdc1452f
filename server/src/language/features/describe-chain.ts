/** What an iptables chain does, and which service it belongs to. */
import type { Chain, Rule, Table } from '../../../../engine/src/topology/netfilter.ts';
import type { Snapshot } from '../snapshot.ts';
import { dumpsOf, ownerName } from '../bind/dumps.ts';

/** The chains that kube-proxy and flannel program, by their names' beginnings; kube-proxy's iptables/proxier.go, flannel's iptables.go. */
const KNOWN: readonly (readonly [prefix: string, what: string])[] = [
  ['KUBE-SERVICES', 'kube-proxy: one rule for each address and port of a service'],
  ['KUBE-EXTERNAL-SERVICES', 'kube-proxy: what comes to external and node-port addresses that have no endpoints'],
  ['KUBE-NODEPORTS', 'kube-proxy: one rule for each node port'],
  ['KUBE-POSTROUTING', 'kube-proxy: masquerades what was marked 0x4000'],
  ['KUBE-MARK-MASQ', 'kube-proxy: marks packets 0x4000, to be masqueraded on their way out'],
  ['KUBE-MARK-DROP', 'kubelet: marks packets 0x8000, to be dropped'],
  ['KUBE-FORWARD', 'kube-proxy: lets marked and established traffic through'],
  ['KUBE-FIREWALL', 'kube-proxy and kubelet: drops what pretends to come from localhost, and what was marked for it'],
  ['KUBE-PROXY-FIREWALL', 'kube-proxy: drops what the source ranges of a load balancer do not allow'],
  ['KUBE-PROXY-CANARY', 'kube-proxy: an empty chain; when it is gone, somebody flushed the rules'],
  ['KUBE-KUBELET-CANARY', 'kubelet: an empty chain; when it is gone, somebody flushed the rules'],
  ['KUBE-SVC-', 'kube-proxy: chooses one of the service port’s endpoints'],
  ['KUBE-SVL-', 'kube-proxy: chooses one of the service port’s endpoints on this node'],
  ['KUBE-SEP-', 'kube-proxy: one endpoint; translates the destination to it'],
  ['KUBE-EXT-', 'kube-proxy: traffic from outside to the service port'],
  ['KUBE-FW-', 'kube-proxy: the load balancer’s source ranges of the service port'],
  ['FLANNEL-FWD', 'flannel: lets traffic of the pod network through'],
  ['FLANNEL-POSTRTG', 'flannel: masquerades pod traffic that leaves the pod network'],
  ['DOCKER', "Docker's own"],
];

const BUILT_IN: Readonly<Record<string, string>> = {
  PREROUTING: 'every packet that comes in, before it is routed',
  INPUT: 'packets for this host itself',
  FORWARD: 'packets that are routed through',
  OUTPUT: 'packets that this host sends',
  POSTROUTING: 'every packet that leaves, after it is routed',
};

export const purposeOf = (chain: string): string | undefined => BUILT_IN[chain] ?? KNOWN.find(([prefix]) => chain.startsWith(prefix))?.[1];

/** `kube-system/kube-dns:dns` from the comments of rules that belong to one service port. */
export function serviceOf(rules: readonly Rule[]): string | undefined {
  for (const rule of rules) {
    for (const m of rule.matches) {
      const service = m.kind === 'comment' ? /^([a-z0-9.-]+\/[a-z0-9.-]+(?::\S+)?)( |$)/.exec(m.text)?.[1] : undefined;
      if (service !== undefined) return service;
    }
  }
  return undefined;
}

/** `key` as in bind/occurrences.ts: `chain OWNER TABLE FAMILY NAME`. */
export function describeChain(snapshot: Snapshot, key: string): string | undefined {
  const found = findChain(snapshot, key);
  const name = key.split(' ').at(-1) ?? '';
  const purpose = purposeOf(name);
  const facts = [purpose, found === undefined ? undefined : factsOf(found.chain, found.table)].filter((f) => f !== undefined);
  return facts.length === 0 ? undefined : [`**${name}**`, ...facts.map((f) => `- ${f}`)].join('\n');
}

function factsOf(chain: Chain, table: Table): string {
  const callers = table.chains.filter((c) => c.rules.some((r) => r.target?.kind === 'jump' && r.target.chain === chain.name)).map((c) => c.name);
  const service = /^KUBE-(SVC|SVL|SEP|EXT|FW)-/.test(chain.name) ? serviceOf(chain.rules) : undefined;
  const shown = callers.length > 4 ? [...callers.slice(0, 4), `${callers.length - 4} more`] : callers;
  return [
    `table ${table.name}, ${chain.rules.length} rule${chain.rules.length === 1 ? '' : 's'}${chain.policy === null ? '' : `, policy ${chain.policy}`}`,
    ...(service === undefined ? [] : [`belongs to service ${service}`]),
    ...(shown.length === 0 ? [] : [`reached from ${shown.join(', ')}`]),
  ].join('\n- ');
}

function findChain({ model, files }: Snapshot, key: string): { readonly chain: Chain; readonly table: Table } | undefined {
  for (const dump of dumpsOf(model, files)) {
    for (const table of dump.content.state.tables ?? []) {
      const prefix = `chain ${ownerName(dump.owner)} ${table.name} ${table.family} `;
      if (!key.startsWith(prefix)) continue;
      const chain = table.chains.find((c) => c.name === key.slice(prefix.length));
      if (chain !== undefined) return { chain, table };
    }
  }
  return undefined;
}
