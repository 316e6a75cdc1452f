/** The article's cluster, built from network namespaces: what the kernel does is what the simulator says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Flow } from '../../engine/src/trace/flow.ts';
import type { Branch } from '../../engine/src/trace/model.ts';
import { resolveQuestion } from '../../engine/src/trace/party.ts';
import { runTrace } from '../../engine/src/trace/run.ts';
import { createSnapshot } from '../../server/src/language/snapshot.ts';
import type { Observation } from './judge.ts';
import { alignRandomPorts, framesPredicted, framesSeen, observe, rulesPredicted, rulesSeen } from './judge.ts';

const examples = path.resolve(import.meta.dirname, '../../examples');

/** With the replies; where several branches are possible, each is. */
const framesOf = (branch: Branch): readonly string[] => framesPredicted([...branch.request.hops, ...(branch.reply?.hops ?? [])]);

const QUESTIONS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'article.k8snet': [
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
  'dual-stack.k8snet': [
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
};

describe.each(Object.keys(QUESTIONS))('%s in the kernel', (name) => {
  const file = path.join(examples, name);
  const snapshot = createSnapshot({ file, text: readFileSync(file, 'utf8') });
  const questions = QUESTIONS[name] ?? [];
  const flows = questions.map(([from, to]): Flow => {
    const answer = resolveQuestion(snapshot.topology(), { from, to });
    if (!('flow' in answer)) throw new Error(answer.error);
    return answer.flow;
  });
  let observations: readonly Observation[] = [];
  beforeAll(() => {
    observations = observe(snapshot.topology(), flows);
  }, 60_000);

  it.each(questions.map((question, i) => [...question, i] as const))('%s -> %s', (_from, _to, i) => {
    const observation = observations[i];
    const flow = flows[i];
    if (observation === undefined || flow === undefined) throw new Error('no observation');
    const branches = runTrace(snapshot.compiled(), flow).branches;
    const seen = framesSeen(observation);
    expect(seen.length).toBeGreaterThan(0);
    // Of several endpoints the kernel chose one; the branch must be among those predicted, and be right in everything.
    const aligned = (b: Branch): readonly string[] => alignRandomPorts(seen, framesOf(b), b);
    const branch = branches.find((b) => framesOf(b).join('\n') === aligned(b).join('\n')) ?? branches[0];
    if (branch === undefined) throw new Error('no branch');
    expect(framesOf(branch)).toEqual(aligned(branch));
    expect(Object.fromEntries(rulesPredicted(branch))).toEqual(Object.fromEntries(rulesSeen(observation)));
    expect(branch.answer.kind === 'reply').toBe(observation.answer.kind === 'reply');
  });
});
