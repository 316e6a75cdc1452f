/**
 * kube-proxy's rules of one node, IPv4, for 10,000 services with two endpoints each: from the services, pods and nodes as
 * records to every line of iptables-save. The measure is `iptables-legacy-restore --test` of that very ruleset in the same
 * run, both in processor time, since a wall clock shows the machine's other guests as well. Where kube-proxy's full sync
 * took 516 ms, that test took 573 ms: the goal is 0.9 of it.
 */
import v8 from 'node:v8';
import vm from 'node:vm';
import { servicesOf } from '../../engine/src/control-plane/endpoints.ts';
import { nodeTables } from '../../engine/src/control-plane/iptables.ts';
import { servicePortsOf } from '../../engine/src/control-plane/kube-proxy/rules.ts';
import { planOf } from '../../engine/src/control-plane/plan.ts';
import type { Plan } from '../../engine/src/control-plane/plan.ts';
import { podsOf } from '../../engine/src/control-plane/pods.ts';
import { savedTable } from '../../engine/src/topology/iptables-save.ts';
import type { ClusterSpec } from '../../engine/src/topology/spec.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { clusterText } from './cluster-text.ts';
import { restoreTime } from './iptables-restore.ts';
import { median } from './row.ts';
import type { Bench } from './row.ts';

v8.setFlagsFromString('--expose_gc');
/** So that nobody's garbage but its own is collected while it runs. */
const collect = vm.runInNewContext('gc') as () => void;

const KUBE_PROXY = 516 / 573;
const NEAR = 0.25;

export const synthesis: Bench = {
  name: 'synthesis',
  rows: ({ smoke }) => {
    const services = smoke ? 100 : 10_000;
    const spec = createSnapshot({ file: 'bench.k8snet', text: clusterText(services, 4) }).spec();
    const fresh = (): ClusterSpec => ({ ...spec, pods: spec.pods.map((pod) => ({ ...pod })), services: spec.services.map((service) => ({ ...service })) });
    const rounds = smoke ? 1 : 7;
    const full = median(Array.from({ length: rounds }, () => synthesised(planOf(fresh())).milliseconds));
    const lines = synthesised(planOf(spec)).lines;
    const changed = median(Array.from({ length: rounds }, (_, i) => synthesised(planOf({ ...spec, pods: spec.pods.map((pod, n) => (n === i ? { ...pod, ready: false } : pod)) })).milliseconds));
    const test = median(Array.from({ length: smoke ? 1 : 5 }, () => restoreTime(`${lines.join('\n')}\n`, 4) ?? Number.NaN));
    const size = `${services} services × ${services * 2} endpoints, ${lines.length} lines`;
    return [
      { name: `kube-proxy's rules of a node, ${size}`, value: full, unit: 'ms of processor time', ratio: full / test, against: 'iptables-legacy-restore --test of them', goal: `ratio <= ${KUBE_PROXY.toFixed(2)}`, holds: full / test <= KUBE_PROXY },
      { name: 'the same after one endpoint has changed', value: changed, unit: 'ms of processor time', ratio: changed / full, against: 'all of them', goal: `ratio <= ${NEAR}`, holds: changed / full <= NEAR },
    ];
  },
};

function synthesised(plan: Plan): { readonly milliseconds: number; readonly lines: readonly string[] } {
  const [node] = plan.nodes.values();
  if (node === undefined) throw new Error('no node');
  collect();
  const before = process.cpuUsage();
  const ports = servicePortsOf(plan, servicesOf(plan, podsOf(plan)));
  const lines = nodeTables(plan, node, ports).filter((table) => table.family === 4).flatMap((table) => savedTable(table));
  const { user, system } = process.cpuUsage(before);
  return { milliseconds: (user + system) / 1000, lines };
}
