/** What holds where the `cluster` statement says nothing, or is not there. */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import { ipv4 } from '../../../../engine/src/net/address.ts';

export interface Cidrs {
  readonly podCidrs: readonly Prefix[];
  readonly serviceCidrs: readonly Prefix[];
}

/** 10.244.0.0/16, flannel's own example, and 10.96.0.0/12, kubeadm's default. */
export const DEFAULTS: Cidrs = {
  podCidrs: [{ address: ipv4(0x0af4_0000), length: 16 }],
  serviceCidrs: [{ address: ipv4(0x0a60_0000), length: 12 }],
};

export const DEFAULT_CLUSTER_NAME = 'cluster';
export const DEFAULT_DOMAIN = 'cluster.local';
