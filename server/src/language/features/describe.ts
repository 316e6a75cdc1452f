/** What a name stands for, as Markdown for a hover. */
import { formatAddress, formatMac, formatPrefix } from '../../../../engine/src/net/address.ts';
import type { ExternalDeclaration, NetworkDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration } from '../bind/declarations.ts';
import { fullName } from '../bind/names.ts';
import { occurrencesOf } from '../bind/occurrences.ts';
import { selectedPods } from '../bind/selection.ts';
import type { Snapshot } from '../snapshot.ts';
import { describeChain } from './describe-chain.ts';

/** `key` as in bind/occurrences.ts; `undefined` where nothing is known of it. */
export function describeKey(snapshot: Snapshot, key: string): string | undefined {
  const { names } = snapshot;
  const [kind = '', ...rest] = key.split(' ');
  const name = rest.join(' ');
  switch (kind) {
    case 'node': return map(names.nodes.get(name)?.declaration, (d) => describeNode(snapshot, d));
    case 'network': return map(names.networks.get(name)?.declaration, describeNetwork);
    case 'external': return map(names.externals.get(name)?.declaration, describeExternal);
    case 'pod': return map(names.pods.get(name)?.declaration, describePod);
    case 'service': return map(names.services.get(name)?.declaration, (d) => describeService(snapshot, d));
    case 'cluster': return `**cluster ${name}**`;
    case 'label': return describeLabel(snapshot, key, rest);
    case 'device': return describeDevice(snapshot, rest);
    case 'chain': return describeChain(snapshot, key);
    default: return undefined;
  }
}

const map = <T>(value: T | undefined, f: (value: T) => string): string | undefined => (value === undefined ? undefined : f(value));

const lines = (head: string, ...facts: readonly (string | null)[]): string => [`**${head}**`, ...facts.filter((f) => f !== null).map((f) => `- ${f}`)].join('\n');

const list = (what: string, values: readonly string[]): string | null => (values.length === 0 ? null : `${what} ${values.join(', ')}`);

function describeNode(snapshot: Snapshot, d: NodeDeclaration): string {
  const name = d.name?.value ?? '';
  const pods = snapshot.model.pods.filter((p) => p.declaration.host?.value === name).length;
  return lines(
    `node ${name}`,
    ...d.interfaces.map((i) => `${i.name.value} ${i.addresses.map((a) => formatPrefix(a.value)).join(', ')}${i.network === null ? '' : ` on ${i.network.value}`}`),
    list('pod-cidr', d.podCidrs.map((c) => formatPrefix(c.value))),
    `${pods} pod${pods === 1 ? '' : 's'}`,
    list('captured:', [...new Set(d.captures.map((c) => c.keyword))]),
  );
}

const describeNetwork = (d: NetworkDeclaration): string =>
  lines(`network ${d.name?.value ?? ''} ${d.prefixes.map((c) => formatPrefix(c.value)).join(', ')}`, list('gateway', d.gateways.map((g) => formatAddress(g.value))), `MTU ${d.mtu}`);

const describeExternal = (d: ExternalDeclaration): string => lines(`external ${d.name?.value ?? ''}`, list('address', d.addresses.map((a) => formatAddress(a.value))), listening(d.listeners));

const listening = (listeners: PodDeclaration['listeners']): string =>
  listeners === null ? 'answers on every port' : `listens on ${listeners.map((l) => `${l.port}/${l.protocol}`).join(', ')}`;

const describePod = (d: PodDeclaration): string => lines(
  `pod ${d.name === null ? '' : fullName(d.name.value)}`,
  list('address', d.addresses.map((a) => formatAddress(a.value))),
  map(d.host ?? undefined, (h) => `on node ${h.value}`) ?? null,
  list('labels', d.labels.map((l) => l.value.join('='))),
  listening(d.listeners),
  d.mac === null ? null : `MAC ${formatMac(d.mac)}`,
  d.hostNetwork ? "shares the node's network" : null,
  d.ready ? null : 'not ready',
);

function describeService(snapshot: Snapshot, d: ServiceDeclaration): string {
  const pods = selectedPods(snapshot.model, d) ?? [];
  const ready = pods.flatMap((p) => (p.declaration.ready && p.declaration.name !== null ? [fullName(p.declaration.name.value)] : []));
  const shown = ready.length > 8 ? [...ready.slice(0, 8), `${ready.length - 8} more`] : ready;
  return lines(
    `service ${d.name === null ? '' : fullName(d.name.value)}`,
    d.type === 'ExternalName' ? `stands for ${d.externalName ?? '?'}` : d.headless ? 'headless' : list(d.type, d.clusterAddresses.map((a) => formatAddress(a.value))),
    ...d.ports.map((p) => {
      const target = p.target?.value ?? p.listener.value.port;
      return `port ${p.name === null ? '' : `${p.name.value} `}${p.listener.value.port}/${p.listener.value.protocol} → ${target}${p.nodePort === null ? '' : `, node port ${p.nodePort.value}`}`;
    }),
    list('pods', shown) ?? list('endpoints', d.endpoints.map((e) => formatAddress(e.value.address))),
  );
}

function describeLabel(snapshot: Snapshot, key: string, [namespace = '', ...label]: readonly string[]): string {
  const found = [...occurrencesOf(snapshot, key)];
  const pods = found.filter((o) => o.role === 'definition').length;
  const services = found.length - pods;
  return `**${label.join(' ')}**: ${pods} pod${pods === 1 ? '' : 's'} of namespace ${namespace} ${pods === 1 ? 'has' : 'have'} it, ${services} selector${services === 1 ? '' : 's'} ${services === 1 ? 'looks' : 'look'} for it`;
}

function describeDevice(snapshot: Snapshot, [owner = '', ...rest]: readonly string[]): string | undefined {
  const device = rest.at(-1) ?? '';
  const declared = snapshot.names.nodes.get(owner)?.declaration.interfaces.find((i) => i.name.value === device);
  if (declared !== undefined) {
    const network = declared.network === null ? 'plugged into nothing' : `on network ${declared.network.value}`;
    return `**${device}** of ${owner}: ${declared.addresses.map((a) => formatPrefix(a.value)).join(', ')}, ${network}`;
  }
  if (device === 'cni0') return `**cni0** of ${owner}: the bridge of its pods`;
  if (/^flannel(-v6)?\.\d+$/.test(device)) return `**${device}** of ${owner}: flannel's VXLAN device, the way to the other nodes' pods`;
  if (device === 'flannel0') return `**flannel0** of ${owner}: flannel's tun device, read by flanneld`;
  return device === 'eth0' ? `**eth0**: the pod's end of the pair that leads to the bridge of its node` : undefined;
}
