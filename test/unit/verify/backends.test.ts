/** In a cluster with nothing captured, everybody talks to everybody, whichever way flannel carries the packets. */
import { describe, expect, it } from 'vitest';
import { compileTopology } from '../../../engine/src/data-plane/compile.ts';
import { buildTopology } from '../../../engine/src/topology/build.ts';
import type { ClusterSpec, FlannelSettings } from '../../../engine/src/topology/spec.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { resolveQuestion } from '../../../engine/src/trace/party.ts';
import { runTrace } from '../../../engine/src/trace/run.ts';
import { cluster, external, flannel, network, node, pod, port, prefix, service, spec } from '../control-plane/specs.ts';

const clusterWith = (settings: Partial<FlannelSettings>): ClusterSpec =>
  spec({
    cluster: cluster({ flannel: flannel(settings), podCidrs: [prefix('10.0.0.0/16'), prefix('fd00:10::/56')] }),
    networks: [network('lan', '192.168.93.0/24, fd00:93::/64', '192.168.93.254, fd00:93::fe')],
    externals: [external('qq.com', '203.0.113.7, 2001:db8::7')],
    nodes: [
      node('host1', '192.168.93.212/24, fd00:93::212/64', '10.0.14.0/24, fd00:10:0:14::/64'),
      node('host2', '192.168.93.213/24, fd00:93::213/64', '10.0.5.0/24, fd00:10:0:5::/64'),
    ],
    pods: [
      pod('client', 'host1', '10.0.14.15, fd00:10:0:14::15'),
      pod('near', 'host1', '10.0.14.16, fd00:10:0:14::16', { labels: { app: 'web' } }),
      pod('far', 'host2', '10.0.5.150, fd00:10:0:5::150', { labels: { app: 'web' } }),
      pod('agent', 'host2', '', { hostNetwork: true }),
    ],
    services: [service('web', '10.16.0.20, fd00:16::20', [port('http', 80, 'TCP', { targetPort: 8080, nodePort: 30080 })], { type: 'NodePort', selector: { app: 'web' } })],
  });

const BACKENDS: readonly (readonly [string, Partial<FlannelSettings>])[] = [
  ['vxlan', {}],
  ['vxlan of the older generation', { routesPer: 'network' }],
  ['vxlan with direct routing', { directRouting: true }],
  ['udp', { backend: 'udp', port: 8285 }],
  ['host-gw', { backend: 'host-gw' }],
];

const QUESTIONS: readonly (readonly [string, string])[] = [
  ['client', 'far'], ['client', 'far:8080'], ['client', 'near'], ['client', 'web:80'], ['client', 'web.default.svc.cluster.local:80'], ['near', 'web:80'],
  ['client', 'host1'], ['client', 'host2'], ['client', 'host2:30080'], ['client', 'qq.com:443'],
  ['host1', 'far'], ['host1', 'near'], ['host1', 'web:80'], ['host1', 'host1:30080'], ['host1', 'host2:30080'], ['agent', 'web:80'], ['host1', 'qq.com'],
  ['qq.com', 'host1:30080'],
];

const SIX: readonly (readonly [string, string])[] = [
  ['client', 'fd00:10:0:5::150'], ['client', '[fd00:16::20]:80'], ['client', '[2001:db8::7]:443'], ['host1', 'fd00:10:0:5::150'], ['2001:db8::7', '[fd00:93::212]:30080'],
];

function branches(compiled: ReturnType<typeof compileTopology>, from: string, to: string): readonly Branch[] {
  const resolved = resolveQuestion(compiled.topology, { from, to });
  if ('error' in resolved) throw new Error(resolved.error);
  return runTrace(compiled, resolved.flow).branches;
}

const summary = (b: Branch): string => (b.outcome === 'delivered' && b.answer.kind === 'reply' ? 'answered' : `${b.outcome}: ${b.reason?.sentence ?? b.reply?.reason?.sentence ?? b.answer.kind}`);

describe.each(BACKENDS)('%s', (_name, settings) => {
  const compiled = compileTopology(buildTopology(clusterWith(settings)));
  // flannel's udp backend knows IPv4 only.
  const questions = settings.backend === 'udp' ? QUESTIONS : [...QUESTIONS, ...SIX];

  it.each(questions)('%s -> %s', (from, to) => {
    expect(branches(compiled, from, to).map(summary).filter((s) => s !== 'answered')).toEqual([]);
  });

  it('probabilities add up to one', () => {
    for (const [from, to] of questions) expect(branches(compiled, from, to).reduce((sum, b) => sum + b.probability, 0)).toBeCloseTo(1, 6);
  });
});
