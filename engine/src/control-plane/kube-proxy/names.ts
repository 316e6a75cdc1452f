/** The names of kube-proxy's chains (pkg/proxy/iptables/proxier.go). */
import { base32Hash } from '../hash.ts';

export const SERVICES = 'KUBE-SERVICES';
export const EXTERNAL_SERVICES = 'KUBE-EXTERNAL-SERVICES';
export const NODE_PORTS = 'KUBE-NODEPORTS';
export const POSTROUTING = 'KUBE-POSTROUTING';
export const MARK_MASQ = 'KUBE-MARK-MASQ';
export const FORWARD = 'KUBE-FORWARD';
export const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL';
export const KUBELET_FIREWALL = 'KUBE-FIREWALL';
export const CANARY = 'KUBE-PROXY-CANARY';

/** iptablesMasqueradeBit 14. */
export const MASQUERADE_MARK = 0x4000;

/** `kube-system/kube-dns:dns`; an unnamed port adds no colon. */
export const portName = (namespace: string, name: string, port: string): string => `${namespace}/${name}${port === '' ? '' : `:${port}`}`;

export interface PortChains {
  /** The endpoints by policy Cluster, and by policy Local. */
  readonly cluster: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

/** `protocol` in lower case. */
export function portChains(servicePort: string, protocol: string): PortChains {
  const hash = base32Hash(servicePort + protocol);
  return { cluster: `KUBE-SVC-${hash}`, local: `KUBE-SVL-${hash}`, external: `KUBE-EXT-${hash}`, firewall: `KUBE-FW-${hash}` };
}

/** `endpoint` as `10.0.0.46:53` or `[fd00::1]:53`. */
export const endpointChain = (servicePort: string, protocol: string, endpoint: string): string => `KUBE-SEP-${base32Hash(servicePort + protocol + endpoint)}`;
