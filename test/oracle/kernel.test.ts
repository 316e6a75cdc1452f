/** The article's cluster, built from network namespaces: what the kernel does is what the simulator says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Flow } from '../../engine/src/trace/flow.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import { compare } from './judge.ts';
import { startKernel } from './kernel.ts';
import type { Observation } from './kernel.ts';

const root = path.resolve(import.meta.dirname, '../..');

const QUESTIONS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'examples/article.k8snet': [
    ['pod1', 'pod2'],
    ['pod2', 'pod1'],
    ['pod1', 'pod2:8080/TCP'],
    ['pod1', 'kube-dns.kube-system:53/UDP'],
    ['pod2', 'kube-dns.kube-system:53/UDP'],
    ['kube-system/kube-dns-1', 'kube-dns.kube-system:53/UDP'],
    ['pod1', 'kube-dns.kube-system'],
    ['pod1', 'kube-system/kube-dns-1:54/UDP'],
    ['pod1', 'qq.com:443/TCP'],
    ['pod2', 'qq.com'],
    ['host1', 'pod2'],
    ['host1', 'kube-system/kube-dns:53/UDP'],
    ['pod1', 'host2'],
    ['pod1', 'host1'],
  ],
  'examples/dual-stack.k8snet': [
    ['client', 'web-1'],
    ['client', 'web-2'],
    ['client', 'web-2:81/TCP'],
    ['client', 'fd00:10:244:2::11'],
    ['client', 'fd00:10:244:1::11'],
    ['client', '[fd00:10:244:2::11]:8080/TCP'],
    ['client', '[fd00:10:244:2::11]:81/TCP'],
    ['client', '[fd00:10:96::20]:80/TCP'],
    ['client', 'web:80/TCP'],
    ['client', '2001:db8::7'],
    ['host1', 'fd00:10:244:2::11'],
  ],
  'test/fixtures/oracle/services.k8snet': [
    ['pod1', 'service/web:80/TCP'],
    ['pod1', 'service/web:80/UDP'],
    ['pod1', 'service/web:81/TCP'],
    ['pod1', 'service/one:53/UDP'],
    ['self', 'service/self:80/TCP'],
    ['pod1', 'service/empty:80/TCP'],
    ['pod1', 'service/empty:80/UDP'],
    ['pod1', 'service/near:80/TCP'],
    ['one', 'service/near:80/TCP'],
    ['pod1', '192.168.93.212:30080/TCP'],
    ['pod1', '192.168.93.213:30080/TCP'],
    ['pod1', '192.168.93.212:30081/TCP'],
    ['pod1', '192.168.93.213:30081/TCP'],
    ['pod1', '192.168.93.214:30081/TCP'],
    ['pod1', '192.168.93.213:30090/TCP'],
    ['pod1', '192.168.93.214:22/TCP'],
    ['pod1', '192.168.93.214:23/TCP'],
    ['pod1', '198.51.100.10:80/TCP'],
    ['client', '198.51.100.10:80/TCP'],
    ['other', '198.51.100.10:80/TCP'],
    ['client', '198.51.100.20:80/TCP'],
    ['pod1', '198.51.100.20:80/TCP'],
    ['client', '192.168.93.213:30081/TCP'],
    ['client', '192.168.93.214:30081/TCP'],
    ['client', '192.168.93.212:30080/TCP'],
    ['pod1', 'service/sticky:80/TCP'],
    ['host1', 'service/web:80/TCP'],
    ['host1', 'service/empty:80/TCP'],
    ['host1', '192.168.93.213:30081/TCP'],
    ['host1', 'web-1:8080/TCP'],
    ['host1', 'one:8081/TCP'],
    ['pod1', '10.0.99.1:80/TCP'],
    ['pod1', '10.16.0.99:80/TCP'],
    ['pod1', '203.0.113.200:80/TCP'],
    ['client', 'pod1'],
  ],
  'test/fixtures/oracle/faults.k8snet': [
    ['pod1', 'pod2:80/TCP'],
    ['pod1', 'pod2:81/TCP'],
    ['pod1', 'pod2:82/TCP'],
    ['pod1', 'pod2:83/TCP'],
    ['pod1', 'pod2:84/TCP'],
    ['pod1', 'pod2:85/UDP'],
    ['pod3', 'pod2:86/UDP'],
    ['pod3', 'pod2:87/UDP'],
    ['pod1', 'pod2'],
    ['pod3', 'pod2'],
    ['pod3', 'pod2:80/TCP'],
    ['pod3', 'dns:53/UDP'],
    ['pod3', 'dns:54/UDP'],
    ['pod1', 'dns'],
    ['dns', 'pod1'],
    ['pod1', '10.0.77.1'],
    ['pod1', '10.0.78.1'],
    ['pod1', '10.0.79.1'],
    ['host1', '10.0.77.1'],
    ['host1', '10.0.79.1'],
    ['pod1', '10.9.0.150'],
    ['pod1', '192.168.93.212:9000/TCP'],
    ['pod1', '192.168.93.212:9001/UDP'],
    ['pod1', '192.168.93.212:7777/TCP'],
    ['pod1', '192.168.93.212:205/UDP'],
    ['pod1', 'pod3:81/TCP'],
    ['pod1', 'pod3:80/TCP'],
    ['pod1', 'pod3:6000/UDP'],
    ['pod1', 'pod2:6000/UDP'],
    ['pod1', 'pod3:8080/TCP'],
    ['host1', '10.16.0.77:80/TCP'],
    ['host1', '127.0.0.1:80/TCP'],
    ['host1', '192.168.93.212'],
    ['pod1', '10.0.14.99'],
    ['host1', '10.0.14.99'],
    ['pod1', 'qq.com'],
    ['pod2', 'pod1:22/TCP'],
    ['qq.com', 'host1:80/TCP'],
  ],
};

describe.each(Object.keys(QUESTIONS))('%s in the kernel', (name) => {
  const file = path.join(root, name);
  const snapshot = createSnapshot({ file, text: readFileSync(file, 'utf8') });
  const questions = QUESTIONS[name] ?? [];
  const flows = questions.map(([from, to]): Flow => {
    const answer = resolveQuestion(snapshot.topology(), { from, to });
    if (!('flow' in answer)) throw new Error(answer.error);
    return answer.flow;
  });
  let observations: readonly Observation[] = [];
  beforeAll(async () => {
    const kernel = startKernel(0);
    observations = await kernel.observe(snapshot.topology(), flows, 1);
    kernel.stop();
  }, 60_000);

  it.each(questions.map((question, i) => [...question, i] as const))('%s -> %s', (_from, _to, i) => {
    const observation = observations[i];
    const flow = flows[i];
    if (observation === undefined || flow === undefined) throw new Error('no observation');
    expect(compare(snapshot.topology(), flow, runTrace(snapshot.compiled(), flow), observation).differences).toEqual([]);
  });
});
