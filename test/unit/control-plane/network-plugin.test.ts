/** Another plugin than flannel with bridge: what pods send and get is left open, and nothing else is. */
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { compileVerdicts } from '../../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, walk } from '../../../engine/src/data-plane/verdict/verdict.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { article, cluster, kubeProxy, port, service } from './specs.ts';

const settings = cluster({ networkPlugin: 'calico', kubeProxy: kubeProxy({ mode: 'iptables' }) });
const topology = compileTopology(buildTopology(article({ cluster: settings, services: [service('kube-system/web', '10.16.0.10', [port('http', 80, 'TCP', { nodePort: 30080 })], { selector: { 'k8s-app': 'kube-dns' } })] })));

function flowOf(from: string, to: string) {
  const resolved = resolveQuestion(topology.topology, { from, to });
  if (!('flow' in resolved)) throw new Error(resolved.error);
  return resolved.flow;
}

const outcome = (from: string, to: string) => [...new Set(runTrace(topology, flowOf(from, to)).branches.map((b) => b.reason?.code ?? b.outcome))];

describe('a network plugin that is not simulated', () => {
  it.each([['pod1', 'pod2'], ['pod1', 'host1'], ['pod1', 'qq.com:443'], ['pod1', '10.16.0.10:80'], ['host1', 'pod2'], ['host1', 'pod1'], ['host1', '10.16.0.10:80'], ['qq.com', '192.168.93.213:30080']])('leaves open what %s sends to %s', (from, to) => {
    expect(outcome(from, to)).toEqual(['plugin-unknown']);
  });

  it('says so, undecided', () => {
    const [branch] = runTrace(topology, flowOf('pod1', 'pod2')).branches;
    expect([branch?.outcome, branch?.reason?.sentence]).toEqual(['undecided', expect.stringMatching(/^Pods are connected by calico, which is not simulated, so what becomes of a packet from pod default\/pod1 to [\d.]+ cannot be told\.$/)]);
  });

  it('decides what goes between nodes, to the world, and from a pod to itself', () => {
    expect([outcome('host1', 'host2:22'), outcome('host1', 'qq.com:443'), outcome('pod1', 'pod1')]).toEqual(Array(3).fill(['delivered']));
  });

  it('has neither cni0 nor anything of flannel on its nodes', () => {
    for (const { ns } of topology.namespaces.map((c) => ({ ns: c.namespace }))) {
      expect(ns.interfaces.filter((i) => /^(cni0|flannel|veth)/.test(i.name))).toEqual([]);
      expect(ns.tables.flatMap((t) => t.chains.filter((c) => c.name.startsWith('FLANNEL')))).toEqual([]);
      expect([...ns.fdb, ...ns.neighbours].filter((e) => e.origin.kind === 'derived' && e.origin.by === 'flannel')).toEqual([]);
    }
  });

  it('is left to the exact engine', () => {
    const runner = makeRunner(compileVerdicts(topology));
    for (const [from, to] of [['pod1', 'pod2'], ['host1', 'pod2'], ['qq.com', '192.168.93.213:30080']] as const) {
      const handle = runner === null ? null : prepare(runner, flowOf(from, to));
      expect(runner !== null && handle !== null && walk(runner, handle, 0, 0)).toBe(null);
    }
  });
});

describe('services that another program translates', () => {
  it('are left open, with that reason', () => {
    const other = compileTopology(buildTopology(article({ cluster: cluster({ kubeProxy: kubeProxy({ mode: 'other' }) }), services: [service('kube-system/web', '10.16.0.10', [port('http', 80, 'TCP')], { selector: { 'k8s-app': 'kube-dns' } })] })));
    const resolved = resolveQuestion(other.topology, { from: 'pod1', to: '10.16.0.10:80' });
    const [branch] = 'flow' in resolved ? runTrace(other, resolved.flow).branches : [];
    expect(branch?.reason?.sentence).toBe('Another program than kube-proxy translates services on host1, which is not simulated, so what becomes of 10.16.0.10:80 cannot be told.');
  });
});
