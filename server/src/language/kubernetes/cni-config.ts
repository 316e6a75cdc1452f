/** cni-conf.json, the conflist beside flannel's configuration: what in it is other than flannel's own manifest has it, and changes packets' ways. */
import type { Fields } from './fields.ts';
import { tell } from './fields.ts';
import type { Tree } from './tree.ts';

/** An option of a plugin, with the only value that is simulated, and what another one means. */
interface Option {
  readonly key: string;
  /** `null`: the option is not to be there. */
  readonly usual: string | number | boolean | null;
  /** Without it the plugin does otherwise, too. */
  readonly isNeeded?: true;
  readonly otherwise: string;
}

const links = "give the bridge's ports as the node prints them, with 'links'";

/** What flannel's CNI plugin hands on to the bridge plugin (flannel-io/cni-plugin: flannel_linux.go; plugins/main/bridge/bridge.go). */
const DELEGATE: readonly Option[] = [
  { key: 'type', usual: 'bridge', otherwise: 'pods are taken to be on the bridge cni0' },
  { key: 'bridge', usual: 'cni0', otherwise: 'it is taken to be cni0' },
  { key: 'hairpinMode', usual: true, isNeeded: true, otherwise: links },
  { key: 'isGateway', usual: true, otherwise: 'cni0 is taken to have the first address of the lease' },
  { key: 'isDefaultGateway', usual: true, isNeeded: true, otherwise: "pods are taken to have their default route by cni0: give a pod's own 'routes'" },
  { key: 'ipMasq', usual: false, otherwise: "what the bridge plugin would masquerade by its own chains (CNI-…), to other nodes' pods too, keeps its source: give the nodes' 'iptables'" },
  { key: 'promiscMode', usual: false, otherwise: links },
  { key: 'vlan', usual: 0, otherwise: links },
  { key: 'mtu', usual: null, otherwise: "flannel's MTU is taken: write it as 'mtu' in 'flannel'" },
  { key: 'macspoofchk', usual: false, otherwise: 'its nftables rules are not derived' },
  { key: 'enabledad', usual: false, otherwise: 'addresses are taken to be usable at once' },
];

/** plugins/meta/portmap/main.go: PortMapConf. */
const PORTMAP: readonly Option[] = [
  { key: 'snat', usual: true, otherwise: 'the rules that mark for masquerading are derived all the same' },
  { key: 'masqAll', usual: false, otherwise: 'only what comes from the pod subnet and localhost is marked' },
  { key: 'markMasqBit', usual: 13, otherwise: 'the mark 0x2000 is taken' },
  { key: 'externalSetMarkChain', usual: null, otherwise: "portmap's own chain is taken" },
  { key: 'conditionsV4', usual: null, otherwise: 'host ports answer whatever they say' },
  { key: 'conditionsV6', usual: null, otherwise: 'host ports answer whatever they say' },
  { key: 'backend', usual: 'iptables', otherwise: 'iptables rules are derived' },
];

const TUNING: readonly Option[] = ['sysctl', 'mac', 'promisc', 'mtu', 'allmulti'].map((key) => ({ key, usual: null, otherwise: "give the pod's own 'sysctl' and 'links'" }));

const PLUGINS: ReadonlyMap<string, readonly Option[]> = new Map([['flannel', []], ['portmap', PORTMAP], ['bandwidth', []], ['tuning', TUNING]]);

/** Tells what is not simulated; addresses and routes that `ipam` gives stand in the pods themselves. */
export function cniProblems(list: Fields): void {
  for (const plugin of list.get('plugins') === undefined ? [list] : list.maps('plugins')) {
    const type = plugin.text('type')?.value ?? '';
    if (!PLUGINS.has(type)) tell(plugin.source, 'not-modelled', `the CNI plugin ${type} is not simulated`, plugin.tree);
    told(plugin, type, PLUGINS.get(type) ?? []);
    if (type !== 'flannel') continue;
    const delegate = plugin.map('delegate');
    told(delegate ?? plugin, 'bridge', delegate === null ? DELEGATE.filter((o) => o.isNeeded) : DELEGATE);
    delegate?.rest(['ipam', 'name', 'cniVersion', 'forceAddress', 'preserveDefaultVlan', 'disableContainerInterface']);
  }
}

function told(fields: Fields, plugin: string, options: readonly Option[]): void {
  for (const { key, usual, isNeeded, otherwise } of options) {
    const found = fields.get(key);
    if (found === undefined ? isNeeded !== true : found.kind === 'scalar' && found.value === usual) continue;
    const what = found === undefined ? `the CNI plugin ${plugin} without ${key}` : `${key}${textOf(found)} of the CNI plugin ${plugin}`;
    tell(fields.source, 'not-modelled', `${what} is not simulated: ${otherwise}`, found ?? fields.tree);
  }
}

const textOf = (tree: Tree): string => (tree.kind === 'scalar' ? ` ${String(tree.value)}` : '');
