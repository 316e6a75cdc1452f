import { describe, expect, test } from 'vitest';
import type { Branch, Trace } from '../../../engine/src/trace/model.ts';
import { INITIAL, type Action, type Answer, type State } from '../../../webview/src/state/model.ts';
import { branchOf, marked, reduce } from '../../../webview/src/state/reduce.ts';
import { aftermath, headline, percent, secondText, signOf, supposition } from '../../../webview/src/state/outcome.ts';
import { offersFor } from '../../../webview/src/simulator/offers.ts';
import { withoutPort } from '../../../webview/src/state/parties.ts';
import { articleCluster, droppedBranch, FILE, flow, secondDroppedBranch, serviceBranch, traceOf } from './fixture.ts';

const topology = articleCluster();
const question = { from: 'pod1', to: 'kube-dns.kube-system:53/UDP' };
const traced = (trace: Trace): Answer => ({ kind: 'traced', flow: flow(), trace, scenes: [] });
const answered = (answer: Answer, changes: Partial<Extract<Action, { type: 'answered' }>> = {}): Action =>
  ({ type: 'answered', file: FILE, revision: 1, question, answer, ...changes });
const run = (...actions: readonly Action[]): State => actions.reduce(reduce, INITIAL);

/** The same branch with the hop of that number left out. */
const without = (branch: Branch, number: number): Branch => ({ ...branch, request: { hops: branch.request.hops.filter((_, i) => i + 1 !== number) } });

describe('after an edit of the file', () => {
  test('an opened hop of the second packet stays open, though the request has one hop fewer', () => {
    const before = run(answered(traced(traceOf(secondDroppedBranch()))), { type: 'select', hop: 23 });
    const after = reduce(before, answered(traced(traceOf(without(secondDroppedBranch(), 2))), { revision: 2 }));
    expect([after.selected, after.expanded]).toEqual([22, [22]]);
  });

  test('the tab of a supposition stays chosen, though another branch ends alike', () => {
    const supposing = { ...droppedBranch(), supposing: ['the limit is used up'] };
    const before = run(answered(traced(traceOf(droppedBranch(), supposing))), { type: 'branch', index: 1 });
    expect(reduce(before, answered(traced(traceOf(supposing, droppedBranch())), { revision: 2 })).branch).toBe(0);
  });

  test('the same question keeps tab, selection and opened hops', () => {
    const before = run(answered(traced(traceOf(droppedBranch(), serviceBranch()))), { type: 'branch', index: 1 }, { type: 'select', hop: 4 }, { type: 'expand', hop: 12 });
    const after = reduce(before, answered(traced(traceOf(droppedBranch(), serviceBranch())), { revision: 2 }));
    expect([after.branch, after.selected, after.expanded]).toEqual([1, 4, [4, 12]]);
  });

  test('a hop that has another number now stays selected, one that is gone does not', () => {
    const before = run(answered(traced(traceOf(serviceBranch()))), { type: 'select', hop: 4 }, { type: 'expand', hop: 2 });
    const after = reduce(before, answered(traced(traceOf(without(serviceBranch(), 2))), { revision: 2 }));
    expect([after.selected, after.expanded]).toEqual([3, [3]]);
  });

  test('the tab follows its receiver when branches change places', () => {
    const before = run(answered(traced(traceOf(droppedBranch(), serviceBranch()))), { type: 'branch', index: 1 });
    const after = reduce(before, answered(traced(traceOf(serviceBranch(), droppedBranch())), { revision: 2 }));
    expect(after.branch).toBe(0);
  });

  test('another question starts anew', () => {
    const before = run(answered(traced(traceOf(serviceBranch()))), { type: 'select', hop: 4 });
    const after = reduce(before, answered(traced(traceOf(serviceBranch())), { question: { from: 'pod2', to: question.to } }));
    expect([after.selected, after.expanded, after.branch]).toEqual([null, [], 0]);
  });

  test('a question that no longer resolves keeps the last trace beside the problem', () => {
    const before = run(answered(traced(traceOf(serviceBranch()))), { type: 'select', hop: 4 });
    const broken = reduce(before, answered({ kind: 'unanswered', message: 'Nothing is named pod1.', suggestions: ['pod2'] }));
    expect(broken.problem).toEqual({ kind: 'unanswered', message: 'Nothing is named pod1.', suggestions: ['pod2'] });
    expect(branchOf(broken)?.outcome).toBe('delivered');
    const mended = reduce(broken, answered(traced(traceOf(serviceBranch()))));
    expect([mended.problem, mended.selected]).toEqual([null, 4]);
  });

  test('an engine that throws leaves a message, never an empty state', () => {
    const state = run(answered({ kind: 'failed', message: 'unexpected value' }));
    expect(state.problem?.kind).toBe('failed');
    expect(state.question).toEqual(question);
  });
});

test('what a reload kept is dropped where the fresh trace has no such hop', () => {
  const kept: State = { ...INITIAL, file: FILE, question, branch: 3, selected: 99, expanded: [2, 99] };
  const state = reduce(kept, answered(traced(traceOf(serviceBranch()))));
  expect([state.branch, state.selected, state.expanded]).toEqual([0, null, [2]]);
});

test("the cursor's line marks the hops that it took part in", () => {
  expect([...marked(serviceBranch(), { file: FILE, line: 28 })]).toEqual([2, 17]);
  expect([...marked(serviceBranch(), { file: 'other.k8snet', line: 28 })]).toEqual([]);
});

describe('in words', () => {
  test('a delivery names the receiver, what it sees, and what the sender gets', () => {
    expect(headline(serviceBranch())).toBe('Delivered to pod kube-system/kube-dns-1 at 10.0.0.46:53.');
    expect(signOf(serviceBranch())).toBe('✓');
    const lost: Branch = { ...serviceBranch(), answer: { kind: 'none', from: null, type: null, code: null, ttl: null }, reply: { outcome: 'dropped', reason: { code: 'policy-drop', sentence: 'The policy drops it.' }, hops: [] } };
    expect(headline(lost)).toBe('Delivered to pod kube-system/kube-dns-1 at 10.0.0.46:53, but the answer is lost.');
    expect(signOf(lost)).toBe('!');
    expect(aftermath(serviceBranch())).toBe('The receiver sees 10.0.14.15:40000 as the sender. The reply arrives from 10.16.0.10 with TTL 62.');
  });

  test('an answer that is lost on its way back says so', () => {
    const lost: Branch = { ...serviceBranch(), answer: { kind: 'none', from: null, type: null, code: null, ttl: null },
      reply: { outcome: 'dropped', reason: { code: 'unexpected-source', sentence: 'pod1 does not know the sender.' }, hops: [] } };
    expect(aftermath(lost)).toContain('dropped on its way back');
  });

  test('a second packet that fares otherwise is told, and one that only goes another way', () => {
    const branch = secondDroppedBranch();
    expect(secondText({ ...branch.reply!, outcome: 'dropped' }, branch)).toBe('The second packet fares otherwise: it is dropped.');
    expect(secondText(branch.reply!, branch)).toBe('The second packet is delivered too, by another way.');
    expect(secondText({ ...branch.reply!, outcome: 'dropped' }, droppedBranch())).toBe('The second packet is dropped too.');
  });

  test('a supposition is a clause', () => {
    expect([supposition(serviceBranch()), supposition({ ...serviceBranch(), supposing: ['a', 'b'] })]).toEqual(['', 'if a and b']);
  });

  test('probabilities are short', () => {
    expect([1, 0.5, 1 / 3, 0.0001].map(percent)).toEqual(['100 %', '50 %', '33.3 %', '<0.1 %']);
  });
});

describe('the offers of a field', () => {
  test('begin with what was typed, and name ports of services for the receiver only', () => {
    expect(offersFor(topology, 'to', 'kube').map((offer) => offer.text)).toEqual(['kube-system/kube-dns:53/UDP', 'kube-system/kube-dns-1']);
    expect(offersFor(topology, 'from', 'kube').map((offer) => offer.text)).toEqual(['kube-system/kube-dns-1']);
    expect(offersFor(topology, 'from', 'dns').map((offer) => offer.text)).toEqual(['kube-system/kube-dns-1']);
  });

  test('say the kind of what shares its name with something that a bare name finds first', () => {
    const [service] = topology.services;
    if (service === undefined) throw new Error('the fixture has a service');
    const shared = { ...topology, services: [{ ...service, namespace: 'default', name: 'pod2' }] };
    expect(offersFor(shared, 'to', 'pod2').map((offer) => offer.text)).toEqual(['pod2', 'service/pod2:53/UDP']);
  });

  test('of a swap leave the port behind', () => {
    expect(['kube-system/kube-dns:53/UDP', '[fd00::1]:53/UDP', 'fd00::1', 'pod1', 'pod2/ICMP'].map(withoutPort))
      .toEqual(['kube-system/kube-dns', 'fd00::1', 'fd00::1', 'pod1', 'pod2']);
  });
});
