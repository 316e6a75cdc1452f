/** The services that a nat table of kube-proxy holds, read back from its rules (kubernetes, pkg/proxy/iptables/proxier.go). */
import type { Address } from '../net/address.ts';
import type { Chain, Rule, Table } from '../topology/netfilter.ts';

export interface RuledPort {
  /** `namespace/name` */
  readonly service: string;
  /** Empty for an unnamed port. */
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly clusterAddress: Address;
  readonly port: number;
  readonly nodePort: number | null;
  readonly endpoints: readonly { readonly address: Address; readonly port: number }[];
  /** Of ClientIP affinity. */
  readonly affinity: number | null;
}

/** Of services whose cluster IP leads to endpoints wherever they are; the others' rules do not tell all of them. */
export function servicesInRules(table: Table): readonly RuledPort[] {
  const chains = new Map(table.chains.map((c) => [c.name, c]));
  const nodePorts = new Map((chains.get('KUBE-NODEPORTS')?.rules ?? []).map((r) => [jumpOf(r), r]));
  return (chains.get('KUBE-SERVICES')?.rules ?? []).flatMap((rule) => portOf(rule, chains, nodePorts));
}

const jumpOf = ({ target }: Rule): string | undefined => (target?.kind === 'jump' ? target.chain : undefined);

function portOf(rule: Rule, chains: ReadonlyMap<string, Chain>, nodePorts: ReadonlyMap<string | undefined, Rule>): readonly RuledPort[] {
  const [, service, name = ''] = /^([^/:\s]+\/[^/:\s]+)(?::(\S+))? cluster IP$/.exec(commentOf(rule) ?? '') ?? [];
  const chain = jumpOf(rule);
  const [to] = rule.matches.flatMap((m) => (m.kind === 'destination' ? [m.prefix.address] : []));
  const asked = portMatched(rule);
  if (service === undefined || chain?.startsWith('KUBE-SVC-') !== true || to === undefined || asked === undefined) return [];
  const node = nodePorts.get(chain.replace('KUBE-SVC-', 'KUBE-EXT-')) ?? nodePorts.get(chain);
  const spread = chains.get(chain)?.rules ?? [];
  const endpoints = spread.flatMap((r) => endpointOf(chains.get(jumpOf(r) ?? '')));
  const affinity = spread.flatMap((r) => r.matches.flatMap((m) => (m.kind === 'recent' && m.seconds !== null ? [m.seconds] : [])))[0] ?? null;
  const unique = endpoints.filter((e, i) => endpoints.findIndex((other) => other.text === e.text) === i);
  return [{ service, name, protocol: asked.protocol, clusterAddress: to, port: asked.port, nodePort: node === undefined ? null : (portMatched(node)?.port ?? null), endpoints: unique, affinity }];
}

const commentOf = (rule: Rule): string | undefined => rule.matches.find((m) => m.kind === 'comment')?.text;

const PROTOCOLS = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' } as const;

function portMatched(rule: Rule): { readonly protocol: RuledPort['protocol']; readonly port: number } | undefined {
  const [found] = rule.matches.flatMap((m) => (m.kind === 'destination-port' && m.protocol !== 'dccp' && !m.inverted ? [{ protocol: PROTOCOLS[m.protocol], port: m.ports.from }] : []));
  return found;
}

/** With affinity each endpoint stands in two rules. */
function endpointOf(chain: Chain | undefined): readonly (RuledPort['endpoints'][number] & { readonly text: string })[] {
  if (chain?.name.startsWith('KUBE-SEP-') !== true) return [];
  return chain.rules.flatMap(({ target, text }) => {
    const range = target?.kind === 'dnat' ? target.range : undefined;
    return range === undefined || range.from === null || range.ports === null ? [] : [{ address: range.from, port: range.ports.from, text }];
  });
}
