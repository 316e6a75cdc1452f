/** kubelet's own chains, which hold no rule: its canaries, and the hint at the iptables in use (pkg/kubelet/kubelet_network_linux.go). */
import type { TableName } from '../topology/netfilter.ts';

const CANARY = 'KUBE-KUBELET-CANARY';

export const KUBELET_CHAINS: readonly { readonly table: TableName; readonly chain: string }[] = [
  { table: 'mangle', chain: 'KUBE-IPTABLES-HINT' },
  { table: 'mangle', chain: CANARY },
  { table: 'nat', chain: CANARY },
  { table: 'filter', chain: CANARY },
];
