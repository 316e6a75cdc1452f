import { overheadOf } from '../../../../engine/src/control-plane/flannel/device.ts';
import { rangeIn } from '../bind/file-model.ts';
import { clusterCidrs } from '../bind/names.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, fixOf, report } from './define.ts';

export const mtuAboveUnderlay = defineDiagnostic<{ readonly mtu: number; readonly most: number; readonly overhead: number; readonly node: string; readonly underlay: number }>({
  code: 'K8N2008',
  slug: 'mtu-above-underlay',
  severity: 'warning',
  message: (p) => `flannel's MTU of ${p.mtu} and ${p.overhead} bytes around each packet do not fit the MTU of ${p.underlay} that ${p.node} has on its network: large packets are fragmented or lost; ${p.most} is the most`,
  fix: (p, at) => [fixOf(`Change it to ${p.most}`, at, String(p.most))],
});

/** Of the node whose network takes least. */
export const checkFlannelMtu: Check = function* ({ model, names }) {
  const [cluster] = model.clusters;
  const mtu = cluster?.declaration.flannelMtu;
  if (cluster === undefined || mtu === undefined || mtu === null) return;
  const { backend } = cluster.declaration.flannel;
  if (backend !== 'vxlan' && backend !== 'udp') return;
  const overhead = Math.max(...clusterCidrs(model).podCidrs.map((c) => overheadOf(backend, c.address.family)));
  const underlays = model.nodes.flatMap(({ declaration: d }) => {
    const uplink = d.interfaces.find((i) => i.network !== null);
    const network = names.networks.get(uplink?.network?.value ?? '');
    return uplink === undefined || network === undefined ? [] : [{ node: d.name?.value ?? 'a node', underlay: uplink.mtu ?? network.declaration.mtu }];
  });
  const least = underlays.reduce<(typeof underlays)[number] | null>((low, u) => (low === null || u.underlay < low.underlay ? u : low), null);
  if (least === null || mtu.value + overhead <= least.underlay) return;
  yield report(mtuAboveUnderlay, { mtu: mtu.value, most: least.underlay - overhead, overhead, ...least }, rangeIn(cluster, mtu));
};
