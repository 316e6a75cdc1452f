/** The cluster's settings with every default in place: what a real cluster has where the file says nothing. */
import { parsePrefix } from '../net/address.ts';
import type { Family, Prefix } from '../net/address.ts';
import type { SourceRef } from '../topology/origin.ts';
import type { ClusterSettings, ClusterSpec, FlannelSettings, KubeProxySettings } from '../topology/spec.ts';

export interface Settings extends Omit<ClusterSettings, 'at'> {
  /** `undefined` where the file has no `cluster` statement. */
  readonly at: SourceRef | undefined;
}

/** kubeadm's usual pod network for flannel, and its default service network. */
const POD_CIDR = parsePrefix('10.244.0.0/16') as Prefix;
const SERVICE_CIDR = parsePrefix('10.96.0.0/12') as Prefix;

export const DEFAULT_FLANNEL: FlannelSettings = {
  backend: 'vxlan', vni: 1, port: 8472, mtu: null, routesPer: 'lease', directRouting: false, masquerade: true, subnets: { manager: 'kube' },
};

/** What kubeadm's kube-proxy ConfigMap leaves to the defaults. */
export const DEFAULT_KUBE_PROXY: KubeProxySettings = {
  mode: 'iptables',
  masqueradeAll: false,
  detectLocal: { mode: 'ClusterCIDR', cidrs: null },
  nodePortAddresses: [],
  localhostNodePorts: true,
  tcpBeLiberal: false,
};

export function settingsOf(spec: ClusterSpec): Settings {
  const { cluster } = spec;
  if (cluster === null) {
    return {
      name: 'cluster',
      domain: 'cluster.local',
      podCidrs: [POD_CIDR],
      serviceCidrs: [SERVICE_CIDR],
      flannel: DEFAULT_FLANNEL,
      kubeProxy: DEFAULT_KUBE_PROXY,
      at: undefined,
    };
  }
  return {
    ...cluster,
    ...(cluster.networkPlugin === undefined ? {} : { flannel: { ...cluster.flannel, backend: 'none' as const } }),
    domain: cluster.domain === '' ? 'cluster.local' : cluster.domain,
    podCidrs: cluster.podCidrs.length === 0 ? [POD_CIDR] : cluster.podCidrs,
    serviceCidrs: cluster.serviceCidrs.length === 0 ? [SERVICE_CIDR] : cluster.serviceCidrs,
  };
}

/** flannel knows one network of each family: the first. */
export const podNetworkOf = (settings: Settings, family: Family): Prefix | undefined => settings.podCidrs.find((p) => p.address.family === family);
