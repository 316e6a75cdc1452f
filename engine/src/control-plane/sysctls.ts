/** The network sysctls that a trace asks for, where nobody captured them. */
import { perRecord } from '../memo.ts';
import type { Sysctl } from '../topology/model.ts';
import { derived } from '../topology/origin.ts';
import { answersOnLocalhost } from './kube-proxy/node-ports.ts';
import type { NodePlan } from './plan.ts';
import type { KubeProxySettings } from '../topology/spec.ts';
import type { Origin, SourceRef } from '../topology/origin.ts';

const values = (origin: Origin, entries: Readonly<Record<string, number>>): readonly Sysctl[] =>
  Object.entries(entries).map(([name, value]) => ({ name, value: String(value), origin }));

const FORWARDING = { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.all.forwarding': 1, 'net.ipv6.conf.all.forwarding': 1 };

const NO_FORWARDING = { 'net.ipv4.ip_forward': 0, 'net.ipv4.conf.all.forwarding': 0, 'net.ipv6.conf.all.forwarding': 0 };

const NO_SOURCE_CHECK = { 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0 };

/**
 * kubeadm's preflight demands forwarding and bridge-nf-call-iptables; kube-proxy sets route_localnet for IPv4
 * (pkg/proxy/iptables/proxier.go), as NodePorts answer on localhost.
 */
export const nodeSysctls = (kubeProxy: KubeProxySettings, node: NodePlan): readonly Sysctl[] => [
  ...values(derived('kubelet', 'a node that forwards, and whose bridged packets pass iptables'), {
    ...FORWARDING,
    'net.bridge.bridge-nf-call-iptables': 1,
    'net.bridge.bridge-nf-call-ip6tables': 1,
    ...NO_SOURCE_CHECK,
    'net.netfilter.nf_conntrack_tcp_be_liberal': kubeProxy.mode !== 'none' && kubeProxy.tcpBeLiberal ? 1 : 0,
  }),
  ...values(kubeProxy.mode === 'iptables' && answersOnLocalhost(kubeProxy, node) ? derived('kube-proxy', 'node ports on localhost') : derived('kernel', 'the default of a new network namespace'), {
    'net.ipv4.conf.all.route_localnet': kubeProxy.mode === 'iptables' && answersOnLocalhost(kubeProxy, node) ? 1 : 0,
  }),
];

/** portmap.go: enableLocalnetRouting, so that localhost reaches host ports too. */
export const localnetSysctls = (device: string, at: SourceRef): readonly Sysctl[] => values(derived('cni', 'host ports on localhost', at), { [`net.ipv4.conf.${device}.route_localnet`]: 1 });

export const routerSysctls = (): readonly Sysctl[] => values(derived('network', 'a gateway that forwards'), { ...FORWARDING, ...NO_SOURCE_CHECK });

const END_HOST = values(derived('kernel', 'the default of a new network namespace'), { ...NO_FORWARDING, ...NO_SOURCE_CHECK, 'net.ipv4.conf.all.route_localnet': 0 });

export const endHostSysctls = (): readonly Sysctl[] => END_HOST;

const COPIED = /^net\.ipv4\.(?:ip_forward$|conf\.(?:all|default)\.)/;

/**
 * A new namespace starts with a copy of the node's IPv4 settings of devices, ip_forward among them, and with IPv6's defaults
 * (net/ipv4/devinet.c: devinet_init_net, net/ipv6/addrconf.c: addrconf_init_net; net.core.devconf_inherit_init_net 0). They are
 * taken as the node has them now.
 */
export const podSysctls = perRecord((node: NodePlan, kubeProxy: KubeProxySettings): readonly Sysctl[] => {
  const copied = sysctlsOver(nodeSysctls(kubeProxy, node), node.spec.captured.sysctls ?? []).filter((s) => COPIED.test(s.name));
  return sysctlsOver(END_HOST, copied.map((s) => ({ ...s, origin: derived('kernel', `what a new namespace copies from ${node.spec.name}`, s.origin.at) })));
});

/** Two names of one switch (net/ipv4/devinet.c: ipv4_doint_and_flush, devinet_sysctl_forward). */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding'],
  ['net.ipv4.conf.all.forwarding', 'net.ipv4.ip_forward'],
]);

/** Captured over derived, value by value. */
export function sysctlsOver(derived: readonly Sysctl[], captured: readonly Sysctl[]): readonly Sysctl[] {
  const values = new Map(derived.map((s) => [s.name, s]));
  const said = new Set(captured.map((s) => s.name));
  for (const sysctl of captured) {
    values.set(sysctl.name, sysctl);
    const alias = ALIASES.get(sysctl.name);
    if (alias !== undefined && !said.has(alias)) values.set(alias, { ...sysctl, name: alias });
  }
  return [...values.values()];
}
