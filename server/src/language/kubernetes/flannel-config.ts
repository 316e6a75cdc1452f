/** flannel's net-conf.json (pkg/subnet/config.go, pkg/backend/*) and the CNI conflist beside it. */
import { DEFAULT_FLANNEL } from '../../../../engine/src/control-plane/settings.ts';
import type { Prefix } from '../../../../engine/src/net/address.ts';
import type { FlannelSettings } from '../../../../engine/src/topology/spec.ts';
import type { Located } from '../bind/decode.ts';
import type { Fields } from './fields.ts';
import { tell } from './fields.ts';

/** 8285 is the udp backend's port (pkg/backend/udp/udp_amd64.go, defaultPort). */
const UDP_PORT = 8285;

export interface NetConf {
  readonly podCidrs: readonly Located<Prefix>[];
  readonly flannel: FlannelSettings;
  /** A backend of flannel, or its rules in nftables, which are not simulated. */
  readonly networkPlugin?: string;
}

export function readNetConf(conf: Fields): NetConf {
  const [v4, v6] = [conf.value('Network', 'cidr'), conf.value('IPv6Network', 'cidr')];
  const withV6 = conf.flag('EnableIPv6');
  const withV4 = conf.yesOrNo('EnableIPv4') ?? true;
  const rules = nftables(conf);
  const backend = { ...backendOf(conf.map('Backend')), ...rules };
  // Leases of Kubernetes come from podCIDR: these are read by the etcd manager only.
  conf.rest(['SubnetLen', 'SubnetMin', 'SubnetMax', 'IPv6SubnetLen', 'IPv6SubnetMin', 'IPv6SubnetMax']);
  return { podCidrs: [...(withV4 && v4 !== null ? [v4] : []), ...(withV6 && v6 !== null ? [v6] : [])], ...backend };
}

/** Its accepting ends no chain of iptables, and dumps of iptables do not show its masquerading (pkg/trafficmngr/nftables). */
function nftables(conf: Fields): Pick<NetConf, 'networkPlugin'> {
  if (!conf.flag('EnableNFTables')) return {};
  notModelled(conf, 'EnableNFTables', "flannel's nftables rules (EnableNFTables) are not simulated: what leaves a pod, or would come to one, ends undecided; 'flannel' in 'cluster' takes its iptables rules instead");
  return { networkPlugin: 'flannel-nftables' };
}

function notModelled(fields: Fields, key: string, message: string): void {
  tell(fields.source, 'not-modelled', message, fields.get(key) ?? fields.tree);
}

function backendOf(backend: Fields | null): Pick<NetConf, 'flannel' | 'networkPlugin'> {
  if (backend === null) return { flannel: { ...DEFAULT_FLANNEL, backend: 'udp', port: UDP_PORT } };
  const type = backend.text('Type')?.value ?? 'udp';
  const known = type === 'vxlan' || type === 'udp' || type === 'host-gw' ? type : 'none';
  if (known !== type) notModelled(backend, 'Type', `flannel's backend ${type} is not simulated: what leaves a pod, or would come to one, ends undecided`);
  /** 0 is as nothing said. */
  const number = (key: string): number | null => backend.number(key) || null;
  const settings: FlannelSettings = {
    ...DEFAULT_FLANNEL,
    backend: known,
    vni: number('VNI') ?? DEFAULT_FLANNEL.vni,
    port: number('Port') ?? (known === 'udp' ? UDP_PORT : DEFAULT_FLANNEL.port),
    mtu: number('MTU'),
    directRouting: backend.flag('DirectRouting'),
  };
  if (known === 'none') return { flannel: settings, networkPlugin: `flannel-${type}` };
  backend.rest(['GBP', 'Learning', 'MacPrefix', 'Name']);
  return { flannel: settings };
}
