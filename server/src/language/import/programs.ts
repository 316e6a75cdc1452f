/** Who connects the pods and who translates services, where the nodes' dumps show others than flannel and kube-proxy's iptables rules. */
import type { CapturedState, ClusterSpec, NodeSpec } from '../../../../engine/src/topology/spec.ts';

export interface Programs {
  /** `null`: nothing shows another than flannel with the bridge plugin. */
  readonly plugin: Sign | null;
  /** `null`: nothing shows another than iptables rules. */
  readonly proxy: Sign | null;
}

export interface Sign {
  /** As the file says it: `calico`, `ipvs`. */
  readonly name: string;
  /** "as the device cali5e1f of host1 shows" */
  readonly because: string;
}

/** Each plugin's devices on a node, and its chains; of those that use other plugins' tools the later do not count. */
const PLUGINS: readonly (readonly [name: string, device: RegExp | null, chain: RegExp | null])[] = [
  ['cilium', /^(cilium_|lxc)/, /^CILIUM_/],
  ['calico', /^(cali[0-9a-f]{11}$|vxlan\.calico$)/, /^cali-/],
  ['weave', /^(weave$|vxlan-6784$)/, /^WEAVE/],
  ['aws-vpc-cni', /^eni[0-9a-f]{11}$/, /^AWS-(SNAT|CONNMARK)-CHAIN/],
  ['kindnet', null, /^KIND-MASQ-AGENT$/],
  ['antrea', /^antrea-/, /^ANTREA-/],
  ['ovn-kubernetes', /^ovn-k8s-/, /^OVN-KUBE-/],
  ['kube-router', /^kube-bridge$/, null],
  ['azure', /^azv[0-9a-f]+$/, null],
];

export function programsOf(spec: ClusterSpec): Programs {
  const housing = new Set(spec.pods.flatMap((p) => (p.hostNetwork ? [] : [p.node])));
  return { plugin: first(spec.nodes, (node) => pluginOf(node, housing)), proxy: proxyOf(spec) };
}

function first(nodes: readonly NodeSpec[], signOf: (node: NodeSpec) => Sign | null): Sign | null {
  for (const node of nodes) {
    const sign = signOf(node);
    if (sign !== null) return sign;
  }
  return null;
}

const devicesOf = ({ interfaces, routes }: CapturedState): readonly string[] =>
  [...new Set([...(interfaces ?? []).map((i) => i.name), ...(routes ?? []).flatMap((r) => r.nexthops.flatMap((h) => h.device ?? []))])];

const chainsOf = ({ tables }: CapturedState): readonly string[] => (tables ?? []).flatMap((t) => t.chains.map((c) => c.name));

/** `housing`: the nodes that have pods. */
function pluginOf({ name: host, captured }: NodeSpec, housing: ReadonlySet<string>): Sign | null {
  const [devices, chains] = [devicesOf(captured), chainsOf(captured)];
  for (const [name, device, chain] of PLUGINS) {
    const ofDevice = device === null ? undefined : devices.find((d) => device.test(d));
    const ofChain = chain === null ? undefined : chains.find((c) => chain.test(c));
    if (ofDevice !== undefined) return { name, because: `as the device ${ofDevice} of ${host} shows` };
    if (ofChain !== undefined) return { name, because: `as the chain ${ofChain} of ${host} shows` };
  }
  const isWhole = (captured.interfaces ?? []).some((i) => i.name === 'lo');
  const hasBridge = devices.some((d) => /^(cni0|flannel)/.test(d)) || chains.some((c) => c.startsWith('FLANNEL-'));
  return isWhole && housing.has(host) && !hasBridge ? { name: 'other', because: `as ${host} has pods, and neither cni0 nor a device of flannel` } : null;
}

function proxyOf(spec: ClusterSpec): Sign | null {
  const told = spec.cluster?.kubeProxy.mode ?? 'iptables';
  if (told !== 'iptables') return null;
  const ipvs = first(spec.nodes, ({ name, captured }) => {
    const device = devicesOf(captured).find((d) => d === 'kube-ipvs0');
    return device === undefined ? null : { name: 'ipvs', because: `as the device ${device} of ${name} shows` };
  });
  if (ipvs !== null) return ipvs;
  const dumped = spec.nodes.filter(({ captured }) => captured.tables?.some((t) => t.name === 'nat' && t.family === 4) === true);
  const served = spec.services.some((s) => s.clusterAddresses.length > 0);
  const programmed = dumped.some(({ captured }) => chainsOf(captured).some((c) => c === 'KUBE-SERVICES'));
  return served && dumped.length > 0 && !programmed ? { name: 'other', because: 'as no node has the chain KUBE-SERVICES: kube-proxy in nftables mode, or another program' } : null;
}
