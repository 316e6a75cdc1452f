/** The `.k8snet` file of an imported folder, as text. */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import { formatAddress, formatPrefix } from '../../../../engine/src/net/address.ts';
import type { CaptureKeyword } from '../bind/declarations.ts';
import type { FolderContent } from './folder.ts';
import type { Inferred } from './infer.ts';
import type { Programs } from './programs.ts';

/** A pod's dump and whose it is. */
export interface PodDump {
  readonly pod: string;
  readonly node: string;
  readonly path: string;
  /** What it holds. */
  readonly kinds: readonly CaptureKeyword[];
}

export interface Draft {
  readonly content: FolderContent;
  /** What `objects from` names. */
  readonly objects: readonly string[];
  readonly inferred: Inferred;
  readonly pods: readonly PodDump[];
  /** The folder, from that of the file: `''` or `dump/`. */
  readonly prefix: string;
}

const list = (prefixes: readonly Prefix[]): string => prefixes.map(formatPrefix).join(', ');

export function written({ content, objects, inferred, pods, prefix }: Draft): string {
  const sections = [
    '# Imported by k8snet. What stands here completes the objects and dumps that it names; edit it as you like.\n',
    cluster(inferred),
    objects.length === 0 ? '' : `# Nodes, pods, services and what the cluster was told.\nobjects from ${objects.map((o) => `"${prefix}${o}"`).join(', ')}\n`,
    networks(inferred),
    content.nodes.length === 0 ? '' : `# What each node printed counts, not what would be programmed there.\n${content.nodes.map((n) => node(n, inferred, prefix)).join('\n')}`,
    pods.length === 0 ? '' : `# What the pods printed themselves.\n${pods.map((p) => `pod ${p.pod} on ${p.node} {\n${p.kinds.map((kind) => `  ${kind} from "${prefix}${p.path}"\n`).join('')}}\n`).join('')}`,
    EXPECTATIONS,
  ];
  return sections.filter((s) => s !== '').join('\n');
}

const EXPECTATIONS = `# What should work? Say it, and k8snet tells when it does not:
#   expect NAMESPACE/POD -> SERVICE.NAMESPACE:PORT delivered
`;

function cluster({ podCidrs, serviceCidrs, programs }: Inferred): string {
  const line = (keyword: string, guess: Inferred['podCidrs']): string => (guess === null ? '' : `  ${keyword} ${list(guess.prefixes)} # ${guess.because}\n`);
  const program = (keyword: string, found: Programs['plugin']): string => (found === null ? '' : `  ${keyword} ${found.name} # ${found.because}\n`);
  const inside = line('pod-cidr', podCidrs) + line('service-cidr', serviceCidrs) + program('network-plugin', programs.plugin) + program('kube-proxy', programs.proxy);
  return inside === '' ? '' : `cluster {\n${inside}}\n`;
}

function networks({ networks: all }: Inferred): string {
  if (all.length === 0) return '';
  const comment = all.some((n) => n.guessed)
    ? "# The nodes' network: assumed, from the addresses of the Node objects. Correct its length and its gateway.\n"
    : "# The nodes' own network. What lies behind its gateway no dump tells: declare it with 'external', and the gateway's routes\n# with 'routes { }' inside.\n";
  const one = (n: Inferred['networks'][number]): string => {
    const inside = [...(n.gateways.length === 0 ? [] : [`gateway ${n.gateways.map(formatAddress).join(', ')}`]), ...(n.mtu === 1500 ? [] : [`mtu ${n.mtu}`])];
    return `network ${n.name} ${list(n.prefixes)}${inside.length === 0 ? '' : ` {\n${inside.map((l) => `  ${l}\n`).join('')}}`}\n`;
  };
  return comment + all.map(one).join('');
}

function node({ host, files }: FolderContent['nodes'][number], { interfaces, leases }: Inferred, prefix: string): string {
  const lines = [
    ...interfaces.filter((i) => i.node === host).map((i) => `interface ${i.device} ${list(i.addresses)} on ${i.network}`),
    ...(leases.has(host) ? [`pod-cidr ${list(leases.get(host) ?? [])}`] : []),
    ...files.map((f) => `${f.keyword} from "${prefix}${f.path}"`),
  ];
  return `node ${host} {\n${lines.map((l) => `  ${l}\n`).join('')}}\n`;
}
