/** Drift adopted the other way round: what the file would have to say for the captured state to be what its programs leave. */
import { formatPrefix, parsePrefix } from '../net/address.ts';
import type { Prefix } from '../net/address.ts';
import type { Topology } from '../topology/model.ts';
import type { ClusterSpec, FlannelSettings } from '../topology/spec.ts';
import { acceptedServices } from './accept-service.ts';
import { nodeOwner } from './candidate.ts';
import type { Deviation } from './deviation.ts';
import type { Edit, Repair } from './explanation.ts';

/** `found`: all that differs in one block of a node. Nothing where the language cannot say it, or where it is not plain what to say. */
export function acceptances(spec: ClusterSpec, topology: Topology, found: readonly Deviation[]): readonly Repair[] {
  return [...repairOf(acceptedLeases(spec, found)), ...repairOf(acceptedDevices(spec, found)), ...acceptedServices(spec, topology, found)];
}

/** What is said in the file, and as the title says it. */
interface Word {
  readonly says: string;
  readonly edit: Edit;
}

/** Everything that differs has its word, or nothing is offered. */
function repairOf(words: readonly (Word | undefined)[]): readonly Repair[] {
  const said = new Map(words.flatMap((w) => (w === undefined ? [] : [[w.says, w]])));
  if (said.size === 0 || words.includes(undefined)) return [];
  return [{ title: `say that ${[...said.keys()].join(', and ')}`, edits: [...said.values()].map((w) => w.edit) }];
}

const MAC = /\b((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b/i;

const nodeOfLease = (d: Deviation): string | undefined => /^the lease of ([^,]+)/.exec(d.because ?? '')?.[1];

function acceptedLeases(spec: ClusterSpec, found: readonly Deviation[]): readonly (Word | undefined)[] {
  const [first] = found;
  if (first === undefined || !['routes', 'neighbours', 'fdb'].includes(first.block)) return [];
  const gone = found.filter((d) => d.kind === 'left-over');
  const missing = found.filter((d) => d.kind === 'missing');
  // One lease that nobody has, beside one that is not there: the node got another.
  const [lease, lost] = [gone[0], missing[0]];
  const moved = gone.length === 1 && missing.length === 1 && lease !== undefined && lost !== undefined ? [movedLease(spec, lease, lost)] : [...gone, ...missing].map(() => undefined);
  return [...found.filter((d) => d.kind === 'stale').map(renamedVtep), ...moved];
}

/** Another MAC, or another address that leads to the node. */
function renamedVtep(d: Deviation): Word | undefined {
  const node = nodeOfLease(d);
  const [there, wanted] = [d.there[0]?.text ?? '', d.wanted[0]?.text ?? ''];
  if (node === undefined || d.there.length > 1) return undefined;
  const differs = (pattern: RegExp): string | undefined => {
    const [is, was] = [pattern.exec(there)?.[1], pattern.exec(wanted)?.[1]];
    return is === undefined || was === undefined || is.toLowerCase() === was.toLowerCase() ? undefined : is;
  };
  const [mac, dst, via] = [differs(MAC), differs(/ dst (\S+)/), differs(/ via (\S+)/)];
  // A tunnel's route leads to the lease's own address: another one is no public address.
  const address = dst ?? (there.includes('onlink') ? undefined : via);
  if (mac !== undefined && address !== undefined) return undefined;
  if (mac !== undefined) return ofNode(node, 'vtep-mac', mac, 'the VTEP MAC');
  return address === undefined ? undefined : ofNode(node, 'public-ip', address, 'the public address');
}

const ofNode = (node: string, keyword: string, value: string, what: string): Word => ({
  says: `${value} is ${what} of ${node}`,
  edit: { kind: 'statement', owner: nodeOwner(node), inside: null, keyword, at: null, text: `${keyword} ${value}` },
});

function movedLease(spec: ClusterSpec, there: Deviation, wanted: Deviation): Word | undefined {
  const name = nodeOfLease(wanted);
  const node = spec.nodes.find((n) => n.name === name);
  const before = parsePrefix(/, (\S+)$/.exec(wanted.because ?? '')?.[1] ?? '');
  const after = leaseIn(there, before);
  if (node === undefined || before === undefined || after === undefined || after.address.family !== before.address.family) return undefined;
  // The same MAC is the same node; another entry may be anybody's.
  if (there.block === 'fdb' || (there.block === 'neighbours' && macOf(there.there) !== macOf(wanted.wanted))) return undefined;
  const others = node.podCidrs.filter((p) => p.address.family !== before.address.family);
  const cidrs = [after, ...others].map(formatPrefix).join(', ');
  return { says: `the lease of ${node.name} is ${formatPrefix(after)}`, edit: { kind: 'statement', owner: nodeOwner(node.name), inside: null, keyword: 'pod-cidr', at: null, text: `pod-cidr ${cidrs}` } };
}

const macOf = (entries: Deviation['there']): string | undefined => MAC.exec(entries[0]?.text ?? '')?.[1]?.toLowerCase();

/** A neighbour is the lease's first address. */
function leaseIn(d: Deviation, like: Prefix | undefined): Prefix | undefined {
  const word = d.there[0]?.text.trim().split(/\s+/)[0] ?? '';
  return parsePrefix(d.block === 'neighbours' && like !== undefined ? `${word}/${like.length}` : word);
}

function acceptedDevices(spec: ClusterSpec, found: readonly Deviation[]): readonly (Word | undefined)[] {
  const [first] = found;
  if (first?.block !== 'links') return [];
  const settings = spec.cluster?.flannel;
  const { backend, mtu } = settings ?? { backend: 'vxlan' as const, mtu: null };
  const ofFlannel = (keyword: string, value: number, what: string): Word => ({
    says: `flannel's ${what} is ${value}`,
    edit: { kind: 'statement', owner: { kind: 'cluster', name: '' }, inside: 'flannel', keyword, at: null, text: `${keyword} ${value}`, ...(isPlain(settings) ? { opening: `flannel ${backend}` } : {}) },
  });
  return found.map((d): Word | undefined => {
    const number = (pattern: RegExp, entries: Deviation['there']): number => Number(pattern.exec(entries[0]?.text ?? '')?.[1] ?? 0);
    const port = number(/dstport (\d+)/, d.there);
    if (port > 0) return ofFlannel('port', port, 'port');
    const [is, was] = [number(/mtu (\d+)/, d.there), number(/mtu (\d+)/, d.wanted)];
    if (is === 0 || was === 0) return undefined;
    if (is < was) return backend === 'vxlan' || backend === 'udp' ? ofFlannel('mtu', is, 'MTU') : undefined;
    return mtu === null ? widerNetwork(spec, d, is - was) : undefined;
  });
}

/** Said by nobody yet: a block that is opened in the file would undo what a ConfigMap says. */
const isPlain = (settings: FlannelSettings | undefined): boolean => settings === undefined
  || (settings.mtu === null && settings.vni === 1 && settings.port === (settings.backend === 'udp' ? 8285 : 8472) && settings.routesPer === 'lease' && !settings.directRouting && settings.masquerade && settings.subnets.manager === 'kube');

/** flannel and the bridge plugin take their MTU from the device that carries them. */
function widerNetwork(spec: ClusterSpec, d: Deviation, more: number): Word | undefined {
  const device = spec.nodes.find((n) => n.name === d.host)?.interfaces.find((i) => i.network !== null);
  const network = spec.networks.find((n) => n.name === device?.network);
  if (network === undefined || device?.mtu !== null) return undefined;
  const mtu = network.mtu + more;
  return { says: `the MTU of network ${network.name} is ${mtu}`, edit: { kind: 'statement', owner: { kind: 'network', name: network.name }, inside: null, keyword: 'mtu', at: null, text: `mtu ${mtu}` } };
}
