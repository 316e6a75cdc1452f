/** kube-proxy in nftables or IPVS mode: what it would translate is left open, and nothing else is. */
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { compileVerdicts } from '../../../engine/src/data-plane/verdict/program.ts';
import { makeRunner, prepare, walk } from '../../../engine/src/data-plane/verdict/verdict.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { article, cluster, kubeProxy, port, service } from './specs.ts';

const compiled = (mode: 'nftables' | 'ipvs' | 'iptables') =>
  compileTopology(buildTopology(article({
    cluster: cluster({ kubeProxy: kubeProxy({ mode }) }),
    services: [service('web', '10.16.0.10', [port('http', 80, 'TCP', { nodePort: 30080 })], { selector: { 'k8s-app': 'kube-dns' } })],
  })));

function flowOf(topology: ReturnType<typeof compiled>, from: string, to: string) {
  const resolved = resolveQuestion(topology.topology, { from, to });
  if (!('flow' in resolved)) throw new Error(resolved.error);
  return resolved.flow;
}

describe.each(['nftables', 'ipvs'] as const)('the mode %s', (mode) => {
  const topology = compiled(mode);
  const outcome = (from: string, to: string) => runTrace(topology, flowOf(topology, from, to)).branches.map((b) => b.reason?.code ?? b.outcome);

  it('leaves open what goes to a service or its node port', () => {
    expect([outcome('pod1', '10.16.0.10:80'), outcome('qq.com', '192.168.93.213:30080'), outcome('host1', '10.16.0.10:80')]).toEqual(Array(3).fill(['proxy-mode-unknown']));
    const [branch] = runTrace(topology, flowOf(topology, 'pod1', '10.16.0.10:80')).branches;
    expect(branch?.outcome).toBe('undecided');
    expect(branch?.reason?.sentence).toBe(`kube-proxy on host1 runs in the mode ${mode}, which is not simulated yet, so what becomes of 10.16.0.10:80 cannot be told.`);
  });

  it('decides what goes elsewhere', () => {
    expect([outcome('pod1', 'pod2:80'), outcome('pod1', 'host2:22'), outcome('pod1', 'qq.com:443')]).toEqual(Array(3).fill(['delivered']));
  });

  it('is left to the exact engine', () => {
    const runner = makeRunner(compileVerdicts(topology));
    const handle = runner === null ? null : prepare(runner, flowOf(topology, 'pod1', '10.16.0.10:80'));
    expect(runner !== null && handle !== null && walk(runner, handle, 0, 0)).toBe(null);
  });
});
