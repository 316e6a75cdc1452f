/** resolv.conf as kubelet writes it, and the names that CoreDNS answers. */

/** kubelet, pkg/kubelet/network/dns: the search list of a pod with the ClusterFirst policy. */
export const clusterSearch = (namespace: string, domain: string): readonly string[] => [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];

export const CLUSTER_NDOTS = 5;
