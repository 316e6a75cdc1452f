/** flannel's net-conf.json (pkg/subnet/config.go, pkg/backend/*) and the CNI conflist beside it. */
import { DEFAULT_FLANNEL } from '../../../../engine/src/control-plane/settings.ts';
import type { Prefix } from '../../../../engine/src/net/address.ts';
import type { FlannelSettings } from '../../../../engine/src/topology/spec.ts';
import type { Located } from '../bind/decode.ts';
import type { Fields } from './fields.ts';
import { tell } from './fields.ts';

/** 8285 is the udp backend's port (pkg/backend/udp/udp_amd64.go, defaultPort). */
const UDP_PORT = 8285;

export function readNetConf(conf: Fields): { readonly podCidrs: readonly Located<Prefix>[]; readonly flannel: FlannelSettings } {
  const [v4, v6] = [conf.value('Network', 'cidr'), conf.value('IPv6Network', 'cidr')];
  const withV6 = conf.flag('EnableIPv6');
  const withV4 = conf.get('EnableIPv4') === undefined || conf.flag('EnableIPv4');
  if (conf.flag('EnableNFTables')) notModelled(conf, "flannel's nftables rules (EnableNFTables) are not simulated: its iptables rules are taken instead");
  const flannel = backendOf(conf.map('Backend'));
  // Leases of Kubernetes come from podCIDR: these are read by the etcd manager only.
  conf.rest(['SubnetLen', 'SubnetMin', 'SubnetMax', 'IPv6SubnetLen', 'IPv6SubnetMin', 'IPv6SubnetMax']);
  return { podCidrs: [...(withV4 && v4 !== null ? [v4] : []), ...(withV6 && v6 !== null ? [v6] : [])], flannel };
}

function notModelled(fields: Fields, message: string): void {
  tell(fields.source, 'not-modelled', message, fields.tree);
}

function backendOf(backend: Fields | null): FlannelSettings {
  if (backend === null) return { ...DEFAULT_FLANNEL, backend: 'udp', port: UDP_PORT };
  const type = backend.text('Type')?.value ?? 'udp';
  const known = type === 'vxlan' || type === 'udp' || type === 'host-gw' ? type : 'vxlan';
  if (known !== type) notModelled(backend, `flannel's backend ${type} is not simulated: vxlan is taken instead`);
  const number = (key: string): number | null => {
    const tree = backend.get(key);
    return tree?.kind === 'scalar' && typeof tree.value === 'number' && tree.value !== 0 ? tree.value : null;
  };
  const settings: FlannelSettings = {
    ...DEFAULT_FLANNEL,
    backend: known,
    vni: number('VNI') ?? DEFAULT_FLANNEL.vni,
    port: number('Port') ?? (known === 'udp' ? UDP_PORT : DEFAULT_FLANNEL.port),
    mtu: number('MTU'),
    directRouting: backend.flag('DirectRouting'),
  };
  backend.rest(['GBP', 'Learning', 'MacPrefix', 'Name']);
  return settings;
}

/** What flannel's CNI plugin hands on to, and the plugins that stand behind it in its own manifest. */
const KNOWN_PLUGINS = ['flannel', 'portmap', 'bandwidth', 'tuning'];

export function cniProblems(list: Fields): void {
  for (const plugin of list.get('plugins') === undefined ? [list] : list.maps('plugins')) {
    const type = plugin.text('type')?.value ?? '';
    if (!KNOWN_PLUGINS.includes(type)) notModelled(plugin, `the CNI plugin ${type} is not simulated`);
    const delegate = plugin.map('delegate');
    if (type !== 'flannel' || delegate === null) continue;
    const hairpin = delegate.get('hairpinMode');
    if (hairpin?.kind === 'scalar' && hairpin.value === false) notModelled(delegate, "hairpinMode false is not simulated: give the bridge's ports as the node prints them, with 'links'");
    const bridge = delegate.text('bridge');
    if (bridge !== null && bridge.value !== 'cni0') notModelled(delegate, `the bridge ${bridge.value} is not simulated: it is taken to be cni0`);
  }
}
